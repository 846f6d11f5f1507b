from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import rich_store
import whole_store
from attrs import frozen

from mlcore.cli import main
from mlcore.entities import NewRun
from mlcore.hookspecs import HookSpecs
from mlcore.plugins import current


@frozen
class Done:
    code: int
    out: str
    err: str


Cli = Callable[..., Done]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    def run(*arguments: str) -> Done:
        capsys.readouterr()
        code = main(arguments)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def filled(tmp_path: Path) -> str:
    uri = f"sqlite:///{tmp_path}/a/mlcore.db"
    rich_store.fill(uri)
    return uri


def differences(source: str, target: str) -> list[str]:
    ignored = ("*/times", "models/*/versions/*/source")
    return whole_store.differences(whole_store.read_all(source), whole_store.read_all(target), *ignored)


def test_export_copies_the_store_that_one_works_with(cli: Cli, filled: str, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/b/mlcore.db"

    done = cli("--tracking-uri", filled, "export", "--to", target)

    assert done.code == 0, done.err
    assert differences(filled, target) == []
    assert "2 experiments and 6 runs copied, 0 runs completed, 0 unchanged" in done.out
    assert "still running, copied as they stood: 1 (eeeeeeee" in done.out


def test_import_takes_another_store_in(cli: Cli, filled: str, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/b/mlcore.db"

    done = cli("--tracking-uri", target, "import", "--from", filled)

    assert done.code == 0, done.err
    assert differences(filled, target) == []


def test_a_second_export_says_that_nothing_was_written(cli: Cli, filled: str, tmp_path: Path) -> None:
    arguments = ("--tracking-uri", filled, "export", "--to", f"sqlite:///{tmp_path}/b/mlcore.db")
    cli(*arguments)

    done = cli(*arguments)

    assert "nothing was missing, nothing was written" in done.out


def test_the_report_is_one_json_object(cli: Cli, filled: str, tmp_path: Path) -> None:
    done = cli("--tracking-uri", filled, "export", "--to", f"sqlite:///{tmp_path}/b/mlcore.db", "--json", "--dry-run")

    report = json.loads(done.out)
    assert (report["dry_run"], report["counts"]["runs"], report["failures"]) == (True, 6, [])
    assert {"what", "count", "examples"} == set(report["shortfalls"][0])


def test_experiments_runs_and_the_rest_are_chosen_by_options(cli: Cli, filled: str, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/b/mlcore.db"

    options = ("-x", "gone", "-x", "wine", "--no-artifacts", "--no-models", "--jobs", "2")
    done = cli("--tracking-uri", filled, "export", "--to", target, *options)

    found = whole_store.read_all(target)
    assert done.code == 0, done.err
    assert (len(found["runs"]), found["models"]) == (5, {})


def test_what_failed_makes_the_exit_code_1(cli: Cli, filled: str, tmp_path: Path) -> None:
    store = current().first(HookSpecs.tracking_store, uri=filled, artifact_root=None)
    far = store.create_experiment("far", artifact_location="nosuchscheme://host/place", tags={})
    store.create_run(NewRun(far.experiment_id, "9" * 32, "n", "u", 1, {}))
    store.close()

    done = cli("--tracking-uri", filled, "export", "--to", f"sqlite:///{tmp_path}/b/mlcore.db")

    assert done.code == 1
    assert "failed, run it again: artifacts of run" in done.out


def test_a_source_that_is_not_there_is_one_line(cli: Cli, tmp_path: Path) -> None:
    done = cli("import", "--from", f"sqlite:///{tmp_path}/typo.db")

    assert (done.code, done.out) == (1, "")
    assert "there is no store at" in done.err


def test_a_pipe_gets_a_line_for_each_experiment(cli: Cli, filled: str, tmp_path: Path) -> None:
    done = cli("--tracking-uri", filled, "export", "--to", f"sqlite:///{tmp_path}/b/mlcore.db")

    assert done.err.splitlines() == ["experiment 'Default'", "experiment 'wine'", "experiment 'gone'"]


def test_a_terminal_gets_a_bar(filled: str, tmp_path: Path) -> None:
    screen, end = pty.openpty()
    command = [sys.executable, "-m", "mlcore.cli", "--tracking-uri", filled, "export", "--to"]
    with subprocess.Popen([*command, f"sqlite:///{tmp_path}/b/mlcore.db"], stdout=end, stderr=end) as process:
        os.close(end)
        text = b""
        while True:
            try:
                chunk = os.read(screen, 65536)
            except OSError:  # how a terminal on Linux says that nobody writes any more
                break
            text += chunk
    os.close(screen)

    assert process.returncode == 0
    assert "of 6 runs" in text.decode()
    assert "[...." in text.decode()
