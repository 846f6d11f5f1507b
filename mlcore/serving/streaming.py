"""Answers that come bit by bit: server-sent events, or lines of JSON, as the client accepts them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Protocol, runtime_checkable

from mlcore.errors import InvalidParameterError, MlcoreError
from mlcore.serving.payload import Payload
from mlcore.serving.work import Receive, Send, Work

EVENTS = b"text/event-stream"
LINES = b"application/x-ndjson"


@runtime_checkable
class StreamingScorer(Protocol):
    """What can answer a request bit by bit."""

    def stream(self, request: Payload) -> Iterator[object]:
        """Yield the parts of the answer.

        Raises MlcoreError, before the first part: the request does not fit the model, or the model does not stream.
        """
        ...


def wanted(accept: bytes) -> bytes | None:
    """Return the type of stream that a client accepts, `EVENTS` or `LINES`; None when it wants the answer at once."""
    return next((kind for kind in (EVENTS, LINES) if accept.startswith(kind)), None)


def framed(kind: bytes, part: bytes) -> bytes:
    """Return a part as an event or a line."""
    return b"data: %s\n\n" % part if kind == EVENTS else part + b"\n"


class Stream:
    """The answer to one request."""

    def __init__(self, kind: bytes, dumps: Callable[[object], bytes], work: Work) -> None:
        """Write parts as *dumps* writes them, framed as *kind*; compute them in the threads of *work*."""
        self._kind = kind
        self._dumps = dumps
        self._work = work

    async def answer(self, scorer: object, read: Callable[[], Payload], receive: Receive, send: Send) -> None:
        """Compute and send the parts, each within the time of an answer.

        What is wrong before the first part is raised; afterwards it is the last event, called `error`, or the last line.
        A client that goes away ends the model's work after the part that it is at.
        """
        if not isinstance(scorer, StreamingScorer):
            raise InvalidParameterError("this server does not stream: accept application/json")
        parts = await self._work.run(lambda: scorer.stream(read()))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            part = await self._next(parts)
            headers = [(b"content-type", self._kind), (b"cache-control", b"no-cache")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            while part is not None and not gone.done():
                await send({"type": "http.response.body", "body": framed(self._kind, part), "more_body": True})
                part = await self._following(parts, send)
            if self._kind == EVENTS and not gone.done():
                await send({"type": "http.response.body", "body": b"data: [DONE]\n\n", "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            close = getattr(parts, "close", None)
            if close is not None:
                with suppress(MlcoreError):  # it is still at work on a part that took too long
                    await self._work.run(close)

    async def _following(self, parts: Iterator[object], send: Send) -> bytes | None:
        try:
            return await self._next(parts)
        except MlcoreError as err:
            told = self._dumps({"error_code": err.code, "message": err.message})
            body = b"event: error\n" + framed(EVENTS, told) if self._kind == EVENTS else framed(LINES, told)
            await send({"type": "http.response.body", "body": body, "more_body": True})
            return None

    async def _next(self, parts: Iterator[object]) -> bytes | None:
        end = object()

        def step() -> bytes | None:
            part = next(parts, end)
            return None if part is end else self._dumps(part)

        return await self._work.run(step)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
