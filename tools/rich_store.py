"""Fill a store with everything that a store can hold, the odd cases above all; for tests of copies."""

from __future__ import annotations

import io
import math

from mlcore.artifacts.repos import open_repo
from mlcore.entities import (
    Batch,
    Dataset,
    DatasetInput,
    ExperimentChange,
    InputTag,
    LifecycleStage,
    LoggedModelChange,
    LoggedModelStatus,
    Metric,
    ModelMetric,
    ModelOutput,
    NewLoggedModel,
    NewRun,
    Param,
    Run,
    RunChange,
    RunStatus,
    RunTag,
)
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import RegistryStore, SupportsLoggedModels, TrackingStore
from mlcore.plugins import current
from mlcore.uris import proxied_url, scheme

T0 = 1_700_000_000_000
PARENT, CHILD, FAILED, BINNED, GOING, GONE = (digit * 32 for digit in "abcdef")
MODEL = "m-" + "1" * 32
AWAY = ExperimentChange(lifecycle_stage=LifecycleStage.DELETED)


def fill(uri: str) -> None:
    """Open the store at *uri* and fill it."""
    store: TrackingStore = current().first(HookSpecs.tracking_store, uri=uri, artifact_root=None)
    registry: RegistryStore = current().first(HookSpecs.registry_store, uri=uri)
    try:
        fill_runs(store, uri)
        fill_registry(registry, store.get_run(PARENT).info.artifact_uri)
    finally:
        store.close()
        registry.close()


def fill_runs(store: TrackingStore, uri: str) -> None:
    """Make experiments, runs, artifacts and logged models."""
    fill_runs_without_files(store)
    for run_id in (PARENT, CHILD):
        files = {"model/MLmodel": b"flavors: {}\n", "model/data/w.bin": bytes(5000), "ä b.txt": b""}
        put(store.get_run(run_id), uri, files)


