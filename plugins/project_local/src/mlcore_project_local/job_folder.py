"""What is kept of a job on the disk, so that another process can ask for it by its id."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from pathlib import Path

from attrs import asdict, frozen

from mlcore.delivery.locks import lives
from mlcore_project_local.orphans import started

_KEPT_S = 7 * 24 * 3600  # output that nobody has asked to forget


@frozen
class Begin:
    """How a job began: its process, when the system started that, and the process that waits for its end."""

    pid: int
    started: str
    owner: int
    owner_started: str


@frozen
class End:
    """How a job's process ended: its exit code, or the negative number of a signal; None when nobody has seen it."""

    code: int | None
    is_cancelled: bool


class JobFolder:
    """The directory of a job."""

    def __init__(self, path: Path) -> None:
        """Use a directory; it need not be there."""
        self.path = path
        self.output: Path = path / "output.log"

    @property
    def exists(self) -> bool:
        """Whether there is such a job."""
        return self.output.is_file()

    def make(self) -> None:
        """Make the directory, for this user alone."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.mkdir(mode=0o700)
        self.output.touch(mode=0o600)

    def begin(self, pid: int) -> None:
        """Keep which process the job is."""
        self._write("begin.json", asdict(Begin(pid, started(pid), os.getpid(), started(os.getpid()))))

    def begun(self) -> Begin | None:
        """Return how the job began; None when it has not."""
        found = self._read("begin.json")
        return Begin(**found) if found else None  # type: ignore[arg-type]  # written by `begin`

    def mark_cancelled(self) -> None:
        """Keep that somebody wanted the job to stop."""
        with contextlib.suppress(OSError):
            (self.path / "cancelled").touch()

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody wanted the job to stop."""
        return (self.path / "cancelled").exists()

    def end(self, code: int | None) -> None:
        """Keep how the process ended."""
        with contextlib.suppress(OSError):  # somebody has deleted it all
            self._write("end.json", {"code": code})

    def ended(self) -> End | None:
        """Return how the job ended; None as long as it goes on."""
        found = self._read("end.json")
        if found is not None:
            return End(found["code"], self.is_cancelled)  # type: ignore[arg-type]  # written by `end`
        begun = self.begun()
        if begun is None or is_same(begun.pid, begun.started) or is_same(begun.owner, begun.owner_started):
            return None  # while its owner lives, that one writes the end
        found = self._read("end.json")  # it may have done so a moment ago
        return End(found["code"] if found else None, self.is_cancelled)  # type: ignore[arg-type]  # as above

    def delete(self) -> None:
        """Delete everything that is kept."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _write(self, name: str, values: dict[str, object]) -> None:
        new = self.path / f"{name}.new"
        new.write_text(json.dumps(values))
        new.replace(self.path / name)

    def _read(self, name: str) -> dict[str, object] | None:
        try:
            found: dict[str, object] = json.loads((self.path / name).read_bytes())
        except (OSError, ValueError):
            return None
        return found


def is_same(pid: int, since: str) -> bool:
    """Whether the process *pid* lives and is the one that was started *since*: ids are used again."""
    return lives(pid) and started(pid) == since


def prune(root: Path) -> None:
    """Delete what was kept of jobs that nobody has touched for a week and that have ended."""
    oldest = time.time() - _KEPT_S
    try:
        old = [Path(each.path) for each in os.scandir(root) if each.stat().st_mtime < oldest]
    except OSError:
        return
    for path in old:
        folder = JobFolder(path)
        if folder.ended() is not None:
            folder.delete()
