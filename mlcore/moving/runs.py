"""Runs: make the counterpart, write what it lacks, and end it as the source's ended."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator

from attrs import define, evolve, field

from mlcore.entities import (
    DatasetInput,
    Field,
    LifecycleStage,
    Metric,
    MetricSummary,
    OrderBy,
    Param,
    Run,
    RunChange,
    RunQuery,
    RunStatus,
    RunTag,
    ViewType,
)
from mlcore.errors import MlcoreError, StoreUnavailableError
from mlcore.interfaces import SupportsSummary
from mlcore.moving.experiments import Pair
from mlcore.moving.ids import RunIds, name_of
from mlcore.moving.logged import Link
from mlcore.moving.outbox import Outbox
from mlcore.moving.points import history, missing
from mlcore.moving.sides import Job
from mlcore.moving.trees import Trees, copy_tree
from mlcore.tracking import tags as names
from mlcore.wire import limits

DELETED = LifecycleStage.DELETED
PAGE = 200
# Tags whose value is the id of another run.
_POINTERS = (names.PARENT_RUN_ID, "mlflow.rootRunId")


def runs_of(job: Job, experiment_id: str) -> Iterator[tuple[Run, ...]]:
    """Yield the chosen runs of an experiment in pages, deleted ones too, parents mostly before their children."""
    if job.choice.run_ids:
        found = (job.source.store.get_run(run_id) for run_id in job.choice.run_ids)
        yield tuple(run for run in found if run.info.experiment_id == experiment_id)
        return
    order = (OrderBy(Field("attribute", "start_time")),)
    query = RunQuery((experiment_id,), order_by=order, view=ViewType.ALL, max_results=PAGE)
    while True:
        page = job.source.store.search_runs(query)
        yield page.items
        if page.next_token is None:
            return
        query = evolve(query, page_token=page.next_token)


@define
class Waiting:
    """A tag that names a run whose id in the target was not known yet; run_id is the target's, value the source's."""

    run_id: str
    key: str
    value: str
    before: str | None


@define(eq=False)
class RunCopier:
    """Copies runs, from several threads."""

    job: Job
    ids: RunIds
    links: list[Link] = field(factory=list, init=False)
    _waiting: list[Waiting] = field(factory=list, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    def copy(self, source: Run, pair: Pair) -> None:
        """Bring the counterpart of one run up to date.

        A run that is deleted in the target alone is left, and told.
        """
        tally = self.job.tally
        if source.info.status in (RunStatus.RUNNING, RunStatus.SCHEDULED):
            tally.running(source.info.run_id)
        earlier = source.data.tags.get(names.CLIENT_RUN_ID)
        there = self.ids.find(source.info.run_id, earlier, pair.target.experiment_id)
        if there is None and pair.target.lifecycle_stage == DELETED and not pair.both_deleted:
            tally.lack("runs of experiments that are deleted in the target", repr(pair.source.name))
        elif there is not None and there.info.lifecycle_stage == DELETED and not self._comes_deleted(source, pair):
            tally.lack("runs that are deleted in the target only", f"run {source.info.run_id}")
        else:
            if there is None:
                pair.open()
                tally.add(runs=1)
            target = there or self.ids.make(source, pair.target.experiment_id)
            changed = _OneRun(self, source, target, pair).copy()
            if there is not None:
                tally.add(**{"runs_changed" if changed else "runs_unchanged": 1})
        tally.run_done()

    def wait(self, waiting: Waiting) -> None:
        """Set a tag later, when the run that it names is there."""
        with self._lock:
            self._waiting.append(waiting)

    def settle(self) -> None:
        """Set the tags that waited for other runs."""
        if self.job.choice.dry_run:
            return
        store = self.job.target.store
        for each in self._waiting:
            found = self.ids.find(each.value)
            value = found.info.run_id if found is not None else each.value
            if value != each.before:
                outbox = Outbox(self.job, each.run_id, f"run {each.run_id}")
                if store.get_run(each.run_id).info.lifecycle_stage == DELETED:
                    self.job.tally.lack("tags of deleted runs", f"run {each.run_id}: {each.key!r}")
                    continue
                outbox.put(RunTag(each.key, value))
                outbox.send()
        self._waiting.clear()

    @staticmethod
    def _comes_deleted(source: Run, pair: Pair) -> bool:
        return pair.both_deleted or DELETED in (source.info.lifecycle_stage, pair.source.lifecycle_stage)


@define(eq=False)
class _OneRun:
    """The copy of one run."""

    copier: RunCopier
    source: Run
    target: Run
    pair: Pair
    _is_open: bool = field(default=False, init=False)
    _changed: bool = field(default=False, init=False)
    _infinite: set[str] = field(factory=set, init=False)

    @property
    def _job(self) -> Job:
        return self.copier.job

    @property
    def _id(self) -> str:
        return self.target.info.run_id

    @property
    def _shown(self) -> str:
        return f"run {self.source.info.run_id}"

    def copy(self) -> bool:
        """Write what is missing; return whether anything was."""
        outbox = Outbox(self._job, self._id, self._shown)
        for item in self._missing():
            self._open()
            outbox.put(item)
        outbox.send()
        self._look_at_infinities()
        self._copy_inputs()
        self._copy_artifacts()
        self._end()
        return self._changed

    def _open(self) -> None:
        """Make the counterpart writable: what is deleted takes nothing, and is deleted again in the end."""
        self._changed = True
        if self._is_open:
            return
        self._is_open = True
        self.pair.open()
        if self.target.info.lifecycle_stage == DELETED:
            change = RunChange(lifecycle_stage=LifecycleStage.ACTIVE)
            self._job.write(lambda: self._job.target.store.update_run(self._id, change))
            self.target = evolve(self.target, info=evolve(self.target.info, lifecycle_stage=LifecycleStage.ACTIVE))

    def _missing(self) -> Iterator[Metric | Param | RunTag]:
        tally, there = self._job.tally, self.target.data
        for key, value in self.source.data.params.items():
            if key not in there.params:
                yield Param(key, value)
            elif there.params[key] != value:
                tally.lack("params that have another value in the target", f"{self._shown}: {key!r}")
        for key, value in self._tags():
            if there.tags.get(key) != value:
                yield RunTag(key, value)
        yield from self._missing_points()

    def _tags(self) -> Iterator[tuple[str, str]]:
        own, ids = self.source.info.run_id, self.copier.ids
        for key, value in self.source.data.tags.items():
            if key in _POINTERS and self._id_differs(value):
                known = ids.known(value)
                if known == value:
                    self.copier.wait(Waiting(self._id, key, value, self.target.data.tags.get(key)))
                    continue
                yield key, known
            elif key == names.LOG_MODEL_HISTORY and own != self._id:
                yield key, value.replace(own, self._id)
            elif key == names.RUN_NAME and not value:
                continue  # stores make one of their own
            else:
                yield key, value

    def _id_differs(self, other: str) -> bool:
        return bool(other) and (self.copier.ids.differ or self._id != self.source.info.run_id)

    def _missing_points(self) -> Iterator[Metric]:
        there = {point.key for point in self.target.data.latest}
        same = self._same_curves(there)
        for key in (point.key for point in self.source.data.latest):
            for point in () if key in same else self._missing_of(key, is_there=key in there):
                if math.isinf(point.value):
                    self._infinite.add(key)
                yield point

    def _missing_of(self, key: str, *, is_there: bool) -> Iterator[Metric]:
        source, target = self._job.source.store, self._job.target.store
        return missing(
            lambda: history(source, self.source.info.run_id, key),
            lambda: history(target, self._id, key) if is_there else iter(()),
            self._clamped,
        )

    def _look_at_infinities(self) -> None:
        """Read back the curves with infinities that were just written: not every database has room for them."""
        for key in () if self._job.choice.dry_run else sorted(self._infinite):
            for _ in self._missing_of(key, is_there=True):
                pass

    def _clamped(self, point: Metric) -> None:
        what = "infinities, which the target keeps as the greatest number"
        self._job.tally.lack(what, f"{self._shown}: {point.key!r} at step {point.step}")

    def _same_curves(self, there: set[str]) -> set[str]:
        """Return the keys whose curves have as many points, the same last one and the same extremes on both sides."""
        source, target = self._job.source.store, self._job.target.store
        if not there or not isinstance(source, SupportsSummary) or not isinstance(target, SupportsSummary):
            return set()
        ours = {each.key: _marks(each) for each in source.metric_summaries(self.source.info.run_id)}
        return {each.key for each in target.metric_summaries(self._id) if ours.get(each.key) == _marks(each)}

    def _copy_inputs(self) -> None:
        known = {(used.dataset.name, used.dataset.digest) for used in self.target.inputs.dataset_inputs}
        new = [
            used for used in self.source.inputs.dataset_inputs if (used.dataset.name, used.dataset.digest) not in known
        ]
        for start in range(0, len(new), limits.DATASETS):
            self._log_inputs(tuple(new[start : start + limits.DATASETS]))
        outputs = tuple(each for each in self.source.outputs if each not in self.target.outputs)
        inputs = tuple(each for each in self.source.inputs.model_inputs if each not in self.target.inputs.model_inputs)
        if outputs or inputs:
            self._changed = True
            self.copier.links.append(Link(self._id, self._shown, self.pair, inputs, outputs))

    def _log_inputs(self, inputs: tuple[DatasetInput, ...]) -> None:
        self._open()
        try:
            self._job.write(lambda: self._job.target.store.log_inputs(self._id, inputs))
        except StoreUnavailableError:
            raise
        except MlcoreError as err:
            self._job.tally.lack("datasets that the target refuses", f"{self._shown}: {err.message}", len(inputs))
        else:
            self._job.tally.add(datasets=len(inputs))

    def _copy_artifacts(self) -> None:
        source, target = self.source.info.artifact_uri, self.target.info.artifact_uri
        if not self._job.choice.artifacts:
            if source != target and target:
                what = "runs whose artifacts stay where they are, unknown to the target"
                self._job.tally.lack(what, self._shown)
            return
        trees = Trees(source, self.pair.source.artifact_location, target, self.pair.target.artifact_location)
        try:
            self._changed |= copy_tree(self._job, trees)
        except (MlcoreError, OSError) as err:
            why = err.message if isinstance(err, MlcoreError) else str(err)
            self._job.tally.fail(f"artifacts of {self._shown}", why)

    def _end(self) -> None:
        """Give the counterpart the state of the source, after everything else: until then it counts as RUNNING."""
        ours, theirs = self.source.info, self.target.info
        name = name_of(self.source)
        change = RunChange(
            status=ours.status if ours.status != theirs.status and not self._is_lost_alike() else None,
            end_time=ours.end_time if ours.end_time != theirs.end_time else None,
            run_name=name if name and name != theirs.run_name else None,
        )
        if change != RunChange():
            self._open()
            self._job.write(lambda: self._job.target.store.update_run(self._id, change))
        if ours.start_time != theirs.start_time:
            self._job.tally.lack("times at which runs started", self._shown)
        runs_again = change.status == RunStatus.RUNNING  # which has no end
        if ours.end_time is None and theirs.end_time is not None and not runs_again and not self._is_lost_alike():
            self._job.tally.lack("runs that go on and have an end in the target", self._shown)
        if names.LOST in self.target.data.tags and names.LOST not in self.source.data.tags:
            self._forget_lost()
        deleted_alone = ours.lifecycle_stage == DELETED and self.pair.source.lifecycle_stage != DELETED
        if deleted_alone and self.target.info.lifecycle_stage != DELETED:
            self._changed = True
            away = RunChange(lifecycle_stage=DELETED)
            self._job.write(lambda: self._job.target.store.update_run(self._id, away))

    def _is_lost_alike(self) -> bool:
        """Whether the target rightly takes the run's process for lost: the source has no later sign of life of it."""
        theirs, ours = self.target.data.tags, self.source.data.tags
        going_on = self.source.info.status == RunStatus.RUNNING
        return going_on and names.LOST in theirs and theirs.get(names.HEARTBEAT) == ours.get(names.HEARTBEAT)

    def _forget_lost(self) -> None:
        if self._is_lost_alike():
            return
        self._open()
        self._job.write(lambda: self._job.target.store.delete_tag(self._id, names.LOST))


def _marks(summary: MetricSummary) -> str:
    # NaN is not equal to itself, its text is
    return repr((summary.count, summary.last, summary.min, summary.max))
