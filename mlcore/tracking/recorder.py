"""The one seam through which everything that is recorded goes on its way to a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from mlcore.entities import Batch, Metric, Recorded
from mlcore.errors import MlcoreError, StoreUnavailableError
from mlcore.interfaces import TrackingStore

if TYPE_CHECKING:
    from mlcore.delivery import Outbox, RunFolder

Mark = tuple[str, int]  # a journal's writer, and a byte of it


class Quick(Protocol):
    """Take points by a short way, which checks no more than what cannot be stored; see `mlcore.journal.Journal.quick`."""

    def quick(self, key: str, value: float, step: int, /) -> bool:
        """Record a point that was measured now; False when this takes the longer way."""
        ...

    def quick_points(self, values: Mapping[str, float], timestamp: int, step: int, /) -> bool:
        """Record a point of each metric; False when this takes the longer way."""
        ...


class Writer(Protocol):
    """Record into one run; everything given is checked before."""

    @property
    def journal(self) -> Quick:
        """Where points may be recorded by the short way."""
        ...

    def point(self, key: str, value: float, timestamp: int, step: int) -> None:
        """Record one point of a metric."""
        ...

    def write(self, recorded: Recorded) -> None:
        """Record anything."""
        ...

    def end(self) -> Mark:
        """Return where the run's journal ends now."""
        ...


class Recorder(Protocol):
    """Take checked records and bring them to a store, in order, each exactly once."""

    @property
    def is_direct(self) -> bool:
        """Whether each call waits for the store and raises what it says."""
        ...

    @property
    def is_down(self) -> bool:
        """Whether the store is known not to answer."""
        ...

    def report_down(self, error: MlcoreError) -> None:
        """Tell that the store did not answer a call."""
        ...

    def writer(self, run_id: str) -> Writer:
        """Return what records into a run."""
        ...

    def record(self, run_id: str, batch: Batch) -> None:
        """Accept a batch of any size for a run."""
        ...

    def write(self, run_id: str, recorded: Recorded) -> None:
        """Accept anything that a journal can hold."""
        ...

    def pend(self, run_id: str, after: tuple[str, ...] = ()) -> None:
        """Note that a run has to be created in the store, after others, before its records can be delivered."""
        ...

    def folder(self, run_id: str) -> RunFolder | None:
        """Return the folder in the spool where things of the run wait; None when nothing ever waits."""
        ...

    def flush(self, run_id: str | None = None) -> bool:
        """Wait until what was accepted so far is in the store, in bounded time; return whether it is."""
        ...

    def finish(self, run_id: str) -> None:
        """Deliver what is recorded of a run that its process is done with; say what is not in the store, and why."""
        ...

    def wait(self, run_id: str, since: Mark, until: Mark) -> None:
        """Return when the store has what was recorded between two marks. Raises what the store raised."""
        ...

    def close(self) -> None:
        """Deliver what can be delivered and let go of everything."""
        ...


class Delivery:
    """What a call with `synchronous=False` returns: the data is taken; `wait` until it is in the store."""

    def __init__(self, recorder: Recorder, run_id: str, since: Mark, until: Mark) -> None:
        """Wait for what stands in the journal of the run between two marks."""
        self._recorder = recorder
        self._run_id = run_id
        self._marks = since, until

    def wait(self) -> None:
        """Return when the store has the data.

        Raises what the store raised. StoreUnavailableError: it does not answer; the data waits in the spool.
        """
        self._recorder.wait(self._run_id, *self._marks)


