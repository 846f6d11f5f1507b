"""Stretches of journals for a server of mlcore, in pieces that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve

from mlcore.entities import Batch, Entry, InputsUse
from mlcore.errors import MlcoreError, TooLargeError
from mlcore.wire.replay_json import refusals_in, replay_out
from mlcore_store_rest.meanings import refined
from mlcore_store_rest.service import Service

Refused = list[tuple[int, MlcoreError]]

# Of one request, about; far below what servers take, and enough that the way there and back costs little.
_PIECE_BYTES = 4 * 2**20
_ENTRY_BYTES, _POINT_BYTES, _TEXT_BYTES, _OTHER_BYTES = 30, 60, 40, 500


class Replaying:
    """What a tracking store on a server does beside all else when the server's own store takes journals."""

    service: Service

    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        """Store entries of one journal, in order; those that were stored by an earlier call are skipped.

        What is too large for one request goes in several, each of them one step. When one of them fails, those
        before it are stored, and their refusals are told again when the call is repeated.
        Raises TooLargeError: what cannot be divided is too large for the server, or for a proxy, as they are now.
        """
        refused: Refused = []
        for piece in _pieces(entries):
            refused += self._send(run_id, writer, piece)
        return refused

    def _send(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        try:
            answer = self.service.call("runs/replay", replay_out(run_id, writer, entries))
        except TooLargeError:
            if len(entries) > 1:
                middle = len(entries) // 2
                return self._send(run_id, writer, entries[:middle]) + self._send(run_id, writer, entries[middle:])
            whole = _length(entries[0])
            if whole < 2:
                raise
            return self._send_part(run_id, writer, entries[0], 0, whole // 2) or self._send_part(
                run_id, writer, entries[0], whole // 2, whole
            )
        return [(at, refined(error)) for at, error in refusals_in(answer.get("refused"))]

    def _send_part(self, run_id: str, writer: str, entry: Entry, start: int, end: int) -> Refused:
        """Send some of the records of a batch that is too large as a whole, in smaller parts when need be.

        The last part counts as the entry. Those ahead of it have writers of their own, each the same in every attempt:
        the real one's position must not pass the entry before all of it is there. A part that is refused ends it.
        Raises TooLargeError: a part that cannot be divided is too large for now; what is ahead of it is stored.
        """
        name = writer if end == _length(entry) else f"{writer}.{entry.sequence}.{start}-{end}"
        try:
            answer = self.service.call("runs/replay", replay_out(run_id, name, [_part(entry, start, end)]))
        except TooLargeError:
            if end - start < 2:
                raise
            middle = (start + end) // 2
            return self._send_part(run_id, writer, entry, start, middle) or self._send_part(
                run_id, writer, entry, middle, end
            )
        return [(at, refined(error)) for at, error in refusals_in(answer.get("refused"))]


def _length(entry: Entry) -> int:
    """Return in how many parts an entry can go."""
    batch = entry.recorded
    return len(batch.params) + len(batch.metrics) + bool(batch.tags) if isinstance(batch, Batch) else 1


def _part(entry: Entry, start: int, end: int) -> Entry:
    """Return an entry with some of the records of a batch: params first, which may be refused, and tags last.

    Params and points may come twice. Tags must not go ahead of the entry: when it is there already, newer ones may be.
    """
    batch = entry.recorded
    if not isinstance(batch, Batch):
        return entry
    before = len(batch.params)
    metrics = batch.metrics[max(0, start - before) : max(0, end - before)]
    return evolve(entry, recorded=Batch(metrics, batch.params[start:end], batch.tags if end == _length(entry) else ()))


def _pieces(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Cut entries into requests; none at all make one, which says whether the run is there."""
    start = size = 0
    for number, entry in enumerate(entries):
        more = _size(entry)
        if number > start and size + more > _PIECE_BYTES:
            yield entries[start:number]
            start, size = number, 0
        size += more
    if start < len(entries) or not entries:
        yield entries[start:]


def _size(entry: Entry) -> int:
    recorded = entry.recorded
    if isinstance(recorded, Batch):
        size = _ENTRY_BYTES + _POINT_BYTES * len(recorded.metrics)
        size += sum([_TEXT_BYTES + len(param.key) + len(param.value) for param in recorded.params])
        return size + sum([_TEXT_BYTES + len(tag.key) + len(tag.value) for tag in recorded.tags])
    size = _OTHER_BYTES
    if isinstance(recorded, InputsUse):
        for used in recorded.inputs:
            data = used.dataset
            size += _OTHER_BYTES + len(data.source) + len(data.schema or "") + len(data.profile or "")
    return size
