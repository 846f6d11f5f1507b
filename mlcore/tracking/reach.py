"""Ask a store that may not answer, for as long as the user is patient."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from mlcore.errors import ArtifactWriteError, LimitExceededError, MlcoreError, StoreUnavailableError
from mlcore.uris import redacted

T = TypeVar("T")


def is_outage(err: MlcoreError) -> bool:
    """Whether *err* says that the place is out of order for now, and not that something is wrong with the request."""
    if isinstance(err, ArtifactWriteError):
        return type(err.__cause__) is MlcoreError  # status 500 without more to say
    return isinstance(err, (StoreUnavailableError, LimitExceededError)) or type(err) is MlcoreError


def is_remote(uri: str) -> bool:
    """Whether *uri* leads to another process, which may keep its callers waiting."""
    try:
        return bool(urlsplit(uri).netloc) or uri.startswith("mlflow-artifacts:")
    except ValueError:
        return False


class Question(threading.Thread, Generic[T]):
    """A question in a thread of its own, which nobody has to wait for."""

    def __init__(self, ask: Callable[[], T]) -> None:
        """Begin with `start`."""
        super().__init__(name="mlcore-ask", daemon=True)
        self._ask = ask
        self.answers: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """Ask."""
        try:
            self.answers.append(self._ask())
        except BaseException as err:  # noqa: BLE001  # it is raised where somebody waits for the answer
            self.error = err

    def answer(self) -> T:
        """Return the answer, or raise what was raised instead; once the thread has ended."""
        if self.error is not None:
            raise self.error
        return self.answers[0]


def ask(uri: str, question: Callable[[], T], patience_s: float | None) -> T:
    """Return the answer of *question*, which goes to the place at *uri*.

    A place on this machine is asked directly. Of any other the answer is waited for at most *patience_s*, if that is
    given; one that comes later is dropped.
    Raises StoreUnavailableError: no answer in time; whatever the question raises.
    """
    if patience_s is None or not is_remote(uri):
        return question()
    asked = Question(question)
    asked.start()
    asked.join(patience_s)
    if asked.is_alive():
        raise StoreUnavailableError(
            f"{redacted(uri)} did not answer in {patience_s:g} s; set MLCORE_PATIENCE_S to wait longer"
        )
    return asked.answer()
