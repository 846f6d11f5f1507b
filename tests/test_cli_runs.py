from __future__ import annotations

import csv
import fcntl
import json
import math
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import frozen

import mlcore
from mlcore.cli import main
from mlcore.tracking.session import Session, using

pytestmark = pytest.mark.usefixtures("here")


@frozen
class Done:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[list[str]]:
        return [line.split("\t") for line in self.out.splitlines()]

    @property
    def records(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Done]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("MLCORE_", "MLFLOW_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    def run(*arguments: str) -> Done:
        capsys.readouterr()
        code = main(arguments)
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def terminal(tmp_path: Path) -> Callable[..., str]:
    """Run the program in a real terminal of 100 columns; return what it wrote there."""

    def run(*arguments: str, **environ: str) -> str:
        screen, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
        with subprocess.Popen(
            [sys.executable, "-m", "mlcore.cli", *arguments],
            cwd=tmp_path,
            env={**kept, "TERM": "xterm", **environ},
            stdout=end,
            stderr=end,
            stdin=end,
        ):
            os.close(end)
            text = b"".join(_chunks(screen))
        os.close(screen)
        return text.decode().replace("\r\n", "\n")

    return run


def _chunks(screen: int) -> Iterator[bytes]:
    while True:
        try:
            part = os.read(screen, 65536)
        except OSError:  # the program has closed its end
            return
        if not part:
            return
        yield part


@pytest.fixture
def recorded() -> list[str]:
    """Two runs of `wine`: a good one with a curve and files, and a poor one."""
    ids = []
    with using(Session()):
        mlcore.set_experiment("wine")
        for name, depth, accuracy in (("good", 4, 0.95), ("poor", 1, 0.5)):
            with mlcore.start_run(run_name=name) as run:
                mlcore.log_params({"depth": depth, "seed": 0})
                for step in range(10):
                    mlcore.log_metric("loss", 1 / (step + depth), step=step)
                mlcore.log_metrics({"accuracy": accuracy, "gap": math.nan})
                mlcore.set_tag("team", "blue")
                mlcore.log_text("hello", "notes/readme.txt")
            ids.append(run.info.run_id)
    return ids


# experiments


def test_a_created_experiment_prints_nothing_but_its_id(cli: Cli) -> None:
    done = cli("experiments", "create", "-n", "wine", "--tag", "team=blue")

    assert (done.code, done.out) == (0, "1\n")
    assert "created experiment 'wine'" in done.err
    assert cli("experiments", "get", "-x", "1", "--json").records[0]["tags"] == {"team": "blue"}


def test_an_experiment_name_that_is_taken_is_an_error(cli: Cli) -> None:
    cli("experiments", "create", "-n", "wine")

    done = cli("experiments", "create", "-n", "wine")

    assert done.code == 1
    assert done.err.startswith("error: ")
    assert "'wine'" in done.err
    assert len(done.err.splitlines()) == 1


def test_experiments_are_listed_as_a_table_for_programs(cli: Cli) -> None:
    cli("experiments", "create", "-n", "wine")

    done = cli("experiments", "list")

    assert done.rows[0][:3] == ["experiment_id", "name", "lifecycle_stage"]
    # newest first; both may be of one millisecond
    assert sorted(row[:3] for row in done.rows[1:]) == [["0", "Default", "active"], ["1", "wine", "active"]]


def test_experiments_are_filtered_and_ordered(cli: Cli) -> None:
    for name in ("wine-b", "wine-a", "digits"):
        cli("experiments", "create", "-n", name)

    done = cli("experiments", "search", "--filter", "name LIKE 'wine%'", "--order-by", "name ASC", "--json")

    assert [r["name"] for r in done.records] == ["wine-a", "wine-b"]


def test_a_faulty_filter_points_at_the_column(cli: Cli) -> None:
    done = cli("runs", "search", "--filter", "metrics.a >> 1")

    assert done.code == 1
    assert "^" in done.err
    assert "Traceback" not in done.err


def test_a_deleted_experiment_is_listed_on_request_and_comes_back(cli: Cli) -> None:
    cli("experiments", "create", "-n", "wine")

    deleted = cli("experiments", "delete", "-n", "wine")

    assert "back with: mlcore experiments restore -x 1" in deleted.err
    assert [r["name"] for r in cli("experiments", "list", "--json").records] == ["Default"]
    assert [r["name"] for r in cli("experiments", "list", "-v", "deleted_only", "--json").records] == ["wine"]
    assert cli("experiments", "restore", "-x", "1").code == 0
    assert cli("experiments", "get", "-n", "wine", "--json").records[0]["lifecycle_stage"] == "active"


def test_an_experiment_is_renamed(cli: Cli) -> None:
    cli("experiments", "create", "-n", "wine")

    cli("experiments", "rename", "-x", "1", "--new-name", "grapes")

    assert cli("experiments", "get", "-x", "1", "--output", "json").records[0]["name"] == "grapes"


@pytest.mark.parametrize("options", [(), ("-x", "0", "-n", "Default")])
def test_an_experiment_needs_exactly_one_name_or_id(cli: Cli, options: tuple[str, ...]) -> None:
    done = cli("experiments", "get", *options)

    assert done.code == 2
    assert "give either --experiment-id or --experiment-name" in done.err


def test_an_experiment_that_is_not_there_says_where_to_look(cli: Cli) -> None:
    done = cli("experiments", "get", "-n", "wien")

    assert (done.code, done.err) == (
        1,
        "error: there is no experiment called 'wien' (see: mlcore experiments list)\n",
    )


def test_an_experiment_is_written_as_csv(cli: Cli, recorded: list[str], tmp_path: Path) -> None:
    done = cli("experiments", "csv", "-n", "wine", "-o", "wine.csv")

    rows = list(csv.DictReader((tmp_path / "wine.csv").read_text().splitlines()))
    assert done.out == ""
    assert [r["run_name"] for r in rows] == ["poor", "good"]
    assert rows[1]["metrics.accuracy"] == "0.95"
    assert rows[1]["metrics.gap"] == "NaN"
    assert rows[1]["params.depth"] == "4"
    assert rows[1]["tags.team"] == "blue"


# search


def test_runs_are_searched_across_all_experiments(cli: Cli, recorded: list[str]) -> None:
    done = cli("runs", "search", "--filter", "metrics.accuracy > 0.9", "--json")

    assert [r["info"]["run_id"] for r in done.records] == [recorded[0]]  # type: ignore[index]  # plain JSON


def test_runs_are_listed_whole_and_exact_in_a_pipe(cli: Cli, recorded: list[str]) -> None:
    done = cli("runs", "list", "-n", "wine", "-o", "metrics.accuracy DESC")

    header, first, _ = done.rows
    found = dict(zip(header, first, strict=True))
    assert found["run_id"] == recorded[0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["start_time"])
    assert found["metrics.gap"] == "NaN"
    assert found["metrics.loss"] == repr(1 / 13)
    assert "params.seed" not in header  # all runs agree on it


def test_chosen_columns_come_in_the_given_order(cli: Cli, recorded: list[str]) -> None:
    table = cli("runs", "search", "-c", "params.depth,run_name", "-c", "tags.team")
    records = cli("runs", "search", "-c", "run_name,metrics.gap,experiment_name", "--json")

    assert table.rows == [["params.depth", "run_name", "tags.team"], ["1", "poor", "blue"], ["4", "good", "blue"]]
    assert records.records[0] == {"run_name": "poor", "metrics.gap": "NaN", "experiment_name": "wine"}


def test_an_unknown_column_is_misuse(cli: Cli) -> None:
    done = cli("runs", "search", "-c", "accuracy")

    assert done.code == 2
    assert "unknown column 'accuracy': expected run_id, run_name" in done.err


def test_a_limit_says_that_there_is_more(cli: Cli, recorded: list[str]) -> None:
    done = cli("runs", "search", "-l", "1", "--json")

    assert len(done.records) == 1
    assert "stopped at 1; there are more runs" in done.err


def test_no_run_is_said_on_standard_error(cli: Cli) -> None:
    done = cli("runs", "search", "--json")

    assert (done.code, done.out, done.err) == (0, "", "no run fits\n")


def test_the_experiment_of_the_settings_is_searched(
    cli: Cli, recorded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "Default")

    assert cli("runs", "search", "--json").out == ""


def test_a_terminal_gets_colours_short_ids_and_its_own_width(terminal: Callable[..., str], recorded: list[str]) -> None:
    text = terminal("runs", "list")

    assert "\x1b[32mFINISHED\x1b[0m" in text
    assert recorded[0][:8] in text
    assert recorded[0] not in text
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert max(map(len, plain.splitlines())) <= 100


def test_a_terminal_gets_no_colours_when_they_are_unwanted(terminal: Callable[..., str], recorded: list[str]) -> None:
    assert "\x1b[" not in terminal("runs", "list", NO_COLOR="1")
    assert "\x1b[" not in terminal("--no-color", "runs", "list")


# show, compare, plot


@pytest.mark.parametrize("word", ["id", "start", "name"])
def test_a_run_is_found_by_id_by_its_start_or_by_name(cli: Cli, recorded: list[str], word: str) -> None:
    spelled = {"id": recorded[0], "start": recorded[0][:10], "name": "good"}[word]

    done = cli("runs", "show", spelled, "--json")

    assert done.records[0]["info"]["run_id"] == recorded[0]  # type: ignore[index]  # plain JSON


def test_the_latest_run_is_found(cli: Cli, recorded: list[str]) -> None:
    done = cli("runs", "describe", "--run-id", "latest", "--json")

    assert done.records[0]["info"]["run_name"] == "poor"  # type: ignore[index]  # plain JSON


def test_a_word_that_fits_several_runs_is_an_error_that_names_them(cli: Cli, recorded: list[str]) -> None:
    with using(Session()), mlcore.start_run(run_name="good") as twin:
        pass

    done = cli("runs", "show", "good")

    assert done.code == 1
    assert "'good' fits 2 runs" in done.err
    assert recorded[0] in done.err
    assert twin.info.run_id in done.err


def test_a_word_that_fits_no_run_is_an_error(cli: Cli, recorded: list[str]) -> None:
    done = cli("runs", "show", "it's")

    assert (done.code, done.err) == (1, 'error: no run has the id or name "it\'s" (see: mlcore runs list)\n')


def test_a_shown_run_has_the_least_and_greatest_values_of_its_metrics(cli: Cli, recorded: list[str]) -> None:
    done = cli("runs", "show", "good")

    assert ["metric", "loss", repr(1 / 13), repr(1 / 13), "0.25", "10"] in done.rows
    assert ["metric", "gap", "NaN", "", "", "1"] in done.rows
    assert ["param", "depth", "4"] in done.rows
    assert ["tag", "team", "blue"] in done.rows


def test_a_shown_run_has_its_curves_in_a_terminal(terminal: Callable[..., str], recorded: list[str]) -> None:
    text = terminal("runs", "show", "good", NO_COLOR="1")

    assert re.search(r"loss\s+0\.0769231\s+0\.0769231\s+0\.25\s+9\s+10\s+█▇?[▁▂▃▄▅▆▇]+", text)
    assert "\nparams\n" in text


def test_a_terminal_shows_what_of_a_run_the_store_refused_or_lost(
    terminal: Callable[..., str], recorded: list[str]
) -> None:
    refusal = {"what": "param 'p'", "error": "INVALID_PARAMETER_VALUE", "message": "has the value '1' already"}
    mlcore.MlflowClient().set_tag(recorded[0], "mlcore.refused", json.dumps({"count": 3, "last": [refusal]}))
    mlcore.MlflowClient().set_tag(recorded[0], "mlcore.dropped", json.dumps({"count": 5}))
    mlcore.MlflowClient().set_tag(recorded[1], "mlcore.refused", "of somebody else's")

    text = terminal("runs", "show", recorded[0], NO_COLOR="1")

    assert re.search(
        r"not in the store\nparam 'p'\s+has the value '1' already\nrefused\s+2 more records\nlost\s+5 records", text
    )
    assert "mlcore.refused" not in text
    assert re.search(r"mlcore.refused\s+of somebody else's", terminal("runs", "show", recorded[1], NO_COLOR="1"))


def test_runs_are_compared_side_by_side(cli: Cli, recorded: list[str]) -> None:
    table = cli("runs", "compare", "good", "poor", "--differing")
    records = cli("runs", "compare", "good", "poor", "--json").records

    assert table.rows[0] == ["kind", "key", *recorded]
    assert ["param", "depth", "4", "1"] in table.rows
    assert not any(row[1] == "seed" for row in table.rows)
    assert {"kind": "param", "key": "seed", "values": dict.fromkeys(recorded, "0")} in records


def test_one_run_cannot_be_compared(cli: Cli, recorded: list[str]) -> None:
    assert cli("runs", "compare", "good").code == 2


def test_a_curve_is_drawn(cli: Cli, recorded: list[str]) -> None:
    done = cli("runs", "plot", "good", "loss", "--height", "10")

    assert done.out.splitlines()[0] == "━━ loss  min 0.0769231  max 0.25  last 0.0769231"
    assert any(0x2800 < ord(c) <= 0x28FF for c in done.out)
    assert len(done.out.splitlines()) == 10


def test_curves_of_several_runs_are_drawn_together(cli: Cli, recorded: list[str]) -> None:
    done = cli("runs", "plot", "good", "loss", "--with", "poor")

    assert "oo good loss" in done.out
    assert "++ poor loss" in done.out


def test_the_points_of_a_curve_are_printed_for_programs(cli: Cli, recorded: list[str]) -> None:
    done = cli("runs", "plot", "good", "loss", "gap", "--json")

    assert len(done.records) == 11
    assert (done.records[0]["step"], done.records[0]["value"]) == (0, 0.25)
    assert done.records[-1]["value"] == "NaN"


def test_a_metric_that_is_not_there_suggests_another(cli: Cli, recorded: list[str]) -> None:
    done = cli("runs", "plot", "good", "los")

    assert (done.code, done.err) == (1, "error: run 'good' has no metric 'los', did you mean 'loss'?\n")


# create, delete, restore


def test_a_run_is_created_by_hand(cli: Cli) -> None:
    made = cli("runs", "create", "-x", "0", "--run-name", "by hand", "-t", "team=blue", "--description", "why")

    run = cli("runs", "show", made.out.strip(), "--json").records[0]
    assert run["info"]["status"] == "FINISHED"  # type: ignore[index]  # plain JSON
    assert run["data"]["tags"]["team"] == "blue"  # type: ignore[index]  # plain JSON
    assert run["data"]["tags"]["mlflow.note.content"] == "why"  # type: ignore[index]  # plain JSON


def test_a_tag_without_a_value_is_misuse(cli: Cli) -> None:
    done = cli("runs", "create", "-x", "0", "-t", "team")

    assert done.code == 2
    assert "expected key=value, got 'team'" in done.err


def test_deleted_runs_come_back(cli: Cli, recorded: list[str]) -> None:
    cli("runs", "delete", "good", "poor")

    assert cli("runs", "list", "--json").out == ""
    assert len(cli("runs", "list", "-v", "all", "--json").records) == 2
    assert cli("runs", "restore", "--run-id", recorded[0]).code == 0
    assert len(cli("runs", "list", "--json").records) == 1


# artifacts


def test_artifacts_are_listed(cli: Cli, recorded: list[str]) -> None:
    top = cli("artifacts", "list", "-r", "good", "--json")
    below = cli("artifacts", "list", "-r", "good", "-R")

    assert top.records == [{"path": "notes", "is_dir": True, "file_size": None}]
    assert below.rows == [["size", "path"], ["5", "notes/readme.txt"]]


def test_an_artifact_is_downloaded_and_its_path_printed(cli: Cli, recorded: list[str], tmp_path: Path) -> None:
    done = cli("artifacts", "download", "-r", "good", "-a", "notes/readme.txt", "-d", "out")

    assert (tmp_path / done.out.strip()).read_text() == "hello"


def test_an_artifact_is_downloaded_by_uri(cli: Cli, recorded: list[str], tmp_path: Path) -> None:
    done = cli("artifacts", "download", "-u", f"runs:/{recorded[0]}/notes", "-d", "out")

    assert (tmp_path / done.out.strip() / "readme.txt").read_text() == "hello"


def test_a_missing_artifact_is_named(cli: Cli, recorded: list[str]) -> None:
    done = cli("artifacts", "download", "-r", "good", "-a", "nope.txt")

    assert done.code == 1
    assert "no artifact 'nope.txt' under" in done.err


def test_local_files_are_stored(cli: Cli, recorded: list[str], tmp_path: Path) -> None:
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "roc.txt").write_text("x")

    assert cli("artifacts", "log-artifact", "-l", "plots/roc.txt", "-r", "good", "-a", "one").code == 0
    assert cli("artifacts", "log-artifacts", "-l", "plots", "-r", "good", "-a", "all").code == 0

    listed = cli("artifacts", "list", "-r", "good", "-R", "--json").records
    assert [f["path"] for f in listed] == ["all/roc.txt", "notes/readme.txt", "one/roc.txt"]


