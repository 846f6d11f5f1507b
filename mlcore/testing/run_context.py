"""The contract suite of run-context plugins.

To use it, inherit in a test module and give a fixture `run_context`, the hook's implementation:

    class TestMyContext(RunContextContract):
        @pytest.fixture
        def run_context(self) -> RunContext:
            return my_plugin.run_context

The suite runs wherever the tests run; a plugin for a special place gives a fixture that imitates that place.
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mlcore.entities import RunTag
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.wire import limits

RunContext = Callable[[], Mapping[str, str] | None]

# A run must not start noticeably later because of its tags.
_FIRST_S = 5.0
_AGAIN_S = 0.5
_HEAVY = ("numpy", "pandas", "sklearn", "torch", "IPython")


class RunContextContract(PluginModuleContract):
    """Everything that the kernel relies on when it gathers tags for a new run."""

    def test_tags_are_texts_within_the_limits(self, run_context: RunContext) -> None:
        for key, value in (run_context() or {}).items():
            assert type(key) is str
            assert type(value) is str, f"the value of tag {key!r} is a {type(value).__name__}"
            assert limits.tag(key, value, truncate=False) == RunTag(key, value)

    def test_asking_again_gives_the_same_tags(self, run_context: RunContext) -> None:
        assert run_context() == run_context()

    def test_asking_is_quick(self, run_context: RunContext) -> None:
        times = [time.monotonic()]
        for _ in range(2):
            run_context()
            times.append(time.monotonic())

        assert times[1] - times[0] < _FIRST_S
        assert times[2] - times[1] < _AGAIN_S

    def test_asking_changes_nothing_in_the_process(self, run_context: RunContext) -> None:
        before = (dict(os.environ), Path.cwd(), list(sys.argv), list(sys.path))

        run_context()

        assert (dict(os.environ), Path.cwd(), list(sys.argv), list(sys.path)) == before

    def test_asking_prints_nothing(self, run_context: RunContext, capfd: pytest.CaptureFixture[str]) -> None:
        run_context()

        assert capfd.readouterr() == ("", "")

    def test_asking_imports_no_heavy_library(self, run_context: RunContext) -> None:
        before = {name for name in _HEAVY if name in sys.modules}

        run_context()

        assert {name for name in _HEAVY if name in sys.modules} == before

    def test_the_answer_belongs_to_the_caller(self, run_context: RunContext) -> None:
        first = run_context()
        if isinstance(first, dict):
            first["mlcore.testing"] = "added"

        assert "mlcore.testing" not in (run_context() or {})

    def test_a_bare_environment_is_no_obstacle(self, run_context: RunContext, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HOME", "USER", "LOGNAME", "USERNAME", "PATH", "LANG"):
            monkeypatch.delenv(name, raising=False)

        run_context()

    def test_a_removed_working_directory_is_no_obstacle(
        self, run_context: RunContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        shutil.rmtree(tmp_path / "gone")

        run_context()

    def test_a_program_without_arguments_is_no_obstacle(
        self, run_context: RunContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # as in an interpreter that is embedded into another program
        monkeypatch.setattr(sys, "argv", [])
        monkeypatch.setattr(sys, "executable", "")

        run_context()
