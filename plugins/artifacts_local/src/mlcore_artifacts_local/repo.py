"""An artifact repository in a directory: atomic files and trees, and no way out of the root."""

# ruff: noqa: PTH102, PTH104, PTH105, PTH106, PTH108, PTH112, PTH116, PTH118, PTH120  # paths are plain texts here: Path objects double the time of small files
from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from mlcore.artifacts.local_files import CHUNK_BYTES, is_staging, make_dirs, open_new, staging_name, write_error
from mlcore.entities import FileInfo
from mlcore.errors import (
    AlreadyExistsError,
    ArtifactNotFoundError,
    ArtifactWriteError,
    InvalidParameterError,
    MlcoreError,
    PermissionDeniedError,
    StoreUnavailableError,
)
from mlcore.uris import local_path, relative_path
from mlcore_artifacts_local.leftovers import remove_stale

# Models hold code, so nobody else may change them, and reading is for the owner to allow: as of private keys.
_FILE_MODE = 0o600
_DIR_MODE = 0o700
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EISDIR)
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EBUSY)
# A pipe in the tree must not make its reader wait for ever; a link put there meanwhile must not be followed.
_READ_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class LocalRepo:
    """Keep artifacts in a directory, which is made at the first write; a single file is served too, as path ''.

    A file is written beside its place under a hidden name and then renamed; a tree likewise. Nothing is synced to
    the disk: a crash of the machine, not of a process, may lose what was written in the last seconds.
    """

    def __init__(self, root: str, shown: str) -> None:
        """Serve the directory *root*, called *shown* in errors."""
        self._root = os.path.realpath(root)
        self._shown = shown

    @classmethod
    def open(cls, uri: str) -> LocalRepo:
        """Serve a `file:` URI or a plain path; nothing is touched yet.

        Raises InvalidParameterError: another scheme, or another machine's file.
        """
        return cls(str(local_path(uri)), uri)

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the direct children of a directory, sorted by path; what is unfinished or leads out is left out."""
        checked, real = self._existing(path)
        if real is None:
            return ()
        try:
            with os.scandir(real) as scanned:
                entries = [*scanned]
        except OSError as err:
            if err.errno in _ABSENT:
                return ()
            raise self._read_error(err, checked) from err
        if any(is_staging(entry.name) for entry in entries):
            remove_stale(real)
        found = (info for entry in entries if (info := self._info(entry, checked)))
        return sorted(found, key=lambda info: info.path)

    def stat(self, path: str) -> FileInfo | None:
        """Return what is known of a file or directory; None when it is not there."""
        checked, real = self._existing(path)
        if real is None:
            return None
        try:
            return _described(checked, os.stat(real))
        except OSError as err:
            if err.errno in _ABSENT:
                return None
            raise self._read_error(err, checked) from err

    def read(self, path: str) -> BinaryIO:
        """Open a file for reading. Raises ArtifactNotFoundError: there is no such file."""
        checked, real = self._existing(path)
        if real is None:
            raise self._not_found(checked)
        try:
            descriptor = os.open(real, _READ_FLAGS)
        except OSError as err:
            raise self._read_error(err, checked) from err
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise self._not_found(checked)
        return os.fdopen(descriptor, "rb")

    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        """Store a file, replacing what is there: readers see the old or the new one, never a part.

        Raises ArtifactWriteError: the disk is full, the place refuses, or *source* has another size.
        """
        checked, target = self._writable(path)
        if not checked:
            raise InvalidParameterError(f"invalid artifact path {path!r}: expected the name of a file below the root")
        folder = os.path.dirname(target)
        unfinished = os.path.join(folder, staging_name())
        made: list[str] = []
        try:
            _fill(unfinished, source, size_bytes, made)
            os.replace(unfinished, target)
        except OSError as err:
            _take_back(unfinished, made)
            raise write_error(err, f"artifact {checked!r}", _nearest(folder), size_bytes) from err
        except BaseException:
            _take_back(unfinished, made)
            raise

    def delete(self, path: str) -> None:
        """Remove a file, or a directory with all in it, at once; a link is removed, not what it leads to.

        Raises ArtifactNotFoundError: nothing is there. ArtifactWriteError: the file system refuses.
        """
        checked, target = self._writable(path)
        if not checked:
            for child in self._existing_children():
                self.delete(child.path)
            return
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
            raise ArtifactWriteError(
                f"cannot delete artifact {checked!r} under {self._shown!r}: {err.strerror or err}"
            ) from err

    def close(self) -> None:
        """Do nothing: there are no connections."""

    @contextmanager
    def staged(self, path: str) -> Iterator[LocalRepo]:
        """Return a repository to fill; its files appear under *path* together when the block ends well.

        Raises AlreadyExistsError: something is there, or came there meanwhile; then nothing is published.
        """
        checked, target = self._writable(path)
        place = _nearest(os.path.dirname(target))
        remove_stale(place)
        staging = os.path.join(place, staging_name())
        try:
            os.mkdir(staging, _DIR_MODE)
        except OSError as err:
            raise write_error(err, f"artifact {checked!r}", place, 0) from err
        try:
            yield LocalRepo(staging, self._shown)
            self._publish(staging, target, checked)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _publish(self, staging: str, target: str, checked: str) -> None:
        made: list[str] = []
        try:
            made += make_dirs(os.path.dirname(target), _DIR_MODE)
            os.rename(staging, target)
        except OSError as err:
            _take_back("", made)
            if err.errno in _TAKEN:
                raise AlreadyExistsError(
                    f"artifact {checked!r} under {self._shown!r} is there already: a tree is published to a new place"
                ) from err
            raise write_error(err, f"artifact {checked!r}", _nearest(target), 0) from err

    def _checked(self, path: str) -> str:
        checked = relative_path(path)
        try:
            os.fsencode(checked)
        except UnicodeEncodeError as err:
            raise InvalidParameterError(f"invalid artifact path {path[:80]!r}: it is not valid Unicode") from err
        return checked

    def _existing(self, path: str) -> tuple[str, str | None]:
        """Return the checked path and where it really is; None when it is unfinished or a name no file can have."""
        checked = self._checked(path)
        if any(is_staging(part) for part in checked.split("/")):
            return checked, None
        full = os.path.join(self._root, checked) if checked else self._root
        return checked, self._inside(os.path.realpath(full), checked)

    def _writable(self, path: str) -> tuple[str, str]:
        """Return the checked path and where to put it: the directory is resolved, the name itself is not followed."""
        checked = self._checked(path)
        if any(is_staging(part) for part in checked.split("/")):
            raise InvalidParameterError(f"invalid artifact path {path!r}: names that start so are for unfinished files")
        if not checked:
            return checked, self._root
        folder, _, name = checked.rpartition("/")
        full = os.path.join(self._root, folder) if folder else self._root
        return checked, os.path.join(self._inside(os.path.realpath(full), checked), name)

    def _inside(self, real: str, checked: str) -> str:
        if real != self._root and not real.startswith(self._root.rstrip(os.sep) + os.sep):
            raise InvalidParameterError(
                f"invalid artifact path {checked!r}: a link leads out of {self._shown!r}; put the file itself there"
            )
        return real

    def _info(self, entry: os.DirEntry[str], folder: str) -> FileInfo | None:
        if is_staging(entry.name):
            return None
        path = f"{folder}/{entry.name}" if folder else entry.name
        try:
            if entry.is_symlink():
                self._inside(os.path.realpath(entry.path), path)
            return _described(path, entry.stat())
        except (OSError, MlcoreError):  # gone meanwhile, a dead link, or one that leads out
            return None

    def _existing_children(self) -> Sequence[FileInfo]:
        children = self.list()
        if not children and self.stat("") is None:
            raise self._not_found("")
        return children

    def _not_found(self, checked: str) -> ArtifactNotFoundError:
        return ArtifactNotFoundError(f"no artifact {checked!r} under {self._shown!r}")

    def _read_error(self, err: OSError, checked: str) -> MlcoreError:
        if err.errno in _ABSENT:
            return self._not_found(checked)
        text = f"cannot read artifact {checked!r} under {self._shown!r}: {err.strerror or err}"
        return PermissionDeniedError(text) if isinstance(err, PermissionError) else StoreUnavailableError(text)


def _described(path: str, info: os.stat_result) -> FileInfo | None:
    if stat.S_ISDIR(info.st_mode):
        return FileInfo(path, is_dir=True)
    # sockets, pipes and devices are nobody's artifacts
    return FileInfo(path, is_dir=False, file_size=info.st_size) if stat.S_ISREG(info.st_mode) else None


def _fill(unfinished: str, source: BinaryIO, size_bytes: int, made: list[str]) -> None:
    """Copy *source* into a new file, whose missing directories are made and noted in *made*."""
    try:
        target = open_new(unfinished, _FILE_MODE)
    except FileNotFoundError:
        made += make_dirs(os.path.dirname(unfinished), _DIR_MODE)
        target = open_new(unfinished, _FILE_MODE)
    with target:
        shutil.copyfileobj(source, target, CHUNK_BYTES)
        stored = target.tell()
    if stored != size_bytes:
        raise ArtifactWriteError(f"expected {size_bytes} bytes to store, the source gave {stored}; nothing is stored")


def _take_back(unfinished: str, made: Sequence[str]) -> None:
    with suppress(OSError):
        os.unlink(unfinished)
    for folder in reversed(made):
        with suppress(OSError):  # in use by somebody else by now
            os.rmdir(folder)


def _nearest(folder: str) -> str:
    """Return the nearest directory upwards that exists."""
    place = Path(folder)
    # Path.is_dir would raise where one may not look
    return str(next(p for p in (place, *place.parents) if os.path.isdir(p)))
