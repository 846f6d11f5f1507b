"""The contract suite of gates, which can refuse that a version gets a stage or an alias.

To use it, inherit in a test module and give a fixture `before_transition`, the hook's implementation:

    class TestMyGate(BeforeTransitionContract):
        plugin_module = "mlcore_my_gate.plugin"

        @pytest.fixture
        def before_transition(self) -> Gate:
            return my_plugin.before_transition
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from mlcore.entities import MoveKind, MoveNote, Transition
from mlcore.testing.plugin_module import PluginModuleContract

Gate = Callable[[Transition], str | None]

REASON_LENGTH = 1000
_SLOW_S = 5.0  # who moves a version waits for every gate


def sample() -> Transition:
    """Return a move of a version to Production such as the kernel asks about."""
    note = MoveNote(user="ada", comment="better on the test set")
    return Transition("wine", MoveKind.STAGE, "3", "Staging", "Production", "3", note)


def samples() -> tuple[Transition, ...]:
    """Return moves of every kind: of stages and aliases, of new and removed ones, with and without a note."""
    stage = sample()
    alias = Transition("wine", MoveKind.ALIAS, "champion", "2", "3", "3", stage.note)
    return (
        stage,
        evolve(stage, before="None", after="Archived"),
        evolve(stage, name="Käse & Wein 酒", note=MoveNote()),
        alias,
        evolve(alias, before="", note=MoveNote(user="ada")),
        evolve(alias, before="3", after="", version=None),
    )


class BeforeTransitionContract(PluginModuleContract):
    """Everything that the kernel relies on when it asks whether a version may be moved."""

    def test_every_move_is_let_pass_or_refused_with_a_reason(self, before_transition: Gate) -> None:
        for move in samples():
            reason = before_transition(move)
            assert reason is None or (type(reason) is str and reason.strip()), f"{reason!r} to {move}"
            assert reason is None or len(reason) <= REASON_LENGTH, f"{len(reason)} characters for one reason"

    def test_asking_again_gives_the_same_answer(self, before_transition: Gate) -> None:
        for move in samples():
            assert before_transition(move) == before_transition(move)

    def test_who_moves_a_version_does_not_wait_long(self, before_transition: Gate) -> None:
        for move in samples():
            started = time.monotonic()
            before_transition(move)
            assert time.monotonic() - started < _SLOW_S

    def test_asking_prints_nothing(self, before_transition: Gate, capfd: pytest.CaptureFixture[str]) -> None:
        for move in samples():
            before_transition(move)

        assert capfd.readouterr() == ("", "")

    def test_asking_changes_nothing_in_the_process(self, before_transition: Gate) -> None:
        before = (dict(os.environ), Path.cwd(), list(sys.argv), list(sys.path))

        for move in samples():
            before_transition(move)

        assert (dict(os.environ), Path.cwd(), list(sys.argv), list(sys.path)) == before

    def test_many_threads_get_the_same_answers(self, before_transition: Gate) -> None:
        expected = [before_transition(move) for move in samples()]
        answers: list[list[str | None]] = []
        start = threading.Barrier(8)

        def body() -> None:
            start.wait()
            answers.append([before_transition(move) for move in samples()])

        threads = [threading.Thread(target=body) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert answers == [expected] * 8
