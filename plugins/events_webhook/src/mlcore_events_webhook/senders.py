"""Deliver messages from a thread per endpoint: what waits, when it is tried again, and what happens at the end."""

from __future__ import annotations

import atexit
import functools
import heapq
import logging
import os
import random
import threading
import time
from collections.abc import Sequence

from attrs import define, field

from mlcore.hookspecs import Event
from mlcore_events_webhook.attempts import Outcome, attempt
from mlcore_events_webhook.failures import Failures
from mlcore_events_webhook.messages import Message, message_of
from mlcore_events_webhook.settings import Endpoint, WebhookSettings

logger: logging.Logger = logging.getLogger(__name__)

_GROWTH = 4.0
_LONGEST_DELAY_S = 900.0


@define(order=True)
class _Waiting:
    """A message that is due at a time of the monotonic clock."""

    due_s: float
    number: int
    message: Message = field(order=False)
    tried: int = field(default=0, order=False)


class Sender:
    """Delivers to one endpoint, in a daemon thread that starts with the first message."""

    def __init__(self, endpoint: Endpoint, settings: WebhookSettings, failures: Failures) -> None:
        """Start nothing yet."""
        self._endpoint = endpoint
        self._settings = settings
        self._failures = failures
        self._heap: list[_Waiting] = []
        self._sending: _Waiting | None = None
        self._closing = False
        self._gone = False
        self._count = 0
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None

    def take(self, event: Event) -> None:
        """Put a message about an event into the queue, if such events are wanted; never waits for the endpoint."""
        if not self._settings.wants(event.name) or self._gone:
            return
        message = message_of(event)
        with self._change:
            is_full = len(self._heap) >= self._settings.queue
            if not is_full:
                self._count += 1
                heapq.heappush(self._heap, _Waiting(time.monotonic(), self._count, message))
                self._start()
                self._change.notify_all()
        if is_full:
            self._give_up(message, f"{self._settings.queue} messages are waiting already", 0)

    def finish(self) -> None:
        """Try everything that waits once more, now, for at most `exit_s` seconds; what is left is given up."""
        deadline = time.monotonic() + self._settings.exit_s
        with self._change:
            self._closing = True
            self._change.notify_all()
            while (self._heap or self._thread) and (left := deadline - time.monotonic()) > 0:
                self._change.wait(left)
            rest, self._heap = [*filter(None, (self._sending,)), *self._heap], []
            self._closing = False  # a process that goes on after all delivers what comes later
        for each in rest:
            self._give_up(each.message, "the process ended before it could be delivered", each.tried)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="mlcore-webhook", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._change:
                while not self._is_due():
                    if self._closing:
                        self._thread = None
                        self._change.notify_all()
                        return
                    self._change.wait(self._heap[0].due_s - time.monotonic() if self._heap else None)
                self._sending = waiting = heapq.heappop(self._heap)
                is_last = self._closing
            try:
                self._try(waiting, is_last=is_last)
            finally:
                with self._change:
                    self._sending = None

    def _is_due(self) -> bool:
        return bool(self._heap) and (self._closing or self._heap[0].due_s <= time.monotonic())

    def _try(self, waiting: _Waiting, *, is_last: bool) -> None:
        outcome = attempt(self._endpoint, waiting.message, self._settings)
        waiting.tried += 1
        if not outcome.problem:
            return
        self._gone = self._gone or outcome.is_gone
        if outcome.is_final or is_last or waiting.tried >= self._settings.attempts:
            self._give_up(waiting.message, outcome.problem, waiting.tried)
            return
        with self._change:
            waiting.due_s = time.monotonic() + self._delay_s(waiting.tried, outcome)
            heapq.heappush(self._heap, waiting)

    def _delay_s(self, tried: int, outcome: Outcome) -> float:
        """Return how long to wait: at random between half and all of a span that grows, so that senders do not meet."""
        span = min(self._settings.first_delay_s * _GROWTH ** (tried - 1), _LONGEST_DELAY_S)
        return max(outcome.wait_s, span * random.uniform(0.5, 1.0))  # noqa: S311  # spreads load, protects nothing

    def _give_up(self, message: Message, problem: str, tried: int) -> None:
        shown = self._endpoint.shown
        logger.warning(
            "webhook %s (%s) was not delivered to %s in %d attempts: %s; see: mlcore webhooks failures",
            message.message_id,
            message.event,
            shown,
            tried,
            problem,
        )
        try:
            self._failures.add(shown, message.message_id, message.event, problem, tried)
        except OSError as err:
            logger.warning("the failed webhook cannot be written to %s: %s", self._failures.path, err)


@functools.lru_cache(maxsize=1)
def senders(pid: int) -> tuple[Sender, ...]:
    """Return the senders of this process; a forked child gets its own, as threads stay behind.

    Raises SettingsError: the settings cannot be used.
    """
    settings = WebhookSettings.load()
    failures = Failures.of_user()
    made = tuple(Sender(endpoint, settings, failures) for endpoint in settings.endpoints)
    if made:
        atexit.register(_at_exit, made, pid)
    return made


def finish(made: Sequence[Sender]) -> None:
    """End with what waits for all endpoints together, so that one that hangs takes nothing from the others."""
    threads = [threading.Thread(target=sender.finish, daemon=True) for sender in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _at_exit(made: Sequence[Sender], pid: int) -> None:
    if pid == os.getpid():  # a forked child has the handlers of its parent
        finish(made)
