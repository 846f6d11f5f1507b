"""Environments that processes share: a manager that keeps the contract, and broken ones, each caught by a named test."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path

import pytest

from mlcore.interfaces import EnvironmentManager, EnvironmentSpec
from mlcore.testing import EnvironmentContract
from mlcore.testing.proof import caught_by

FAKES = "environment_fakes"


@pytest.fixture(autouse=True)
def _find_the_fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    # each test has a working directory of its own
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(Path.cwd() / "cache"))


def _open(fault: str) -> EnvironmentManager:
    found: EnvironmentManager = importlib.import_module(FAKES).environment(fault)
    return found


def _opener(fault: str) -> tuple[str, str]:
    return (FAKES, fault)


class TestSharedEnvironment(EnvironmentContract):
    plugin_module = FAKES

    @pytest.fixture
    def environment(self) -> EnvironmentManager:
        return _open("good")

    @pytest.fixture
    def opener(self) -> tuple[str, str]:
        return (FAKES, "good")


for _fault, _test in (
    ("halves", "test_what_a_killed_process_left_is_made_whole"),
    ("unlocked", "test_racing_processes_make_one_environment"),
):
    globals()[f"TestEnvironment{_fault.title()}"] = caught_by(
        EnvironmentContract,
        _test,
        environment=functools.partial(_open, _fault),
        opener=functools.partial(_opener, _fault),
        other_spec=lambda: EnvironmentSpec(requirements=("a", "b")),
    )
