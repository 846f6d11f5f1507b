"""Where predictions are computed: threads apart from the event loop, each answer within its time."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from attrs import frozen

from mlcore.errors import BadRequestError, MlcoreError
from mlcore.serving.payload import BodyTooLargeError

MAX_BODY_BYTES = 64 * 2**20
TIMEOUT_S = 60.0

T = TypeVar("T")
V = TypeVar("V")

# ASGI's own types, as starlette spells them
Scope = MutableMapping[str, Any]
Receive = Callable[[], Any]
Send = Callable[[MutableMapping[str, Any]], Any]

logger: logging.Logger = logging.getLogger("mlcore.serving")


@frozen
class Limits:
    """What a request may cost.

    max_body_bytes: of one request.
    timeout_s: seconds that an answer may take.
    threads: predictions that run at a time.
    """

    max_body_bytes: int = MAX_BODY_BYTES
    timeout_s: float = TIMEOUT_S
    threads: int = min(4, os.cpu_count() or 1)


class PredictionTimeoutError(MlcoreError):
    """The model took longer than the server allows."""

    code = "DEADLINE_EXCEEDED"
    status = 504


class PredictionError(BadRequestError):
    """The model raised an error of its own; most often the data is not what it was trained on."""


@frozen
class Pending(Generic[T]):
    """An answer that an asynchronous model is at work on, and what is to be done with it."""

    future: Future[object]
    finish: Callable[[object], T]


class Work:
    """The threads of one process."""

    def __init__(self, limits: Limits) -> None:
        """Work within *limits*."""
        self.limits: Limits = limits
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="mlcore-predict")

    async def run(self, task: Callable[[], T | Pending[T]]) -> T:
        """Return what *task* returns, computed in a thread; what is pending holds no thread while it is waited for.

        Raises PredictionTimeoutError, PredictionError; an MlcoreError of the task passes as it is.
        """
        found = await self._settled(asyncio.get_running_loop().run_in_executor(self._pool, task))
        if not isinstance(found, Pending):
            return found
        answer, finish = await self._settled(asyncio.wrap_future(found.future)), found.finish
        return await self._settled(asyncio.get_running_loop().run_in_executor(self._pool, lambda: finish(answer)))

    async def _settled(self, future: asyncio.Future[V]) -> V:
        done, _ = await asyncio.wait((future,), timeout=self.limits.timeout_s)
        if not done:
            future.cancel()
            raise PredictionTimeoutError(
                f"the model did not answer within {self.limits.timeout_s:g} s; send fewer rows or allow more time"
            )
        fault = future.exception()
        if fault is None:
            return future.result()
        if isinstance(fault, MlcoreError):
            raise fault
        logger.error("the model failed to predict", exc_info=fault)
        raise PredictionError(
            f"the model failed to predict: {type(fault).__name__}: {str(fault).rstrip('.')}. "
            "Compare the data with what the model was trained on"
        ) from fault

    async def body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
        """Return the body of a request; None when the client went away before its end.

        Raises BodyTooLargeError: it is over the limit; told before it is read where the head says so.
        """
        most = self.limits.max_body_bytes
        told = headers.get(b"content-length", b"0")
        if told.isdigit() and int(told) > most:
            raise _too_large(int(told), most)
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            size += len(part)
            if size > most:
                raise _too_large(size, most)
            parts.append(part)
            if not message.get("more_body"):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Wait for what is being computed; what has not begun is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _too_large(size: int, most: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"the request has {size} bytes or more, this server takes at most {most}; send fewer rows at a time"
    )
