"""The contract of a sampler: which parameters the next run of a search gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, runtime_checkable

from attrs import field, frozen

Value = str | int | float
Goal = Literal["max", "min"]


@frozen
class Choices:
    """One of several texts, in the order in which they were written; at least one.

    values: as they stand in a command; those of numbers too, such as `0.1`.
    """

    values: tuple[str, ...]


@frozen
class Integers:
    """A whole number: low, low + step, and so on up to *high*, which is one of them; low <= high, 1 <= step."""

    low: int
    high: int
    step: int = 1


@frozen
class Reals:
    """A number of the interval, both ends included; low < high, finite.

    log: the number's logarithm is what varies evenly; 0 < low.
    """

    low: float
    high: float
    log: bool = False


Domain = Choices | Integers | Reals


@frozen
class SearchTask:
    """What a search is for.

    domains: of the parameters that vary, by name; at least one.
    metric: that is to become best; empty when none was named, and then all values told are None.
    goal: whether the best value is the greatest, `max`, or the least, `min`.
    seed: the same one gives the same points, as long as the same is told at the same time; None for others each time.
    max_runs: how many points will be asked for at most; None for as many as there are.
    """

    domains: Mapping[str, Domain] = field(factory=dict)
    metric: str = ""
    goal: Goal = "min"
    seed: int | None = None
    max_runs: int | None = None


@runtime_checkable
class Sampler(Protocol):
    """Choose points of a search space, from what is known about those before.

    To write one, make two files: `plugin.py` with the hook `sampler`, and `sampler.py` with a class that has
    these methods. They are called from one thread at a time.
    """

    def begin(self, task: SearchTask) -> None:
        """Start a search; forget whatever was before.

        Raises InvalidParameterError: there is no such search with this sampler; the message names the parameter.
        """
        ...

    def ask(self, number: int) -> Mapping[str, Value] | None:
        """Return a value for each parameter, for run *number* of the search; None when there are no further points.

        number: counts from 0. Several may be asked for before the first one is told, as runs go side by side.
        """
        ...

    def tell(self, number: int, value: float | None) -> None:
        """Hear how run *number* ended, once, in any order.

        value: the metric's last one, finite; None when the run failed or has no such metric.
        """
        ...
