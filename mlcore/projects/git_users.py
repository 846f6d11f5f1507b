"""The checkouts that take their objects from a cached repository, so that it is not deleted below a run."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

_FOREIGN_S = 30 * 86400  # for so long a checkout of another machine counts, which nobody can look for here


def note(cache: Path, checkout: Path, url: str) -> None:
    """Remember that *checkout*, a directory that exists, uses the repository *cache* from now on.

    To be called before the repository is looked at: who deletes it looks here afterwards. What the cache does not take,
    as others only may write there, is not kept.
    url: of the repository, for people; without credentials.
    """
    with contextlib.suppress(OSError):
        folder = _folder(cache)
        folder.mkdir(parents=True, exist_ok=True)
        place = str(checkout.absolute())
        name = hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        (folder / name).write_text(f"{socket.gethostname()}\n{place}", "utf-8", "surrogateescape")
        if not (told := cache.with_name(f"{cache.name}.url")).is_file():
            told.write_text(url, "utf-8")
        used_by(cache)  # so that the notes do not become many


def url_of(cache: Path) -> str:
    """Return the URL that was noted; empty when there is none."""
    try:
        return cache.with_name(f"{cache.name}.url").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def used_by(cache: Path) -> tuple[str, ...]:
    """Return the checkouts that use the repository, sorted; notes of those that are gone are deleted."""
    found = []
    for file, host, place in list(_notes(cache)):
        with contextlib.suppress(OSError):
            is_here = host == socket.gethostname()
            if _is_there(Path(place)) if is_here else time.time() - file.stat().st_mtime < _FOREIGN_S:
                found.append(place if is_here else f"{host}:{place}")
            else:
                file.unlink(missing_ok=True)
    return tuple(sorted(found))


def _is_there(place: Path) -> bool:
    try:
        return place.is_dir()
    except OSError:  # somebody else's, who lets nobody look
        return True


def _notes(cache: Path) -> Iterator[tuple[Path, str, str]]:
    with contextlib.suppress(OSError), os.scandir(_folder(cache)) as entries:
        for each in entries:
            with contextlib.suppress(OSError):
                host, _, place = Path(each.path).read_text("utf-8", "surrogateescape").partition("\n")
                if place:  # else it is being written
                    yield Path(each.path), host, place


def _folder(cache: Path) -> Path:
    return cache.with_name(f"{cache.name}.users")
