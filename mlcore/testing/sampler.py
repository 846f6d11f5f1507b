"""The contract suite of samplers.

To use it, inherit in a test module and give a fixture `sampler`, one that has not begun:

    class TestMySampler(SamplerContract):
        plugin_module = "mlcore_my_sampler.plugin"

        @pytest.fixture
        def sampler(self) -> Sampler: ...
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import pytest
from attrs import evolve

from mlcore.errors import InvalidParameterError
from mlcore.interfaces import Choices, Integers, Reals, Sampler, SearchTask
from mlcore.testing.plugin_module import PluginModuleContract

Point = Mapping[str, str | int | float]

_TASK = SearchTask(
    domains={
        "kind": Choices(("linear", "0.1", "a b")),
        "depth": Integers(2, 11, 3),
        "share": Reals(-1.0, 1.0),
        "rate": Reals(1e-6, 1.0, log=True),
    },
    metric="loss",
    goal="min",
    seed=7,
    max_runs=60,
)


def _loss(point: Point) -> float:
    return abs(float(point["share"]) - 0.5) + abs(math.log10(float(point["rate"])) + 2)


def _played(sampler: Sampler, task: SearchTask, count: int = 40) -> list[Point]:
    """Begin, ask and tell in turn; return the points."""
    sampler.begin(task)
    points: list[Point] = []
    for number in range(count):
        point = sampler.ask(number)
        assert point is not None, f"no point {number} of a space without end"
        points.append(dict(point))
        loss = _loss(point)
        sampler.tell(number, loss if task.goal == "min" else -loss)
    return points


class SamplerContract(PluginModuleContract):
    """Everything that the kernel relies on in a sampler.

    learns: whether it is to find better points from what it is told.
    """

    learns: ClassVar[bool] = False

    def test_the_sampler_has_the_methods_of_the_contract(self, sampler: Sampler) -> None:
        assert isinstance(sampler, Sampler)

    def test_a_point_has_a_value_for_every_parameter_and_no_other(self, sampler: Sampler) -> None:
        for point in _played(sampler, _TASK):
            assert set(point) == set(_TASK.domains)

    def test_choices_are_the_texts_given(self, sampler: Sampler) -> None:
        found = {point["kind"] for point in _played(sampler, _TASK)}

        assert found <= {"linear", "0.1", "a b"}
        assert len(found) > 1

    def test_whole_numbers_are_ints_on_their_steps(self, sampler: Sampler) -> None:
        found = [point["depth"] for point in _played(sampler, _TASK)]

        assert {type(value) for value in found} == {int}
        assert set(found) <= {2, 5, 8, 11}
        assert len(set(found)) > 1

    def test_numbers_are_floats_of_their_interval(self, sampler: Sampler) -> None:
        for point in _played(sampler, _TASK):
            assert isinstance(point["share"], float)
            assert isinstance(point["rate"], float)
            assert -1.0 <= point["share"] <= 1.0
            assert 1e-6 <= point["rate"] <= 1.0

    def test_a_logarithmic_interval_is_searched_at_its_small_end_too(self, sampler: Sampler) -> None:
        found = [float(point["rate"]) for point in _played(sampler, _TASK)]

        assert min(found) < 1e-3

    def test_one_parameter_is_enough(self, sampler: Sampler) -> None:
        sampler.begin(evolve(_TASK, domains={"depth": Integers(4, 5)}))

        for number in range(20):
            assert sampler.ask(number) in ({"depth": 4}, {"depth": 5})

    def test_the_same_seed_gives_the_same_points_again(self, sampler: Sampler) -> None:
        assert _played(sampler, _TASK) == _played(sampler, _TASK)

    def test_another_seed_gives_other_points(self, sampler: Sampler) -> None:
        assert _played(sampler, _TASK) != _played(sampler, evolve(_TASK, seed=8))

    def test_searches_without_a_seed_differ(self, sampler: Sampler) -> None:
        unseeded = evolve(_TASK, seed=None)

        assert _played(sampler, unseeded) != _played(sampler, unseeded)

    def test_the_greatest_can_be_the_best(self, sampler: Sampler) -> None:
        assert _played(sampler, evolve(_TASK, goal="max")) == _played(sampler, _TASK), "-x greatest is x least"

    def test_points_can_be_asked_for_before_any_is_told(self, sampler: Sampler) -> None:
        sampler.begin(_TASK)

        points = [sampler.ask(number) for number in range(8)]

        assert None not in points
        assert len({str(point) for point in points}) > 1
        for number in (3, 0, 7, 1, 2, 6, 5, 4):
            sampler.tell(number, float(number))
        assert sampler.ask(8) is not None

    def test_failed_runs_do_not_end_the_search(self, sampler: Sampler) -> None:
        sampler.begin(_TASK)

        for number in range(20):
            assert sampler.ask(number) is not None
            sampler.tell(number, None)

    def test_a_search_without_metric_goes_on(self, sampler: Sampler) -> None:
        sampler.begin(evolve(_TASK, metric=""))

        for number in range(5):
            assert sampler.ask(number) is not None
            sampler.tell(number, None)

    def test_runs_that_were_not_asked_for_or_are_told_twice_are_refused(self, sampler: Sampler) -> None:
        sampler.begin(_TASK)
        sampler.ask(0)
        sampler.tell(0, 1.0)

        for number in (0, 17):
            with pytest.raises(InvalidParameterError, match=str(number)):
                sampler.tell(number, 1.0)

    def test_a_new_search_knows_nothing_of_the_one_before(self, sampler: Sampler) -> None:
        sampler.begin(_TASK)
        sampler.ask(0)

        sampler.begin(_TASK)

        with pytest.raises(InvalidParameterError, match="0"):
            sampler.tell(0, 1.0)

    def test_a_sampler_that_learns_comes_to_better_points(self, sampler: Sampler) -> None:
        if not self.learns:
            pytest.skip("the class does not say that the sampler learns")
        early, late = [], []
        for seed in range(6):
            losses = [_loss(point) for point in _played(sampler, evolve(_TASK, seed=seed), 60)]
            early += losses[:5]
            late += losses[-20:]

        assert sum(late) / len(late) < 0.5 * sum(early) / len(early)
