"""Files that were downloaded before, kept by their checksums, and found again when their place tells no change."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from mlcore.artifacts.download import files_below
from mlcore.artifacts.resolve import Location
from mlcore.artifacts.transfer import download_file, download_tree
from mlcore.entities import FileInfo
from mlcore.errors import ArtifactNotFoundError, StoreUnavailableError
from mlcore.interfaces import ArtifactRepo, SupportsFingerprint
from mlcore.projects.cache import cache_directory
from mlcore.tracking.locating import located
from mlcore.tracking.reach import Question, is_remote
from mlcore.tracking.session import Session
from mlcore.uris import redacted, relative_path, scheme

_CHUNK_BYTES = 1 << 20
_QUIET_S = 2.0  # most places answer sooner
_NAMES = ("runs", "models")  # of which the tracking server says where they are

logger: logging.Logger = logging.getLogger(__name__)

T = TypeVar("T")


def brought(session: Session, uri: str, target: Path) -> Path:
    """Return a copy of what *uri* names, a file or directory below *target*; what a program does to it touches no store.

    It is not fetched again when its place tells that it is what was fetched before.
    Raises ArtifactNotFoundError: nothing is there. StoreUnavailableError: where it is does not answer as long as the
    setting `patience_s` says. Others: as of the repository.
    """
    found = _answered(session, uri, lambda: located(session, uri))
    repo = session.repo(found.root_uri)
    info = _answered(session, found.root_uri, lambda: repo.stat(found.path))
    if info is None:
        raise ArtifactNotFoundError(f"nothing is at {redacted(uri)!r}: expected a file or a directory")
    root = info.path if info.is_dir else info.path.rpartition("/")[0]
    files = files_below(repo, root) if info.is_dir else [info]
    names = [file.path.removeprefix(f"{root}/") if root else file.path or found.name for file in files]
    place = target / found.name if info.is_dir else target
    known = _known(repo, found, files)
    if known is None or not _copied(known, names, place):
        place.parent.mkdir(parents=True, exist_ok=True)
        fetched = _fetched(repo, info, place, names)
        if known is not None:
            _keep(known, fetched, names, place)
    return place if info.is_dir else place / names[0]


def _answered(session: Session, uri: str, question: Callable[[], T]) -> T:
    """Return what is said about *uri*; tell whom the run waits for, and for how long."""
    settings = session.settings
    place = session.anchored(session.tracking_uri) if scheme(uri) in _NAMES else uri
    if settings.strict or not is_remote(place):
        return question()
    asked = Question(question)
    asked.start()
    asked.join(min(_QUIET_S, settings.patience_s))
    if asked.is_alive():
        shown = redacted(place)
        logger.warning(
            "waiting for %s, which says where %r is: %g s at most", shown, redacted(uri), settings.patience_s
        )
        asked.join(max(settings.patience_s - _QUIET_S, 0.0))
    if asked.is_alive():
        raise StoreUnavailableError(
            f"{redacted(place)} did not answer in {settings.patience_s:g} s: check that it runs, or set MLCORE_PATIENCE_S "
            "to wait longer"
        )
    return asked.answer()


def _fetched(repo: ArtifactRepo, info: FileInfo, place: Path, names: Sequence[str]) -> list[str]:
    """Download one file, or all of a directory; return their checksums in the order of *names*."""
    if not info.is_dir:
        return [download_file(repo, info.path, place / names[0]).sha256]
    below = f"{info.path}/" if info.path else ""
    found = {each.path.removeprefix(below): each.sha256 for each in download_tree(repo, info.path, place)}
    return [found[name] for name in names]


def _known(repo: ArtifactRepo, found: Location, files: Sequence[FileInfo]) -> Path | None:
    """Return where the checksums of these files are noted; None when their place does not tell their versions."""
    if not isinstance(repo, SupportsFingerprint) or not files:
        return None
    told = [(file.path, repo.fingerprint(file.path)) for file in files]
    if any(each is None for _, each in told):
        return None
    key = hashlib.sha256(repr((found.root_uri, told)).encode()).hexdigest()
    return cache_directory() / "downloads" / "known" / f"{key}.json"


def _noted(known: Path) -> Mapping[str, str]:
    try:
        found = json.loads(known.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(sha256) for name, sha256 in found.items()} if isinstance(found, dict) else {}


def _copied(known: Path, names: Sequence[str], place: Path) -> bool:
    """Copy files that were kept; False when one is missing or is not any more what it was."""
    noted = _noted(known)
    if not all(_kept(known, noted.get(name, "")).is_file() for name in names):
        return False
    for name in names:
        target = place / relative_path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        kept = _kept(known, noted[name])
        if _copy(kept, target) != noted[name]:
            kept.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
            return False
        with contextlib.suppress(OSError):  # gone, or a cache that only others may write
            os.utime(kept)  # used now
    return True


def _kept(known: Path, sha256: str) -> Path:
    return known.parent.parent / "files" / (sha256 or "-")


def _copy(source: Path, target: Path) -> str:
    digest = hashlib.sha256()
    try:
        with source.open("rb") as read, target.open("wb") as write:
            while chunk := read.read(_CHUNK_BYTES):
                digest.update(chunk)
                write.write(chunk)
    except FileNotFoundError:  # somebody cleans up meanwhile
        return ""
    return digest.hexdigest()


def _keep(known: Path, checksums: Sequence[str], names: Sequence[str], place: Path) -> None:
    """Keep copies, as a program may change the file that it was given; each appears when it is whole."""
    for name, sha256 in zip(names, checksums, strict=True):
        kept = _kept(known, sha256)
        if kept.is_file():
            continue
        unfinished = kept.with_name(f"{sha256}.{uuid.uuid4().hex}")
        kept.parent.mkdir(parents=True, exist_ok=True)
        if _copy(place / name, unfinished) == sha256:
            os.replace(unfinished, kept)  # noqa: PTH105  # Path.replace says the same
        unfinished.unlink(missing_ok=True)
    known.parent.mkdir(parents=True, exist_ok=True)
    unfinished = known.with_name(f"{known.name}.{uuid.uuid4().hex}")
    unfinished.write_text(json.dumps(dict(zip(names, checksums, strict=True))), "utf-8")
    os.replace(unfinished, known)  # noqa: PTH105  # Path.replace says the same
