"""Signals while a project runs: the first is handed on to the job, the second kills it, the third leaves it alone."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK")
_ENOUGH = 3  # who asks so often wants to be gone, whatever the backend does

Forward = Callable[[int, bool], None]


class Stopped(BaseException):
    """Somebody wants the process to end before there is a job, or for the third time; not an Exception, as Ctrl-C."""

    def __init__(self, number: int) -> None:
        """Keep the signal's number."""
        super().__init__(signal.Signals(number).name)
        self.number = number


class Stop:
    """Whether somebody wants the project to stop, and what is done about it. Safe to ask from any thread."""

    def __init__(self) -> None:
        """Begin without a wish."""
        self.number: int | None = None
        self._asked = 0
        self._held = 0
        self._forward: Forward | None = None

    @property
    def signal_name(self) -> str:
        """The name of the first signal; empty when there was none."""
        return "" if self.number is None else signal.Signals(self.number).name

    def ask(self, number: int) -> None:
        """Want the project to stop, as a signal does; the second time by force."""
        self._asked += 1
        if self.number is None:
            self.number = number
        forward = self._forward
        if forward is not None:
            # a thread of its own: a backend may take its time, and its locks may be held by who was interrupted
            threading.Thread(target=forward, args=(number, self._asked > 1), name="mlcore-stop", daemon=True).start()

    def check(self) -> None:
        """Raise Stopped when somebody wants that, and there is no job that could be told."""
        if self.number is not None and self._forward is None and not self._held:
            raise Stopped(self.number)

    def pend(self) -> None:
        """Let nothing be interrupted until `attended`: a run has begun, and nobody would end it."""
        self._held += 1

    def attended(self) -> None:
        """Let somebody attend the run from now on, who ends it whatever happens."""
        self._held = max(0, self._held - 1)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let nothing be interrupted inside the block; what is wanted meanwhile is only kept in mind."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    @contextmanager
    def forwarding(self, forward: Forward) -> Iterator[None]:
        """Hand what is wanted inside the block, or was wanted before, to *forward*: the signal, and whether to kill."""
        self._forward = forward
        if self.number is not None:
            threading.Thread(target=forward, args=(self.number, False), name="mlcore-stop", daemon=True).start()
        try:
            yield
        finally:
            self._forward = None

    def handle(self, number: int, _: FrameType | None) -> None:
        """Take a signal."""
        self.ask(number)
        if self._asked >= _ENOUGH:
            raise Stopped(number)
        self.check()


@contextmanager
def heard() -> Iterator[Stop]:
    """Take the signals that would end this process inside the block; after it they do what they would have done.

    Only in the main thread, where Python allows it, and only those for which the program has no handler of its own.
    Raises KeyboardInterrupt: Ctrl-C was pressed.
    """
    stop = Stop()
    replaced: dict[int, object] = {}
    if threading.current_thread() is threading.main_thread():
        for number in signals():
            found = signal.getsignal(number)
            if found == signal.SIG_DFL or found is signal.default_int_handler:
                replaced[number] = signal.signal(number, stop.handle)
    try:
        yield stop
    except Stopped:
        _restore(replaced)
        _again(stop.number)
        raise
    finally:
        _restore(replaced)
    _again(stop.number)


def signals() -> set[signal.Signals]:
    """Return the signals that end programs and that this system has."""
    return {getattr(signal, name) for name in _NAMES if hasattr(signal, name)}


def _restore(replaced: dict[int, object]) -> None:
    for number, before in replaced.items():
        signal.signal(number, before)  # type: ignore[arg-type]  # what `signal.signal` returned
    replaced.clear()


def _again(number: int | None) -> None:
    """Let a signal do now what it does without us."""
    if number is None:
        return
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    os.kill(os.getpid(), number)
