"""Read all that a store holds, field by field, and tell how two stores differ; for tests of copies."""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Iterator, Mapping

from attrs import evolve

from mlcore.artifacts.repos import open_repo
from mlcore.entities import ExperimentQuery, LoggedModel, LoggedModelQuery, ModelVersion, Run, RunQuery, ViewType
from mlcore.errors import PluginNotFoundError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import ArtifactRepo, RegistryStore, SupportsLoggedModels, TrackingStore
from mlcore.plugins import current
from mlcore.uris import proxied_url, scheme

Tree = Mapping[str, object]


def read_all(uri: str) -> dict[str, object]:
    """Open the store at *uri* and return everything in it as plain values, by names and ids."""
    plugins = current()
    store: TrackingStore = plugins.first(HookSpecs.tracking_store, uri=uri, artifact_root=None)
    try:
        registry: RegistryStore | None = plugins.first(HookSpecs.registry_store, uri=uri)
    except PluginNotFoundError:
        registry = None
    try:
        return read_stores(store, registry, uri)
    finally:
        store.close()
        if registry is not None:
            registry.close()


def read_stores(store: TrackingStore, registry: RegistryStore | None, uri: str) -> dict[str, object]:
    """Return everything in stores that are open; *uri* is that of the store, for its artifact proxy."""
    experiments: dict[str, object] = {}
    runs: dict[str, object] = {}
    logged: dict[str, object] = {}
    page = store.search_experiments(ExperimentQuery(view=ViewType.ALL, max_results=1000))
    if page.next_token is not None:
        raise ValueError("more experiments than a test has")
    for each in page.items:
        experiments[each.name] = {
            "id": each.experiment_id,
            "stage": str(each.lifecycle_stage),
            "tags": dict(each.tags),
            "times": (each.creation_time, each.last_update_time),
        }
        for run in _runs(store, each.experiment_id):
            runs[run.info.run_id] = _run(store, run, each.name, uri)
        if isinstance(store, SupportsLoggedModels):
            found = store.search_logged_models(LoggedModelQuery((each.experiment_id,), max_results=1000))
            logged |= {model.model_id: _logged(model, each.name, uri) for model in found.items}
    models = {} if registry is None else {model: _model(registry, model) for model in _names(registry)}
    return {"experiments": experiments, "runs": runs, "logged": logged, "models": models}


def differences(ours: object, theirs: object, *ignored: str, path: str = "") -> list[str]:
    """Return one line for each value that differs; *ignored* are patterns of paths such as `runs/*/start`."""
    if any(fnmatch.fnmatchcase(path, pattern) for pattern in ignored):
        return []
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        found: list[str] = []
        for key in sorted({*ours, *theirs}):
            below = f"{path}/{key}" if path else str(key)
            found += differences(ours.get(key, "(absent)"), theirs.get(key, "(absent)"), *ignored, path=below)
        return found
    return [] if ours == theirs else [f"{path}: {ours!r} became {theirs!r}"]


def _runs(store: TrackingStore, experiment_id: str) -> Iterator[Run]:
    query = RunQuery((experiment_id,), view=ViewType.ALL, max_results=500)
    while True:
        page = store.search_runs(query)
        for run in page.items:
            yield store.get_run(run.info.run_id)
        if page.next_token is None:
            return
        query = evolve(query, page_token=page.next_token)


def _run(store: TrackingStore, run: Run, experiment: str, uri: str) -> Tree:
    info = run.info
    return {
        "experiment": experiment,
        "name": info.run_name,
        "user": info.user_id,
        "status": str(info.status),
        "start": info.start_time,
        "end": info.end_time,
        "stage": str(info.lifecycle_stage),
        "params": dict(run.data.params),
        "tags": {key: value for key, value in run.data.tags.items() if (key, value) != ("mlflow.runName", "")},
        "latest": {point.key: repr((point.step, point.timestamp, point.value)) for point in run.data.latest},
        "histories": {point.key: _history(store, info.run_id, point.key) for point in run.data.latest},
        "inputs": sorted(repr(used) for used in run.inputs.dataset_inputs),
        "models read": sorted(run.inputs.model_inputs),
        "models made": sorted((made.step, made.model_id) for made in run.outputs),
        "artifacts": artifacts(info.artifact_uri, uri),
    }


def _history(store: TrackingStore, run_id: str, key: str) -> list[str]:
    """Return a curve as text, in order; of values at one time and step the order is no store's concern."""
    found: list[tuple[int, int, str]] = []
    token: str | None = None
    while True:
        page = store.get_metric_history(run_id, key, max_results=1000, page_token=token)
        found += [(point.timestamp, point.step, repr(point.value)) for point in page.items]
        token = page.next_token
        if token is None:
            break
    moments = [point[:2] for point in found]
    if moments != sorted(moments):
        raise ValueError(f"the history of {key!r} in run {run_id!r} is out of order")
    return [repr(point) for point in sorted(found)]


def artifacts(artifact_uri: str, store_uri: str) -> dict[str, str]:
    """Return size and hash of each file of a tree, by path."""
    place = proxied_url(artifact_uri, store_uri) if scheme(artifact_uri) == "mlflow-artifacts" else artifact_uri
    repo = open_repo(place, current())
    try:
        return dict(_files(repo, ""))
    finally:
        repo.close()


def _files(repo: ArtifactRepo, folder: str) -> Iterator[tuple[str, str]]:
    for each in repo.list(folder):
        if each.is_dir:
            yield from _files(repo, each.path)
        else:
            with repo.read(each.path) as file:
                content = file.read()
            yield each.path, f"{len(content)} {hashlib.sha256(content).hexdigest()}"


def _logged(model: LoggedModel, experiment: str, uri: str) -> Tree:
    return {
        "experiment": experiment,
        "name": model.name,
        "type": model.model_type,
        "creator": model.creator_id,
        "status": str(model.status),
        "run": model.source_run_id,
        "params": dict(model.params),
        "tags": dict(model.tags),
        "times": (model.creation_timestamp, model.last_updated_timestamp),
        "metrics": sorted(repr(metric) for metric in model.metrics),
        "artifacts": artifacts(model.artifact_uri, uri),
    }


def _names(registry: RegistryStore) -> list[str]:
    page = registry.search_models("", order_by=(), max_results=1000, page_token=None)
    return [model.name for model in page.items]


def _model(registry: RegistryStore, name: str) -> Tree:
    model = registry.get_model(name)
    page = registry.search_versions("", order_by=(), max_results=1000, page_token=None)
    return {
        "description": model.description,
        "tags": dict(model.tags),
        "aliases": dict(model.aliases),
        "times": (model.creation_timestamp, model.last_updated_timestamp),
        "versions": {each.version: _version(each) for each in page.items if each.name == name},
    }


def _version(version: ModelVersion) -> Tree:
    return {
        "source": version.source,
        "run": version.run_id,
        "link": version.run_link,
        "stage": version.current_stage,
        "status": str(version.status),
        "description": version.description,
        "user": version.user_id,
        "tags": dict(version.tags),
        "aliases": sorted(version.aliases),
        "times": (version.creation_timestamp, version.last_updated_timestamp),
    }
