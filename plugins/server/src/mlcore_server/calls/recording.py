"""Answers about what runs record: the busiest endpoints of the server.

A request becomes a checked batch on the event loop, and waits for the group of writes that it is committed with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from mlcore.entities import Action, Batch, Dataset, DatasetInput, InputTag, Metric, ModelMetric, ModelOutput, RunTag
from mlcore.errors import BadRequestError, InvalidParameterError, UnsupportedError
from mlcore.interfaces import SupportsReplay
from mlcore.wire import limits
from mlcore.wire import requests_tracking as r
from mlcore.wire.messages import read
from mlcore.wire.replay_json import entries_in, refusals_out
from mlcore.wire.requests_replay import Replay
from mlcore.wire.tracking_json import Json
from mlcore_server.access import Access
from mlcore_server.calls.caller import Caller
from mlcore_server.stores import Stores

HISTORY_TAG = "mlflow.log-model.history"
_MODEL_FIELDS = ("artifact_path", "flavors", "utc_time_created", "run_id")


class Recording:
    """The group `recording` of the endpoint table: what goes by way of the store's own methods."""

    def __init__(self, stores: Stores, access: Access) -> None:
        """Record into *stores*; *access* says who may record on which logged model."""
        self._stores = stores
        self._access = access

    def delete_tag(self, request: r.DeleteTag, _: Caller) -> Json:
        """Remove a tag of a run."""
        self._stores.tracking.delete_tag(request.run_id, request.key)
        return {}

    def replay(self, request: Replay, _: Caller) -> Json:
        """Take a stretch of a journal. Raises UnsupportedError: the store takes none."""
        store = self._stores.tracking
        if not isinstance(store, SupportsReplay):
            raise UnsupportedError("the server's tracking store takes no journals: send batches")
        entries, unsound = entries_in(request)
        refused = [*unsound, *store.replay(request.run_id, request.writer, entries)]
        answer: Json = {"run_id": request.run_id, "writer": request.writer}
        if request.sequences:
            answer["delivered"] = request.sequences[-1]
        if refused:
            answer["refused"] = refusals_out(sorted(refused, key=lambda one: one[0]))
        return answer

    def log_model(self, request: r.LogModel, _: Caller) -> Json:
        """Append a model to the run's history of models."""
        try:
            model = json.loads(request.model_json)
        except (ValueError, RecursionError) as err:
            raise InvalidParameterError(
                f"Malformed model info. {request.model_json[:200]!r} is not valid JSON"
            ) from err
        missing = (
            {name for name in _MODEL_FIELDS if name not in model} if isinstance(model, dict) else set(_MODEL_FIELDS)
        )
        if missing:
            raise InvalidParameterError(f"Model json is missing mandatory fields: {sorted(missing)}")
        store = self._stores.tracking
        before = store.get_run(request.run_id).data.tags.get(HISTORY_TAG)
        entry = {name: model[name] for name in _MODEL_FIELDS} | {"model_uuid": model.get("model_uuid")}
        history = [*_history(before), entry]
        store.log_batch(request.run_id, Batch(tags=(RunTag(HISTORY_TAG, json.dumps(history)),)))
        return {}

    def log_inputs(self, request: r.LogInputs, caller: Caller) -> Json:
        """Record datasets and models that a run read."""
        limits.check_dataset_count(len(request.datasets))
        for model_id in {used.model_id for used in request.models}:
            self._access.demand_model(caller.principal, Action.READ, model_id)
        inputs = tuple(limits.dataset_input(_dataset(used)) for used in request.datasets)
        if inputs or not request.models:
            self._stores.tracking.log_inputs(request.run_id, inputs)
        if request.models:
            models = tuple(used.model_id for used in request.models)
            self._stores.logged_models.link_models(request.run_id, inputs=models)
        return {}

    def log_outputs(self, request: r.LogOutputs, caller: Caller) -> Json:
        """Record models that a run made."""
        for model_id in {made.model_id for made in request.models}:
            self._access.demand_model(caller.principal, Action.EDIT, model_id)
        outputs = tuple(ModelOutput(made.model_id, made.step) for made in request.models)
        self._stores.logged_models.link_models(request.run_id, outputs=outputs)
        return {}

    def check_models(self, metrics: tuple[ModelMetric, ...], caller: Caller) -> None:
        """Let pass who may record on the logged models of *metrics*. Raises PermissionDeniedError."""
        for model_id in {point.model_id for point in metrics}:
            self._access.demand_model(caller.principal, Action.EDIT, model_id)

    def log_model_metrics(self, run_id: str, metrics: tuple[ModelMetric, ...]) -> None:
        """Record points that were measured on logged models."""
        self._stores.logged_models.log_model_metrics(run_id, metrics)


