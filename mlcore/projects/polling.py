"""Asking a place that jobs run at, again and again: patient while it does not answer, and truthful when it never does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from attrs import evolve, frozen

from mlcore.errors import LimitExceededError, StoreUnavailableError
from mlcore.interfaces import JobStatus

_Told = TypeVar("_Told")
ENDED = frozenset((JobStatus.FINISHED, JobStatus.FAILED, JobStatus.KILLED))


@frozen
class Patience:
    """How often to ask, and for how long nobody has to answer.

    first_s, most_s: the pauses between two questions grow from one to the other.
    give_up_s: how long no answer at all is put up with; a job may well go on while its place is not to be reached.
    """

    first_s: float = 0.2
    most_s: float = 5.0
    give_up_s: float = 900.0

    def ask(self, question: Callable[[], _Told], about: str) -> _Told:
        """Return the answer to a question, asked again while the place is not to be reached.

        Raises StoreUnavailableError: nobody answered for `give_up_s`; it says that the job's end is not known.
        """
        since = time.monotonic()
        pause = self.first_s
        while True:
            try:
                return question()
            except (StoreUnavailableError, LimitExceededError) as err:
                silent_s = time.monotonic() - since
                if silent_s >= self.give_up_s:
                    raise StoreUnavailableError(
                        f"{about} cannot be asked for, without an answer for {silent_s:.0f} s: {err}. It may be running "
                        "still, and may have ended: look there, and ask again"
                    ) from err
            time.sleep(min(pause, max(0.0, self.give_up_s - (time.monotonic() - since))))
            pause = min(2 * pause, max(self.most_s, self.first_s))

    def wait(self, status: Callable[[], JobStatus], timeout_s: float | None, about: str) -> JobStatus:
        """Return the final status of a job, or the present one when *timeout_s* seconds have passed.

        Raises StoreUnavailableError: as `ask`. What else `status` raises passes.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        pause = self.first_s
        while True:
            left = None if until is None else max(0.0, until - time.monotonic())
            patience = self if left is None else evolve(self, give_up_s=min(self.give_up_s, left))
            found = patience.ask(status, about)
            if found in ENDED or (until is not None and time.monotonic() >= until):
                return found
            time.sleep(pause if left is None else min(pause, left))
            pause = min(1.3 * pause, self.most_s)
