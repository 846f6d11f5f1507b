"""`mlcore plugins`: list, show, check, trace and new, with plugins of every kind of brokenness installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
Install = Callable[..., str]

GOOD = """
from mlcore.hookspecs import hookimpl

@hookimpl
def artifact_repo(uri):
    return object() if uri.startswith("mem:") else None
"""


@pytest.fixture
def mlcore(tmp_path: Path) -> Run:
    def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLCORE_", "MLFLOW_"))}
        return subprocess.run(
            [sys.executable, "-m", "mlcore.cli", *arguments],
            cwd=tmp_path,
            env={**kept, "PYTHONPATH": str(tmp_path / "site"), **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Install a distribution `acme-<key>` whose module has the given code."""

    def put(
        code: str | None = GOOD, *, key: str = "mem", hook: str = "artifact_repo", dist: str = "", **extra: str
    ) -> str:
        dist = dist or f"acme-{key}"
        module = dist.replace("-", "_")
        info = tmp_path / "site" / f"{module}-1.0.dist-info"
        info.mkdir(parents=True)
        requires = extra.get("requires", "mlcore-kernel>=0.1")
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\nSummary: All about {key}\nRequires-Dist: {requires}\n"
        )
        group = f"mlcore.{hook}" if hook else "mlcore"
        (info / "entry_points.txt").write_text(f"[{group}]\n{key} = {extra.get('value', module)}\n")
        if code is not None:
            (tmp_path / "site" / f"{module}.py").write_text(code)
        return dist

    return put


