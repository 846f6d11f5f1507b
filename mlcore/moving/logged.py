"""Logged models, after the runs that made them; then which runs read and made them, and what was measured on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from attrs import evolve, frozen

from mlcore.entities import (
    LifecycleStage,
    LoggedModel,
    LoggedModelChange,
    LoggedModelQuery,
    LoggedModelStatus,
    ModelMetric,
    ModelOutput,
    NewLoggedModel,
    RunChange,
)
from mlcore.errors import MlcoreError, NotFoundError, StoreUnavailableError
from mlcore.interfaces import SupportsLoggedModels
from mlcore.moving.experiments import Pair
from mlcore.moving.ids import RunIds
from mlcore.moving.sides import Job
from mlcore.moving.trees import Trees, copy_tree

_PAGE = 50


def models_of(job: Job, experiment_id: str) -> Iterator[LoggedModel]:
    """Yield the logged models of an experiment that were made by chosen runs; deleted ones cannot be listed."""
    store = job.source.store
    if not isinstance(store, SupportsLoggedModels):
        return
    chosen = set(job.choice.run_ids)
    query = LoggedModelQuery((experiment_id,), max_results=_PAGE)
    while True:
        page = store.search_logged_models(query)
        yield from (each for each in page.items if not chosen or each.source_run_id in chosen)
        if page.next_token is None:
            return
        query = evolve(query, page_token=page.next_token)


@frozen
class Link:
    """Logged models that a run read and made, and that its counterpart does not know; run_id is the counterpart's."""

    run_id: str
    shown: str
    pair: Pair
    inputs: tuple[str, ...]
    outputs: tuple[ModelOutput, ...]


def copy_models(job: Job, pair: Pair, ids: RunIds) -> None:
    """Make the logged models of an experiment in the target, with their files."""
    store = job.target.store
    for source in models_of(job, pair.source.experiment_id):
        if not isinstance(store, SupportsLoggedModels):
            job.tally.lack("logged models", f"{source.name!r} ({source.model_id})")
            continue
        try:
            _copy_model(job, store, pair, evolve(source, source_run_id=ids.known(source.source_run_id)))
        except StoreUnavailableError:
            raise
        except MlcoreError as err:
            job.tally.lack("logged models that the target refuses", f"{source.name!r}: {err.message}")


def copy_links(job: Job, links: Sequence[Link]) -> None:
    """Tell the target which runs read and made which logged models, now that both are there."""
    store = job.target.store
    for each in links:
        if isinstance(store, SupportsLoggedModels):
            _link(job, store, each)
        else:
            job.tally.lack("links of runs to logged models", each.shown, len(each.inputs) + len(each.outputs))


def _link(job: Job, store: SupportsLoggedModels, link: Link) -> None:
    try:
        link.pair.open()
        with _writable(job, link.run_id):
            job.write(lambda: store.link_models(link.run_id, inputs=link.inputs, outputs=link.outputs))
    except StoreUnavailableError:
        raise
    except MlcoreError as err:
        count = len(link.inputs) + len(link.outputs)
        job.tally.lack("links of runs to logged models", f"{link.shown}: {err.message}", count)


@contextmanager
def _writable(job: Job, run_id: str) -> Iterator[None]:
    """Restore a deleted run of the target for a while."""
    store = job.target.store
    if job.choice.dry_run or store.get_run(run_id).info.lifecycle_stage != LifecycleStage.DELETED:
        yield
        return
    job.write(lambda: store.update_run(run_id, RunChange(lifecycle_stage=LifecycleStage.ACTIVE)))
    try:
        yield
    finally:
        job.write(lambda: store.update_run(run_id, RunChange(lifecycle_stage=LifecycleStage.DELETED)))


