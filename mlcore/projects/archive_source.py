"""Unpack a zip archive that a stranger may have made: nothing outside of its directory, no links, no more than fits."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from mlcore.artifacts.progress import shown_size
from mlcore.errors import InvalidParameterError, MlcoreError, ProjectError
from mlcore.projects.source_uris import Kind, Place
from mlcore.tracking.locating import download
from mlcore.tracking.session import Session
from mlcore.uris import relative_path

MAX_FILES = 100_000
MAX_BYTES = 4 << 30
_CHUNK_BYTES = 1 << 20


def brought(place: Place, root: Path, session: Session) -> Path:
    """Return the directory with the code of an archive or artifact, below *root*.

    Raises ProjectError: it cannot be had or is no archive that may be unpacked.
    """
    if Path(place.url).is_absolute():
        return unpacked(Path(place.url), root / "project", place.shown)
    try:
        found = download(session, place.url, root / "download")
    except MlcoreError as err:
        raise ProjectError(f"cannot fetch the project {place.shown!r}: {err}") from err
    if place.kind is Kind.ARTIFACTS and found.is_dir():
        return found
    directory = unpacked(found, root / "project", place.shown)
    shutil.rmtree(root / "download")
    return directory


def unpacked(archive: Path, target: Path, shown: str, *, max_bytes: int = MAX_BYTES) -> Path:
    """Unpack a zip file into the new directory *target*; return the one directory in it when there is nothing else.

    shown: the archive's name for errors. max_bytes: of all files together, as they come out.
    Raises ProjectError: it is broken or encrypted, a name leads out of *target*, or it holds links or too much.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [(info, _checked(info, shown)) for info in opened.infolist()]
            _check_twice([name for info, name in entries if not info.is_dir()], shown)
            if len(entries) > MAX_FILES:
                raise ProjectError(f"the archive {shown!r} holds {len(entries)} files, more than {MAX_FILES}")
            target.mkdir(parents=True)
            left = max_bytes
            for info, name in entries:
                left -= _extracted(opened, info, target / name, left)
                if left < 0:
                    raise ProjectError(
                        f"the archive {shown!r} holds more than {shown_size(max_bytes)} of files: unpack it yourself "
                        "and run the directory"
                    )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as err:
        raise ProjectError(f"{shown!r} is no zip archive that can be read: {err}") from err
    except OSError as err:
        raise ProjectError(f"cannot unpack {shown!r}: {err.strerror or err}") from err
    return _only_directory(target)


def _checked(info: zipfile.ZipInfo, shown: str) -> str:
    name = info.filename
    try:
        safe = relative_path(name.rstrip("/"))
    except InvalidParameterError as err:
        raise ProjectError(
            f"the archive {shown!r} holds {name!r}, which leads out of its directory: nothing was unpacked"
        ) from err
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "a symbolic link" if kind == stat.S_IFLNK else "neither file nor directory"
        raise ProjectError(f"the archive {shown!r} holds {name!r}, {what}: nothing was unpacked")
    return safe


def _check_twice(names: Sequence[str], shown: str) -> None:
    """Refuse two files in one place: nobody can tell which was meant."""
    known: set[str] = set()
    for name in names:
        if name in known:
            raise ProjectError(
                f"the archive {shown!r} holds {name!r} twice: nothing was unpacked; pack it anew, each file once"
            )
        known.add(name)
    for name in names:
        above = next((str(folder) for folder in PurePosixPath(name).parents if str(folder) in known), None)
        if above is not None:
            raise ProjectError(
                f"the archive {shown!r} holds {above!r} as a file and as the directory of {name!r}: nothing was unpacked"
            )


def _extracted(opened: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, left: int) -> int:
    if info.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(info) as source, path.open("xb") as target:
        size = _copied(source, target, left)  # type: ignore[arg-type]  # ZipExtFile is a BufferedIOBase
    path.chmod(0o755 if (info.external_attr >> 16) & 0o111 else 0o644)
    return size


def _copied(source: BinaryIO, target: BinaryIO, left: int) -> int:
    """Copy what comes out, not what the archive says; stop once it is too much."""
    size = 0
    while size <= left and (chunk := source.read(_CHUNK_BYTES)):
        size += len(chunk)
        target.write(chunk)
    return size


def _only_directory(root: Path) -> Path:
    found = list(root.iterdir())
    return found[0] if len(found) == 1 and found[0].is_dir() else root
