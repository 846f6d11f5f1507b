"""What becomes of a run by the entries of its journals: the same as what a store makes of them."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from mlcore.entities import (
    Batch,
    DatasetInput,
    Entry,
    InputsUse,
    LifecycleStage,
    Metric,
    NewRun,
    Run,
    RunChange,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
    TagRemoval,
)
from mlcore.tracking import tags
from mlcore.tracking.summaries import recency


def created(new: NewRun, artifact_uri: str) -> Run:
    """Return the run that a store makes of *new*."""
    info = RunInfo(
        run_id=new.run_id,
        experiment_id=new.experiment_id,
        run_name=new.run_name,
        user_id=new.user_id,
        status=RunStatus.RUNNING,
        start_time=new.start_time,
        end_time=None,
        artifact_uri=artifact_uri,
        lifecycle_stage=LifecycleStage.ACTIVE,
    )
    return Run(info, RunData(tags={**new.tags, tags.RUN_NAME: new.run_name}))


def fold(run: Run, entries: Iterable[Entry]) -> Run:
    """Return *run* after *entries*, in their order; those that say nothing about the run's content are passed over."""
    latest = {point.key: point for point in run.data.latest}
    params, notes = dict(run.data.params), dict(run.data.tags)
    info, used = run.info, list(run.inputs.dataset_inputs)
    for entry in entries:
        match entry.recorded:
            case Batch() as batch:
                _add_points(latest, batch.metrics)
                for param in batch.params:
                    params.setdefault(param.key, param.value)
                notes.update((tag.key, tag.value) for tag in batch.tags)
            case RunChange() as change:
                info = _changed(info, change)
                if change.run_name is not None:
                    notes[tags.RUN_NAME] = change.run_name
            case TagRemoval(key):
                notes.pop(key, None)
            case InputsUse(inputs):
                _add_inputs(used, inputs)
            case _:
                pass
    data = RunData(tuple(latest[key] for key in sorted(latest)), params, notes)
    named = evolve(info, run_name=notes.get(tags.RUN_NAME, info.run_name))
    return Run(named, data, RunInputs(tuple(used), run.inputs.model_inputs), run.outputs)


def _add_points(latest: dict[str, Metric], points: Iterable[Metric]) -> None:
    for point in points:
        known = latest.get(point.key)
        if known is None or recency(point) >= recency(known):
            latest[point.key] = point


def _changed(info: RunInfo, change: RunChange) -> RunInfo:
    before = None if change.status is RunStatus.RUNNING else info.end_time  # a run that runs again has no end
    return evolve(
        info,
        status=change.status or info.status,
        end_time=before if change.end_time is None else change.end_time,
        run_name=change.run_name or info.run_name,
        lifecycle_stage=change.lifecycle_stage or info.lifecycle_stage,
    )


def _add_inputs(used: list[DatasetInput], inputs: Iterable[DatasetInput]) -> None:
    seen = {(each.dataset.name, each.dataset.digest) for each in used}
    for each in inputs:
        if (each.dataset.name, each.dataset.digest) not in seen:
            seen.add((each.dataset.name, each.dataset.digest))
            used.append(each)
