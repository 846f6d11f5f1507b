"""The samplers of the kernel: every point of a grid in order, and points at random."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence

from mlcore.errors import ProjectError
from mlcore.interfaces.sampler import Choices, Domain, Integers, Reals, SearchTask, Value


class GridSampler:
    """Every combination of all values, the last parameter's changing fastest; deaf to what is told."""

    def __init__(self) -> None:
        """Have no points before a search begins."""
        self._points: Iterator[Mapping[str, Value]] = iter(())

    def begin(self, task: SearchTask) -> None:
        """Start at the first combination. Raises ProjectError: a parameter has no end of values."""
        values: list[Sequence[Value]] = []
        for name, domain in task.domains.items():
            if isinstance(domain, Reals):
                raise ProjectError(
                    f"parameter {name!r} is an interval, of which a grid has no end: list values of it, or search "
                    "with --search random"
                )
            values.append(_values(domain))
        names = list(task.domains)
        self._points = (dict(zip(names, point, strict=True)) for point in itertools.product(*values))

    def ask(self, number: int) -> Mapping[str, Value] | None:  # noqa: ARG002  # the order is the grid's own
        """Return the next combination; None after the last."""
        return next(self._points, None)

    def tell(self, number: int, value: float | None) -> None:
        """Take no notice."""


class RandomSampler:
    """Points at random, each independent of the others; where there are finitely many, none twice."""

    def __init__(self) -> None:
        """Have no points before a search begins."""
        self._task = SearchTask()
        self._random = random.Random()  # noqa: S311  # no secrets
        self._seen: set[tuple[Value, ...]] = set()
        self._left: float = 0

    def begin(self, task: SearchTask) -> None:
        """Start with the seed."""
        self._task = task
        self._random = random.Random(task.seed)  # noqa: S311  # no secrets
        self._seen = set()
        self._left = math.prod(map(size, task.domains.values()))

    def ask(self, number: int) -> Mapping[str, Value] | None:  # noqa: ARG002  # the order is the generator's
        """Return a point that was not there yet; None when all were."""
        while len(self._seen) < self._left:
            point = {name: self._one_of(domain) for name, domain in self._task.domains.items()}
            key = tuple(point.values())
            if key not in self._seen:
                self._seen.add(key)
                return point
        return None

    def tell(self, number: int, value: float | None) -> None:
        """Take no notice."""

    def _one_of(self, domain: Domain) -> Value:
        if isinstance(domain, Reals):
            return drawn(domain, self._random.random())
        return self._random.choice(_values(domain))


def size(domain: Domain) -> float:
    """Return how many values a domain has; infinity for an interval."""
    return math.inf if isinstance(domain, Reals) else len(_values(domain))


def drawn(domain: Reals, fraction: float) -> float:
    """Return the number that lies at *fraction*, 0 to 1, of an interval, on its scale."""
    if domain.log:
        found = math.exp(math.log(domain.low) + fraction * (math.log(domain.high) - math.log(domain.low)))
    else:
        found = domain.low + fraction * (domain.high - domain.low)
    return min(max(found, domain.low), domain.high)  # rounding must not leave the interval


def _values(domain: Choices | Integers) -> Sequence[Value]:
    if isinstance(domain, Choices):
        return domain.values
    return range(domain.low, domain.high + 1, domain.step)
