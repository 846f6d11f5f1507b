"""Broken samplers, each caught by a named test."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from mlcore.interfaces import Reals, SearchTask
from mlcore.testing import MemorySampler, SamplerContract
from mlcore.testing.proof import caught_by

Point = Mapping[str, str | int | float]


class LeavesOneOut(MemorySampler):
    def ask(self, number: int) -> Point | None:
        return {name: value for name, value in (super().ask(number) or {}).items() if name != "share"}


class TextsForNumbers(MemorySampler):
    def ask(self, number: int) -> Point | None:
        return {name: str(value) for name, value in (super().ask(number) or {}).items()}


class NumbersForTexts(MemorySampler):
    def ask(self, number: int) -> Point | None:
        return {name: 0.1 if value == "0.1" else value for name, value in (super().ask(number) or {}).items()}


class BesideTheSteps(MemorySampler):
    def ask(self, number: int) -> Point | None:
        point = super().ask(number) or {}
        return {name: value + 1 if type(value) is int else value for name, value in point.items()}


class PastTheEnd(MemorySampler):
    def ask(self, number: int) -> Point | None:
        point = super().ask(number) or {}
        return {name: value * 1.2 if type(value) is float else value for name, value in point.items()}


class NoLogarithms(MemorySampler):
    def begin(self, task: SearchTask) -> None:
        flat = {n: Reals(d.low, d.high) if isinstance(d, Reals) else d for n, d in task.domains.items()}
        super().begin(evolve(task, domains=flat))


class NoSeed(MemorySampler):
    def begin(self, task: SearchTask) -> None:
        super().begin(evolve(task, seed=None))


class AlwaysTheSameSeed(MemorySampler):
    def begin(self, task: SearchTask) -> None:
        super().begin(evolve(task, seed=1))


class SeedsItself(MemorySampler):
    def begin(self, task: SearchTask) -> None:
        super().begin(evolve(task, seed=5 if task.seed is None else task.seed))


class ForgetsTheGoal(MemorySampler):
    def begin(self, task: SearchTask) -> None:
        super().begin(evolve(task, goal="min"))


class OneAtATime(MemorySampler):
    def ask(self, number: int) -> Point | None:
        return None if self._open else super().ask(number)


class StopsAtAFailure(MemorySampler):
    failed = False

    def begin(self, task: SearchTask) -> None:
        self.failed = False
        super().begin(task)

    def ask(self, number: int) -> Point | None:
        return None if self.failed else super().ask(number)

    def tell(self, number: int, value: float | None) -> None:
        self.failed = value is None
        super().tell(number, value)


class HearsAnything(MemorySampler):
    def tell(self, number: int, value: float | None) -> None:
        if number in self._open:
            super().tell(number, value)


class Remembers(MemorySampler):
    def begin(self, task: SearchTask) -> None:
        before = getattr(self, "_open", {})
        super().begin(task)
        self._open = before


_SAMPLERS = [
    (LeavesOneOut, "test_a_point_has_a_value_for_every_parameter_and_no_other"),
    (TextsForNumbers, "test_whole_numbers_are_ints_on_their_steps"),
    (TextsForNumbers, "test_numbers_are_floats_of_their_interval"),
    (NumbersForTexts, "test_choices_are_the_texts_given"),
    (BesideTheSteps, "test_whole_numbers_are_ints_on_their_steps"),
    (PastTheEnd, "test_numbers_are_floats_of_their_interval"),
    (NoLogarithms, "test_a_logarithmic_interval_is_searched_at_its_small_end_too"),
    (NoSeed, "test_the_same_seed_gives_the_same_points_again"),
    (AlwaysTheSameSeed, "test_another_seed_gives_other_points"),
    (SeedsItself, "test_searches_without_a_seed_differ"),
    (ForgetsTheGoal, "test_the_greatest_can_be_the_best"),
    (OneAtATime, "test_points_can_be_asked_for_before_any_is_told"),
    (StopsAtAFailure, "test_failed_runs_do_not_end_the_search"),
    (StopsAtAFailure, "test_a_search_without_metric_goes_on"),
    (HearsAnything, "test_runs_that_were_not_asked_for_or_are_told_twice_are_refused"),
    (Remembers, "test_a_new_search_knows_nothing_of_the_one_before"),
]
for _sampler, _test in _SAMPLERS:
    globals()[f"Test{_sampler.__name__}{_test.title().replace('_', '')[4:12]}"] = caught_by(
        SamplerContract, _test, sampler=_sampler
    )
