"""Deliver what processes have left in the spool, from outside of them; and tell what waits there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import frozen

from mlcore.delivery import leftovers
from mlcore.delivery.lanes import Lane
from mlcore.delivery.outbox import Outbox, Policy
from mlcore.delivery.outgoing import Outgoing
from mlcore.delivery.spool import RunFolder, Spool
from mlcore.delivery.spool_repo import SpoolRepo
from mlcore.delivery.spooled_files import Files, files_left
from mlcore.errors import CorruptStoreError, MlcoreError, NotFoundError, UnsupportedError
from mlcore.interfaces import ArtifactRepo, TrackingStore
from mlcore.journal import JournalReader


@frozen
class Waiting:
    """What of one run is in the spool.

    journal_bytes: of journals, not delivered yet. artifact_bytes: of files. refused: how many records the store
    refused; they stay in `folder/refused.jsonl`. is_live: a process writes into it. is_pending: the store does not
    have the run yet. refusal: what was refused last, and why. damaged: how many journals were damaged and are kept.
    """

    store: str
    run_id: str
    folder: Path
    journal_bytes: int
    artifact_bytes: int
    refused: int
    is_live: bool
    is_pending: bool
    refusal: str | None = None
    damaged: int = 0


@frozen
class Synced:
    """What came of the delivery of one run: what waits still, and why."""

    store: str
    run_id: str
    delivered_bytes: int
    waiting_bytes: int
    refused: int
    error: MlcoreError | None = None


def waiting(spool: Spool) -> Iterator[Waiting]:
    """Yield what is in the spool of a store, run by run, but for notes of runs that are delivered; reads only."""
    for folder in spool.runs():
        paths, refusals = folder.journals(), folder.refusals()
        found = Waiting(
            store=spool.uri,
            run_id=folder.run_id,
            folder=folder.path,
            journal_bytes=sum(_unsent(folder, path) for path in paths),
            artifact_bytes=sum(info.file_size or 0 for info in SpoolRepo(folder.artifacts).files()),
            refused=len(refusals),
            refusal=f"{refusals[-1].get('what')}: {refusals[-1].get('message')}" if refusals else None,
            is_live=any(_is_written(path) for path in paths),
            is_pending=folder.facts().is_pending,
            damaged=len(list(folder.path.glob("*.damaged"))),
        )
        if paths or found.artifact_bytes or found.refused or found.damaged or found.is_pending:
            yield found


def sync(
    spool: Spool,
    open_store: Callable[[], TrackingStore],
    policy: Policy,
    open_repo: Callable[[str], ArtifactRepo] | None = None,
    *,
    is_other: bool = False,
) -> list[Synced]:
    """Deliver all that waits for a store and that no other process delivers at the moment.

    open_repo: opens the repository at an artifact URI; without it files stay in the spool.
    is_other: the store is perhaps not the one for which it was recorded: what belongs to runs that it does not have, and
    that were not begun offline, stays in the spool.
    A store that does not answer is asked again for *policy.patience_s*. Journals of processes that go on are delivered
    as far as they are.
    """
    outbox = Outbox(spool, open_store, policy, open_repo)
    outbox.shipper.is_quiet = True
    passed_over: list[Outgoing] = []
    try:
        done = _sync(outbox, open_store, passed_over, is_other=is_other)
    finally:  # also when Ctrl-C ends it: what is not delivered is somebody else's to deliver and to tell
        outbox.release()
        for outgoing in passed_over:
            outgoing.release()
    if open_repo is not None:
        done += _files_again(spool, open_store, open_repo)
    spool.tidy()
    return done


def _sync(
    outbox: Outbox, open_store: Callable[[], TrackingStore], passed_over: list[Outgoing], *, is_other: bool
) -> list[Synced]:
    spool = outbox.spool
    before: dict[str, int] = {}
    done: list[Synced] = []
    for folder, outgoing in leftovers.claim(spool, outbox.is_mine, living=True):
        unsent = _unsent(folder, outgoing.reader.path)
        missing = _missing(folder, open_store, spool.uri) if is_other else None
        if missing is None:
            outbox.lane(folder).add(outgoing)
            before[folder.run_id] = before.get(folder.run_id, 0) + unsent
        else:
            done.append(Synced(spool.uri, folder.run_id, 0, unsent, 0, missing))
            passed_over.append(outgoing)  # and held to the end, or the shipper would find it
    lanes = outbox.lanes()
    _deliver(outbox, outbox.policy.patience_s)
    done += [_outcome(outbox, lane, before.get(lane.run_id, 0)) for lane in lanes]
    return done


def _outcome(outbox: Outbox, lane: Lane, waited_bytes: int) -> Synced:
    left = sum(max(0, outgoing.end - outgoing.sent) for outgoing in lane.outgoing)
    error = (lane.held or outbox.shipper.down) if left else None
    return Synced(outbox.spool.uri, lane.run_id, max(0, waited_bytes - left), left, len(lane.refusals), error)


def _files_again(
    spool: Spool, open_store: Callable[[], TrackingStore], open_repo: Callable[[str], ArtifactRepo]
) -> Iterator[Synced]:
    """Offer files once more that their repository refused; permissions get repaired and disks emptied."""
    files = Files(open_repo, lambda: None)
    for folder in spool.runs():
        run_id = folder.facts().server_run_id or folder.run_id
        for spooled in files_left(folder):
            size, error = spooled.size_bytes, None
            try:
                files.deliver(open_store(), folder, run_id, spooled)
            except MlcoreError as err:
                error = err
            yield Synced(spool.uri, folder.run_id, 0 if error else size, size if error else 0, 0, error)
        folder.tidy()


def _missing(folder: RunFolder, open_store: Callable[[], TrackingStore], recorded_for: str) -> MlcoreError | None:
    """Return what to say when a store lacks the run of a folder; None when it has it, or when the run is yet to be made."""
    facts = folder.facts()
    if facts.is_pending:
        return None
    try:
        open_store().get_run(facts.server_run_id or folder.run_id)
    except NotFoundError:
        return NotFoundError(
            f"run {folder.run_id!r} was begun in {recorded_for} and is not in this store: copy it there first (mlcore import)"
        )
    except MlcoreError:  # the delivery meets it, too, and tells
        return None
    return None


def _deliver(outbox: Outbox, patience_s: float) -> None:
    """Deliver until nothing waits, or nothing moves any more."""
    shipper = outbox.shipper
    deadline = time.monotonic() + patience_s
    while True:
        if shipper.round():
            deadline = time.monotonic() + patience_s
            continue
        if not any(lane.is_waiting or lane.untold or lane.outgoing for lane in outbox.lanes()):
            return
        pauses = [shipper.backoff.left_s, *(lane.backoff.left_s for lane in outbox.lanes() if lane.is_waiting)]
        pause = max(0.001, *pauses)
        if time.monotonic() + pause >= deadline or not (shipper.down or any(lane.held for lane in outbox.lanes())):
            return
        time.sleep(pause)


def _unsent(folder: RunFolder, path: Path) -> int:
    """Return how much of a journal is not delivered; room at its end does not count."""
    try:
        reader = JournalReader.open(path)
        sent = max(folder.sent(reader.header.origin.writer), reader.start)
        since = sent
        while True:
            chunk = reader.read(since, is_live=True)
            end = chunk.entries[-1].sequence if chunk.entries else since
            if chunk.is_last or chunk.end == since:
                return chunk.end - sent if end or chunk.entries else 0
            since = chunk.end
    except (OSError, CorruptStoreError, UnsupportedError):
        return 0


def _is_written(path: Path) -> bool:
    try:
        return not leftovers.is_left(path)
    except OSError:
        return False
