"""Listings of directories for pages: directories first, in pages, also with everything below."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

from attrs import frozen

from mlcore.entities import FileInfo
from mlcore.errors import InvalidParameterError
from mlcore.interfaces import ArtifactRepo

PAGE = 1000
_MOST_FILES = 100_000
_MOST_DEPTH = 32  # a link to a parent directory makes a tree without end

# of each part of a path, whether it is a file, and its name: directories come first, and before what is in them
Key = tuple[tuple[bool, str], ...]


@frozen
class Listing:
    """A page. next_page_token: empty at the end. is_complete: whether everything will be listed."""

    files: tuple[FileInfo, ...]
    next_page_token: str = ""
    is_complete: bool = True


def listed(repo: ArtifactRepo, root: str, page_token: str, *, recursive: bool) -> Listing:
    """Return a page of what is in the directory *root*.

    Raises InvalidParameterError: the token is not one of a page before.
    """
    seen, after = _read_token(page_token)
    found: list[FileInfo] = []
    last = after
    for key, info in _walk(repo, root, (), after, recursive=recursive):
        if seen + len(found) >= _MOST_FILES:
            return Listing(tuple(found), is_complete=False)
        if len(found) == PAGE:
            return Listing(tuple(found), _token(seen + PAGE, last))
        found.append(info)
        last = key
    return Listing(tuple(found))


def _walk(
    repo: ArtifactRepo, folder: str, above: Key, after: Key, *, recursive: bool
) -> Iterator[tuple[Key, FileInfo]]:
    """Yield what comes after the key *after*; directories that lie before it are not looked into."""
    for info in sorted(repo.list(folder), key=lambda one: (not one.is_dir, one.path)):
        key = (*above, (not info.is_dir, info.path.rpartition("/")[2]))
        if key > after:
            yield key, info
        deeper = recursive and info.is_dir and len(key) < _MOST_DEPTH
        if deeper and key >= after[: len(key)]:
            yield from _walk(repo, info.path, key, after, recursive=True)


def _token(seen: int, last: Key) -> str:
    return base64.urlsafe_b64encode(json.dumps([seen, last]).encode()).decode()


def _read_token(token: str) -> tuple[int, Key]:
    if not token:
        return 0, ()
    try:
        seen, last = json.loads(base64.urlsafe_b64decode(token.encode("ascii")))
        key = tuple((bool(is_file), str(name)) for is_file, name in last)
        return max(0, int(seen)), key
    except (ValueError, TypeError, RecursionError) as err:
        raise InvalidParameterError(f"invalid page_token {token[:80]!r}: expected the one of the page before") from err
