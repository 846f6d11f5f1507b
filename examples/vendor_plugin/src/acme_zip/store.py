"""The tracking store: the contract in terms of the documents in the zip file."""

from __future__ import annotations

import time
from collections.abc import Mapping

from attrs import evolve

from acme_zip import records
from acme_zip.place import ZipPlace
from acme_zip.records import Record
from mlcore.entities import (
    Batch,
    DatasetInput,
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    LifecycleStage,
    Metric,
    MetricSummary,
    NewRun,
    Page,
    Run,
    RunChange,
    RunData,
    RunInfo,
    RunInputs,
    RunQuery,
    RunStatus,
)
from mlcore.errors import AlreadyExistsError, InvalidStateError, NotFoundError, ParamConflictError
from mlcore.tracking.evaluate import experiment_matches, run_matches, sort_experiments, sort_runs
from mlcore.tracking.summaries import summarize_all
from mlcore.uris import join

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
NAME = "mlflow.runName"


class ZipStore:
    """Keep experiments and runs in a zip file."""

    def __init__(self, place: ZipPlace, artifact_root: str) -> None:
        """Open the store in *place*, with the experiment `Default` in it."""
        self._place = place
        self._root = artifact_root
        if not any(records.experiments(place.read())):
            with place.change() as members:
                if not any(records.experiments(members)):
                    records.keep(members, self._experiment("0", "Default", None, {}))

    def create_experiment(self, name: str, *, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        """Create an experiment whose name no other has, active or deleted."""
        with self._place.change() as members:
            _refuse_taken(members, name)
            number = 1 + max(int(e.experiment_id) for e in records.experiments(members))
            made = self._experiment(str(number), name, artifact_location, tags)
            records.keep(members, made)
        return made

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return the experiment, deleted or not."""
        return records.experiment(self._place.read(), experiment_id)

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name, deleted or not; None when there is none."""
        return next((e for e in records.experiments(self._place.read()) if e.name == name), None)

    def update_experiment(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Rename, tag, delete or restore an experiment; its runs are deleted and restored with it."""
        with self._place.change() as members:
            old = records.experiment(members, experiment_id)
            _check_change(old, change)
            if change.name not in (None, old.name):
                _refuse_taken(members, change.name or "")
            tags = {**old.tags, **change.set_tags}
            for key in change.delete_tags:
                if key not in old.tags:
                    raise NotFoundError(f"no tag with name {key!r} in experiment with id={experiment_id!r}")
                tags.pop(key, None)
            stage = change.lifecycle_stage or old.lifecycle_stage
            new = evolve(old, name=change.name or old.name, tags=tags, lifecycle_stage=stage, last_update_time=_now())
            records.keep(members, new)
            if stage != old.lifecycle_stage:
                for kept in list(records.records(members)):
                    if kept.run.info.experiment_id == experiment_id and not kept.deleted_alone:
                        records.keep(members, _with_info(kept, lifecycle_stage=stage))
        return new

    def search_experiments(self, query: ExperimentQuery) -> Page[Experiment]:
        """Return a page of the experiments that fit."""
        found = [
            e
            for e in records.experiments(self._place.read())
            if query.view.shows(e.lifecycle_stage) and experiment_matches(query.filter, e)
        ]
        return records.page(sort_experiments(found, query.order_by), query.max_results, query.page_token)

    def create_run(self, new: NewRun) -> Run:
        """Create a RUNNING run below its experiment's artifact location."""
        with self._place.change() as members:
            owner = records.experiment(members, new.experiment_id)
            if f"runs/{new.run_id}.json" in members:
                known = records.record(members, new.run_id).run
                if known.info.experiment_id != new.experiment_id:
                    raise AlreadyExistsError(
                        f"run {new.run_id!r} already exists in experiment {known.info.experiment_id!r}"
                    )
                return known
            if owner.lifecycle_stage != ACTIVE:
                raise _not_active("experiment", new.experiment_id)
            info = RunInfo(
                run_id=new.run_id,
                experiment_id=new.experiment_id,
                run_name=new.run_name,
                user_id=new.user_id,
                status=RunStatus.RUNNING,
                start_time=new.start_time,
                end_time=None,
                artifact_uri=join(owner.artifact_location, new.run_id, "artifacts"),
            )
            run = Run(info, RunData(tags={**new.tags, NAME: new.run_name}))
            records.keep(members, Record(run))
        return run

    def get_run(self, run_id: str) -> Run:
        """Return the run with the latest point of each metric, deleted or not."""
        return records.record(self._place.read(), run_id).run

    def update_run(self, run_id: str, change: RunChange) -> RunInfo:
        """Change status, end time, name or lifecycle stage."""
        with self._place.change() as members:
            kept = records.record(members, run_id)
            stage = change.lifecycle_stage or kept.run.info.lifecycle_stage
            if stage != ACTIVE and (change.run_name or change.status or change.end_time):
                raise _not_active("run", run_id)
            given = {"status": change.status, "end_time": change.end_time, "run_name": change.run_name}
            new = _with_info(kept, lifecycle_stage=stage, **{k: v for k, v in given.items() if v is not None})
            if change.status is RunStatus.RUNNING and change.end_time is None:  # it runs again
                new = _with_info(new, end_time=None)
            new = evolve(_with_tags(new, {NAME: new.run.info.run_name}), deleted_alone=stage == DELETED)
            records.keep(members, new)
        return new.run.info

    def log_batch(self, run_id: str, batch: Batch) -> None:
        """Record params, points and tags of a run: all, or nothing."""
        with self._place.change() as members:
            kept = _writable(members, run_id)
            params = dict(kept.run.data.params)
            for param in batch.params:
                known = params.setdefault(param.key, param.value)
                if known != param.value:
                    raise ParamConflictError(
                        f"param {param.key!r} has the value {known!r} already, got {param.value!r}; "
                        "log it under another name"
                    )
            tags = {tag.key: tag.value for tag in batch.tags}
            new = _with_tags(records.with_points(kept, batch.metrics), tags)
            if NAME in tags:
                new = _with_info(new, run_name=tags[NAME])
            records.keep(members, evolve(new, run=evolve(new.run, data=evolve(new.run.data, params=params))))

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag. Raises NotFoundError: the run has no such tag."""
        with self._place.change() as members:
            kept = _writable(members, run_id)
            tags = dict(kept.run.data.tags)
            if tags.pop(key, None) is None:
                raise NotFoundError(f"no tag with name {key!r} in run with id={run_id!r}")
            records.keep(members, evolve(kept, run=evolve(kept.run, data=evolve(kept.run.data, tags=tags))))

    def log_inputs(self, run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
        """Record datasets that the run read; the same dataset again is kept once."""
        with self._place.change() as members:
            kept = _writable(members, run_id)
            uses = {use.dataset: use for use in kept.run.inputs.dataset_inputs}
            for use in inputs:
                uses.setdefault(use.dataset, use)
            records.keep(members, evolve(kept, run=evolve(kept.run, inputs=RunInputs(tuple(uses.values())))))

    def get_metric_history(self, run_id: str, key: str, *, max_results: int, page_token: str | None) -> Page[Metric]:
        """Return a page of a metric's points, ordered by (timestamp, step, value)."""
        points = records.record(self._place.read(), run_id).points
        return records.page([p for p in points if p.key == key], max_results, page_token)

    def search_runs(self, query: RunQuery) -> Page[Run]:
        """Return a page of the runs that fit; unknown experiment ids match nothing."""
        kept = {
            r.run.info.run_id: r
            for r in records.records(self._place.read())
            if r.run.info.experiment_id in query.experiment_ids and query.view.shows(r.run.info.lifecycle_stage)
        }
        summaries = {run_id: summarize_all(r.points) for run_id, r in kept.items()}
        found = [r.run for run_id, r in kept.items() if run_matches(query.filter, r.run, summaries[run_id])]
        return records.page(sort_runs(found, query.order_by, summaries), query.max_results, query.page_token)

    def metric_summaries(self, run_id: str) -> tuple[MetricSummary, ...]:
        """Return one summary per metric of the run, sorted by key."""
        return tuple(summarize_all(records.record(self._place.read(), run_id).points).values())

    def close(self) -> None:
        """Do nothing: the file is open only while it is read."""

    def _experiment(self, number: str, name: str, location: str | None, tags: Mapping[str, str]) -> Experiment:
        now = _now()
        return Experiment(number, name, location or join(self._root, number), ACTIVE, now, now, dict(tags))


def _now() -> int:
    return time.time_ns() // 1_000_000


def _with_info(kept: Record, **changes: object) -> Record:
    info = evolve(kept.run.info, **changes)  # type: ignore[arg-type]  # the fields of RunInfo, by name
    return evolve(kept, run=evolve(kept.run, info=info))


def _with_tags(kept: Record, tags: Mapping[str, str]) -> Record:
    data = evolve(kept.run.data, tags={**kept.run.data.tags, **tags})
    return evolve(kept, run=evolve(kept.run, data=data))


def _writable(members: Mapping[str, bytes], run_id: str) -> Record:
    kept = records.record(members, run_id)
    if kept.run.info.lifecycle_stage != ACTIVE:
        raise _not_active("run", run_id)
    return kept


def _not_active(what: str, key: str) -> InvalidStateError:
    return InvalidStateError(f"the {what} {key!r} must be in the 'active' state, but it is deleted; restore it first")


def _refuse_taken(members: Mapping[str, bytes], name: str) -> None:
    for known in records.experiments(members):
        if known.name == name:
            deleted = ", deleted" if known.lifecycle_stage == DELETED else ""
            raise AlreadyExistsError(
                f"experiment {name!r} already exists{deleted}, with id={known.experiment_id!r}; "
                "restore it or choose another name"
            )


def _check_change(old: Experiment, change: ExperimentChange) -> None:
    if change.lifecycle_stage == old.lifecycle_stage:
        raise NotFoundError(
            f"no experiment with id={old.experiment_id!r} to change: it is {str(old.lifecycle_stage)!r} already"
        )
    more = change.name is not None or change.set_tags or change.delete_tags
    if old.lifecycle_stage != ACTIVE and more and change.lifecycle_stage != ACTIVE:
        raise _not_active("experiment", old.experiment_id)
