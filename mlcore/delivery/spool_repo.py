"""An artifact repository in a folder of the spool: files of a run that wait for their store."""

# ruff: noqa: PTH104, PTH105, PTH106, PTH108, PTH118, PTH120  # paths are plain texts here, as in all that moves files
from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from mlcore.artifacts.local_files import CHUNK_BYTES, is_staging, make_dirs, open_new, staging_name, write_error
from mlcore.entities import FileInfo, SpooledArtifact
from mlcore.errors import ArtifactNotFoundError, ArtifactWriteError, InvalidParameterError, StoreUnavailableError
from mlcore.uris import relative_path

_FILE_MODE, _DIR_MODE = 0o600, 0o700
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR)


class SpoolRepo:
    """Keep files of one run as a plain tree, readable for its user alone.

    A file is written beside its place and renamed. Whoever wrote it is told its size and checksum afterwards, so that a
    journal says what waits here.
    """

    def __init__(self, root: Path, written: Callable[[SpooledArtifact], object] | None = None) -> None:
        """Use the folder *root*, which is made at the first write.

        written: told of each file after it is in its place.
        """
        self._root = os.path.realpath(root)
        self._written = written

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the direct children of a directory, sorted by path."""
        checked = relative_path(path)
        found: list[FileInfo] = []
        try:
            with os.scandir(self._place(checked)) as entries:
                for entry in entries:
                    below = f"{checked}/{entry.name}" if checked else entry.name
                    info = None if is_staging(entry.name) else _described(below, entry.stat(follow_symlinks=False))
                    found += [info] if info is not None else []
        except OSError as err:
            if err.errno not in _ABSENT:
                raise self._unreadable(checked, err) from err
        return sorted(found, key=lambda info: info.path)

    def stat(self, path: str) -> FileInfo | None:
        """Return what is known of a file or directory; None when it is not there."""
        checked = relative_path(path)
        if _is_unfinished(checked):
            return None
        try:
            return _described(checked, os.lstat(self._place(checked)))
        except OSError as err:
            if err.errno in _ABSENT:
                return None
            raise self._unreadable(checked, err) from err

    def read(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises ArtifactNotFoundError: there is no such file."""
        checked = relative_path(path)
        info = self.stat(checked)
        if info is None or info.is_dir:
            raise self._not_found(checked)
        try:
            return Path(self._place(checked)).open("rb")
        except OSError as err:
            if err.errno in _ABSENT:
                raise self._not_found(checked) from err
            raise self._unreadable(checked, err) from err

    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        """Store a file, replacing what is there: readers see the old or the new one, never a part.

        Raises ArtifactWriteError: the disk is full, or *source* has another size; nothing of the new file is left.
        """
        checked = relative_path(path)
        if not checked or _is_unfinished(checked):
            raise InvalidParameterError(f"invalid artifact path {path!r}: expected the name of a file below the root")
        target = self._place(checked)
        folder = os.path.dirname(target)
        unfinished = os.path.join(folder, staging_name())
        made: list[str] = []
        complete = False
        try:
            made, file = _make(folder, unfinished)
            digest = _fill(file, source, size_bytes)
            os.replace(unfinished, target)
            complete = True
        except OSError as err:
            _take_back(unfinished, made)
            raise write_error(err, f"artifact {checked!r} in the spool", _nearest(folder), size_bytes) from err
        finally:
            if not complete:
                _take_back(unfinished, made)
        if self._written is not None:
            self._written(SpooledArtifact(checked, size_bytes, digest))

    def delete(self, path: str) -> None:
        """Remove a file, or a directory with all in it. Raises ArtifactNotFoundError: nothing is there."""
        checked = relative_path(path)
        target = self._place(checked)
        hidden = os.path.join(os.path.dirname(target), staging_name())
        try:
            os.rename(target, hidden)
            if stat.S_ISDIR(os.lstat(hidden).st_mode):
                shutil.rmtree(hidden)
            else:
                os.unlink(hidden)
        except OSError as err:
            if err.errno in _ABSENT:
                raise self._not_found(checked) from err
            raise ArtifactWriteError(f"cannot delete artifact {checked!r} in the spool: {err.strerror or err}") from err

    def close(self) -> None:
        """Do nothing: there are no connections."""

    # For those who deliver

    def local_file(self, path: str) -> Path:
        """Return where a file is on this machine."""
        return Path(self._place(relative_path(path)))

    def holds(self, spooled: SpooledArtifact) -> bool:
        """Whether the file that waits under that path is the one that was spooled, and not a later one."""
        try:
            with self.read(spooled.path) as file:
                return _digest(file) == spooled.sha256
        except ArtifactNotFoundError:
            return False

    def drop(self, spooled: SpooledArtifact) -> None:
        """Remove a file that is delivered, and folders that it leaves empty, unless a later one has taken its place."""
        target = self._place(spooled.path)
        hidden = os.path.join(os.path.dirname(target), staging_name())
        with suppress(OSError):
            os.rename(target, hidden)
            with open(hidden, "rb") as file:  # noqa: PTH123  # a text, as all paths here
                is_later = _digest(file) != spooled.sha256
            if is_later:
                with suppress(FileExistsError):  # a still later one has come meanwhile
                    os.link(hidden, target)
            os.unlink(hidden)
        folder = os.path.dirname(target)
        while folder.startswith(self._root):
            try:
                os.rmdir(folder)
            except OSError:  # others wait there
                break
            folder = os.path.dirname(folder)

    def files(self, path: str = "") -> Iterator[FileInfo]:
        """Yield all files at or below a path."""
        for info in self.list(path):
            if info.is_dir:
                yield from self.files(info.path)
            else:
                yield info

    def _place(self, checked: str) -> str:
        try:
            os.fsencode(checked)
        except UnicodeEncodeError as err:
            raise InvalidParameterError(f"invalid artifact path {checked[:80]!r}: it is not valid Unicode") from err
        return os.path.join(self._root, checked) if checked else self._root

    def _not_found(self, checked: str) -> ArtifactNotFoundError:
        return ArtifactNotFoundError(f"no artifact {checked!r} in the spool ({self._root!r})")

    def _unreadable(self, checked: str, err: OSError) -> StoreUnavailableError:
        return StoreUnavailableError(
            f"cannot read artifact {checked!r} in the spool ({self._root!r}): {err.strerror or err}"
        )