def _history(tag: str | None) -> list[object]:
    """Return the models that a run's tag tells of; anybody may have written something else into it."""
    try:
        found = json.loads(tag) if tag else []
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def metric_batch(request: r.LogMetric) -> tuple[Batch, tuple[ModelMetric, ...]]:
    """Return the batch of one point, and the same as measured on a logged model if the request names one."""
    point = limits.metric(request.key, request.value, request.timestamp, request.step)
    return Batch(metrics=(point,)), _measured(request.run_id, point, request)


def param_batch(request: r.LogParam) -> Batch:
    """Return the batch of one param."""
    return Batch(params=(limits.param(request.key, request.value, truncate=True),))


def tag_batch(request: r.SetTag) -> Batch:
    """Return the batch of one tag."""
    return Batch(tags=(limits.tag(request.key, request.value, truncate=True),))


def batch(run_id: str, given: Mapping[str, object]) -> tuple[Batch, tuple[ModelMetric, ...]]:
    """Return the batch that the body of a `log-batch` request asks for.

    Most requests are points without anything unusual, and those are read in one pass; what the quick way does not
    understand goes the careful way, which names every fault.
    """
    quick = _quick_points(given.get("metrics"))
    if quick is not None:
        given = {**given, "metrics": []}
    request = read(r.LogBatch, given)
    measured: tuple[ModelMetric, ...] = ()
    points = quick
    if points is None:
        points = []
        for i, one in enumerate(request.metrics):
            limits.check_key(one.key, f"metrics[{i}].name")
            points.append(limits.metric(one.key, one.value, one.timestamp, one.step))
            measured += _measured(run_id, points[-1], one)
    _check_sizes(len(points), len(request.params), len(request.tags))
    for what, pairs in (("params", request.params), ("tags", request.tags)):
        for i, pair in enumerate(pairs):
            limits.check_key(pair.key, f"{what}[{i}].key")
    params = tuple([limits.param(one.key, one.value, truncate=True) for one in request.params])
    limits.check_distinct_params(params)
    tags = tuple([limits.tag(one.key, one.value, truncate=True) for one in request.tags])
    return Batch(tuple(points), params, tags), measured


def _quick_points(given: object) -> list[Metric] | None:
    """Return the points of a list in which every value has the type that it should have; None for any other."""
    if not isinstance(given, list):
        return None
    points = []
    check, finite, most = limits.check_key, math.isfinite, limits.INT64_MAX
    for one in given:
        try:
            key, value, timestamp, step = one["key"], one["value"], one["timestamp"], one.get("step", 0)
        except (KeyError, TypeError, AttributeError):
            return None
        if (
            type(value) is not float
            or type(timestamp) is not int
            or type(step) is not int
            or len(one) != 3 + ("step" in one)
        ):
            return None
        if type(key) is not str or not finite(value) or not 0 <= timestamp <= most or not -most <= step <= most:
            return None
        try:
            check(key)
        except InvalidParameterError:
            return None
        points.append(Metric(key, value, timestamp, step))
    return points


def _measured(run_id: str, point: Metric, given: r.LogMetric | r.BatchMetric) -> tuple[ModelMetric, ...]:
    if not given.model_id:
        return ()
    return (ModelMetric(given.model_id, run_id, point, given.dataset_name, given.dataset_digest),)


def _check_sizes(metrics: int, params: int, tags: int) -> None:
    for what, count, most in (
        ("metrics", metrics, limits.BATCH_METRICS),
        ("params", params, limits.BATCH_PARAMS),
        ("tags", tags, limits.BATCH_TAGS),
        ("metrics, params, and tags", metrics + params + tags, limits.BATCH_TOTAL),
    ):
        if count > most:
            raise InvalidParameterError(
                f"A batch logging request can contain at most {most} {what}. Got {count} {what}. "
                f"Please split up {what} across multiple requests and try again."
            )


def _dataset(used: r.DatasetUse) -> DatasetInput:
    given = used.dataset
    if not given.name or not given.digest:
        raise BadRequestError("a dataset input needs a dataset with name and digest")
    dataset = Dataset(given.name, given.digest, given.source_type, given.source, given.schema, given.profile)
    return DatasetInput(dataset, tuple(InputTag(tag.key, tag.value) for tag in used.tags))
