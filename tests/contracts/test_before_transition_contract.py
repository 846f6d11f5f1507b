"""The contract suite of gates: good ones pass, and each broken one is caught."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable

import pytest

from mlcore.entities import MoveKind, Transition
from mlcore.testing.before_transition import BeforeTransitionContract, Gate
from mlcore.testing.proof import caught_by


class TestGateThatLetsPass(BeforeTransitionContract):
    @pytest.fixture
    def before_transition(self) -> Gate:
        return lambda _: None


class TestGateThatRefuses(BeforeTransitionContract):
    @pytest.fixture
    def before_transition(self) -> Gate:
        return lambda move: "aliases stay where they are" if move.kind is MoveKind.ALIAS else None


def _answers_a_flag(_: Transition) -> bool:
    return False


def _refuses_without_a_reason(_: Transition) -> str:
    return " "


def _refuses_with_a_report(_: Transition) -> str:
    return "metrics: " + "0.5 " * 1000


def _needs_a_version(transition: Transition) -> str | None:
    return None if int(transition.version or "") else "version 0"


def _changes_its_mind() -> Gate:
    answers = itertools.cycle((None, "not now"))
    return lambda _: next(answers)


def _prints(transition: Transition) -> None:
    print("asked about", transition.name)


def _counts_by_thread() -> Gate:
    asked = threading.local()

    def gate(_: Transition) -> str | None:
        asked.is_known = getattr(asked, "is_known", threading.current_thread() is threading.main_thread())
        return None if asked.is_known else "who asks?"

    return gate


def _leaves_a_variable(_: Transition) -> None:
    os.environ["MLCORE_ASKED"] = "1"


BROKEN: list[tuple[str, Callable[[], object]]] = [
    ("test_every_move_is_let_pass_or_refused_with_a_reason", lambda: _answers_a_flag),
    ("test_every_move_is_let_pass_or_refused_with_a_reason", lambda: _refuses_without_a_reason),
    ("test_every_move_is_let_pass_or_refused_with_a_reason", lambda: _refuses_with_a_report),
    ("test_every_move_is_let_pass_or_refused_with_a_reason", lambda: _needs_a_version),
    ("test_asking_again_gives_the_same_answer", _changes_its_mind),
    ("test_asking_prints_nothing", lambda: _prints),
    ("test_many_threads_get_the_same_answers", _counts_by_thread),
]
for _number, (_test, _make) in enumerate(BROKEN):
    globals()[f"TestBroken{_number}"] = caught_by(BeforeTransitionContract, _test, before_transition=_make)


def test_a_gate_that_changes_the_process_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_ASKED", "")

    with pytest.raises(AssertionError):
        BeforeTransitionContract().test_asking_changes_nothing_in_the_process(_leaves_a_variable)


def test_a_gate_that_takes_its_time_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlcore.testing.before_transition._SLOW_S", 0.0)

    with pytest.raises(AssertionError):
        BeforeTransitionContract().test_who_moves_a_version_does_not_wait_long(lambda _: None)
