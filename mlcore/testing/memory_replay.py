"""The part of the tracking store in memory that takes stretches of journals."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress

from attrs import define, field

from mlcore.entities import (
    Batch,
    DatasetInput,
    Entry,
    InputsUse,
    Recorded,
    RunChange,
    RunInfo,
    TagRemoval,
)
from mlcore.errors import InvalidStateError, MlcoreError, NotFoundError, ParamConflictError
from mlcore.testing.memory_logged import Kept, MemoryLoggedModels


@define
class Delivered:
    """How far a journal has been taken, and what was refused of it."""

    position: int
    refused: dict[int, MlcoreError] = field(factory=dict)


class MemoryReplay(MemoryLoggedModels):
    """Keep in a dict how far each journal has been taken."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self.delivered: dict[tuple[str, str], Delivered] = {}

    @abstractmethod
    def _find(self, run_id: str) -> Kept:
        """Return a run, deleted or not."""

    @abstractmethod
    def log_batch(self, run_id: str, batch: Batch) -> None:
        """Record params, points and tags of a run."""

    @abstractmethod
    def update_run(self, run_id: str, change: RunChange) -> RunInfo:
        """Change a run."""

    @abstractmethod
    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag."""

    @abstractmethod
    def log_inputs(self, run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
        """Record datasets."""

    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> list[tuple[int, MlcoreError]]:
        """Store entries of one journal, in order, in one step; those that were stored by an earlier call are skipped."""
        with self._lock:
            self._find(run_id)
            known = self.delivered.setdefault((run_id, writer), Delivered(-1))
            for entry in entries:
                if entry.sequence <= known.position:
                    continue
                known.position = entry.sequence
                try:
                    self._apply(run_id, entry.recorded)
                except (InvalidStateError, ParamConflictError) as error:
                    known.refused[entry.sequence] = error
            return [(at, known.refused[at]) for at in (entry.sequence for entry in entries) if at in known.refused]

    def _apply(self, run_id: str, recorded: Recorded) -> None:
        match recorded:
            case Batch():
                self.log_batch(run_id, recorded)
            case RunChange():
                self.update_run(run_id, recorded)
            case InputsUse():
                self.log_inputs(run_id, recorded.inputs)
            case TagRemoval():
                self._writable(run_id)
                with suppress(NotFoundError):  # it is gone, as was wanted
                    self.delete_tag(run_id, recorded.key)
            case _:
                raise TypeError(f"cannot replay {recorded!r}: expected a Batch, RunChange, TagRemoval or InputsUse")
