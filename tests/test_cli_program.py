from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mlcore import __version__
from mlcore.cli import main

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def mlcore(tmp_path: Path) -> Run:
    def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLCORE_", "MLFLOW_"))}
        return subprocess.run(
            [sys.executable, "-m", "mlcore.cli", *arguments],
            cwd=tmp_path,
            env={**kept, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def install(tmp_path: Path) -> Callable[[str, str], str]:
    """Install a distribution with one plugin command; return the PYTHONPATH that makes it visible."""

    def put(name: str, code: str) -> str:
        site = tmp_path / "site"
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nSummary: All about {name}\n"
        )
        (info / "entry_points.txt").write_text(f"[mlcore.command]\n{name} = {name}_plugin\n")
        (site / f"{name}_plugin.py").write_text(code)
        return str(site)

    return put


GREETER = """
import click
from mlcore.hookspecs import hookimpl

@click.command()
def greet():
    click.echo("hello")

@hookimpl
def command(name):
    return greet if name == "greet" else None
"""


def test_the_version_is_one_line(mlcore: Run) -> None:
    done = mlcore("--version")

    assert (done.returncode, done.stdout, done.stderr) == (0, f"mlcore {__version__}\n", "")


def test_the_version_imports_neither_click_nor_attrs() -> None:
    code = (
        "import sys; from mlcore.cli import main; main(['--version']); print([m for m in sys.modules if '.' not in m])"
    )

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert not {"click", "attr", "pluggy", "importlib_metadata"}.intersection(eval(loaded.splitlines()[1]))


def test_help_imports_no_command_and_no_heavy_library() -> None:
    code = "import sys; from mlcore.cli import main; main(['--help']); print(sorted(sys.modules))"

    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    loaded = set(eval(out.splitlines()[-1]))
    assert "runs" in out
    assert not {"mlcore.cli.runs", "mlcore.tracking.client", "numpy", "pandas", "sqlalchemy", "sklearn"} & loaded


def test_an_unknown_command_is_misuse_and_says_which_was_meant(mlcore: Run) -> None:
    done = mlcore("experiment")

    assert done.returncode == 2
    assert "no such command 'experiment', did you mean 'experiments'?" in done.stderr


def test_a_command_of_a_plugin_that_is_not_there_gets_one_line_of_instruction(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mlcore.plugins.read_index", tuple)  # as where the kernel alone is installed

    code = main(["ui"])

    assert code == 1
    assert (
        capsys.readouterr().err
        == "error: no installed plugin answers command name 'ui' (installed: none). For ui: pip install mlcore-ui\n"
    )


def test_plugins_are_looked_for_once_however_often_a_command_is_looked_up(mlcore: Run) -> None:
    done = mlcore("server", "--help", MLCORE_BRIDGES="nobody")

    assert done.returncode == 0
    assert done.stderr.count("plugin bridge:nobody is left out") == 1


def test_an_unknown_option_is_misuse(mlcore: Run) -> None:
    done = mlcore("config", "show", "--yaml")

    assert done.returncode == 2
    assert "--yaml" in done.stderr


def test_an_error_is_one_line_on_standard_error(mlcore: Run) -> None:
    done = mlcore("--tracking-uri", "warehouse://x", "experiments", "list")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: no installed plugin answers tracking_store scheme 'warehouse'")
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(mlcore: Run) -> None:
    done = mlcore("--debug", "--tracking-uri", "warehouse://x", "experiments", "list")

    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")


def test_a_command_of_a_plugin_runs(mlcore: Run, install: Callable[[str, str], str]) -> None:
    site = install("greet", GREETER)

    done = mlcore("greet", PYTHONPATH=site)

    assert (done.returncode, done.stdout) == (0, "hello\n")


def test_help_shows_the_summary_of_a_plugin_without_importing_it(
    mlcore: Run, install: Callable[[str, str], str]
) -> None:
    site = install("greet", "raise SystemExit(7)")

    done = mlcore("--help", PYTHONPATH=site)

    assert done.returncode == 0
    assert "All about greet" in done.stdout


def test_a_broken_plugin_hurts_its_own_command_only(mlcore: Run, install: Callable[[str, str], str]) -> None:
    site = install("greet", "raise SystemExit(7)")

    own = mlcore("greet", PYTHONPATH=site)
    other = mlcore("config", "show", PYTHONPATH=site)

    assert own.returncode == 1
    assert "plugin greet 1.0 (entry point greet = greet_plugin in mlcore.command) failed to load" in own.stderr
    assert other.returncode == 0


def test_a_plugin_that_answers_with_something_else_is_named(mlcore: Run, install: Callable[[str, str], str]) -> None:
    site = install("greet", GREETER.replace("return greet if", "return 'greet' if"))

    done = mlcore("greet", PYTHONPATH=site)

    assert done.returncode == 1
    assert "answered with a str instead of a click command" in done.stderr


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path) -> None:
    program = f"{sys.executable} -m mlcore.cli config show --json"

    done = subprocess.run(
        ["bash", "-c", f"{program} | true; echo ${{PIPESTATUS[0]}}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "141")


def test_an_interrupt_ends_with_130(tmp_path: Path, install: Callable[[str, str], str]) -> None:
    site = install("greet", GREETER.replace('click.echo("hello")', 'click.echo("ready"); import time; time.sleep(60)'))
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "mlcore.cli", "greet"],
        env={**os.environ, "PYTHONPATH": site},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()

    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "Traceback" not in err


def test_config_show_tells_the_origin_of_a_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///elsewhere.db")

    code = main(["config", "show", "--json"])

    found = {r["name"]: r for r in map(json.loads, capsys.readouterr().out.splitlines())}
    assert code == 0
    assert found["tracking_uri"]["value"] == "sqlite:///elsewhere.db"
    assert (found["tracking_uri"]["origin"], found["tracking_uri"]["detail"]) == ("environment", "MLFLOW_TRACKING_URI")
    assert found["port"]["origin"] == "default"


def test_an_option_wins_over_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLCORE_TRACKING_URI", "sqlite:///elsewhere.db")

    main(["--tracking-uri", "sqlite:///here.db", "config", "show", "--json"])

    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (first["value"], first["origin"]) == ("sqlite:///here.db", "argument")


def test_config_show_masks_passwords(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MLCORE_TRACKING_URI", "postgresql://me:secret@host/db")

    main(["config", "show"])

    out = capsys.readouterr().out
    assert "secret" not in out
    assert "me:***@host" in out


def test_plugins_list_imports_no_plugin(mlcore: Run, install: Callable[[str, str], str]) -> None:
    site = install("greet", "raise SystemExit(7)")

    done = mlcore("plugins", "list", "--hook", "command", "--json", PYTHONPATH=site)

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert next(record for record in found if record["key"] == "greet") == {
        "hook": "command",
        "key": "greet",
        "distribution": "greet",
        "version": "1.0",
        "status": "enabled",
        "module": "greet_plugin",
        "summary": "All about greet",
    }


def test_plugins_list_shows_what_is_switched_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLCORE_DISABLE_PLUGINS", "mlcore-store-sql")

    main(["plugins", "list", "--hook", "tracking_store", "--json"])

    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(r["key"], r["status"]) for r in found if r["distribution"] == "mlcore-store-sql"} == {
        ("sqlite", "disabled")
    }


def test_an_unknown_hook_is_misuse_and_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["plugins", "list", "--hook", "stores"])

    assert code == 2
    assert "unknown hook 'stores': expected one of tracking_store, registry_store" in capsys.readouterr().err


def test_broken_settings_leave_help_alone_and_fail_what_needs_them(mlcore: Run) -> None:
    helped = mlcore("--help", MLCORE_PORT="high")
    shown = mlcore("config", "show", MLCORE_PORT="high")

    assert helped.returncode == 0
    assert shown.returncode == 1
    assert "setting 'port' (environment MLCORE_PORT) has the value 'high', expected a port number" in shown.stderr
