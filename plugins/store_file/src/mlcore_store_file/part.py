"""What the parts of the file store share."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from attrs import define, field

from mlcore.entities import Note, Recorded
from mlcore.errors import StoreUnavailableError
from mlcore_store_file.clock import Clock
from mlcore_store_file.following import Faults
from mlcore_store_file.layout import Layout
from mlcore_store_file.writers import StoreJournal, Writers


@define(eq=False)
class Place:
    """A store's folders, this process's journals in them, its clock, and the lock of its threads.

    artifact_root: absolute URI below which new experiments put artifacts, or None.
    """

    layout: Layout
    artifact_root: str | None = None
    writers: Writers = field(factory=Writers)
    clock: Clock = field(factory=Clock)
    faults: Faults = field(factory=Faults)
    lock: AbstractContextManager[bool] = field(factory=threading.RLock)

    @classmethod
    def open(cls, path: Path, artifact_root: str | None = None) -> Place:
        """Make or open the store in a directory."""
        layout = Layout(path.absolute())
        layout.prepare()
        place = cls(layout, artifact_root)
        _all.add(place)
        return place

    def abandon(self) -> None:
        """Let go of what belongs to the parent, in a forked child."""
        self.lock = threading.RLock()
        self.clock.abandon()
        self.writers.abandon()

    def append(self, journal: StoreJournal, recorded: Recorded, at: int) -> None:
        """Record an entry. Raises StoreUnavailableError: the disk is full, or cannot be written."""
        try:
            journal.write(recorded, at)
        except (OSError, ValueError) as err:
            raise StoreUnavailableError(f"cannot record in {str(journal.path)!r}: {err}") from err

    def note(self, folder: Path, subject: str, name: str, data: Mapping[str, object]) -> int:
        """Record a note of an object, later than everything that this process knows; return its time."""
        at = self.clock.after()
        self.append(self.writers.journal(folder, subject, at), Note(name, data), at)
        return at


_all: weakref.WeakSet[Place] = weakref.WeakSet()


def _in_child() -> None:
    for place in _all:
        place.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
