"""What was fetched for projects and is kept to be used again: listed, and removed when nobody needs it."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import frozen

from mlcore.delivery.locks import take
from mlcore.errors import InvalidParameterError
from mlcore.projects import git_users
from mlcore.projects.cache import cache_directory, size_below

GIT, DOWNLOADS = "git", "downloads"
KINDS: tuple[str, ...] = (GIT, DOWNLOADS)

_REPOSITORY = re.compile(r"[0-9a-f]{32}")
_FILE = re.compile(r"[0-9a-f]{64}(?:\.[0-9a-f]{32})?")  # with a suffix: unfinished
_GONE = "gone"
_UNFINISHED_S = 86400.0


@frozen
class KeptFetch:
    """A repository, or a downloaded file, that is kept.

    kind: one of `KINDS`. entry_id: of its kind alone.
    size_bytes: on the disk. used_ms: ms since the epoch, UTC, when a run last took it.
    what: the URL of a repository, without credentials, or the names of a file; empty where nobody noted it.
    """

    kind: str
    entry_id: str
    size_bytes: int
    used_ms: int
    what: str = ""


@frozen
class FetchRemoval:
    """What came of removing an entry. reason: why it is still there; empty when it is gone."""

    entry: KeptFetch
    reason: str = ""


def kept(kind: str | None = None) -> list[KeptFetch]:
    """Return all that is kept, or that of one kind; what was used last first.

    Raises InvalidParameterError: there is no such kind.
    """
    if kind is not None and kind not in KINDS:
        raise InvalidParameterError(f"no cache {kind!r}: expected one of {', '.join(KINDS)}")
    root = cache_directory()
    found = [*(_repositories(root) if kind != DOWNLOADS else ()), *(_files(root) if kind != GIT else ())]
    return sorted(found, key=lambda each: (-each.used_ms, each.kind, each.entry_id))


def unused(entries: Iterable[KeptFetch], seconds: float) -> list[KeptFetch]:
    """Return those of *entries* that nobody has used for *seconds*."""
    limit = time.time_ns() // 1_000_000 - int(seconds * 1000)
    return [each for each in entries if each.used_ms <= limit]


def remove(entries: Iterable[KeptFetch]) -> Iterator[FetchRemoval]:
    """Remove *entries* and tell of each; a repository stays that is being fetched, or that a checkout still uses.

    A downloaded file can go at any time: each run has a copy of its own.
    """
    root = cache_directory()
    dropped: set[str] = set()
    for each in entries:
        try:
            if each.kind == GIT:
                reason = _drop_repository(root / GIT / each.entry_id)
            else:
                reason = ""
                (root / DOWNLOADS / "files" / each.entry_id).unlink(missing_ok=True)
                dropped.add(each.entry_id)
        except OSError as err:
            reason = f"{each.entry_id!r} can't be removed: {err.strerror or err}"
        yield FetchRemoval(each, reason)
    if dropped:
        _drop_notes(root, dropped)
    for left in (root / GIT).glob(f"*.{_GONE}.*"):  # of somebody who was killed
        shutil.rmtree(left, ignore_errors=True)


def _repositories(root: Path) -> Iterator[KeptFetch]:
    for each in (root / GIT).glob("*"):
        if _REPOSITORY.fullmatch(each.name):
            with contextlib.suppress(OSError):  # removed meanwhile
                head = each / "HEAD"
                used = (head if head.is_file() else each).stat().st_mtime_ns // 1_000_000
                yield KeptFetch(GIT, each.name, size_below(each), used, git_users.url_of(each))


def _files(root: Path) -> Iterator[KeptFetch]:
    names: dict[str, set[str]] = {}
    for _, noted in _notes(root):
        for name, sha256 in noted.items():
            names.setdefault(str(sha256), set()).add(name)
    for each in (root / DOWNLOADS / "files").glob("*"):
        if _FILE.fullmatch(each.name):
            with contextlib.suppress(OSError):
                found = each.stat()
                if "." in each.name and time.time() - found.st_mtime < _UNFINISHED_S:
                    continue  # somebody writes it
                what = ", ".join(sorted(names.get(each.name, ())))
                yield KeptFetch(DOWNLOADS, each.name, found.st_size, found.st_mtime_ns // 1_000_000, what)


def _notes(root: Path) -> Iterator[tuple[Path, Mapping[str, object]]]:
    for each in (root / DOWNLOADS / "known").glob("*.json"):
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(each.read_text("utf-8"))
            if isinstance(found, dict):
                yield each, found


def _drop_notes(root: Path, dropped: set[str]) -> None:
    for file, noted in list(_notes(root)):
        if not dropped.isdisjoint(map(str, noted.values())):
            file.unlink(missing_ok=True)


def _drop_repository(place: Path) -> str:
    """Remove a repository unless somebody uses it; return why it stays."""
    lock = take(place.with_name(place.name + ".lock"))
    if lock is None:
        return f"repository {place.name!r} is in use: something is being fetched into it"
    try:
        if users := git_users.used_by(place):
            return _in_use(place, users)
        gone = place.with_name(f"{place.name}.{_GONE}.{uuid.uuid4().hex}")
        try:
            place.rename(gone)
        except FileNotFoundError:  # somebody else was faster
            return ""
        # who noted itself before the name was gone may have seen the repository; who comes later fetches it anew
        if users := git_users.used_by(place):
            gone.rename(place)
            return _in_use(place, users)
        shutil.rmtree(gone, ignore_errors=True)
        place.with_name(f"{place.name}.url").unlink(missing_ok=True)
        return ""
    finally:
        lock.release()


def _in_use(place: Path, users: tuple[str, ...]) -> str:
    more = f" and {len(users) - 1} more" if len(users) > 1 else ""
    return f"repository {place.name!r} is in use by the checkout {users[0]!r}{more}: remove it when its run has ended"
