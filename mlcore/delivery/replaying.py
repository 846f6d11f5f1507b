"""Bring entries of a journal to a store: those that it will never take are told, everything else raises."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

from mlcore.delivery.creation import create, translated
from mlcore.delivery.outgoing import Stretch, entries_of
from mlcore.delivery.spool import RunFolder
from mlcore.delivery.spooled_files import Files
from mlcore.entities import (
    Batch,
    InputsUse,
    Note,
    Recorded,
    RunChange,
    RunCreation,
    RunTag,
    SpooledArtifact,
    TagRemoval,
)
from mlcore.errors import (
    AlreadyExistsError,
    BadRequestError,
    ConflictError,
    InvalidParameterError,
    InvalidStateError,
    LimitExceededError,
    MlcoreError,
    NotFoundError,
    ParamConflictError,
    StoreUnavailableError,
    TooLargeError,
    UnsupportedError,
)
from mlcore.interfaces import ChoosesRunIds, SupportsReplay, TrackingStore
from mlcore.wire import limits

logger: logging.Logger = logging.getLogger(__name__)

# What a store says once and for all of an entry; anything else may be different the next time.
FINAL = (InvalidParameterError, BadRequestError, NotFoundError, AlreadyExistsError, ConflictError, UnsupportedError)

_LATE_MS = 2000  # what is delivered at once needs no look at the store

V = TypeVar("V")

Refusals = list[tuple[Stretch, MlcoreError]]


class Target:
    """A run in a store, for which a journal is delivered."""

    def __init__(self, store: TrackingStore, folder: RunFolder, run_id: str, files: Files | None = None) -> None:
        """Deliver to *store* what waits for *run_id*, under the id that the run has there.

        files: delivers what waits in the folder; without it files stay there.
        """
        self._files = files
        self.store: TrackingStore = store
        self.folder: RunFolder = folder
        self.run_id: str = folder.facts().server_run_id or run_id

    def deliver(self, writer: str, stretches: Sequence[Stretch]) -> Refusals:
        """Store entries of one journal, in order; return those that the store will never take, and why.

        Raises what the store raises when it may take them later: nothing is known then of how much is stored, and all
        of it has to be delivered again.
        """
        refused: Refusals = []
        for is_plain, group in groupby(self._without_overtaken(stretches), _is_plain):
            together = list(group)
            if is_plain and isinstance(self.store, SupportsReplay):
                refused += self._replay(self.store, writer, together)
                continue
            for stretch in together:
                try:
                    self._apply(stretch.entry.recorded)
                except FINAL as err:
                    refused.append((stretch, err))
        return refused

    def _without_overtaken(self, stretches: Sequence[Stretch]) -> Sequence[Stretch]:
        """Leave out changes of the run's status that come late, when it has ended after them.

        Two processes may end one run: a project's command, and who attends it and has the last word. What they say
        waits in two journals, in no order.
        """
        changes = [at for each in stretches if (at := _changed_at(each)) is not None]
        if not changes or time.time_ns() // 1_000_000 - min(changes) < _LATE_MS:
            return stretches
        try:
            info = self.store.get_run(self.run_id).info
        except NotFoundError:  # it is made by what is delivered here
            return stretches
        last = info.end_time if info.status.is_terminated() else None
        if last is None:
            return stretches
        return [each for each in stretches if (at := _changed_at(each)) is None or at >= last]

    def _replay(self, store: SupportsReplay, writer: str, stretches: list[Stretch]) -> Refusals:
        try:
            told = store.replay(self.run_id, writer, entries_of(stretches))
        except FINAL as err:
            return [(stretch, err) for stretch in stretches]
        found = {stretch.entry.sequence: stretch for stretch in stretches}
        return [(found[sequence], err) for sequence, err in told]

    def _apply(self, recorded: Recorded) -> None:
        match recorded:
            case RunCreation():
                self.run_id = self._create(recorded)
            case SpooledArtifact():
                if self._files is not None:
                    self._files.deliver(self.store, self.folder, self.run_id, recorded)
            case Note():
                pass
            case _:
                is_known_elsewhere = isinstance(self.store, ChoosesRunIds)
                apply(self.store, self.run_id, translated(recorded, self.folder) if is_known_elsewhere else recorded)

    def _create(self, creation: RunCreation) -> str:
        try:
            return create(self.store, self.folder, creation)
        except FINAL as err:
            # nothing of the run can be stored without it: all of it waits until somebody has seen to that
            raise MlcoreError(f"run {self.run_id!r} cannot be created in its store: {err.message}") from err


def apply(store: TrackingStore, run_id: str, recorded: Recorded) -> None:
    """Store one entry by the contract that every store has. Raises what the store raises."""
    match recorded:
        case Batch():
            for piece in split(recorded):
                _log(store, run_id, piece)
        case RunChange():
            store.update_run(run_id, recorded)
        case TagRemoval():
            try:
                store.delete_tag(run_id, recorded.key)
            except NotFoundError:
                store.get_run(run_id)  # raises when it is the run that is missing
        case InputsUse():
            store.log_inputs(run_id, recorded.inputs)
        case _:
            raise UnsupportedError(f"a {type(recorded).__name__} waits for the shipper, no store takes it as it is")


def _log(store: TrackingStore, run_id: str, batch: Batch) -> None:
    """Store a batch; one that is refused as a whole goes in smaller pieces, as far as it can be divided."""
    try:
        store.log_batch(run_id, batch)
    except (ParamConflictError, InvalidStateError):
        raise
    except (InvalidParameterError, BadRequestError, TooLargeError):  # one bad point among many, or too much at once
        pieces = halves(batch)
        if not pieces:
            raise
        failed: MlcoreError | None = None
        for piece in pieces:
            try:
                _log(store, run_id, piece)
            except TooLargeError as err:  # perhaps not for ever: all of it comes again
                failed = err
            except FINAL as err:
                failed = failed if isinstance(failed, TooLargeError) else err
        if failed is not None:
            raise failed from None


def halves(batch: Batch) -> tuple[Batch, ...]:
    """Return two batches that are this one; none when it cannot be divided."""
    for name in ("params", "tags", "metrics"):
        part = getattr(batch, name)
        if len(part) > 1:
            middle = len(part) // 2
            rest = Batch(*[() if n == name else getattr(batch, n) for n in ("metrics", "params", "tags")])
            first, second = Batch(**{name: part[:middle]}), Batch(**{name: part[middle:]})
            return tuple(b for b in (first, second, rest) if b != Batch())
    kinds = [Batch(params=batch.params), Batch(tags=batch.tags), Batch(batch.metrics)]
    filled = tuple(b for b in kinds if b != Batch())
    return filled if len(filled) > 1 else ()


def split(batch: Batch) -> list[Batch]:
    """Cut a batch into requests within the limits: params and tags first, then points in order."""
    total = len(batch.metrics) + len(batch.params) + len(batch.tags)
    fits = len(batch.params) <= limits.BATCH_PARAMS and len(batch.tags) <= limits.BATCH_TAGS
    if total <= limits.BATCH_TOTAL and fits:
        return [batch]
    pieces = [Batch(params=part) for part in _parts(batch.params, limits.BATCH_PARAMS)]
    pieces += [Batch(tags=part) for part in _parts(batch.tags, limits.BATCH_TAGS)]
    pieces += [Batch(metrics=part) for part in _parts(batch.metrics, limits.BATCH_METRICS)]
    return pieces


def _parts(items: tuple[V, ...], size: int) -> Iterator[tuple[V, ...]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _changed_at(stretch: Stretch) -> int | None:
    """Return when the run's status was changed, in ms; None for anything else that was recorded."""
    recorded = stretch.entry.recorded
    if not isinstance(recorded, RunChange) or recorded.status is None:
        return None
    return stretch.entry.at if recorded.end_time is None else recorded.end_time


def _is_plain(stretch: Stretch) -> bool:
    return isinstance(stretch.entry.recorded, (Batch, RunChange, TagRemoval, InputsUse))


def tell(store: TrackingStore, run_id: str, told: Mapping[str, str]) -> None:
    """Set tags that tell of what went wrong, empty ones left out; what the store will never take is given up.

    Raises StoreUnavailableError, LimitExceededError: try again.
    """
    found = tuple(RunTag(key, text) for key, text in told.items() if text)
    try:
        store.log_batch(run_id, Batch(tags=found))
    except (StoreUnavailableError, LimitExceededError):
        raise
    except MlcoreError as err:
        logger.warning("run %s: what was refused could not be noted with it: %s", run_id, err.message)
