"""`/invocations`, written against bare ASGI: a one-row request should cost what its model costs."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from mlcore.errors import MlcoreError
from mlcore.serving import payload, streaming, strict_json
from mlcore.serving.metrics import Metrics
from mlcore.serving.served import Served, ServedModels
from mlcore.serving.work import Pending, Receive, Scope, Send, Work

JSON_TYPE = b"application/json"
ARROW_TYPE = b"application/vnd.apache.arrow.stream"

Answer = tuple[bytes, bytes]  # the body and its type


class Invocations:
    """The endpoint of one model, or of the model that the path names."""

    def __init__(self, models: ServedModels, work: Work, metrics: Metrics, *, debug: bool) -> None:
        """Answer with *models*, in the threads of *work*.

        debug: answers to failed predictions hold the traceback.
        """
        self._models = models
        self._work = work
        self._metrics = metrics
        self._debug = debug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        begun = time.perf_counter()
        model = self._models.first
        kind = JSON_TYPE
        try:
            name = scope.get("path_params", {}).get("name")
            model = model if name is None else self._models.named(name)
            headers = dict(scope["headers"])
            task = self._task(model, headers, scope)
            body = await self._work.body(headers, receive)
            if body is None:
                return
            as_stream = streaming.wanted(headers.get(b"accept", b""))
            if as_stream is not None:
                stream = streaming.Stream(as_stream, strict_json.writer(scope.get("query_string", b"")), self._work)
                await stream.answer(model.scorer, lambda: payload.read(_content(headers), body), receive, send)
                self._metrics.observe(model.index, 200, time.perf_counter() - begun)
                return
            answer, kind = await self._work.run(lambda: task(body))
            status = 200
        except MlcoreError as err:
            status, answer = err.status, error_body(err, debug=self._debug)
        self._metrics.observe(model.index, status, time.perf_counter() - begun)
        start = [(b"content-type", kind), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": start})
        await send({"type": "http.response.body", "body": answer})

    def _task(
        self, model: Served, headers: dict[bytes, bytes], scope: Scope
    ) -> Callable[[bytes], Answer | Pending[Answer]]:
        """Return what turns a body into an answer; reading and writing JSON are done in the thread, too."""
        kind = _content(headers)
        as_arrow = headers.get(b"accept", b"").startswith(ARROW_TYPE)
        dumps = strict_json.writer(scope.get("query_string", b""))
        scorer = model.scorer

        begin: Callable[[payload.Payload], Future[object] | None] | None = getattr(scorer, "begin", None)

        def written(predictions: object, *, bare: bool) -> Answer:
            if isinstance(predictions, Iterator):  # of a model that streams, asked for all at once
                predictions = list(predictions)
            if as_arrow:
                from mlcore.serving import tables

                return tables.stream(predictions), ARROW_TYPE
            return dumps(predictions if bare else {"predictions": predictions}), JSON_TYPE

        def work(body: bytes) -> Answer | Pending[Answer]:
            request = payload.read(kind, body)
            pending = None if begin is None else begin(request)
            if pending is not None:
                return Pending(pending, lambda predictions: written(predictions, bare=request.bare))
            return written(scorer.score(request), bare=request.bare)

        return work


def _content(headers: dict[bytes, bytes]) -> str:
    told = headers.get(b"content-type")
    return payload.content_kind(None if told is None else told.decode("latin-1"))


def error_body(err: MlcoreError, *, debug: bool) -> bytes:
    """Return an error as the protocol has it: code and message, and the traceback of the model's own error if *debug*."""
    told = {"error_code": err.code, "message": err.message}
    if debug and err.__cause__ is not None:
        told["stack_trace"] = "".join(traceback.format_exception(err.__cause__))
    return strict_json.dumps(told)
