"""Who may touch a journal: locks that die with their process."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl
else:  # pragma: no cover
    fcntl = None


class FileLock:
    """A lock that is held until `release`, or until the process is gone.

    By `flock`; on file systems without it a file that names its holder stands for the lock, and counts no more when no
    such process runs on this machine. A holder on another machine is believed to live.
    """

    def __init__(self, fd: int, holder: Path | None = None) -> None:
        """Use `take`."""
        self._fd = fd
        self._holder = holder
        self._pid = os.getpid()

    def fileno(self) -> int:
        """Return the descriptor that holds the lock; a child that inherits it holds the lock as well."""
        return self._fd

    def release(self) -> None:
        """Let go; a second call, or one in a forked child, changes nothing for the holder."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._holder is not None and self._pid == os.getpid():
            self._holder.unlink(missing_ok=True)
            self._holder = None


def take(path: Path) -> FileLock | None:
    """Return the lock that the file *path* stands for, made when it is missing; None when somebody else holds it.

    Raises OSError: the file cannot be made.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    found = hold(fd)
    if found is None:
        return _take_by_name(path.with_name(path.name + ".holder"), fd)
    if found:
        return FileLock(fd)
    os.close(fd)
    return None


def hold(fd: int) -> bool | None:
    """Lock an open file for as long as it is open.

    Returns False when somebody else has it, None when the file system knows no such locks.
    """
    return _locked(fd, alone=True)


def share(fd: int) -> bool | None:
    """Share the lock of an open file with others that share it, for as long as it is open.

    Returns False when somebody holds it alone, None when the file system knows no such locks.
    """
    return _locked(fd, alone=False)


def _locked(fd: int, *, alone: bool) -> bool | None:
    if fcntl is None:  # pragma: no cover
        return None
    try:
        fcntl.flock(fd, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # ENOLCK, ENOSYS, EOPNOTSUPP: a file system without locks
        return None
    return True


def _take_by_name(holder: Path, fd: int) -> FileLock | None:
    for _ in range(2):
        try:
            made = os.open(holder, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            if not _is_gone(holder):
                break
            holder.unlink(missing_ok=True)
            continue
        with os.fdopen(made, "w") as file:
            file.write(f"{socket.gethostname()} {os.getpid()}")
        return FileLock(fd, holder)
    os.close(fd)
    return None


def _is_gone(holder: Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        host, pid = holder.read_text().split()
        return host == socket.gethostname() and not lives(int(pid))
    return False


def lives(pid: int) -> bool:
    """Return whether a process of this machine has this id and has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Return whether a process has ended and its parent has not asked for it yet; False where that cannot be seen."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state in (b"Z", b"X")
