"""What one process delivers for one run: its journals in order, and what the store said of them."""

from __future__ import annotations

import contextlib
import json
import random
import time

from attrs import frozen

from mlcore.delivery.outgoing import Outgoing, Stretch
from mlcore.delivery.spool import RunFolder
from mlcore.delivery.writing import RunWriter
from mlcore.entities import Batch, InputsUse, Recorded, RunChange, RunCreation, TagRemoval
from mlcore.errors import MlcoreError

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 30.0
_TOLD = 8


@frozen
class Refusal:
    """Something that was recorded and that the store will never take.

    writer, start, end: where it stands: the bytes of a journal. what: for people, such as `param 'lr'`.
    """

    run_id: str
    writer: str
    start: int
    end: int
    what: str
    error: MlcoreError

    def __str__(self) -> str:
        return f"{self.what}: {self.error.message}"


class Backoff:
    """How long to wait before the next attempt: longer after each failure, never the same for two processes."""

    def __init__(self) -> None:
        """Begin without a failure."""
        self.failures: int = 0
        self.until: float = 0.0

    def failed(self) -> None:
        """Count a failure."""
        pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self.failures, 20))
        self.failures += 1
        self.until = time.monotonic() + pause * random.uniform(0.5, 1.0)  # noqa: S311  # no secret hangs on it

    def worked(self) -> None:
        """Count a success."""
        self.failures = 0
        self.until = 0.0

    @property
    def left_s(self) -> float:
        """How long to wait still."""
        return max(0.0, self.until - time.monotonic())


class Lane:
    """The journals of one run that this process delivers."""

    def __init__(self, folder: RunFolder) -> None:
        """Begin with none."""
        self.folder: RunFolder = folder
        self.run_id: str = folder.run_id
        self.outgoing: list[Outgoing] = []
        self.writer: RunWriter | None = None
        self.refusals: list[Refusal] = []
        self.held: MlcoreError | None = None
        self.backoff: Backoff = Backoff()
        self.dropped: int = 0
        self.untold: bool = False
        self.reported: int = 0
        self.dropped_reported: int = 0
        self.undelivered_reported: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether something is not delivered yet."""
        return any(outgoing.is_waiting for outgoing in self.outgoing)

    def add(self, outgoing: Outgoing) -> None:
        """Deliver one more journal, after those that were begun before it."""
        self.outgoing = sorted([*self.outgoing, outgoing], key=lambda o: o.reader.header.origin.created)

    def refuse(self, writer: str, stretch: Stretch, error: MlcoreError) -> Refusal:
        """Remember what the store refused, here and in the spool."""
        recorded = stretch.entry.recorded
        refusal = Refusal(self.run_id, writer, stretch.start, stretch.end, named(recorded), error)
        self.refusals.append(refusal)
        self.untold = True
        sequence = stretch.entry.sequence
        with contextlib.suppress(OSError):
            if any((told.get("writer"), told.get("sequence")) == (writer, sequence) for told in self.folder.refusals()):
                return refusal  # delivered once more, as nobody could remember how far it was
            self.folder.refuse(
                {
                    "writer": writer,
                    "sequence": sequence,
                    "at": stretch.entry.at,
                    "what": refusal.what,
                    "error": error.code,
                    "message": error.message,
                    "recorded": plain(recorded),
                }
            )
        return refusal

    def told(self) -> str:
        """Return what was refused as the text of the run's tag; empty when nothing was."""
        if not self.refusals:
            return ""
        last = [{"what": r.what, "error": r.error.code, "message": r.error.message[:500]} for r in self.refusals]
        return json.dumps({"count": len(last), "last": last[-_TOLD:]}, ensure_ascii=False)

    def lost(self) -> str:
        """Return how many records were lost as the text of the run's tag; empty when none was."""
        return json.dumps({"count": self.dropped}) if self.dropped else ""


def named(recorded: Recorded) -> str:
    """Return what an entry is, for people."""
    match recorded:
        case Batch():
            kinds = (("param", recorded.params), ("tag", recorded.tags), ("metric", recorded.metrics))
            filled = [(kind, part) for kind, part in kinds if part]
            return ", ".join(
                f"{kind} {part[0].key!r}" if len(part) == 1 else f"{len(part)} {kind}s such as {part[0].key!r}"
                for kind, part in filled
            )
        case RunChange():
            return f"status {recorded.status}" if recorded.status else "change of the run"
        case TagRemoval():
            return f"removal of tag {recorded.key!r}"
        case InputsUse():
            return f"{len(recorded.inputs)} datasets"
        case RunCreation():
            return "the run itself"
    return type(recorded).__name__


def plain(recorded: Recorded) -> dict[str, object]:
    """Return an entry in plain values, as they are kept of what was refused."""
    if isinstance(recorded, Batch):
        return {
            "metrics": [[m.key, m.value, m.timestamp, m.step] for m in recorded.metrics],
            "params": [[p.key, p.value] for p in recorded.params],
            "tags": [[t.key, t.value] for t in recorded.tags],
        }
    from mlcore.journal.entries import encode

    said: dict[str, object] = json.loads(encode(recorded, 0)[1:])
    return said