class DirectRecorder:
    """Bring everything to the store before the call returns."""

    is_direct = True
    is_down = False

    def __init__(self, store: TrackingStore) -> None:
        """Record into *store*."""
        self._store = store

    def report_down(self, error: MlcoreError) -> None:
        """Do nothing: the next call will see."""

    def writer(self, run_id: str) -> Writer:
        """Return what records into a run."""
        return _DirectWriter(self, run_id)

    def record(self, run_id: str, batch: Batch) -> None:
        """Store the batch, in pieces when it is over the limits of one request.

        Raises what the store raises; of a batch in pieces, the pieces before the failed one are stored.
        """
        if len(batch.metrics) == 1 and not batch.params and not batch.tags:
            self._store.log_batch(run_id, batch)
            return
        from mlcore.delivery.replaying import split

        for piece in split(batch):
            self._store.log_batch(run_id, piece)

    def write(self, run_id: str, recorded: Recorded) -> None:
        """Store one record."""
        if isinstance(recorded, Batch):
            self.record(run_id, recorded)
            return
        from mlcore.delivery.replaying import apply

        apply(self._store, run_id, recorded)

    def pend(self, run_id: str, after: tuple[str, ...] = ()) -> None:
        """Do nothing: runs are created at once."""

    def folder(self, run_id: str) -> RunFolder | None:  # noqa: ARG002  # of every recorder
        """Return None: nothing ever waits."""
        return None

    def flush(self, run_id: str | None = None) -> bool:  # noqa: ARG002  # of every recorder
        """Do nothing: nothing is ever left behind."""
        return True

    def finish(self, run_id: str) -> None:
        """Do nothing: nothing is ever left behind."""

    def wait(self, run_id: str, since: Mark, until: Mark) -> None:
        """Do nothing: what was refused was raised."""

    def close(self) -> None:
        """Do nothing: nothing is ever left behind."""


class NotQuick:
    """Stands where there is no short way."""

    def quick(self, *_: object) -> bool:
        """Return False."""
        return False

    def quick_points(self, *_: object) -> bool:
        """Return False."""
        return False


NOT_QUICK: NotQuick = NotQuick()


class _DirectWriter:
    journal = NOT_QUICK

    def __init__(self, recorder: DirectRecorder, run_id: str) -> None:
        self._recorder = recorder
        self._run_id = run_id

    def point(self, key: str, value: float, timestamp: int, step: int) -> None:
        self._recorder.record(self._run_id, Batch((Metric(key, value, timestamp, step),)))

    def write(self, recorded: Recorded) -> None:
        self._recorder.write(self._run_id, recorded)

    def end(self) -> Mark:
        return "", 0


class JournalRecorder:
    """Append to journals in the spool; a thread delivers them."""

    is_direct = False

    def __init__(self, outbox: Outbox) -> None:
        """Record into *outbox*."""
        self._outbox = outbox
        self.writer: Callable[[str], Writer] = outbox.writer
        self.report_down: Callable[[MlcoreError], None] = outbox.report_down

    @property
    def is_down(self) -> bool:
        """Whether the store is known not to answer, or must not be asked."""
        return self._outbox.is_down

    @property
    def outage(self) -> MlcoreError | None:
        """What the store said, or did not say, when it was last asked and was out of order."""
        return self._outbox.shipper.down

    def record(self, run_id: str, batch: Batch) -> None:
        """Append a batch to the run's journal."""
        self._outbox.writer(run_id).write(batch)

    def write(self, run_id: str, recorded: Recorded) -> None:
        """Append anything to the run's journal."""
        self._outbox.writer(run_id).write(recorded)

    def pend(self, run_id: str, after: tuple[str, ...] = ()) -> None:
        """Note in the spool that the run has to be created first."""
        self._outbox.spool.make()
        self.folder(run_id).note(is_pending=True, after=after)

    def folder(self, run_id: str) -> RunFolder:
        """Return the folder in the spool where things of the run wait."""
        return self._outbox.spool.run(run_id)

    def flush(self, run_id: str | None = None) -> bool:
        """Wait in bounded time; see `Outbox.flush`."""
        return self._outbox.flush(run_id)

    def finish(self, run_id: str) -> None:
        """Deliver what is recorded of a run, in bounded time, and say what is not in the store."""
        self._outbox.finish(run_id)

    def wait(self, run_id: str, since: Mark, until: Mark) -> None:
        """Return when the store has what was recorded between two marks. Raises what the store raised."""
        done = self._outbox.flush(run_id)
        for refusal in self._outbox.refusals(run_id):
            after = refusal.end > since[1] if refusal.writer == since[0] else True
            if refusal.writer == until[0] and after and refusal.start < until[1]:
                raise refusal.error
        if not done:
            why = self._outbox.why(run_id)
            reason = f": {why.message}" if why is not None else ""
            raise StoreUnavailableError(
                f"what was recorded of run {run_id!r} is not in the store yet{reason}; it waits in "
                f"{self.folder(run_id).path} and is delivered later, by this process or by `mlcore sync`"
            )

    def close(self) -> None:
        """Deliver what can be delivered in bounded time; the rest stays in the spool."""
        self._outbox.close()
