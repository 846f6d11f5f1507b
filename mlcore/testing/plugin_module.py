"""The contract suite of plugin modules: what every plugin has to keep, whatever its hook.

All other suites contain it; it runs when the class says which module it is about:

    class TestMyRepo(ArtifactRepoContract):
        plugin_module = "mlcore_my_repo.plugin"
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import inspect
import json
import subprocess
import sys
from functools import lru_cache
from typing import ClassVar

import pytest
from attrs import frozen

from mlcore.hookspecs import HookSpecs
from mlcore.testing.contract import Contract

MAX_IMPORT_MS = 100.0
_TIMEOUT_S = 60
# Isolated from the environment and the working directory, but with the packages that this interpreter sees.
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); del sys.argv[1]; import runpy; runpy.run_module('mlcore.testing.import_probe', run_name='__main__')"


@frozen
class Imported:
    """What the import of a plugin module did.

    cpu_ms: CPU time on top of the kernel's own. strangers: packages that are neither stdlib nor the kernel's.
    foreign: hook to what it answered to a key of nobody; None is right.
    error: last line of the traceback, None when the import went well.
    """

    cpu_ms: float = 0.0
    strangers: tuple[str, ...] = ()
    network: tuple[str, ...] = ()
    processes: tuple[str, ...] = ()
    threads: int = 0
    hooks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    arguments: tuple[tuple[str, tuple[str, ...]], ...] = ()
    foreign: tuple[tuple[str, str | None], ...] = ()
    said: str = ""
    error: str | None = None


@lru_cache(maxsize=32)
def import_alone(module: str) -> Imported:
    """Import *module* in a fresh, isolated interpreter and return what that did."""
    done = subprocess.run(  # noqa: S603  # our own interpreter; the module is an argument, not code
        [sys.executable, "-I", "-c", _START, json.dumps(sys.path), module],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode or not done.stdout:
        last = done.stderr.strip().rpartition("\n")[2]
        return Imported(error=last or f"exit code {done.returncode}", said=done.stderr)
    found = json.loads(done.stdout)
    return Imported(
        cpu_ms=found["cpu_ms"],
        strangers=tuple(found["strangers"]),
        network=tuple(found["network"]),
        processes=tuple(found["processes"]),
        threads=found["threads"],
        hooks=tuple(found["hooks"]),
        unknown=tuple(found["unknown"]),
        arguments=tuple((hook, tuple(names)) for hook, names in found["arguments"].items()),
        foreign=tuple(found["foreign"].items()),
        said=done.stderr,
    )


class PluginModuleContract(Contract):
    """What every plugin module has to keep.

    plugin_module: its dotted name, the value of the entry point; without it these tests are skipped.
    """

    plugin_module: ClassVar[str | None] = None

    @pytest.fixture
    def imported(self) -> Imported:
        """Return what the import of the plugin module did, in an interpreter of its own."""
        if self.plugin_module is None:
            pytest.skip("the class names no plugin_module")
        return import_alone(self.plugin_module)

    def test_the_plugin_module_can_be_imported_first_and_alone(self, imported: Imported) -> None:
        assert imported.error is None

    def test_the_plugin_module_imports_the_standard_library_and_mlcore_only(self, imported: Imported) -> None:
        assert imported.strangers == (), "import them inside the hook"

    def test_the_plugin_module_keeps_its_import_budget(self, imported: Imported) -> None:
        assert imported.cpu_ms <= MAX_IMPORT_MS, f"{imported.cpu_ms:.0f} ms CPU: do the work inside the hook"

    def test_importing_the_plugin_module_uses_no_network(self, imported: Imported) -> None:
        assert imported.network == (), "connect inside the hook, at the first use"

    def test_importing_the_plugin_module_starts_no_threads_and_processes(self, imported: Imported) -> None:
        assert (imported.threads, imported.processes) == (0, ())

    def test_importing_the_plugin_module_and_asking_it_prints_nothing(self, imported: Imported) -> None:
        assert imported.said == ""

    def test_the_plugin_module_has_hooks_and_only_known_ones(self, imported: Imported) -> None:
        assert imported.error is None
        assert imported.hooks, "mark the functions with mlcore.hookspecs.hookimpl"
        assert imported.unknown == ()

    def test_the_hooks_want_no_argument_that_the_specification_lacks(self, imported: Imported) -> None:
        for hook, names in imported.arguments:
            known = set(inspect.signature(getattr(HookSpecs, hook)).parameters) - {"self"}
            assert set(names) <= known, f"hook {hook!r} wants {set(names) - known}"

    def test_a_foreign_key_is_answered_with_none(self, imported: Imported) -> None:
        assert imported.error is None
        assert {hook: answer for hook, answer in imported.foreign if answer is not None} == {}
