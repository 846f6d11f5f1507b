"""A sampler that stays near the best point: a fake, and the shortest complete example."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

from mlcore.errors import InvalidParameterError
from mlcore.interfaces import Choices, Domain, Integers, Reals, SearchTask

Point = Mapping[str, str | int | float]


class MemorySampler:
    """A point at random first, and then the best one with one parameter changed."""

    def __init__(self) -> None:
        """Know nothing before a search begins."""
        self.begin(SearchTask())

    def begin(self, task: SearchTask) -> None:
        """Start a search; forget whatever was before."""
        self._task = task
        self._random = random.Random(task.seed)  # noqa: S311  # no secrets
        self._open: dict[int, Point] = {}
        self._best: tuple[float, Point] | None = None

    def ask(self, number: int) -> Point | None:
        """Return a value for each parameter."""
        point = {name: _any_of(domain, self._random) for name, domain in self._task.domains.items()}
        if self._best is not None:
            changed = self._random.choice(list(point))
            point = {**self._best[1], changed: point[changed]}
        self._open[number] = point
        return point

    def tell(self, number: int, value: float | None) -> None:
        """Remember the best point. Raises InvalidParameterError: the run was not asked for, or told already."""
        point = self._open.pop(number, None)
        if point is None:
            raise InvalidParameterError(f"run {number} was not asked for, or told before (open: {sorted(self._open)})")
        if value is not None:
            loss = value if self._task.goal == "min" else -value
            if self._best is None or loss < self._best[0]:
                self._best = (loss, point)


def _any_of(domain: Domain, source: random.Random) -> str | int | float:
    match domain:
        case Choices(values):
            return source.choice(values)
        case Integers(low, high, step):
            return source.choice(range(low, high + 1, step))
        case Reals(low, high, log=True):
            return min(max(math.exp(source.uniform(math.log(low), math.log(high))), low), high)
        case Reals(low, high):
            return source.uniform(low, high)
