"""Let the threads of one process take turns: some steps of ours are several of MLflow's, and some of those not atomic."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Turns:
    """What has methods for one thread at a time."""

    def __init__(self) -> None:
        """Let the first one in."""
        self._turn = threading.RLock()


S = TypeVar("S", bound=Turns)


def in_turn(method: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Let one thread at a time into this and all such methods of an object."""

    @functools.wraps(method)
    def alone(owner: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with owner._turn:
            return method(owner, *args, **kwargs)

    return alone
