"""What transfers and local repositories do with local files: safe modes, hidden unfinished names, clear errors."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from mlcore.errors import ArtifactWriteError, InvalidParameterError

STAGING_PREFIX = ".mlcore-staging-"
CHUNK_BYTES = 1 << 20
# Who finds one of these takes the directory around it for complete, so they are the last to appear.
MARKERS = frozenset({"MLmodel"})

_O_BINARY = getattr(os, "O_BINARY", 0)
_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota is used up",
    errno.EFBIG: "it is larger than the process or the file system may have files",
}


def staging_name() -> str:
    """Return a new name for what is not finished yet; listings and uploads leave such names out."""
    return f"{STAGING_PREFIX}{uuid.uuid4().hex}"


def is_staging(name: str) -> bool:
    """Whether *name* (one part of a path) is of something that is not finished yet."""
    return name.startswith(STAGING_PREFIX)


def is_marker(path: str) -> bool:
    """Whether the file at *path* says to others that the directory around it is complete."""
    return path.rpartition("/")[2] in MARKERS


def make_dirs(path: str | os.PathLike[str], mode: int) -> list[str]:
    """Make a directory and its missing parents, each with *mode*; return those made, outermost first.

    `os.makedirs` gives the parents whatever the umask leaves, which may be writable for everybody.
    """
    missing: list[str] = []
    place = os.fspath(path)
    while place and not os.path.isdir(place):  # noqa: PTH112  # Path.is_dir raises where one may not look
        missing.append(place)
        parent = str(Path(place).parent)
        if parent == place:
            break
        place = parent
    made: list[str] = []
    for folder in reversed(missing):
        with suppress(FileExistsError):  # somebody else made it meanwhile
            os.mkdir(folder, mode)  # noqa: PTH102  # Path.mkdir asks once more whether it exists
            made.append(folder)
    return made


def open_new(path: str | os.PathLike[str], mode: int) -> BinaryIO:
    """Open a file that is not there yet for writing; never follows a link that somebody put there."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _O_BINARY, mode), "wb")


def write_error(err: OSError, shown: str, directory: str, needed_bytes: int) -> ArtifactWriteError:
    """Make the error for a file that could not be stored; call it after the unfinished file is gone.

    shown: what was to be stored, for people.
    directory: where it was to be; its free space is told when the place is full.
    """
    full = _FULL.get(err.errno or 0)
    if full is None:
        return ArtifactWriteError(f"cannot store {shown}: {err.strerror or err} (in {directory!r})")
    free = "an unknown number of"
    with suppress(OSError):
        free = str(shutil.disk_usage(directory).free)
    return ArtifactWriteError(
        f"cannot store {shown}: {full}; {needed_bytes} bytes are needed, {free} bytes are free in {directory!r}; "
        "free some space or choose another artifact root"
    )


@frozen
class SourceFile:
    """A local file to send: where it is, its path below the tree's root with slashes, and its size."""

    local: str
    path: str
    size_bytes: int


def source_file(local: Path) -> SourceFile:
    """Look at one local file; links are followed, for the caller named it.

    Raises InvalidParameterError: it is not there, or not a regular file.
    """
    try:
        info = local.stat()
    except OSError as err:
        raise InvalidParameterError(f"cannot upload {str(local)!r}: {err.strerror}") from err
    if stat.S_ISDIR(info.st_mode):
        raise InvalidParameterError(f"cannot upload {str(local)!r} as a file: it is a directory")
    _check_regular(str(local), info)
    return SourceFile(str(local), local.name, info.st_size)


def source_tree(local_dir: Path) -> list[SourceFile]:
    """List the files of a local tree, sorted by path; leftovers of interrupted transfers are left out.

    Links to files and directories inside the tree are followed; the empty directories of a tree are not listed.
    Raises InvalidParameterError: no such directory; a link that leads out of the tree, nowhere or in a circle; a
    socket, pipe or device.
    """
    root = os.path.realpath(local_dir)
    if not Path(root).is_dir():
        raise InvalidParameterError(f"cannot upload {str(local_dir)!r}: it is not a directory")
    return sorted(_walk(root, "", root, (root,)), key=lambda file: file.path)


def _walk(directory: str, below: str, root: str, real: tuple[str, ...]) -> Iterator[SourceFile]:
    """Yield the files of *directory*; *real* holds the real paths of it and of all directories around it."""
    try:
        with os.scandir(directory) as found:
            entries = list(found)
    except OSError as err:
        raise InvalidParameterError(f"cannot upload {directory!r}: {err.strerror}") from err
    for entry in entries:
        if is_staging(entry.name):
            continue
        path = f"{below}/{entry.name}" if below else entry.name
        target = _inside(entry, root) if entry.is_symlink() else os.path.join(real[-1], entry.name)  # noqa: PTH118  # speed
        try:
            info = entry.stat()
        except OSError as err:
            raise InvalidParameterError(f"cannot upload {entry.path!r}: {err.strerror}") from err
        if not stat.S_ISDIR(info.st_mode):
            _check_regular(entry.path, info)
            yield SourceFile(entry.path, path, info.st_size)
        elif target in real:
            raise InvalidParameterError(f"cannot upload {entry.path!r}: the link leads in a circle to {target!r}")
        else:
            yield from _walk(entry.path, path, root, (*real, target))


def _inside(entry: os.DirEntry[str], root: str) -> str:
    """Return where a link leads; refuse it when that is outside of *root*, whose content alone was to be sent."""
    target = os.path.realpath(entry.path)
    if target != root and not target.startswith(root.rstrip(os.sep) + os.sep):
        raise InvalidParameterError(
            f"cannot upload {entry.path!r}: the link leads out of the tree, to {target!r}; "
            "put the file itself there, or upload it by its own path"
        )
    if not Path(target).exists():
        raise InvalidParameterError(f"cannot upload {entry.path!r}: the link leads to {target!r}, which is not there")
    return target


def _check_regular(shown: str, info: os.stat_result) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise InvalidParameterError(f"cannot upload {shown!r}: expected a regular file, found a socket, pipe or device")
    try:
        shown.encode("utf-8")
    except UnicodeEncodeError as err:
        raise InvalidParameterError(f"cannot upload {shown!r}: its name is not valid UTF-8; rename the file") from err