def only(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stdout + done.stderr
    found: dict[str, object] = json.loads(lines[0])
    return found


# what breaks, what is said about it, and what to do
FAULTS = {
    "a missing library": ("import does_not_exist", "needs the module 'does_not_exist'", "pip install"),
    "an error": ("raise ValueError('boom')", "raises ValueError when it is imported: boom", "into the hook"),
    "sys.exit": ("import sys; sys.exit(7)", "calls sys.exit(7)", "raise an error"),
    "os._exit": ("import os; os._exit(3)", "ended the interpreter with exit code 3", "os._exit"),
    "a crash": (
        "import ctypes; ctypes.string_at(0)",
        "crashed the interpreter with SIGSEGV",
        "C library that does not fit",
    ),
    "an endless import": ("while True: pass", "did not end within 2 s", "endless loops"),
    "a syntax error": ("def broken(:", "SyntaxError", "correct the syntax"),
    "a missing module": (None, "the entry point's module 'acme_mem' does not exist", "correct the entry point"),
    "no hooks": ("x = 1", "marks no function with hookimpl", "hookimpl"),
    "a misspelt hook": (
        GOOD.replace("artifact_repo", "artifact_repos"),
        "implements 'artifact_repos', which is no hook",
        "did you mean 'artifact_repo'?",
    ),
    "a wrong argument": (GOOD.replace("(uri)", "(uri, region)"), "wants the argument 'region'", "use any of (uri)"),
    "another hook": (GOOD.replace("artifact_repo(uri)", "event(event)"), "does not implement it", "artifact_repo"),
    "greed": (
        GOOD.replace(' if uri.startswith("mem:") else None', ""),
        "answers the foreign key 'mlcore-check' with a object",
        "return None",
    ),
    "a raise for others": (
        GOOD.replace("return object()", "raise OSError(uri)"),
        "raises OSError for the foreign key",
        "return None",
    ),
    "network": (
        "import socket\nsocket.getaddrinfo('localhost', 1)\n" + GOOD,
        "opens the network when it is imported",
        "connect inside the hook",
    ),
}
FAULTS["a raise for others"] = (
    GOOD.replace('return object() if uri.startswith("mem:") else None', "raise OSError(uri)"),
    *FAULTS["a raise for others"][1:],
)


@pytest.mark.parametrize("fault", FAULTS)
def test_check_names_the_fault_and_the_fix(mlcore: Run, install: Install, fault: str) -> None:
    code, problem, fix = FAULTS[fault]
    install(code)

    done = mlcore("plugins", "check", "acme-mem", "--timeout", "2", "--json")

    found = only(done)
    assert (done.returncode, found["status"]) == (1, "failed"), done.stdout
    faults = found["faults"]
    assert isinstance(faults, list)
    assert any(problem in f["problem"] and fix in f["fix"] for f in faults), faults


def test_check_finds_a_good_plugin_in_order(mlcore: Run, install: Install) -> None:
    install()

    done = mlcore("plugins", "check", "artifact_repo:mem", "--json")

    found = only(done)
    assert (done.returncode, found["status"], found["faults"]) == (0, "ok", [])
    assert isinstance(found["cpu_ms"], float)


def test_check_warns_of_a_heavy_library_at_import_and_still_succeeds(mlcore: Run, install: Install) -> None:
    install("import numpy\n" + GOOD)

    done = mlcore("plugins", "check", "mem", "--json")

    found = only(done)
    assert (done.returncode, found["status"]) == (0, "warning")
    assert "imports numpy when it is imported" in str(found["faults"])


def test_check_names_both_sides_of_a_conflict_and_the_setting_that_resolves_it(mlcore: Run, install: Install) -> None:
    install(dist="acme-one")
    install(dist="acme-two")

    clash = mlcore("plugins", "check", "mem", "--json")
    settled = mlcore("plugins", "check", "mem", "--json", MLCORE_PREFER="artifact_repo:mem=acme-two")

    assert clash.returncode == 1
    assert clash.stdout.count("acme-one 1.0 and acme-two 1.0 both offer 'mem'") == 2
    assert "MLCORE_PREFER=artifact_repo:mem=acme-one" in clash.stdout
    assert settled.returncode == 0


def test_check_refuses_a_plugin_for_another_kernel_without_importing_it(
    mlcore: Run, install: Install, tmp_path: Path
) -> None:
    install(f"open({str(tmp_path / 'imported')!r}, 'w')", requires="mlcore-kernel>=9")

    done = mlcore("plugins", "check", "acme-mem", "--json")

    assert done.returncode == 1
    assert "needs mlcore-kernel>=9" in done.stdout
    assert "pip install -U mlcore-kernel" in done.stdout
    assert not (tmp_path / "imported").exists()


def test_check_leaves_out_what_is_switched_off(mlcore: Run, install: Install) -> None:
    install("raise SystemExit")

    done = mlcore("plugins", "check", "acme-mem", "--json", MLCORE_DISABLE_PLUGINS="acme-mem")

    assert (done.returncode, only(done)["status"]) == (0, "disabled")


def test_an_unknown_plugin_is_told_with_the_one_that_was_meant(mlcore: Run, install: Install) -> None:
    install()

    done = mlcore("plugins", "show", "acme-men")

    assert done.returncode == 1
    assert "no installed plugin has the distribution, key or hook:key 'acme-men', did you mean 'acme-mem'?" in (
        done.stderr
    )


def test_show_tells_everything_from_metadata(mlcore: Run, install: Install) -> None:
    install("raise SystemExit")

    done = mlcore("plugins", "show", "acme-mem", "--json")

    found = only(done)
    assert (found["hook"], found["key"], found["version"]) == ("artifact_repo", "mem", "1.0")
    assert found["requires"] == ["mlcore-kernel>=0.1"]
    assert str(found["location"]).endswith("site")


def test_list_tells_the_reason_why_a_plugin_cannot_be_used(mlcore: Run, install: Install) -> None:
    install(requires="mlcore-kernel>=9")
    install(key="odd", value="not a module")

    done = mlcore("plugins", "list", "--hook", "artifact_repo", "--json")

    found = {str(r["key"]): r for r in map(json.loads, done.stdout.splitlines())}
    assert "needs mlcore-kernel>=9" in found["mem"]["problem"]
    assert "names no module" in found["odd"]["problem"]
    assert found["file"]["status"] == "enabled"


def test_list_all_names_what_could_be_installed(mlcore: Run) -> None:
    done = mlcore("plugins", "list", "--all", "--hook", "flavor", "--json")

    found = {str(r["key"]): r for r in map(json.loads, done.stdout.splitlines())}
    assert found["sklearn"]["status"] == "enabled"
    assert (found["spark"]["status"], found["spark"]["summary"]) == ("not installed", "pip install mlcore-flavor-spark")


def test_trace_shows_imports_and_calls_of_a_program_and_exits_as_it_does(mlcore: Run, install: Install) -> None:
    install("from mlcore.hookspecs import hookimpl\n@hookimpl\ndef run_context():\n    1 / 0\n", hook="run_context")
    code = (
        "from mlcore.plugins import current\nfrom mlcore.hookspecs import HookSpecs\n"
        "current().every(HookSpecs.run_context)\nraise SystemExit(5)"
    )

    done = mlcore("plugins", "trace", "--json", "--", "python", "-c", code)

    found = [json.loads(line) for line in done.stdout.splitlines()]
    ours = [(f["hook"], f["outcome"]) for f in found if f["plugin"].startswith("acme-mem 1.0")]
    assert done.returncode == 5
    assert ours == [("import", "answered"), ("run_context", "raised ZeroDivisionError: division by zero")]


def test_trace_of_an_unknown_program_is_misuse(mlcore: Run) -> None:
    done = mlcore("plugins", "trace", "--", "no-such-program")

    assert done.returncode == 2
    assert "there is no program 'no-such-program' on PATH" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("shelf", "acme-x"), "unknown kind of plugin 'shelf': expected one of tracking_store, registry_store"),
        (("artifact_repo", "../x"), "invalid name '../x' of a distribution: expected one such as 'acme-store'"),
        (("artifact_repo", "acme-x", "--key", "A"), "invalid key 'A': expected at least two of a-z"),
        (("artifact_repo", "taken"), "exists already; remove it or choose another name"),
    ],
)
def test_new_says_what_it_cannot_make(mlcore: Run, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    (tmp_path / "taken").mkdir()

    done = mlcore("plugins", "new", *arguments)

    assert done.returncode == 1
    assert message in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith(".")) == ["taken"]


