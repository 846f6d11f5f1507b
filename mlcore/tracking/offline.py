"""Go on without the store: experiments and runs that come to be in it later, and what is known of them meanwhile."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from attrs import evolve

from mlcore.entities import Batch, Entry, Experiment, Metric, NewRun, Recorded, Run, RunCreation, RunInfo, RunStatus
from mlcore.errors import CorruptStoreError, MlcoreError, StoreUnavailableError, UnsupportedError
from mlcore.interfaces import TrackingStore
from mlcore.tracking import tags
from mlcore.tracking.reach import ask, is_outage, is_remote
from mlcore.uris import file_uri, redacted

if TYPE_CHECKING:
    from mlcore.delivery import RunFolder
    from mlcore.tracking.session import Session

logger: logging.Logger = logging.getLogger(__name__)

T = TypeVar("T")


def ask_store(session: Session, question: Callable[[TrackingStore], T], uri: str | None = None) -> T:
    """Return what the store answers, for which the user waits at most `patience_s`; not at all when it is down.

    Raises StoreUnavailableError: no answer, or none is wanted, as under `MLCORE_OFFLINE`. In strict mode the store
    takes its time.
    """
    key = session.anchored(uri or session.tracking_uri)
    if session.settings.strict:
        return question(session.store(key))
    if session.recorder(key).is_down and (is_remote(key) or session.settings.offline):
        raise unavailable(session, key)
    return ask(key, lambda: question(session.store(key)), session.settings.patience_s)


def unavailable(session: Session, uri: str) -> StoreUnavailableError:
    """Return the error for a store that is not asked: because the user said so, or because it did not answer before."""
    if session.settings.offline:
        return session.offline_error(uri)
    from mlcore.tracking.recorder import JournalRecorder

    recorder = session.recorder(uri)
    outage = recorder.outage if isinstance(recorder, JournalRecorder) else None
    return StoreUnavailableError(outage.message if outage is not None else f"{redacted(uri)} does not answer")


@contextmanager
def explaining(session: Session, uri: str | None = None) -> Iterator[None]:
    """Add to the error of a store that does not answer what waits for it, and how to deliver that."""
    try:
        yield
    except StoreUnavailableError as err:
        folder = session.recorder(uri).folder("-") if not session.settings.strict else None
        if folder is not None:
            spool = folder.path.parent
            count = len({found.parent for found in spool.glob("*/*.journal")})
            waiting = f"{count} runs wait" if count != 1 else "1 run waits"
            err.add_note(
                f"reading needs the store, recording goes on: {waiting} in {str(spool)!r}; "
                "`mlcore sync` delivers what waits when it answers"
            )
        raise


def pending_id(name: str) -> str:
    """Return what stands for the id of the experiment called *name* until its store can be asked."""
    return f"pending-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def experiment_called(session: Session, name: str, uri: str | None = None) -> Experiment:
    """Return the experiment called *name*, made if it is not there; one that is pending when the store is down.

    Raises InvalidStateError: it is deleted.
    """
    from mlcore.delivery.creation import experiment_in

    try:
        return ask_store(session, lambda store: experiment_in(store, name), uri)
    except MlcoreError as err:
        _go_on(session, uri, err)
    session.pending_experiments[pending_id(name)] = name
    return Experiment(pending_id(name), name, "")


def experiment_on_trust(session: Session, experiment_id: str, uri: str | None = None) -> Experiment:
    """Return an experiment; nothing but its id when the store is down."""
    name = session.pending_experiments.get(experiment_id)
    if name is not None:
        return experiment_called(session, name, uri)
    try:
        return ask_store(session, lambda store: store.get_experiment(experiment_id), uri)
    except MlcoreError as err:
        _go_on(session, uri, err)
    return Experiment(experiment_id, "", "")


def begin(session: Session, new: NewRun, uri: str | None = None) -> Run:
    """Create a run in its store, or in the spool when the store is down; then it is created there later.

    Raises what the store raises, but for outages; StoreUnavailableError: the spool cannot be written, either.
    """
    from mlcore.delivery.creation import experiment_in

    name = session.pending_experiments.get(new.experiment_id)

    def create(store: TrackingStore) -> Run:
        return store.create_run(
            new if name is None else evolve(new, experiment_id=experiment_in(store, name).experiment_id)
        )

    is_asked = not session.recorder(uri).is_down
    try:
        return ask_store(session, create, uri)
    except MlcoreError as err:
        folder, outage = _go_on(session, uri, err, new.run_id), err
    recorder = session.recorder(uri)
    parent = new.tags.get(tags.PARENT_RUN_ID)
    above = recorder.folder(parent) if parent else None
    try:
        recorder.pend(new.run_id, (parent,) if parent and above is not None and above.facts().is_pending else ())
        folder.note(is_tried=is_asked, experiment_name=name)
    except OSError as err:
        raise StoreUnavailableError(
            f"{outage.message}; and nothing can wait for it in {str(folder.path.parent)!r} ({err.strerror or err}): make "
            "room there, or set MLCORE_SPOOL_DIR to a place that can be written"
        ) from err
    recorder.write(new.run_id, RunCreation(new, name))
    return spooled_run(session, new.run_id, uri) or _created(new, folder)


def resumed(session: Session, run_id: str, experiment_id: str | None, uri: str | None = None) -> Run:
    """Return a run that is to go on: from the store, from the spool, or on trust when the store is down."""
    spooled = spooled_run(session, run_id, uri)
    if spooled is not None:
        return spooled
    run_id = session.server_run_id(run_id, uri)
    try:
        return ask_store(session, lambda store: store.get_run(run_id), uri)
    except MlcoreError as err:
        _go_on(session, uri, err, run_id)
    logger.warning("run %s goes on without a look at it: what is recorded is delivered if the run is there", run_id)
    return Run(RunInfo(run_id, experiment_id or "", "", "", RunStatus.RUNNING, 0, None, ""))


def change_store(
    session: Session,
    run_id: str,
    change: Callable[[TrackingStore, str], T],
    *,
    otherwise: Recorded,
    uri: str | None = None,
) -> T | None:
    """Change a run in its store; through its journal when that is down, or does not have the run yet.

    change: gets the store and the id that the run has there. otherwise: what says the same in a journal.
    Returns what *change* returns; None when it goes through the journal. Raises what the store raises, but for outages.
    """
    folder = session.recorder(uri).folder(run_id)
    if folder is None or not folder.facts().is_pending:
        try:
            return ask_store(session, lambda store: change(store, session.server_run_id(run_id, uri)), uri)
        except MlcoreError as err:
            _go_on(session, uri, err, run_id)
    session.recorder(uri).write(run_id, otherwise)
    return None


def spooled_run(session: Session, run_id: str, uri: str | None = None) -> Run | None:
    """Return a run that is in the spool alone, with all that was recorded; None when it is none of these."""
    folder = session.recorder(uri).folder(run_id)
    if folder is None or not folder.facts().is_pending:
        return None
    entries = _entries(folder)
    creation = next((e.recorded for e in entries if isinstance(e.recorded, RunCreation)), None)
    if creation is None:
        return None
    from mlcore.tracking.fold import fold

    return fold(_created(creation.new, folder), entries)


def spooled_points(session: Session, run_id: str, uri: str | None = None) -> list[Metric] | None:
    """Return all points of a run that is in the spool alone, by timestamp, step and value; None when it is none of these."""
    folder = session.recorder(uri).folder(run_id)
    if folder is None or not folder.facts().is_pending:
        return None
    batches = (entry.recorded for entry in _entries(folder) if isinstance(entry.recorded, Batch))
    points = [point for batch in batches for point in batch.metrics]
    return sorted(points, key=lambda p: (p.timestamp, p.step, math.isnan(p.value), p.value))


def known_run(session: Session, at_start: Run | None, run_id: str, uri: str | None = None) -> Run:
    """Return a run as it is; when the store is down: what it was at its start, and what was recorded here since.

    Raises StoreUnavailableError: the store is down and nobody here has started the run.
    """
    recorder = session.recorder(uri)
    recorder.flush(run_id)
    spooled = spooled_run(session, run_id, uri)
    if spooled is not None:
        return spooled
    folder = recorder.folder(run_id)
    try:
        return ask_store(session, lambda store: store.get_run(session.server_run_id(run_id, uri)), uri)
    except MlcoreError as err:
        if folder is None or at_start is None or not is_outage(err):
            raise
    from mlcore.tracking.fold import fold

    return fold(at_start, _entries(folder))


def artifact_root(session: Session, run_id: str, uri: str | None = None) -> str:
    """Return the root of a run's artifacts: a folder of the spool as long as the run is there alone."""
    folder = session.recorder(uri).folder(run_id)
    if folder is not None:
        facts = folder.facts()
        if facts.is_pending or facts.artifact_uri:
            return facts.artifact_uri or file_uri(folder.artifacts)
    with explaining(session, uri):
        return session.store(uri).get_run(session.server_run_id(run_id, uri)).info.artifact_uri


def _created(new: NewRun, folder: RunFolder) -> Run:
    from mlcore.tracking.fold import created

    return created(new, file_uri(folder.artifacts))


def _entries(folder: RunFolder) -> list[Entry]:
    from mlcore.journal import read_journal

    found: list[tuple[int, int, Entry]] = []
    for number, path in enumerate(folder.journals()):
        try:
            _, entries, _ = read_journal(path)
        except (CorruptStoreError, UnsupportedError, FileNotFoundError):
            continue
        found += [(entry.at, number, entry) for entry in entries]
    return [entry for _, _, entry in sorted(found, key=lambda each: each[:2])]


def _go_on(session: Session, uri: str | None, err: MlcoreError, run_id: str = "-") -> RunFolder:
    """Return where to go on without the store. Raises *err*: it is no outage, or the store is on this machine."""
    place = session.anchored(uri or session.tracking_uri)
    if session.settings.strict or not is_outage(err) or not (is_remote(place) or session.settings.offline):
        raise err
    recorder = session.recorder(uri)
    folder = recorder.folder(run_id)
    if folder is None:
        raise err
    if not recorder.is_down:
        recorder.report_down(err)
    return folder