def an_end(number: int) -> RunChange:
    """Return one of the ways in which runs end, or not."""
    stage = LifecycleStage.DELETED if number % 2 else None
    status = (RunStatus.FINISHED, RunStatus.KILLED, None)[number // 2]
    return RunChange(status=status, end_time=T0 + number if status else None, lifecycle_stage=stage)


def fill_runs_without_files(store: TrackingStore) -> None:
    """Make experiments, runs and logged models."""
    wine = store.create_experiment("wine", artifact_location=None, tags={"team": "ü", "mlflow.note.content": "x\ny"})
    gone = store.create_experiment("gone", artifact_location=None, tags={"why": "old"})
    _curves(store, wine.experiment_id)
    _small(store, wine.experiment_id)
    store.create_run(NewRun(gone.experiment_id, GONE, "of the deleted", "eve", T0 + 9, {}))
    store.log_batch(GONE, Batch(params=(Param("p", "1"),), metrics=(Metric("m", 1.5, T0, 0),)))
    store.update_run(GONE, RunChange(status=RunStatus.FINISHED, end_time=T0 + 10))
    if isinstance(store, SupportsLoggedModels):
        _logged(store, wine.experiment_id)
    store.update_run(PARENT, RunChange(status=RunStatus.FINISHED, end_time=T0 + 5000))
    store.update_experiment(gone.experiment_id, ExperimentChange(lifecycle_stage=LifecycleStage.DELETED))


def put(run: Run, uri: str, files: dict[str, bytes]) -> None:
    """Store files with a run."""
    place = run.info.artifact_uri
    repo = open_repo(proxied_url(place, uri) if scheme(place) == "mlflow-artifacts" else place, current())
    for path, content in files.items():
        repo.write(path, io.BytesIO(content), len(content))
    repo.close()


def _curves(store: TrackingStore, experiment_id: str) -> None:
    store.create_run(
        NewRun(experiment_id, PARENT, "parent", "ann", T0, {"mlflow.user": "ann", "k e/y.1-:": "v" * 8000})
    )
    odd = (math.nan, math.inf, -math.inf, -1e300, 5e-324, 0.0, 0.1 + 0.2)
    points = [Metric("odd", value, T0 + i // 3, i // 2) for i, value in enumerate(odd)]
    points += [Metric("same moment", value, T0, 0) for value in (3.0, math.nan, -1.0, 2.0)]
    points += [Metric("steps", float(i), T0 - i, step) for i, step in enumerate((-(2**63), -1, 0, 2**63 - 1))]
    store.log_batch(PARENT, Batch(metrics=tuple(points)))
    store.log_batch(PARENT, Batch(metrics=tuple(Metric("loss", 1 / (i + 1), T0 + i, i) for i in range(1000))))
    store.log_batch(PARENT, Batch(metrics=tuple(Metric("loss", 1 / (i + 1), T0 + i, i) for i in range(1000, 1500))))
    params = tuple(Param(f"p{i}", f"{i}" * 20) for i in range(100))
    store.log_batch(PARENT, Batch(params=params))
    store.log_batch(PARENT, Batch(params=(Param("empty", ""), Param("long", "x" * 6000), Param("unicode", "日本"))))
    data = Dataset("d", "12ab", "local", '{"uri": "x"}', "{}", None)
    tags = (InputTag("mlflow.data.context", "training"), InputTag("odd", "'\""))
    store.log_inputs(PARENT, (DatasetInput(data, tags), DatasetInput(Dataset("e", "0"), ())))


def _small(store: TrackingStore, experiment_id: str) -> None:
    store.create_run(NewRun(experiment_id, CHILD, "child", "bob", T0, {"mlflow.parentRunId": PARENT}))
    store.log_batch(CHILD, Batch(metrics=(Metric("m", 1.0, 0, 0),), tags=(RunTag("mlflow.note.content", "n"),)))
    store.update_run(CHILD, RunChange(status=RunStatus.KILLED, end_time=T0 + 7))
    store.create_run(NewRun(experiment_id, FAILED, "failed", "", T0 + 1, {}))
    store.update_run(FAILED, RunChange(status=RunStatus.FAILED, end_time=T0 + 2))
    store.create_run(NewRun(experiment_id, BINNED, "binned", "bob", T0 + 3, {}))
    store.log_batch(BINNED, Batch(metrics=(Metric("m", 2.0, T0, 1),)))
    store.update_run(BINNED, RunChange(status=RunStatus.FINISHED, end_time=T0 + 4))
    store.update_run(BINNED, RunChange(lifecycle_stage=LifecycleStage.DELETED))
    store.create_run(NewRun("0", GOING, "goes on", "bob", T0 + 5, {}))


def _logged(store: SupportsLoggedModels, experiment_id: str) -> None:
    new = NewLoggedModel(MODEL, experiment_id, "forest", "", "agent", PARENT, {"depth": "3"}, {"kind": "tree"})
    store.create_logged_model(new)
    store.update_logged_model(MODEL, LoggedModelChange(status=LoggedModelStatus.READY))
    measured = ModelMetric(MODEL, PARENT, Metric("loss", 1.0, T0, 0), "d", "12ab")
    store.log_model_metrics(PARENT, (measured,))
    store.link_models(PARENT, outputs=(ModelOutput(MODEL, 3),))
    store.link_models(CHILD, inputs=(MODEL,))


def fill_registry(registry: RegistryStore, place: str) -> None:
    """Make registered models: a gap in the numbers, stages, aliases, tags, sources of several kinds.

    place: the artifact URI of the first run.
    """
    registry.create_model("forest", description="of trees", tags={"owner": "ann"})
    for source in (f"{place}/model", f"runs:/{PARENT}/model", f"{place}/model", f"runs:/{CHILD}/model"):
        registry.create_version("forest", source, run_id=PARENT, run_link="http://x/1", description="", tags={})
    registry.delete_version("forest", "2")
    registry.set_tag("forest", "3", "checked", "yes")
    registry.update_version("forest", "3", description="third", stage="Production", archive_existing=False)
    registry.update_version("forest", "1", description=None, stage="Archived", archive_existing=False)
    registry.set_alias("forest", "champion", "3")
    registry.set_alias("forest", "first", "1")
    registry.create_model("empty", description="", tags={})
