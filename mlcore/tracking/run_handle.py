"""Handles of runs: record into a run from any thread or process, and the active run that fluent calls mean."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType

from mlcore.entities import (
    Batch,
    DatasetInput,
    Heartbeat,
    InputsUse,
    Metric,
    Param,
    Recorded,
    Run,
    RunChange,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
    RunTag,
    TagRemoval,
)
from mlcore.errors import InvalidParameterError, InvalidStateError, MlcoreError
from mlcore.tracking import active, tags
from mlcore.tracking.datasets import LoggedDataset, as_inputs
from mlcore.tracking.endings import Ending, ending, ending_of, keep
from mlcore.tracking.events import announce
from mlcore.tracking.heartbeat import when_recorded
from mlcore.tracking.lost import settle
from mlcore.tracking.monitors import Monitors
from mlcore.tracking.names import now_ms
from mlcore.tracking.offline import change_store, explaining, known_run, spooled_run
from mlcore.tracking.recorder import Delivery, Mark, Writer
from mlcore.tracking.run_artifacts import RunArtifacts
from mlcore.tracking.session import Session, current_session
from mlcore.wire import limits

_NUMBERS: frozenset[type] = frozenset((float, int))


class RunHandle(RunArtifacts):
    """Record into one run, whoever started it.

    Works from any thread. Pickled, it holds the tracking URI and run id only, so that worker processes can use it.
    """

    def __init__(self, run_id: str, tracking_uri: str | None = None, session: Session | None = None) -> None:
        """Point at a run; nothing is read yet."""
        self._session = session or current_session()
        self.tracking_uri: str = tracking_uri or self._session.tracking_uri
        self.run_id: str = limits.check_run_id(run_id)
        self._recorder = self._session.recorder(self.tracking_uri)
        self._writer = self._recorder.writer(run_id)
        self._known = self._session.known(run_id, self.tracking_uri)
        self._artifact_uri: str | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return RunHandle, (self.run_id, self._session.anchored(self.tracking_uri))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.run_id}>"

    def stored(self) -> Run:
        """Return the run with all that is recorded so far."""
        self._recorder.flush(self.run_id)
        return self._stored()

    def as_known(self) -> Run:
        """Return the run with all that is recorded so far; when the store is down, as far as this process knows it.

        Raises StoreUnavailableError: this process knows nothing of it.
        """
        return known_run(self._session, self._at_start(), self.run_id, self.tracking_uri)

    def _at_start(self) -> Run | None:
        return next((run.at_start for run in active.open_runs.all() if run.run_id == self.run_id), None)

    def _stored(self) -> Run:
        spooled = spooled_run(self._session, self.run_id, self.tracking_uri)
        if spooled is not None:
            return spooled
        with explaining(self._session, self.tracking_uri):
            return self._store.get_run(self._session.server_run_id(self.run_id, self.tracking_uri))

    def delivered(self, record: Callable[[], None], synchronous: bool) -> Delivery | None:
        """Record, and wait for the store if *synchronous*; else return what waits.

        Raises what the store raised. StoreUnavailableError: it does not answer; the data waits in the spool.
        """
        since = self._writer.end()
        record()
        delivery = Delivery(self._recorder, self.run_id, since, self._writer.end())
        if not synchronous:
            return delivery
        delivery.wait()
        return None

    def log_metric(self, key: str, value: float, step: int | None = None, timestamp: int | None = None) -> None:
        """Record one point of a metric.

        value: a number; NaN and infinities are kept. step: int64, 0 when not given.
        timestamp: ms since the epoch, UTC; now when not given.
        """
        if (
            timestamp is None
            and type(value) in _NUMBERS
            and (step is None or type(step) is int)
            and self._known.is_checked
            and self._writer.journal.quick(key, value, step or 0)
        ):
            return
        point = limits.metric(key, value, now_ms() if timestamp is None else timestamp, 0 if step is None else step)
        if not self._known.is_checked:
            self._look()
        self._writer.point(point.key, point.value, point.timestamp, point.step)

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None, timestamp: int | None = None) -> None:
        """Record one point of each metric, all with the same step and timestamp."""
        moment = now_ms() if timestamp is None else timestamp
        at = 0 if step is None else step
        if self._is_plain(metrics, moment, at) and self._writer.journal.quick_points(metrics, moment, at):
            return
        points = tuple(limits.metric(key, value, moment, at) for key, value in limits.pairs("metrics", metrics))
        self._write(Batch(points))

    def _is_plain(self, metrics: Mapping[str, float], timestamp: int, step: int) -> bool:
        """Whether nothing but the names of *metrics* has to be checked, which a journal does by itself."""
        return (
            self._known.is_checked
            and type(metrics) is dict
            and type(step) is int
            and type(timestamp) is int
            and timestamp >= 0
            and _NUMBERS.issuperset(map(type, metrics.values()))
        )

    def log_param(self, key: str, value: object) -> None:
        """Record a param; its value, as text, can't change later."""
        self.log_params({limits.check_key(key): value})

    def log_params(self, params: Mapping[str, object]) -> None:
        """Record params; see `log_param`. Raises ParamConflictError: one has another value already."""
        truncate = self._session.settings.truncate_long_values
        checked = tuple(limits.param(key, value, truncate=truncate) for key, value in limits.pairs("params", params))
        self._write(Batch(params=checked))

    def set_tag(self, key: str, value: object) -> None:
        """Set a tag to *value* as text, over any earlier value."""
        self.set_tags({limits.check_key(key): value})

    def set_tags(self, values: Mapping[str, object]) -> None:
        """Set tags; see `set_tag`."""
        truncate = self._session.settings.truncate_long_values
        checked = tuple(limits.tag(key, value, truncate=truncate) for key, value in limits.pairs("tags", values))
        self._write(Batch(tags=checked))

    def delete_tag(self, key: str) -> None:
        """Remove a tag. Raises NotFoundError: the run has no such tag."""
        limits.check_key(key)
        if not self._recorder.is_down:
            self._recorder.flush(self.run_id)
        change_store(
            self._session,
            self.run_id,
            lambda store, run_id: store.delete_tag(run_id, key),
            otherwise=TagRemoval(key),
            uri=self.tracking_uri,
        )

    def log_batch(
        self, metrics: Iterable[Metric] = (), params: Iterable[Param] = (), tags: Iterable[RunTag] = ()
    ) -> None:
        """Record points, params and tags together."""
        truncate = self._session.settings.truncate_long_values
        points = tuple(limits.metric(m.key, m.value, m.timestamp, m.step) for m in limits.entries("metrics", metrics))
        checked = tuple(limits.param(p.key, p.value, truncate=truncate) for p in limits.entries("params", params))
        notes = tuple(limits.tag(t.key, t.value, truncate=truncate) for t in limits.entries("tags", tags))
        limits.check_distinct_params(checked)
        self._write(Batch(points, checked, notes))

    def log_input(
        self, dataset: LoggedDataset, context: str | None = None, tags: Mapping[str, str] | None = None
    ) -> None:
        """Record that the run read *dataset*; *context* says what for, such as `training`."""
        self.log_inputs(as_inputs([dataset], [context], [tags]))

    def log_inputs(self, inputs: Iterable[DatasetInput]) -> None:
        """Record datasets that the run read."""
        if not isinstance(inputs, Iterable):
            raise InvalidParameterError(f"invalid inputs {inputs!r}: expected a list of mlcore.entities.DatasetInput")
        checked = tuple(limits.dataset_input(i) for i in inputs)
        limits.check_dataset_count(len(checked))
        self._write(InputsUse(checked))

    def _write(self, recorded: Recorded) -> None:
        """Record what is checked in itself, if it fits what is known of the run."""
        if not self._known.is_checked:
            self._look()
        params = recorded.params if isinstance(recorded, Batch) else ()
        if params:
            self._known.refuse_conflicts(params)
        self._writer.write(recorded)
        if params:
            self._known.remember(params)

    def _look(self) -> None:
        """See that the run is there, before its first record; a recorder that waits for the store needs no look."""
        if self._recorder.is_direct:
            return
        spooled = spooled_run(self._session, self.run_id, self.tracking_uri)
        if spooled is not None:
            self._known.learn(spooled)
        elif not self._recorder.is_down:
            self._known.ask(self._stored, self._recorder, self._session.settings.patience_s)

    @property
    def heartbeat_s(self) -> float:
        """How often a process that records into the run says that it lives, in seconds; 0 for never."""
        return self._session.settings.heartbeat_s

    def give_heartbeat(self, beat: Heartbeat) -> bool:
        """Record that this process lives, unless an earlier heartbeat still waits; return whether it was recorded."""
        if self._recorder.is_down:
            return False
        self._writer.write(Batch(tags=(RunTag(tags.HEARTBEAT, str(beat)),)))
        return True

    def come_back(self) -> None:
        """Let the run go on if it has been marked as lost."""
        settle(self._store, self.stored())

    def recorded_until(self) -> Mark:
        """Return where the journal of this process ends now."""
        return self._writer.end()

    def keep_alive(self) -> None:
        """Let this process give heartbeats for the run, which another one has open, while it records into it."""
        self._writer = when_recorded(self, self._writer)

    def use_writer(self, writer: Writer) -> None:
        """Record by *writer* from now on."""
        self._writer = writer


