"""The sampler of acme-optuna keeps what the contract of mlcore asks, and learns."""

from __future__ import annotations

import math
import statistics
from typing import ClassVar

import pytest
from acme_optuna.sampler import OptunaSampler

from mlcore.interfaces import Reals, Sampler, SearchTask
from mlcore.testing import SamplerContract


class TestOptunaSampler(SamplerContract):
    plugin_module: ClassVar[str | None] = "acme_optuna.plugin"

    @pytest.fixture
    def sampler(self) -> Sampler:
        return OptunaSampler()


def test_later_points_are_better_than_early_ones() -> None:
    sampler = OptunaSampler()
    sampler.begin(SearchTask({"rate": Reals(1e-6, 1, log=True), "x": Reals(-5, 5)}, "loss", "min", seed=1))

    losses = []
    for number in range(60):
        point = sampler.ask(number)
        losses.append(abs(math.log10(float(point["rate"])) + 3) + abs(float(point["x"]) - 2))
        sampler.tell(number, losses[-1])

    assert statistics.mean(losses[-20:]) < statistics.mean(losses[:20]) / 2