def copy_metrics(job: Job, pair: Pair, ids: RunIds) -> None:
    """Copy what runs measured on the logged models of an experiment, once the runs are there."""
    store = job.target.store
    if not isinstance(store, SupportsLoggedModels):
        return
    for source in models_of(job, pair.source.experiment_id):
        there = _found(store, source.model_id)
        known = {_marks(each) for each in there.metrics} if there else set()
        by_run: dict[str, list[ModelMetric]] = {}
        for each in source.metrics:
            moved = evolve(each, run_id=ids.known(each.run_id))
            if _marks(moved) not in known:
                by_run.setdefault(moved.run_id, []).append(moved)
        if by_run:
            pair.open()
        for run_id, metrics in by_run.items():
            _log_metrics(job, store, run_id, tuple(metrics))


def _log_metrics(job: Job, store: SupportsLoggedModels, run_id: str, metrics: tuple[ModelMetric, ...]) -> None:
    try:
        with _writable(job, run_id):
            job.write(lambda: store.log_model_metrics(run_id, metrics))
    except StoreUnavailableError:
        raise
    except MlcoreError as err:
        what = "metrics of logged models whose run is not copied"
        job.tally.lack(what, f"{metrics[0].model_id}: {err.message}", len(metrics))
    else:
        job.tally.add(points=len(metrics))


def _copy_model(job: Job, store: SupportsLoggedModels, pair: Pair, source: LoggedModel) -> None:
    there = _found(store, source.model_id)
    if there is None:
        pair.open()
        there = _make(job, store, pair, source)
        job.tally.add(logged_models=1)
    if there.lifecycle_stage != source.lifecycle_stage:
        job.tally.lack("logged models that are deleted in the target only", f"{source.name!r} ({source.model_id})")
        return
    _copy_files(job, pair, source, there)
    ends = (LoggedModelStatus.READY, LoggedModelStatus.UPLOAD_FAILED)
    change = LoggedModelChange(
        status=source.status if source.status != there.status and source.status in ends else None,
        add_params={key: value for key, value in source.params.items() if key not in there.params},
        set_tags={key: value for key, value in source.tags.items() if there.tags.get(key) != value},
    )
    if change != LoggedModelChange():
        job.write(lambda: store.update_logged_model(source.model_id, change))
        job.tally.add(values=len(change.add_params) + len(change.set_tags))


def _make(job: Job, store: SupportsLoggedModels, pair: Pair, source: LoggedModel) -> LoggedModel:
    new = NewLoggedModel(
        model_id=source.model_id,
        experiment_id=pair.target.experiment_id,
        name=source.name,
        creator_id=source.creator_id,
        model_type=source.model_type,
        source_run_id=source.source_run_id,
        params=source.params,
        tags=source.tags,
    )
    lost = ["times of logged models"]
    lost += ["messages about the status of logged models"] if source.status_message else []
    try:
        made = job.write(lambda: store.create_logged_model(new))
    except NotFoundError:
        if not new.source_run_id:
            raise
        made = job.write(lambda: store.create_logged_model(evolve(new, source_run_id="")))
        lost.append("source runs of logged models, which are not copied")
    if made is not None:
        lost += ["creators of logged models"] if made.creator_id != source.creator_id else []
    for what in lost:
        job.tally.lack(what, f"{source.name!r} ({source.model_id})")
    return made or evolve(source, artifact_uri="", status=LoggedModelStatus.PENDING)


def _copy_files(job: Job, pair: Pair, source: LoggedModel, there: LoggedModel) -> None:
    if not job.choice.artifacts:
        return
    roots = pair.source.artifact_location, pair.target.artifact_location
    try:
        copy_tree(job, Trees(source.artifact_uri, roots[0], there.artifact_uri, roots[1]))
    except (MlcoreError, OSError) as err:
        why = err.message if isinstance(err, MlcoreError) else str(err)
        job.tally.fail(f"artifacts of logged model {source.model_id}", why)


def _found(store: SupportsLoggedModels, model_id: str) -> LoggedModel | None:
    try:
        return store.get_logged_model(model_id, allow_deleted=True)
    except NotFoundError:
        return None


def _marks(metric: ModelMetric) -> str:
    # NaN is not equal to itself, its text is
    return repr((metric.point, metric.run_id, metric.dataset_name, metric.dataset_digest))
