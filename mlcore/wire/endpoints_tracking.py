"""The endpoints of experiments, runs and metrics."""

from __future__ import annotations

from mlcore.entities import Action, Permission
from mlcore.wire import answers as a
from mlcore.wire import requests_tracking as r
from mlcore.wire import requests_views as v
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.requests_adoption import AdoptExperiment
from mlcore.wire.requests_replay import Replay

_E = "experiment"
_CREATE = Permission(Action.CREATE, _E)
_LIST = Permission(Action.READ, _E, "answer")
_READ_E, _EDIT_E, _MANAGE_E = (Permission(x, _E, "experiment_id") for x in (Action.READ, Action.EDIT, Action.MANAGE))
_READ_R, _EDIT_R = (Permission(x, _E, "run_id") for x in (Action.READ, Action.EDIT))
_READ_ES = Permission(Action.READ, _E, "experiment_ids")
_READ_RS = Permission(Action.READ, _E, "run_ids")


def _post(path: str, request: type, answer: type, call: str, permission: Permission, **more: object) -> Endpoint:
    mutates = permission.action is not Action.READ
    return Endpoint(path, "POST", f"/mlflow/{path}", request, answer, call, permission, mutates=mutates, **more)  # type: ignore[arg-type]  # keywords of Endpoint


def _get(path: str, request: type, answer: type, call: str, permission: Permission, **more: object) -> Endpoint:
    return Endpoint(path, "GET", f"/mlflow/{path}", request, answer, call, permission, **more)  # type: ignore[arg-type]  # keywords of Endpoint


EXPERIMENTS = (
    _post("experiments/create", r.CreateExperiment, a.ExperimentCreated, "experiments.create", _CREATE, preview=True),
    _get("experiments/get", r.ExperimentId, a.ExperimentAnswer, "experiments.get", _READ_E, preview=True),
    _get("experiments/get-by-name", r.ExperimentName, a.ExperimentAnswer, "experiments.get_by_name", _LIST),
    _post("experiments/delete", r.ExperimentId, a.Empty, "experiments.delete", _MANAGE_E, preview=True),
    _post("experiments/restore", r.ExperimentId, a.Empty, "experiments.restore", _MANAGE_E, preview=True),
    _post("experiments/update", r.UpdateExperiment, a.Empty, "experiments.update", _EDIT_E, preview=True),
    _post("experiments/set-experiment-tag", r.SetExperimentTag, a.Empty, "experiments.set_tag", _EDIT_E, preview=True),
    _post(
        "experiments/delete-experiment-tag",
        r.DeleteExperimentTag,
        a.Empty,
        "experiments.delete_tag",
        _EDIT_E,
        since="3.x",
    ),
    _post("experiments/search", r.SearchExperiments, a.ExperimentPage, "experiments.search", _LIST, since="1.28"),
    Endpoint(
        "GET experiments/search",
        "GET",
        "/mlflow/experiments/search",
        r.SearchExperiments,
        a.ExperimentPage,
        "experiments.search",
        _LIST,
        since="1.28",
    ),
    _get("experiments/list", r.ListExperiments, a.ExperimentPage, "experiments.list", _LIST, preview=True),
    _post(
        "experiments/adopt",
        AdoptExperiment,
        a.ExperimentAnswer,
        "adoption.experiment",
        Permission(Action.MANAGE, "server"),
        since="mlcore",
    ),
    _post(
        "experiments/search-datasets",
        r.SearchDatasets,
        a.DatasetSummaries,
        "experiments.search_datasets",
        _READ_ES,
        ajax_only=True,
        since="2.4",
    ),
)

RUNS = (
    _post("runs/create", r.CreateRun, a.RunAnswer, "runs.create", _EDIT_E, preview=True),
    _get("runs/get", r.RunId, a.RunAnswer, "runs.get", _READ_R, preview=True),
    _post("runs/update", r.UpdateRun, a.RunInfoAnswer, "runs.update", _EDIT_R, preview=True),
    _post("runs/delete", r.RunId, a.Empty, "runs.delete", _EDIT_R, preview=True),
    _post("runs/restore", r.RunId, a.Empty, "runs.restore", _EDIT_R, preview=True),
    _post("runs/log-metric", r.LogMetric, a.Empty, "recording.log_metric", _EDIT_R, preview=True),
    _post("runs/log-parameter", r.LogParam, a.Empty, "recording.log_param", _EDIT_R, preview=True),
    _post("runs/set-tag", r.SetTag, a.Empty, "recording.set_tag", _EDIT_R, preview=True),
    _post("runs/delete-tag", r.DeleteTag, a.Empty, "recording.delete_tag", _EDIT_R, preview=True),
    _post("runs/log-batch", r.LogBatch, a.Empty, "recording.log_batch", _EDIT_R, preview=True),
    _post("runs/replay", Replay, a.ReplayAnswer, "recording.replay", _EDIT_R, since="mlcore"),
    _post("runs/log-model", r.LogModel, a.Empty, "recording.log_model", _EDIT_R, preview=True),
    _post("runs/log-inputs", r.LogInputs, a.Empty, "recording.log_inputs", _EDIT_R, since="2.4"),
    _post("runs/outputs", r.LogOutputs, a.Empty, "recording.log_outputs", _EDIT_R, since="3.x"),
    _post("runs/search", r.SearchRuns, a.RunPage, "runs.search", _READ_ES, preview=True),
    Endpoint(
        "GET runs/search",
        "GET",
        "/mlflow/runs/search",
        r.SearchRuns,
        a.RunPage,
        "runs.search",
        _READ_ES,
        preview=True,
    ),
)

METRICS = (
    _get("metrics/get-history", r.MetricHistory, a.MetricPage, "metrics.history", _READ_R, preview=True),
    _get(
        "metrics/get-history-bulk",
        r.MetricHistoryBulk,
        a.MetricPage,
        "metrics.history_bulk",
        Permission(Action.READ, _E, "run_id"),
        ajax_only=True,
        since="1.2x",
    ),
    _get(
        "metrics/get-history-bulk-interval",
        r.MetricHistoryInterval,
        a.MetricPage,
        "metrics.history_interval",
        _READ_RS,
        since="2.x",
    ),
)

VIEWS = (
    _post("metrics/series", v.MetricSeries, a.SeriesAnswer, "views.series", _READ_RS, since="mlcore"),
    _post("runs/count", v.CountRuns, a.Count, "views.count_runs", _READ_ES, since="mlcore"),
    _post("runs/facets", v.RunFacets, a.Facets, "views.run_facets", _READ_ES, since="mlcore"),
    Endpoint(
        "runs/live",
        "GET",
        "/mlflow/runs/live",
        v.LiveRuns,
        None,
        "views.live",
        Permission(Action.READ, _E, "run_id"),
        streams=True,
        since="mlcore",
    ),
)
