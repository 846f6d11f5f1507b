"""Coroutines of models, run on one event loop apart from those of the program and of the server.

One loop for all: what a model opens on it, such as a session of an HTTP client, stays usable from prediction to prediction.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future

from attrs import frozen


@frozen
class _Running:
    """A loop with its thread; after a fork both are the parent's."""

    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    pid: int


class _Home:
    """The loop of this process, started at the first need; its thread ends with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Running | None = None

    def get(self) -> _Running:
        with self._lock:
            running = self._running
            if running is None or running.pid != os.getpid():
                loop = asyncio.new_event_loop()
                thread = threading.Thread(target=loop.run_forever, name="mlcore-await", daemon=True)
                running = self._running = _Running(loop, thread, os.getpid())
                thread.start()
            return running


_home = _Home()


def begin(coroutine: Coroutine[object, object, object]) -> Future[object]:
    """Start a coroutine; return its future."""
    running = _home.get()
    if threading.current_thread() is not running.thread:
        return asyncio.run_coroutine_threadsafe(coroutine, running.loop)
    # a model that asks another one: to wait here for the same loop would be for ever
    done: Future[object] = Future()
    threading.Thread(target=_alone, args=(coroutine, done), name="mlcore-await-nested", daemon=True).start()
    return done


def waited(value: object) -> object:
    """Return what a coroutine returns, an iterator for an asynchronous one, and anything else as it is."""
    if asyncio.iscoroutine(value):
        return waited(begin(value).result())
    return drained(value) if isinstance(value, AsyncIterator) else value


def drained(values: AsyncIterator[object]) -> Iterator[object]:
    """Yield what an asynchronous iterator yields; close it when nobody asks for more."""
    end = object()

    async def following() -> object:
        return await anext(values, end)

    try:
        while (value := begin(following()).result()) is not end:
            yield value
    finally:
        close = getattr(values, "aclose", None)
        if close is not None:
            begin(close()).result()


def _alone(coroutine: Coroutine[object, object, object], done: Future[object]) -> None:
    async def settle() -> None:
        done.set_result(await coroutine)

    try:
        asyncio.run(settle())
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as err:  # noqa: BLE001  # whoever waits has to hear of it
        done.set_exception(err)