def _inherited(run_id: str, tracking_uri: str) -> RunHandle:
    """Return the handle of a run that another process has open, which has sent it here."""
    run = RunHandle(run_id, tracking_uri)
    run.keep_alive()
    return run


class ActiveRun(RunHandle):
    """The run that `start_run` returns: a handle, a context manager, and the run as it was when it started."""

    is_attended: bool = False  # its code is another process, so that fluent calls of this one never mean it

    def __init__(self, run: Run, tracking_uri: str, session: Session, *, joined: bool = False) -> None:
        """Wrap *run*; `start_run` makes these.

        joined: the run is open elsewhere in this process, whose end ends it; the end of this one only leaves it.
        """
        super().__init__(run.info.run_id, tracking_uri, session)
        self.is_joined: bool = joined
        self.started_by: tuple[int, int] = active.who_starts()
        self._run = run
        folder = self._recorder.folder(self.run_id)
        if folder is None or not folder.facts().is_pending:  # else it gets another one
            self._artifact_uri = run.info.artifact_uri or None
        self._known.learn(run)
        self._pid = os.getpid()
        self.is_ended: bool = False
        self._heartbeats = threading.Lock()
        self._is_silent = False
        self.monitors: Monitors = Monitors(session, self.run_id, run.data.latest, self.log_metrics)

    @property
    def at_start(self) -> Run:
        """The run as it was when it started."""
        return self._run

    @property
    def info(self) -> RunInfo:
        """Who, when and where, as at the start."""
        return self._run.info

    @property
    def data(self) -> RunData:
        """What was recorded before the start; `get_run` tells what is recorded now."""
        return self._run.data

    @property
    def inputs(self) -> RunInputs:
        """Datasets recorded before the start."""
        return self._run.inputs

    @property
    def parent_run_id(self) -> str | None:
        """The run in which this one is nested."""
        return self._run.data.tags.get(tags.PARENT_RUN_ID)

    def to_dictionary(self) -> dict[str, object]:
        """Return the run as at the start in MLflow's layout."""
        return self._run.to_dictionary()

    def end(self, status: RunStatus | str = RunStatus.FINISHED) -> None:
        """End the run; does nothing in a forked child, or when it has ended.

        An end other than FINISHED while an exception is being handled keeps that with the run.
        Raises what the store raises; the run is no longer active then, and keeps its status until somebody sets it.
        """
        final = ending(status)
        self.end_as(Ending(final, None if final is RunStatus.FINISHED else sys.exc_info()[1]))

    def end_as(self, end: Ending) -> None:
        """End the run and keep why it ended; for the rest see `end`."""
        mine = not (self.is_ended or self.is_joined) and self._pid == os.getpid()
        try:
            if mine:
                keep(self, end)
                self.monitors.end()
                if not self._known.is_checked:
                    self._look()
                self._fall_silent()
                self._writer.write(RunChange(status=end.status, end_time=now_ms()))
                if self.heartbeat_s > 0:
                    self._writer.write(TagRemoval(tags.HEARTBEAT))
                self._recorder.finish(self.run_id)
        except MlcoreError:
            self._leave()
            raise
        self._leave()  # not after Ctrl-C: then the exit of the process ends the run
        if mine:
            announce(self._session, "run_ended", self.info, status=end.status.value)

    @property
    def heartbeat_s(self) -> float:
        """How often this process says of the run that it lives, in seconds; 0 for never."""
        return 0 if self.is_joined else super().heartbeat_s

    def __reduce__(self) -> tuple[object, ...]:
        return _inherited, (self.run_id, self._session.anchored(self.tracking_uri))

    def give_heartbeat(self, beat: Heartbeat) -> bool:
        """Record that this process lives, as long as the run has not ended; see `RunHandle.give_heartbeat`."""
        with self._heartbeats:
            return not self._is_silent and super().give_heartbeat(beat)

    def keep_alive(self) -> None:
        """Let a forked child give heartbeats while it records into the run."""
        self._heartbeats = threading.Lock()  # a thread of the parent may have held it
        super().keep_alive()

    def come_back(self) -> None:
        """Let the run go on if it has been marked as lost, as long as it has not ended."""
        with self._heartbeats:
            if not self._is_silent:
                super().come_back()

    def _fall_silent(self) -> None:
        """Let no heartbeat follow, and nothing that brings the run back: either would undo its end."""
        got = self._heartbeats.acquire(timeout=self.patience_s)  # the other thread may hang in a store
        self._is_silent = True
        if got:
            self._heartbeats.release()

    def note_end(self, end: Ending) -> None:
        """Journal the end at once, as a signal handler has to; `end_as` does it again, with all the rest."""
        if not self._recorder.is_direct and not self.is_joined:
            self._writer.write(RunChange(status=end.status, end_time=now_ms()))

    @property
    def patience_s(self) -> float:
        """How long to wait for a store that does not answer, in seconds."""
        return self._session.settings.patience_s

    def _leave(self) -> None:
        self.is_ended = True
        active.remove(self)

    def __enter__(self) -> ActiveRun:
        if self.is_ended:  # what is logged in the block would go to a new run
            raise InvalidStateError(f"run {self.run_id!r} has ended: resume it with start_run(run_id={self.run_id!r})")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.end_as(ending_of(error))
        except MlcoreError as failed:
            if error is None:
                raise
            # what ended the block is what the caller must see
            error.add_note(f"and run {self.run_id!r} could not be ended: {failed}")
