"""The one seam through which everything that is recorded goes on its way to a store."""

from __future__ import annotations

from typing import Protocol

from mlcore.entities import Batch
from mlcore.interfaces import TrackingStore
from mlcore.wire import limits


class Recorder(Protocol):
    """Take checked batches and bring them to a store, in order, each exactly once."""

    def record(self, run_id: str, batch: Batch) -> None:
        """Accept a batch of any size for a run."""
        ...

    def flush(self) -> None:
        """Return when everything accepted so far is in the store."""
        ...


class Delivery:
    """What a call with `synchronous=False` returns: the data is taken; `wait` until it is in the store."""

    def __init__(self, recorder: Recorder) -> None:
        """Wait for *recorder*."""
        self._recorder = recorder

    def wait(self) -> None:
        """Return when the store has the data. Raises what the store raised."""
        self._recorder.flush()


class DirectRecorder:
    """Bring each batch to the store before the call returns."""

    def __init__(self, store: TrackingStore) -> None:
        """Record into *store*."""
        self._store = store

    def record(self, run_id: str, batch: Batch) -> None:
        """Store the batch, in pieces when it is over the limits of one request.

        Raises what the store raises; of a batch in pieces, the pieces before the failed one are stored.
        """
        if len(batch.metrics) == 1 and not batch.params and not batch.tags:
            self._store.log_batch(run_id, batch)
            return
        for piece in split(batch):
            self._store.log_batch(run_id, piece)

    def flush(self) -> None:
        """Do nothing: nothing is ever left behind."""


def split(batch: Batch) -> list[Batch]:
    """Cut a batch into requests within the limits: params and tags first, then points in order."""
    total = len(batch.metrics) + len(batch.params) + len(batch.tags)
    fits = len(batch.params) <= limits.BATCH_PARAMS and len(batch.tags) <= limits.BATCH_TAGS
    if total <= limits.BATCH_TOTAL and fits:
        return [batch]
    pieces = [
        Batch(params=batch.params[i : i + limits.BATCH_PARAMS])
        for i in range(0, len(batch.params), limits.BATCH_PARAMS)
    ]
    pieces += [Batch(tags=batch.tags[i : i + limits.BATCH_TAGS]) for i in range(0, len(batch.tags), limits.BATCH_TAGS)]
    pieces += [
        Batch(metrics=batch.metrics[i : i + limits.BATCH_METRICS])
        for i in range(0, len(batch.metrics), limits.BATCH_METRICS)
    ]
    return pieces
