"""A plugin for tests: the stores in memory, kept in a file that processes share; one scheme per way of breaking it.

Every method locks the file, reads the state, works, and writes the state anew. What follows the scheme is the file.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlcore.errors import CorruptStoreError
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.testing import MemoryRegistryStore, MemoryTrackingStore

FAULTS = ("good", "unlocked", "torn", "deferred", "remembers", "halves")
_PARTS = ("experiments", "runs", "lines", "moves", "requests")
_WINDOW_S = 0.002  # how long a fault is open to others


@hookimpl
def tracking_store(uri: str) -> TrackingStore | None:
    return _open(MemoryTrackingStore, uri)  # type: ignore[return-value]  # it has the methods, by __getattr__


@hookimpl
def registry_store(uri: str) -> RegistryStore | None:
    return _open(MemoryRegistryStore, uri)  # type: ignore[return-value]  # it has the methods, by __getattr__


def _open(kind: type[object], uri: str) -> Durable | None:
    fault, _, path = uri.partition(":")
    return Durable(kind, Path(path), fault) if fault in FAULTS else None


class Durable:
    """A store in memory whose state is in a file."""

    def __init__(self, kind: type[object], path: Path, fault: str) -> None:
        self._kind, self._path, self._fault = kind, path, fault
        self._kept: object = None
        self._unwritten = 0
        with self._alone():
            if not path.exists():
                self._write(kind())

    def __getattr__(self, name: str) -> object:
        if name.startswith("_") or not hasattr(self._kind, name):
            raise AttributeError(name)

        def call(*args: object, **kwargs: object) -> object:
            with self._alone():
                memory = self._read()
                if self._fault == "halves":
                    self._in_halves(memory, name, kwargs)
                answer = getattr(memory, name)(*args, **kwargs)
                if self._fault == "unlocked":
                    time.sleep(_WINDOW_S)
                self._write(memory)
            return answer

        return call

    def close(self) -> None:
        self._kept = None

    def _in_halves(self, memory: object, name: str, kwargs: dict[str, object]) -> None:
        """Make the first half of some changes a step of its own."""
        if name == "log_batch" or (name == "update_version" and kwargs["archive_existing"]):
            half = {"archive_existing": True, "stage": "Production", "description": None}
            if isinstance(memory, MemoryRegistryStore) and name == "update_version":
                for line in memory.lines.values():
                    for number, found in line.versions.items():
                        if found.current_stage == half["stage"]:
                            memory.update_version(
                                line.model.name, number, description=None, stage="Archived", archive_existing=False
                            )
            self._write(memory)
            time.sleep(_WINDOW_S)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._fault == "unlocked":
            yield
            return
        with Path(f"{self._path}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self) -> object:
        if self._kept is not None:
            return self._kept
        made = self._kind()
        try:
            vars(made).update(pickle.loads(self._path.read_bytes()))
        except (EOFError, pickle.UnpicklingError, FileNotFoundError) as err:
            raise CorruptStoreError(f"cannot read {str(self._path)!r}: {err}") from err
        return made

    def _write(self, memory: object) -> None:
        state = pickle.dumps({part: value for part, value in vars(memory).items() if part in _PARTS})
        if self._fault in ("remembers", "deferred"):
            self._kept = memory
        self._unwritten += 1
        if self._fault == "deferred" and self._unwritten % 1000 and self._path.exists():
            return
        if self._fault == "torn":
            with self._path.open("wb") as file:
                file.write(state[:-10])
                file.flush()
                time.sleep(_WINDOW_S)
                file.write(state[-10:])
            return
        unfinished = Path(f"{self._path}.{os.getpid()}")
        unfinished.write_bytes(state)
        unfinished.replace(self._path)
