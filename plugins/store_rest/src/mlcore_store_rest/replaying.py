"""Stretches of journals for a server of mlcore, in pieces that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve

from mlcore.entities import Batch, Entry, InputsUse
from mlcore.errors import MlcoreError
from mlcore.wire.replay_json import refusals_in, replay_out
from mlcore_store_rest.meanings import refined
from mlcore_store_rest.service import Service, TooLargeError

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
            return self._send_parts(run_id, writer, entries[0])
        return [(at, refined(error)) for at, error in refusals_in(answer.get("refused"))]

    def _send_parts(self, run_id: str, writer: str, entry: Entry) -> Refused:
        """Send an entry that is too large as a whole.

        A point that comes twice is kept once, so points may go ahead; only the last part counts as the entry.
        """
        batch = entry.recorded
        if not isinstance(batch, Batch) or len(batch.metrics) < 2 or batch.params:
            error = TooLargeError(f"an entry of the run {run_id!r} is too large for the server, and counts as a whole")
            return [(entry.sequence, error)]
        middle = len(batch.metrics) // 2
        ahead = evolve(entry, recorded=Batch(batch.metrics[:middle]))
        # A writer of its own: the real one's position must not pass the entry before all of it is there.
        refused = self._send(run_id, f"{writer}.{entry.sequence}.{middle}", [ahead])
        if refused:
            return [(entry.sequence, refused[0][1])]
        return self._send(run_id, writer, [evolve(entry, recorded=evolve(batch, metrics=batch.metrics[middle:]))])


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