# doctor


def test_doctor_finds_a_fresh_directory_in_order_and_leaves_nothing(cli: Cli, tmp_path: Path) -> None:
    done = cli("doctor", "--json")

    store = next(f for f in done.records if f["check"] == "store")
    assert "will be created at" in str(store["detail"])
    assert list(tmp_path.glob("ml*")) == []


def test_doctor_checks_that_artifacts_can_be_written(cli: Cli, recorded: list[str]) -> None:
    done = cli("doctor", "--json")

    found = {str(f["check"]): f for f in done.records}
    assert found["store"]["status"] == "ok"
    assert found["artifacts"]["status"] == "ok"
    assert "wrote and removed a file" in str(found["artifacts"]["detail"])


def test_doctor_fails_when_the_store_cannot_be_read(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mlcore.db").write_bytes(b"this is no database" * 100)

    done = cli("doctor", "--json")

    store = next(f for f in done.records if f["check"] == "store")
    assert (done.code, store["status"]) == (1, "failed")
    assert "mlcore.db" in str(store["detail"])


def test_doctor_fails_on_broken_settings(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_PORT", "high")

    done = cli("doctor", "--json")

    assert done.code == 1
    assert done.records[-1] == {
        "check": "settings",
        "subject": "",
        "status": "failed",
        "detail": "setting 'port' (environment MLCORE_PORT) has the value 'high', expected a port number, 0 to 65535",
    }