def _is_unfinished(checked: str) -> bool:
    return any(is_staging(part) for part in checked.split("/"))


def _described(path: str, info: os.stat_result) -> FileInfo | None:
    if stat.S_ISDIR(info.st_mode):
        return FileInfo(path, is_dir=True)
    return FileInfo(path, is_dir=False, file_size=info.st_size) if stat.S_ISREG(info.st_mode) else None


def _make(folder: str, unfinished: str) -> tuple[list[str], BinaryIO]:
    """Return the folders that were made, and a new file in the innermost."""
    while True:
        made = make_dirs(folder, _DIR_MODE)
        try:
            return made, open_new(unfinished, _FILE_MODE)
        except FileNotFoundError:  # whoever delivers removes folders that are empty
            if not made and not os.path.isdir(os.path.dirname(folder)):  # noqa: PTH112  # as above
                raise


def _fill(file: BinaryIO, source: BinaryIO, size_bytes: int) -> str:
    """Copy *source* into a new file and return its SHA-256."""
    digest = hashlib.sha256()
    stored = 0
    with file as target:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
            target.write(chunk)
            stored += len(chunk)
    if stored != size_bytes:
        raise ArtifactWriteError(f"expected {size_bytes} bytes to store, the source gave {stored}; nothing is stored")
    return digest.hexdigest()


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _take_back(unfinished: str, made: Sequence[str]) -> None:
    with suppress(OSError):
        os.unlink(unfinished)
    for folder in reversed(made):
        with suppress(OSError):  # in use by somebody else by now
            os.rmdir(folder)


def _nearest(folder: str) -> str:
    place = Path(folder)
    return str(next(p for p in (place, *place.parents) if p.is_dir()))
