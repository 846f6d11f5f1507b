"""Fetch files and trees from a repository: streamed, counted, hashed, and visible whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from mlcore.artifacts.following import Follower
from mlcore.artifacts.local_files import CHUNK_BYTES, is_marker, make_dirs, open_new, staging_name, write_error
from mlcore.artifacts.measured import Transfer
from mlcore.artifacts.parallel import Counted, each, is_large
from mlcore.artifacts.progress import Progress, auto
from mlcore.entities import FileInfo
from mlcore.errors import (
    ArtifactNotFoundError,
    ArtifactWriteError,
    ChecksumError,
    CorruptStoreError,
    InvalidParameterError,
    StoreUnavailableError,
)
from mlcore.interfaces import ArtifactRepo, SupportsArrivals, SupportsFileTransfer
from mlcore.uris import relative_path

# Never writable for others, whatever the umask; readable as the umask says.
_FILE_MODE = 0o644
_DIR_MODE = 0o755
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EBUSY)


def download_file(
    repo: ArtifactRepo, path: str, local: str | PathLike[str], *, progress: Progress | None = None
) -> Transfer:
    """Fetch the file *path* as *local*, replacing a file that is there; missing directories are made.

    progress: a bar on a terminal, else silent, when not given.
    Raises ArtifactNotFoundError: there is no such file. InvalidParameterError: *local* is a directory.
    ArtifactWriteError: it cannot be written. StoreUnavailableError: it came incomplete. Then *local* is as it was.
    """
    source, target = relative_path(path), Path(local)
    if target.is_dir():
        raise InvalidParameterError(f"cannot download {path!r} as {str(target)!r}: that is a directory")
    info = repo.stat(source)
    if info is None or info.is_dir:
        what = "is a directory; use download_tree" if info else "is not there"
        raise ArtifactNotFoundError(f"no artifact file {path!r}: it {what}")
    shown = progress or auto("downloading")
    shown.start(info.file_size, 1)
    try:
        _make_place(target.parent)
        unfinished = target.parent / staging_name()
        try:
            received = _receive(repo, _mover(repo), info, unfinished, shown)
            _move(unfinished, target)
        finally:
            unfinished.unlink(missing_ok=True)
    finally:
        shown.done()
    return received


def download_tree(
    repo: ArtifactRepo, path: str, local_dir: str | PathLike[str], *, progress: Progress | None = None
) -> tuple[Transfer, ...]:
    """Fetch all files below *path* into the directory *local_dir*, by their paths below *path*.

    A new *local_dir* appears at once when all is there; into an existing one the files are moved when all are
    there, and what it held besides stays.
    Returns what was fetched, by path (below the repository's root).
    Raises ArtifactNotFoundError: there is nothing. InvalidParameterError: *path* or *local_dir* is a file.
    CorruptStoreError: the repository lists files outside of *path*. Else as `download_file`.
    """
    root, target = relative_path(path), Path(local_dir)
    files = files_below(repo, root)
    _check_tree(repo, root, target, files)
    shown = progress or auto("downloading")
    sizes = [info.file_size for info in files]
    shown.start(None if None in sizes else sum(size or 0 for size in sizes), len(files))
    merge = target.is_dir()
    place = target if merge else target.parent
    _make_place(place)
    staging = place / staging_name()
    try:
        _make_place(staging)
        for folder in {(staging / _inner(root, info.path)).parent for info in files}:
            _make_place(folder)
        counted, mover = Counted(shown), _mover(repo)
        arrived = each(
            repo,
            lambda info: _receive(repo, mover, info, staging / _inner(root, info.path), counted),
            files,
            [info.file_size or 0 for info in files],
        )
        received = sorted(arrived, key=lambda transfer: transfer.path)
        if merge or not _appear(staging, target):
            _merge(staging, target, [_inner(root, info.path) for info in files])
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        shown.done()
    return tuple(received)


def files_below(repo: ArtifactRepo, root: str) -> list[FileInfo]:
    """Return all files below a directory, sorted by path; empty for a file, or where nothing is.

    Raises CorruptStoreError: the repository lists files outside of it.
    """
    return sorted(_walk(repo, root), key=lambda info: info.path)


def _walk(repo: ArtifactRepo, folder: str) -> Iterator[FileInfo]:
    for info in repo.list(folder):
        # What a repository answers may come from another machine: it must not choose where files land here.
        name = info.path.removeprefix(f"{folder}/") if folder else info.path
        if not name or "/" in name or relative_path(info.path) != info.path or (folder and name == info.path):
            raise CorruptStoreError(f"the repository lists {info.path!r} as a child of {folder!r}, which it is not")
        if info.is_dir:
            yield from _walk(repo, info.path)
        else:
            yield info


def _check_tree(repo: ArtifactRepo, root: str, target: Path, files: Sequence[FileInfo]) -> None:
    if root and not files:
        info = repo.stat(root)
        if info is None:
            raise ArtifactNotFoundError(f"no artifact directory {root!r}: it is not there")
        if not info.is_dir:
            raise InvalidParameterError(f"artifact {root!r} is a file; use download_file")
    if target.exists() and not target.is_dir():
        raise InvalidParameterError(f"cannot download into {str(target)!r}: expected a directory, found a file")


def _mover(repo: ArtifactRepo) -> SupportsFileTransfer | None:
    # Asked once for many files: the question takes a tenth of the time of a small one.
    return repo if isinstance(repo, SupportsFileTransfer) else None


def _receive(
    repo: ArtifactRepo, mover: SupportsFileTransfer | None, info: FileInfo, local: Path, shown: Progress
) -> Transfer:
    """Fetch one file into a new local file; the caller removes what is left of it after an error."""
    if mover is not None and is_large(mover, info.file_size or 0):
        return _receive_large(mover, info, local, shown)
    digest, size = hashlib.sha256(), 0
    with repo.read(info.path) as source:
        try:
            with open_new(local, _FILE_MODE) as target:
                while chunk := _read(source, info.path):
                    digest.update(chunk)
                    size += len(chunk)
                    target.write(chunk)
                    shown.advance(len(chunk))
        except OSError as err:
            with suppress(OSError):
                local.unlink()
            raise write_error(err, f"the download of {info.path!r}", str(local.parent), info.file_size or size) from err
    if info.file_size not in (None, size):
        _check_replaced(repo, info, size)
    return Transfer(info.path, size, digest.hexdigest())


def _receive_large(repo: SupportsFileTransfer, info: FileInfo, local: Path, shown: Progress) -> Transfer:
    """Let the repository fetch one file, then read what arrived: its size and hash are found out here."""
    size = 0
    try:
        open_new(local, _FILE_MODE).close()
        with Follower(local, shown.advance) as follower:
            if isinstance(repo, SupportsArrivals):
                recorded = repo.get_file_in_pieces(info.path, str(local), follower.arrived)
            else:
                recorded = repo.get_file(info.path, str(local), shown.advance)
            size, sha256 = follower.finish()
    except OSError as err:
        with suppress(OSError):
            local.unlink()
        raise write_error(err, f"the download of {info.path!r}", str(local.parent), info.file_size or size) from err
    if recorded is not None and recorded != sha256:
        raise ChecksumError(
            f"artifact {info.path!r} came with SHA-256 {sha256}, but {recorded} was recorded when it was "
            "stored: the storage or the way to it changed it; fetch it again, and upload it again if that does not help"
        )
    if isinstance(repo, ArtifactRepo) and info.file_size not in (None, size):
        _check_replaced(repo, info, size)
    return Transfer(info.path, size, sha256)


def _read(source: BinaryIO, path: str) -> bytes:
    try:
        return source.read(CHUNK_BYTES)
    except OSError as err:
        raise StoreUnavailableError(f"artifact {path!r} cannot be read: {err.strerror or err}") from err


def _check_replaced(repo: ArtifactRepo, expected: FileInfo, size: int) -> None:
    """Accept another size than the listing's only if the file was replaced meanwhile."""
    now = repo.stat(expected.path)
    if now is None or now.file_size != size:
        raise StoreUnavailableError(
            f"artifact {expected.path!r} came incomplete: expected {expected.file_size} bytes, got {size}; try again"
        )


def _inner(root: str, path: str) -> str:
    return path.removeprefix(f"{root}/") if root else path


def _make_place(directory: Path) -> None:
    try:
        make_dirs(directory, _DIR_MODE)
    except OSError as err:
        raise write_error(err, f"files in {str(directory)!r}", str(directory.parent), 0) from err


def _appear(staging: Path, target: Path) -> bool:
    """Give the filled directory its name; False when somebody else took the name meanwhile."""
    try:
        os.rename(staging, target)  # noqa: PTH104  # Path.rename says the same
    except OSError as err:
        if err.errno in _TAKEN and target.is_dir():
            return False
        raise write_error(err, f"the download as {str(target)!r}", str(target.parent), 0) from err
    return True


def _merge(staging: Path, target: Path, names: Sequence[str]) -> None:
    for name in sorted(names, key=is_marker):
        _make_place((target / name).parent)
        _move(staging / name, target / name)


def _move(unfinished: Path, target: Path) -> None:
    try:
        os.replace(unfinished, target)  # noqa: PTH105  # Path.replace says the same
    except OSError as err:
        raise ArtifactWriteError(f"cannot store the download as {str(target)!r}: {err.strerror or err}") from err
