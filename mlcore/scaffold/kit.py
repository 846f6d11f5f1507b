"""Run the contract suite of one plugin with pytest, in a process of its own, and report each test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

from mlcore.errors import MissingDependencyError, NotFoundError, PluginError
from mlcore.plugin_index import PluginEntry, location

_NO_TESTS = 5  # pytest's exit code when it collected nothing


@frozen
class KitTest:
    """One test of a suite.

    outcome: `passed`, `failed`, `skipped` or `xfailed`.
    message: why it did not pass.
    """

    test: str
    outcome: str
    duration_ms: float
    message: str = ""


@frozen
class KitReport:
    """What the suite said.

    output: what pytest printed, for people.
    """

    source: str
    tests: tuple[KitTest, ...]
    output: str

    def count(self, outcome: str) -> int:
        """Return how many tests ended so."""
        return sum(test.outcome == outcome for test in self.tests)

    @property
    def passed(self) -> bool:
        """Whether tests ran, and none failed."""
        return self.count("passed") > 0 and self.count("failed") == 0


def find_tests(name: str, entries: tuple[PluginEntry, ...]) -> str:
    """Return where the contract tests of a plugin are: a path, or the name of a module.

    name: a folder or file, or an installed distribution. Of that, the folder `tests` beside its source when it
    is installed editable, else the module `contract` of its package.
    Raises NotFoundError: it brings no tests; the message says where they would be.
    """
    if Path(name).exists():
        folder = Path(name) / "tests"
        return str(folder if folder.is_dir() else Path(name))
    if not entries:
        raise NotFoundError(f"{name!r} is neither a folder nor an installed plugin: see 'mlcore plugins list'")
    source = Path(location(entries[0].dist))
    package = entries[0].value.partition(".")[0]
    if (source / "pyproject.toml").exists() and (source / "tests").is_dir():
        return str(source / "tests")
    if (source / package / "contract.py").exists():
        return f"{package}.contract"
    raise NotFoundError(
        f"the plugin {entries[0].dist} brings no contract tests: name its folder, or let it ship the module "
        f"{package}.contract (looked into {str(source)!r})"
    )


def run_kit(source: str) -> KitReport:
    """Run the tests at *source*, a path or the name of a module.

    Raises MissingDependencyError: pytest is not installed. PluginError: the tests could not be collected.
    """
    if find_spec("pytest") is None:
        raise MissingDependencyError("contract suites run with pytest: pip install 'mlcore-kernel[testing]'")
    with tempfile.TemporaryDirectory(prefix="mlcore-kit-") as folder:
        target = Path(folder) / "report.jsonl"
        done = subprocess.run(  # noqa: S603  # our own interpreter on a path that exists
            _command(source),
            env={**os.environ, "MLCORE_KIT_REPORT": str(target)},
            capture_output=True,
            text=True,
            check=False,
        )
        lines = target.read_text("utf-8").splitlines() if target.exists() else []
    tests = tuple(KitTest(**json.loads(line)) for line in lines)
    if not tests or done.returncode not in (0, 1):
        why = "found no test" if done.returncode == _NO_TESTS else f"ended with code {done.returncode}"
        said = (done.stdout + done.stderr).strip()[-2000:]
        raise PluginError(f"pytest {why} in {source!r}{_missing(source, said)}:\n{said}")
    return KitReport(source, tests, done.stdout)


def _missing(source: str, said: str) -> str:
    """Say how to install what the tests could not import, when that is the plugin itself."""
    folder = Path(source).parent if Path(source).name == "tests" else Path(source)
    found = re.search(r"No module named '(\w+)'", said)
    own = found is not None and (folder / "src" / found[1]).is_dir()
    return f"; the plugin is not installed: pip install -e {folder}" if own else ""


def _command(source: str) -> list[str]:
    where = [source] if Path(source).exists() else ["--pyargs", source]
    return [sys.executable, "-m", "pytest", "-q", "-p", "mlcore.testing.kit_report", "-p", "no:cacheprovider", *where]