def test_kit_says_where_it_looked_for_tests(mlcore: Run, install: Install) -> None:
    install()

    done = mlcore("plugins", "kit", "acme-mem")

    assert done.returncode == 1
    assert "the plugin acme-mem brings no contract tests: name its folder, or let it ship the module" in done.stderr


def test_kit_of_a_plugin_that_is_not_installed_says_how_to_install_it(mlcore: Run) -> None:
    mlcore("plugins", "new", "run_context", "acme-away")

    done = mlcore("plugins", "kit", "acme-away")

    first = done.stderr.splitlines()[0]
    assert done.returncode == 1
    assert first.endswith("in 'acme-away/tests'; the plugin is not installed: pip install -e acme-away:")


def test_kit_reports_tests_that_clear_the_environment(mlcore: Run, tmp_path: Path) -> None:
    suite = tmp_path / "plugin" / "tests"
    suite.mkdir(parents=True)
    (suite / "conftest.py").write_text(
        "import os, pytest\n@pytest.fixture(autouse=True)\ndef clean(monkeypatch):\n"
        "    for name in [n for n in os.environ if n.startswith('MLCORE_')]: monkeypatch.delenv(name)\n"
    )
    (suite / "test_it.py").write_text("def test_good(): pass\n")

    done = mlcore("plugins", "kit", "plugin", "--json")

    assert (done.returncode, only(done)["passed"]) == (0, 1), done.stderr


def test_kit_proves_an_installed_plugin_of_ours_by_its_name(mlcore: Run) -> None:
    done = mlcore("plugins", "kit", "mlcore-artifacts-local", "--json")

    report = only(done)
    assert (done.returncode, report["ok"]) == (0, True), done.stderr
    assert report["passed"] > 100


def test_kit_reports_each_test_and_fails_when_one_does(mlcore: Run, tmp_path: Path) -> None:
    suite = tmp_path / "plugin" / "tests"
    suite.mkdir(parents=True)
    (suite / "test_it.py").write_text(
        "import pytest\ndef test_good(): pass\ndef test_bad(): assert 1 == 2, 'lost update'\n"
        "@pytest.mark.xfail(strict=True, reason='no locks there')\ndef test_known(): assert False\n"
        "@pytest.mark.skip(reason='not able')\ndef test_skipped(): pass\n"
    )

    done = mlcore("plugins", "kit", "plugin", "--json")

    report = only(done)
    tests = report["tests"]
    assert isinstance(tests, list)
    assert done.returncode == 1
    assert (report["ok"], report["passed"], report["failed"], report["skipped"], report["xfailed"]) == (
        False,
        1,
        1,
        1,
        1,
    )
    assert {t["test"].rpartition("::")[2]: t["message"].partition("\n")[0] for t in tests} == {
        "test_good": "",
        "test_bad": "AssertionError: lost update",
        "test_known": "no locks there",
        "test_skipped": "Skipped: not able",
    }
