"""Runs of a search go side by side, tell the sampler, and stop when they are told to."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from mlcore.entities import RunStatus
from mlcore.errors import InvalidParameterError
from mlcore.interfaces.sampler import Choices, Integers, SearchTask
from mlcore.projects.search.points import GridSampler, RandomSampler
from mlcore.projects.search.trials import Begun, Ended, Trial, Trials, best_of, text_of
from mlcore.testing import MemorySampler


class Heard(GridSampler):
    def __init__(self) -> None:
        super().__init__()
        self.told: dict[int, float | None] = {}

    def tell(self, number: int, value: float | None) -> None:
        self.told[number] = value


def _grid(count: int, **more: object) -> SearchTask:
    return SearchTask({"n": Integers(1, count)}, metric="loss", **more)  # type: ignore[arg-type]  # of the record


def _square(trial: Trial, begun: Begun) -> Ended:
    begun(f"run-{trial.number}")
    return Ended(RunStatus.FINISHED, float(trial.point["n"]) ** 2)


def test_every_point_is_run_once_and_told() -> None:
    sampler = Heard()
    seen: list[tuple[int, str]] = []

    trials = Trials(sampler, _grid(5), _square, lambda t: seen.append((t.number, t.status.value))).run(2)

    assert [(t.number, t.point, t.run_id, t.value) for t in trials] == [
        (n, {"n": str(n + 1)}, f"run-{n}", float((n + 1) ** 2)) for n in range(5)
    ]
    assert sampler.told == {n: float((n + 1) ** 2) for n in range(5)}
    assert [status for number, status in seen if number == 3] == ["SCHEDULED", "RUNNING", "FINISHED"]


def test_as_many_go_at_a_time_as_asked_for() -> None:
    together = threading.Barrier(3)

    def meet(trial: Trial, begun: Begun) -> Ended:
        together.wait(30)
        return Ended(RunStatus.FINISHED)

    trials = Trials(GridSampler(), _grid(6), meet, lambda _: None).run(3)

    assert len(trials) == 6


def test_what_fails_does_not_stop_the_others() -> None:
    sampler = Heard()

    def fail_even(trial: Trial, begun: Begun) -> Ended:
        if trial.number == 0:
            raise InvalidParameterError("no such thing\nas this")
        return Ended(RunStatus.FAILED if trial.number == 2 else RunStatus.FINISHED, 1.0)

    trials = Trials(sampler, _grid(4), fail_even, lambda _: None).run(2)

    assert [t.status.value for t in trials] == ["FAILED", "FINISHED", "FAILED", "FINISHED"]
    assert trials[0].message == "no such thing"
    assert sampler.told == {0: None, 1: 1.0, 2: None, 3: 1.0}


def test_an_error_of_our_own_ends_the_search_and_is_raised() -> None:
    def broken(trial: Trial, begun: Begun) -> Ended:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Trials(GridSampler(), _grid(100), broken, lambda _: None).run(2)


def test_nothing_begins_after_a_stop() -> None:
    def stop_at_third(trial: Trial, begun: Begun) -> Ended:
        if trial.number == 2:
            trials.stop()
        return Ended(RunStatus.FINISHED)

    trials = Trials(GridSampler(), _grid(50), stop_at_third, lambda _: None)

    assert len(trials.run(1)) == 3


def test_no_more_runs_than_allowed() -> None:
    assert len(Trials(RandomSampler(), _grid(50, max_runs=4), _square, lambda _: None).run(3)) == 4


def test_infinite_values_are_none() -> None:
    sampler = Heard()

    (trial,) = Trials(sampler, _grid(1), lambda t, b: Ended(RunStatus.FINISHED, float("nan")), lambda _: None).run(1)

    assert trial.value is None
    assert sampler.told == {0: None}


def test_values_of_runs_that_go_on_are_seen_until_they_end() -> None:
    seen: list[float | None] = []

    def slow(trial: Trial, begun: Begun) -> Ended:
        begun("r")
        trials.see({"r": 5.0, "other": 1.0})
        return Ended(RunStatus.FINISHED, 2.0)

    trials = Trials(GridSampler(), _grid(1), slow, lambda t: seen.append(t.value))
    trials.run(1)
    trials.see({"r": 9.0})

    assert seen == [None, None, 5.0, 2.0]


@pytest.mark.parametrize(("goal", "number"), [("min", 1), ("max", 3)])
def test_the_best_is_of_the_finished_ones_and_the_first_of_equals(goal: str, number: int) -> None:
    finished, failed = RunStatus.FINISHED, RunStatus.FAILED
    values: Mapping[int, tuple[RunStatus, float | None]] = {
        0: (failed, 0.0), 1: (finished, 1.0), 2: (finished, 1.0), 3: (finished, 3.0), 4: (failed, 9.0), 5: (finished, None),
    }  # fmt: skip
    trials = [Trial(n, status=status, value=value) for n, (status, value) in values.items()]

    best = best_of(trials, goal)  # type: ignore[arg-type]  # one of the two

    assert best is not None
    assert best.number == number
    assert best_of(trials[:1], "min") is None


def test_numbers_read_back_as_they_were() -> None:
    assert [text_of(value) for value in (0.1, 1e-7, 3, "a b")] == ["0.1", "1e-07", "3", "a b"]


def test_a_sampler_that_learns_comes_close() -> None:
    task = SearchTask({"n": Integers(0, 1000), "k": Choices(("a", "b"))}, metric="loss", seed=1, max_runs=200)

    def distance(trial: Trial, begun: Begun) -> Ended:
        return Ended(RunStatus.FINISHED, abs(int(trial.point["n"]) - 700) + 100 * (trial.point["k"] == "a"))

    best = best_of(Trials(MemorySampler(), task, distance, lambda _: None).run(1), "min")

    assert best is not None
    assert best.value is not None
    assert best.value < 50
