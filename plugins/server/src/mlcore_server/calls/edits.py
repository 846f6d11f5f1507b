"""What pages change: many runs at once, and the named views of an experiment."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping

import orjson

from mlcore.entities import Batch, Experiment, ExperimentChange, LifecycleStage, RunChange, RunTag
from mlcore.errors import InvalidParameterError, LimitExceededError, MlcoreError, NotFoundError
from mlcore.wire import limits
from mlcore.wire import requests_feeds as r
from mlcore.wire.tracking_json import Json
from mlcore_server.calls.caller import Caller
from mlcore_server.calls.feeds import within
from mlcore_server.config import ServerConfig
from mlcore_server.discretion import Discretion
from mlcore_server.stores import Stores

VIEW_TAG = "mlcore.view."

_MOST_RUNS, _MOST_VIEWS = 1000, 200
_LONGEST_TITLE, _LONGEST_QUERY = 200, 8000
_STAGES = {r.RunAction.DELETE: LifecycleStage.DELETED, r.RunAction.RESTORE: LifecycleStage.ACTIVE}


class Edits:
    """The group `edits` of the endpoint table."""

    def __init__(self, stores: Stores, config: ServerConfig) -> None:
        """Change what is in *stores*."""
        self._stores = stores
        self._discretion = Discretion(config)

    def runs(self, request: r.EditRuns, _: Caller) -> Json:
        """Do the same with many runs, one after the other; one that cannot be changed does not keep the others back."""
        within("length", "run_ids", len(request.run_ids), (1, _MOST_RUNS))
        change = self._change(request)
        done: list[str] = []
        failed: list[Json] = []
        for run_id in dict.fromkeys(request.run_ids):
            try:
                change(run_id)
            except MlcoreError as err:
                told = {"error_code": err.code, "message": self._discretion.told(err.message)}
                failed.append({"run_id": run_id} | told)
            else:
                done.append(run_id)
        return {"done": done, "failed": failed}

    def views(self, request: r.ListViews, _: Caller) -> Json:
        """Return the named views of an experiment, by title."""
        found = _views(self._stores.tracking.get_experiment(request.experiment_id))
        return {"views": sorted(found, key=lambda view: (view["title"].lower(), view["view_id"]))}

    def save_view(self, request: r.SaveView, caller: Caller) -> Json:
        """Keep a view under a name."""
        known = _views(self._stores.tracking.get_experiment(request.experiment_id))
        if len(known) >= _MOST_VIEWS:
            raise LimitExceededError(f"the experiment has {len(known)} views already: remove one first")
        return self._keep(request.experiment_id, uuid.uuid4().hex[:16], request.title, request.query, caller)

    def change_view(self, request: r.ChangeView, caller: Caller) -> Json:
        """Give a view another title or query; the caller is its user from then on."""
        known = _views(self._stores.tracking.get_experiment(request.experiment_id))
        view = next((one for one in known if one["view_id"] == request.view_id), None)
        if view is None:
            raise _no_view(request)
        title = view["title"] if request.title is None else request.title
        query = view["query"] if request.query is None else request.query
        return self._keep(request.experiment_id, request.view_id, title, query, caller)

    def remove_view(self, request: r.RemoveView, _: Caller) -> Json:
        """Remove a named view."""
        key = VIEW_TAG + request.view_id
        if key not in self._stores.tracking.get_experiment(request.experiment_id).tags:
            raise _no_view(request)
        self._stores.tracking.update_experiment(request.experiment_id, ExperimentChange(delete_tags=(key,)))
        return {}

    def _keep(self, experiment_id: str, view_id: str, title: str, query: str, caller: Caller) -> Json:
        title = title.strip()
        within("length", "title", len(title), (1, _LONGEST_TITLE))
        within("length", "query", len(query), (0, _LONGEST_QUERY))
        now = time.time_ns() // 1_000_000
        view = {"title": title, "query": query, "user": caller.principal.name, "time": now}
        tags = limits.experiment_tags({VIEW_TAG + view_id: json.dumps(view, ensure_ascii=False)})
        self._stores.tracking.update_experiment(experiment_id, ExperimentChange(set_tags=tags))
        return {"view_id": view_id}

    def _change(self, request: r.EditRuns) -> Callable[[str], object]:
        """Return what changes one run. Raises InvalidParameterError: it lacks what the action needs."""
        store = self._stores.tracking
        stage = _STAGES.get(request.action)
        if stage is not None:
            return lambda run_id: store.update_run(run_id, RunChange(lifecycle_stage=stage))
        if request.action is r.RunAction.SET_TAGS:
            batch = Batch(tags=_tags(request.tags))
            return lambda run_id: store.log_batch(run_id, batch)
        within("length", "keys", len(request.keys), (1, limits.BATCH_TAGS))
        keys = tuple(dict.fromkeys(limits.check_key(key) for key in request.keys))
        return lambda run_id: self._without(run_id, keys)

    def _without(self, run_id: str, keys: tuple[str, ...]) -> None:
        """Remove tags of a run; those that it does not have are gone already."""
        store = self._stores.tracking
        tags = store.get_run(run_id).data.tags
        for key in keys:
            if key in tags:
                store.delete_tag(run_id, key)


def _no_view(request: r.ChangeView | r.RemoveView) -> NotFoundError:
    return NotFoundError(f"no view with id={request.view_id!r} in experiment {request.experiment_id!r}")


def _tags(given: object) -> tuple[RunTag, ...]:
    if not isinstance(given, Mapping) or not given or not all(isinstance(value, str) for value in given.values()):
        raise InvalidParameterError("invalid value of parameter 'tags': expected an object with texts, at least one")
    within("length", "tags", len(given), (1, limits.BATCH_TAGS))
    return tuple(limits.tag(key, value, truncate=False) for key, value in given.items())


def _views(experiment: Experiment) -> list[Json]:
    """Return the views that an experiment's tags hold; what somebody else wrote under such a name is left out."""
    found = []
    for key, text in experiment.tags.items():
        if key.startswith(VIEW_TAG):
            view = _view(key.removeprefix(VIEW_TAG), text)
            if view is not None:
                found.append(view)
    return found


def _view(view_id: str, text: str) -> Json | None:
    try:
        held = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(held, dict) or not isinstance(held.get("time"), int):
        return None
    texts = {name: held.get(name) for name in ("title", "query", "user")}
    if not all(isinstance(value, str) for value in texts.values()):
        return None
    return {"view_id": view_id, **texts, "time": held["time"]}
