"""The Open Inference Protocol, version 2, over HTTP: health, metadata and `infer`."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mlcore import __version__
from mlcore.errors import BadRequestError, MlcoreError, NotFoundError
from mlcore.serving import strict_json
from mlcore.serving.metrics import Metrics
from mlcore.serving.payload import Payload
from mlcore.serving.served import Served, ServedModels
from mlcore.serving.tensors import inputs_of, outputs_of, specs_of
from mlcore.serving.work import Work

Json = dict[str, object]


class InferenceProtocol:
    """The routes below `/v2`."""

    def __init__(
        self, models: ServedModels, work: Work, metrics: Metrics, is_ready: Callable[[], bool] = lambda: True
    ) -> None:
        """Answer with *models*, in the threads of *work*.

        is_ready: whether new requests are welcome; not while the server stops.
        """
        self._models = models
        self._takes_more = is_ready
        self._work = work
        self._metrics = metrics

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        one = "/v2/models/{name}"
        version = one + "/versions/{version}"
        return [
            Route("/v2", self._server),
            Route("/v2/health/live", self._live),
            Route("/v2/health/ready", self._ready),
            *(Route(path, self._metadata) for path in (one, version)),
            *(Route(path + "/ready", self._is_ready) for path in (one, version)),
            *(Route(path + "/infer", self._infer, methods=["POST"]) for path in (one, version)),
        ]

    async def _server(self, _: Request) -> Response:
        return _json({"name": "mlcore", "version": __version__, "extensions": []})

    async def _live(self, _: Request) -> Response:
        return _json({})

    async def _ready(self, _: Request) -> Response:
        return _json({}, 200 if self._takes_more() else 503)

    async def _metadata(self, request: Request) -> Response:
        try:
            model = self._named(request)
        except MlcoreError as err:
            return _fault(err)
        signature = model.about.signature
        return _json(
            {
                "name": model.name,
                "versions": [model.about.version] if model.about.version else [],
                "platform": f"mlcore_{model.about.flavors[0] if model.about.flavors else 'python_function'}",
                "inputs": specs_of(signature.inputs if signature else None),
                "outputs": specs_of(signature.outputs if signature else None, "predictions"),
            }
        )

    async def _is_ready(self, request: Request) -> Response:
        try:
            return _json({"name": self._named(request).name, "ready": True})
        except MlcoreError as err:
            return _fault(err)

    async def _infer(self, request: Request) -> Response:
        begun = time.perf_counter()
        index, status = self._models.first.index, 200
        try:
            model = self._named(request)
            index = model.index
            body = await self._work.body(dict(request.scope["headers"]), request.receive)
            if body is None:
                return Response(status_code=499)  # nobody is there to read it
            answer = Response(await self._work.run(lambda: _inferred(model, body)), media_type="application/json")
        except MlcoreError as err:
            answer = _fault(err)
        status = answer.status_code
        self._metrics.observe(index, status, time.perf_counter() - begun)
        return answer

    def _named(self, request: Request) -> Served:
        model = self._models.named(request.path_params["name"])
        wanted = request.path_params.get("version")
        if wanted is not None and wanted != model.about.version:
            raise NotFoundError(
                f"version {wanted!r} of model {model.name!r} is not served here: there is {model.about.version!r}"
            )
        return model


def _inferred(model: Served, body: bytes) -> bytes:
    document = strict_json.loads(body)
    if not isinstance(document, dict) or not isinstance(document.get("inputs"), list):
        raise BadRequestError("expected a JSON object with the list inputs, as the Open Inference Protocol has it")
    about, scorer = model.about, model.scorer
    params = document.get("parameters") or {}
    if not isinstance(params, Mapping):
        raise BadRequestError(f"parameters must be a JSON object, got {type(params).__name__}")
    schema = about.signature.inputs if about.signature else None
    data = inputs_of(cast("Sequence[object]", document["inputs"]), schema)
    own = {key: value for key, value in params.items() if key not in ("content_type", "binary_data_output")}
    predictions = scorer.score(Payload("inputs", data, None, own))
    outputs = outputs_of(predictions)
    wanted = document.get("outputs")
    if isinstance(wanted, list) and wanted:
        names = [each.get("name") if isinstance(each, dict) else each for each in wanted]
        missing = [name for name in names if name not in [output["name"] for output in outputs]]
        if missing:
            known = ", ".join(repr(output["name"]) for output in outputs)
            raise BadRequestError(f"the model has no output {missing[0]!r}: there are {known}")
        outputs = [output for output in outputs if output["name"] in names]
    answer: Json = {"model_name": model.name, "id": document.get("id") or uuid.uuid4().hex, "outputs": outputs}
    if about.version:
        answer["model_version"] = about.version
    return strict_json.dumps(answer)


def _json(value: Json, status: int = 200) -> Response:
    return Response(strict_json.dumps(value), status, media_type="application/json")


def _fault(err: MlcoreError) -> Response:
    return _json({"error": err.message, "error_code": err.code}, err.status)
