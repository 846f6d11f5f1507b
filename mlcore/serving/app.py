"""The scoring server as an ASGI application: `/invocations`, the Open Inference Protocol, health, metrics, description."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import resources
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from mlcore import __version__
from mlcore.serving import strict_json
from mlcore.serving.inference_protocol import InferenceProtocol
from mlcore.serving.invocations import Invocations
from mlcore.serving.metrics import Metrics
from mlcore.serving.served import Served, ServedModels, served
from mlcore.serving.work import Limits, PredictionError, PredictionTimeoutError, Work

if TYPE_CHECKING:
    from mlcore.models.pyfunc import PyFuncModel
    from mlcore.serving.scorer import Scorer

__all__ = ["Limits", "PredictionError", "PredictionTimeoutError", "create_app", "models_app", "scoring_app"]

Background = Callable[[], AbstractAsyncContextManager[None]]


class ScoringApp(Starlette):
    """The application, which knows when its server has been told to stop: it answers on, but is ready no more."""

    is_stopping: bool = False

    def stopping(self) -> None:
        """Let `/ready` answer 503, so that whoever spreads requests sends no more. Called by a signal handler."""
        self.is_stopping = True


def create_app(model: PyFuncModel, limits: Limits | None = None, *, debug: bool = False) -> ScoringApp:
    """Make the application that serves *model*; for any ASGI server, or to mount in a larger application.

    debug: answers to failed predictions hold the traceback, under `stack_trace`.
    """
    return models_app([served(model)], limits, debug=debug)


def scoring_app(scorer: Scorer, limits: Limits | None = None, *, debug: bool = False) -> ScoringApp:
    """Make the application around anything that scores; *debug* as in `create_app`."""
    return models_app([Served("model", scorer)], limits, debug=debug)


def models_app(
    models: Sequence[Served],
    limits: Limits | None = None,
    *,
    debug: bool = False,
    metrics: Metrics | None = None,
    background: Background | None = None,
) -> ScoringApp:
    """Make the application that serves several models, each below `/models/<name>`; the first also as `/invocations`.

    debug: as in `create_app`.
    metrics: shared with other processes of the same server; its own when not given.
    background: entered when the server starts and left when it stops, such as what watches for new versions.
    """
    known = ServedModels(models)
    counted = metrics or Metrics([model.name for model in known])
    work = Work(limits or Limits())

    def is_ready() -> bool:
        return not app.is_stopping

    invocations = Invocations(known, work, counted, debug=debug)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if background is None:
            yield
        else:
            async with background():
                yield
        work.close()

    app = ScoringApp(
        routes=[
            Route("/invocations", invocations, methods=["POST"]),
            Route("/models/{name}/invocations", invocations, methods=["POST"]),
            *(Route(path, _alive, methods=["GET"]) for path in ("/ping", "/health")),
            Route("/ready", _readiness(is_ready), methods=["GET"]),
            Route("/version", _version, methods=["GET"]),
            Route("/metrics", _metrics(counted), methods=["GET"]),
            Route("/openapi.json", _openapi(known), methods=["GET"]),
            Route("/docs", _try_page, methods=["GET"]),
            *InferenceProtocol(known, work, counted, is_ready).routes(),
        ],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )
    return app


async def _alive(_: Request) -> Response:
    return Response("\n", media_type="application/json")


def _readiness(is_ready: Callable[[], bool]) -> Callable[[Request], object]:
    async def answer(_: Request) -> Response:
        # the application exists once its models are loaded, so what is left to ask is whether it stops
        if is_ready():
            return Response("\n", media_type="application/json")
        told = {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "the server is stopping: ask another one"}
        return Response(strict_json.dumps(told), 503, media_type="application/json")

    return answer


async def _version(_: Request) -> Response:
    return PlainTextResponse(__version__)


def _metrics(metrics: Metrics) -> Callable[[Request], object]:
    async def answer(_: Request) -> Response:
        return Response(metrics.text(), headers={"content-type": metrics.content_type})

    return answer


def _openapi(models: ServedModels) -> Callable[[Request], object]:
    async def answer(_: Request) -> Response:
        from mlcore.serving.openapi import document

        return Response(strict_json.dumps(document(models)), media_type="application/json")

    return answer


async def _try_page(_: Request) -> Response:
    page = resources.files("mlcore.serving").joinpath("try_page.html").read_text("utf-8")
    policy = (
        f"default-src 'none'; connect-src 'self'; script-src {_hash(page, 'script')}; style-src {_hash(page, 'style')}"
    )
    headers = {
        "content-security-policy": f"{policy}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
    }
    return HTMLResponse(page, headers=headers)


def _hash(page: str, tag: str) -> str:
    """Return the source expression that allows exactly what the page has in *tag*."""
    found = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    digest = hashlib.sha256((found[1] if found else "").encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


async def _http_error(request: Request, err: Exception) -> Response:
    status = err.status_code if isinstance(err, HTTPException) else 500
    known = "GET /ping, GET /health, GET /version and POST /invocations; GET /openapi.json tells all"
    if status == 404:
        told = {"error_code": "ENDPOINT_NOT_FOUND", "message": f"no endpoint {request.url.path!r}: there are {known}"}
    else:
        told = {
            "error_code": "BAD_REQUEST",
            "message": f"{request.method} {request.url.path} is not offered: use {known}",
        }
    headers = err.headers if isinstance(err, HTTPException) else None
    return Response(strict_json.dumps(told), status, headers, "application/json")
