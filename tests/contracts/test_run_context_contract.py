"""The contract suite of run contexts: a good fake passes, and each broken one is caught."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mlcore.errors import InvalidParameterError
from mlcore.testing.run_context import RunContextContract

Hook = Callable[[], Mapping[str, str] | None]


class TestGoodContext(RunContextContract):
    @pytest.fixture
    def run_context(self) -> Hook:
        return lambda: {"mlflow.user": "me"}


class TestContextOutsideOfItsPlace(RunContextContract):
    @pytest.fixture
    def run_context(self) -> Hook:
        return lambda: None


def _sets_a_variable() -> dict[str, str]:
    os.environ["SEEN"] = str(len(os.environ))
    return {}


SHARED: dict[str, str] = {}
COUNTER = iter(range(1000))

PLAIN: list[tuple[str, Hook]] = [
    ("test_tags_are_texts_within_the_limits", lambda: {"n": 1}),  # type: ignore[dict-item]  # that is the fault
    ("test_tags_are_texts_within_the_limits", lambda: {"k" * 300: "long key"}),
    ("test_tags_are_texts_within_the_limits", lambda: {"k": "v" * 100_000}),
    ("test_asking_again_gives_the_same_tags", lambda: {"n": str(next(COUNTER))}),
    ("test_asking_changes_nothing_in_the_process", _sets_a_variable),
    ("test_the_answer_belongs_to_the_caller", lambda: SHARED),
]


@pytest.mark.parametrize(("test", "broken"), PLAIN, ids=lambda v: v if isinstance(v, str) else "")
def test_a_broken_context_is_caught(test: str, broken: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEN", "")

    with pytest.raises((AssertionError, InvalidParameterError)):
        getattr(RunContextContract(), test)(broken)


def test_a_context_that_prints_is_caught(capfd: pytest.CaptureFixture[str]) -> None:
    def prints() -> None:
        print("found a cluster", file=sys.stderr)

    with pytest.raises(AssertionError):
        RunContextContract().test_asking_prints_nothing(prints, capfd)


def test_a_context_that_needs_a_directory_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileNotFoundError):
        RunContextContract().test_a_removed_working_directory_is_no_obstacle(
            lambda: {"cwd": str(Path.cwd())}, tmp_path, monkeypatch
        )


def test_a_context_that_needs_a_variable_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError):
        RunContextContract().test_a_bare_environment_is_no_obstacle(
            lambda: {"home": os.environ["HOME"], "user": getpass.getuser()}, monkeypatch
        )


def test_a_context_that_needs_arguments_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(IndexError):
        RunContextContract().test_a_program_without_arguments_is_no_obstacle(lambda: {"name": sys.argv[0]}, monkeypatch)
