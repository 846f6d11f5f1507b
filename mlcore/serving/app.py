"""The scoring server: `/invocations`, `/ping`, `/health` and `/version` as an ASGI application."""

from __future__ import annotations

import asyncio
import logging
import os
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from attrs import frozen
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mlcore import __version__
from mlcore.errors import BadRequestError, MlcoreError
from mlcore.serving import payload, strict_json
from mlcore.serving.payload import BodyTooLargeError
from mlcore.serving.scorer import ModelScorer, Scorer

if TYPE_CHECKING:
    from mlcore.models.pyfunc import PyFuncModel

MAX_BODY_BYTES = 64 * 2**20
TIMEOUT_S = 60.0

logger: logging.Logger = logging.getLogger("mlcore.serving")

# ASGI's own types, as starlette spells them
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


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


def create_app(model: PyFuncModel, limits: Limits | None = None, *, debug: bool = False) -> Starlette:
    """Make the application that serves *model*; for any ASGI server, or to mount in a larger application.

    debug: answers to failed predictions hold the traceback, under `stack_trace`.
    """
    return scoring_app(ModelScorer(model), limits, debug=debug)


def scoring_app(scorer: Scorer, limits: Limits | None = None, *, debug: bool = False) -> Starlette:
    """Make the application around anything that scores.

    debug: answers to failed predictions hold the traceback, under `stack_trace`.
    """
    chosen = limits or Limits()
    pool = ThreadPoolExecutor(chosen.threads, thread_name_prefix="mlcore-predict")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        pool.shutdown(wait=True, cancel_futures=True)

    return Starlette(
        routes=[
            Route("/ping", _alive, methods=["GET"]),
            Route("/health", _alive, methods=["GET"]),
            Route("/version", _version, methods=["GET"]),
            Route("/invocations", Invocations(scorer, chosen, pool, debug=debug), methods=["POST"]),
        ],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )


class Invocations:
    """The endpoint `/invocations`, written against bare ASGI: a one-row request should cost what its model costs."""

    def __init__(self, scorer: Scorer, limits: Limits, pool: ThreadPoolExecutor, *, debug: bool) -> None:
        """Answer with *scorer*, in the threads of *pool*."""
        self._scorer = scorer
        self._limits = limits
        self._pool = pool
        self._debug = debug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            headers = dict(scope["headers"])
            kind = payload.content_kind(_text(headers.get(b"content-type")))
            body = await self._body(headers, receive)
            if body is None:
                return
            status, answer = 200, await self._answer(kind, body)
        except MlcoreError as err:
            status, answer = err.status, self._error(err)
        start = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": start})
        await send({"type": "http.response.body", "body": answer})

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
        """Return the body; None when the client went away before its end."""
        most = self._limits.max_body_bytes
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

    async def _answer(self, kind: str, body: bytes) -> bytes:
        # Reading and writing JSON are done in the thread too: a request of many rows would hold up all others.
        future = asyncio.get_running_loop().run_in_executor(self._pool, self._work, kind, body)
        done, _ = await asyncio.wait((future,), timeout=self._limits.timeout_s)
        if not done:
            raise PredictionTimeoutError(
                f"the model did not answer within {self._limits.timeout_s:g} s; send fewer rows or allow more time"
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

    def _work(self, kind: str, body: bytes) -> bytes:
        return strict_json.dumps({"predictions": self._scorer.score(payload.read(kind, body))})

    def _error(self, err: MlcoreError) -> bytes:
        told = {"error_code": err.code, "message": err.message}
        if self._debug and err.__cause__ is not None:
            told["stack_trace"] = "".join(traceback.format_exception(err.__cause__))
        return strict_json.dumps(told)


def _too_large(size: int, most: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"the request has {size} bytes or more, this server takes at most {most}; send fewer rows at a time"
    )


def _text(header: bytes | None) -> str | None:
    return None if header is None else header.decode("latin-1")


async def _alive(_: Request) -> Response:
    return Response("\n", media_type="application/json")


async def _version(_: Request) -> Response:
    return PlainTextResponse(__version__)


async def _http_error(request: Request, err: Exception) -> Response:
    status = err.status_code if isinstance(err, HTTPException) else 500
    known = "GET /ping, GET /health, GET /version and POST /invocations"
    if status == 404:
        told = {"error_code": "ENDPOINT_NOT_FOUND", "message": f"no endpoint {request.url.path!r}: there are {known}"}
    else:
        told = {
            "error_code": "BAD_REQUEST",
            "message": f"{request.method} {request.url.path} is not offered: use {known}",
        }
    headers = err.headers if isinstance(err, HTTPException) else None
    return Response(strict_json.dumps(told), status, headers, "application/json")
