"""Directories that are made once, for all processes of a machine, and are whole or not there: where environments are."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from mlcore.delivery import locks
from mlcore.errors import InvalidStateError, NotFoundError, ProjectError
from mlcore.interfaces import EnvironmentRecord
from mlcore.projects.cache import size_below

READY = ".ready"
_LOCKS = ".locks"
_PAUSE_S = 0.02


class EnvironmentFolders:
    """The environments of one manager, below one directory.

    Each id has a directory. What is made in it has a new name at each try, so that what a killed maker left behind, or
    what its installer still writes, is in nobody's way; the file `.ready`, written last, says which is the one.
    """

    def __init__(self, root: Path) -> None:
        """Use *root*, which need not exist."""
        self.root = root
        self._held: dict[str, int] = {}
        weakref.finalize(self, _close, self._held)

    def make(self, env_id: str, build: Callable[[Path], Mapping[str, object]]) -> Path:
        """Return the directory of the environment *env_id*; call *build* to make it where it is not there.

        Until this object is gone, or the process, others can't remove it. One of several callers builds, in whatever
        process or thread; the others wait for it.
        build: gets a new path, at which nothing is; returns what `facts` is to tell, plain JSON values.
        Raises ProjectError: the directory can't be written; and whatever *build* raises, after which nothing is left.
        """
        try:
            (self.root / _LOCKS).mkdir(parents=True, exist_ok=True)
            self._hold(env_id)
            with contextlib.suppress(NotFoundError):
                return self.find(env_id)
            with self._building(env_id):
                with contextlib.suppress(NotFoundError):
                    return self.find(env_id)
                return self._build(env_id, build)
        except OSError as err:
            raise ProjectError(
                f"environments can't be kept in {str(self.root)!r}: {err.strerror or err}; MLCORE_CACHE_DIR, or the setting "
                "cache_dir, names another place"
            ) from err

    def use(self, env_id: str) -> Path:
        """Return the directory of an environment that is there, and hold it as `make` does; it counts as used now."""
        self.find(env_id)
        with contextlib.suppress(OSError):  # a cache that only others may write
            self._hold(env_id)
        path = self.find(env_id)
        self.touch(env_id)
        return path

    def find(self, env_id: str) -> Path:
        """Return the directory of an environment that is there. Raises NotFoundError: no such environment."""
        return self.root / env_id / str(self._state(env_id)["place"])

    def facts(self, env_id: str) -> Mapping[str, object]:
        """Return what was told when the environment was made. Raises NotFoundError: no such environment."""
        found = self._state(env_id).get("facts")
        return found if isinstance(found, dict) else {}

    def ids(self) -> tuple[str, ...]:
        """Return the ids of all environments that are there, sorted."""
        return tuple(sorted(each.parent.name for each in self.root.glob(f"*/{READY}")))

    def touch(self, env_id: str) -> None:
        """Remember that the environment is used now."""
        with contextlib.suppress(OSError):  # gone, or a cache that only others may write
            os.utime(self.root / env_id / READY)

    def record(self, env_id: str) -> EnvironmentRecord:
        """Return what is known of an environment. Raises NotFoundError: no such environment."""
        state, facts = self._state(env_id), self.facts(env_id)
        try:
            used = (self.root / env_id / READY).stat().st_mtime_ns // 1_000_000
        except OSError:
            raise self._unknown(env_id) from None
        created, asked = state.get("created_ms"), facts.get("requirements")
        return EnvironmentRecord(
            env_id=env_id,
            created_ms=created if isinstance(created, int) else used,
            used_ms=used,
            size_bytes=size_below(self.root / env_id),
            python=str(facts.get("python", "")),
            requirements=tuple(map(str, asked)) if isinstance(asked, list) else (),
        )

    def remove(self, env_id: str) -> None:
        """Delete an environment, and what killed makers left.

        Raises NotFoundError: no such environment. InvalidStateError: somebody else uses it.
        """
        place = self.find(env_id)
        self._let_go(env_id)
        with self._alone(env_id, place):
            (self.root / env_id / READY).unlink(missing_ok=True)
            shutil.rmtree(self.root / env_id, ignore_errors=True)
        self.sweep()

    def sweep(self) -> None:
        """Delete what killed makers left."""
        for folder in [each for each in self.root.glob("*") if each.name != _LOCKS and not (each / READY).exists()]:
            lock = locks.take(self._lock(folder.name, "build"))
            if lock is not None:
                with contextlib.closing(_Closing(lock)):
                    if not (folder / READY).exists():
                        shutil.rmtree(folder, ignore_errors=True)

    def _build(self, env_id: str, build: Callable[[Path], Mapping[str, object]]) -> Path:
        home = self.root / env_id
        shutil.rmtree(home, ignore_errors=True)
        place = uuid.uuid4().hex[:8]
        home.mkdir(exist_ok=True)
        try:
            facts = build(home / place)
            state = {"place": place, "created_ms": time.time_ns() // 1_000_000, "facts": dict(facts)}
            (home / f"{place}.json").write_text(json.dumps(state), "utf-8")
            (home / f"{place}.json").replace(home / READY)
        except BaseException:
            shutil.rmtree(home, ignore_errors=True)
            raise
        return home / place

    def _state(self, env_id: str) -> Mapping[str, object]:
        if not env_id or env_id != Path(env_id).name or env_id == _LOCKS:
            raise self._unknown(env_id)
        try:
            state: Mapping[str, object] = json.loads((self.root / env_id / READY).read_text("utf-8"))
        except (OSError, ValueError):
            raise self._unknown(env_id) from None
        return state

    def _unknown(self, env_id: str) -> NotFoundError:
        return NotFoundError(
            f"no environment {env_id!r} in {str(self.root)!r} (there: {', '.join(self.ids()) or 'none'})"
        )

    def _lock(self, env_id: str, what: str) -> Path:
        return self.root / _LOCKS / f"{env_id}.{what}"

    @contextlib.contextmanager
    def _building(self, env_id: str) -> Iterator[None]:
        while (lock := locks.take(self._lock(env_id, "build"))) is None:
            time.sleep(_PAUSE_S)
        with contextlib.closing(_Closing(lock)):
            yield

    def _hold(self, env_id: str) -> None:
        """Share the lock that somebody who removes the environment has to have alone."""
        if env_id in self._held:
            return
        fd = os.open(self._lock(env_id, "use"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while locks.share(fd) is False:  # it is being removed, which ends soon
            time.sleep(_PAUSE_S)
        if self._held.setdefault(env_id, fd) != fd:
            os.close(fd)

    def _let_go(self, env_id: str) -> None:
        fd = self._held.pop(env_id, None)
        if fd is not None:
            os.close(fd)

    @contextlib.contextmanager
    def _alone(self, env_id: str, place: Path) -> Iterator[None]:
        fd = os.open(self._lock(env_id, "use"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if locks.hold(fd) is False or _is_running(place):
                raise InvalidStateError(f"environment {env_id!r} is in use: remove it when what runs in it has ended")
            yield
        finally:
            os.close(fd)


class _Closing:
    """A lock as something to close."""

    def __init__(self, lock: locks.FileLock) -> None:
        self.close: Callable[[], None] = lock.release


def _close(held: dict[str, int]) -> None:
    for fd in held.values():
        os.close(fd)


def _is_running(place: Path) -> bool:
    """Whether a process of this user runs in the environment, also where who started it is gone; seen on Linux only."""
    wanted = {f"{name}={place}".encode() for name in ("VIRTUAL_ENV", "CONDA_PREFIX")}
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):  # somebody else's, or ended
            if not wanted.isdisjoint(environ.read_bytes().split(b"\0")):
                return True
    return False
