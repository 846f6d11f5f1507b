"""Which part of a file a request wants, and whether the client has it already (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import formatdate, parsedate_to_datetime

from attrs import frozen

_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*\Z", re.IGNORECASE | re.ASCII)


@frozen
class Version:
    """What tells one content of a file from another; empty when nothing is known.

    modified_s: seconds since the epoch, UTC.
    """

    etag: str = ""
    modified_s: int | None = None

    @property
    def last_modified(self) -> str:
        """The time of modification as a header has it."""
        return formatdate(self.modified_s, usegmt=True) if self.modified_s is not None else ""


def wanted(headers: Mapping[str, str], size: int, version: Version) -> tuple[int, int] | None:
    """Return start and end (exclusive) of the one range that is asked for; None for the whole file.

    A range that cannot be read, several ranges, and one of another version of the file stand for the whole.
    Raises LookupError: the range begins after the end.
    """
    found = _RANGE.match(headers.get("range", ""))
    if found is None or found.groups() == ("", "") or not _is_same(headers.get("if-range"), version):
        return None
    first, last = (int(text[:20]) if text else None for text in found.groups())
    if first is None:
        assert last is not None  # noqa: S101  # the two are not both missing
        if last == 0 or size == 0:
            raise LookupError
        return max(0, size - last), size
    if last is not None and last < first:
        return None
    if first >= size:
        raise LookupError
    return first, size if last is None else min(last + 1, size)


def is_known(headers: Mapping[str, str], version: Version) -> bool:
    """Whether the client says that it has this version of the file."""
    known = headers.get("if-none-match")
    if known is not None:
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        return bool(version.etag) and ("*" in tags or version.etag in tags)
    since = _seconds(headers.get("if-modified-since", ""))
    return since is not None and version.modified_s is not None and version.modified_s <= since


def _is_same(if_range: str | None, version: Version) -> bool:
    if if_range is None:
        return True
    if if_range.startswith(('"', "W/")):
        return bool(version.etag) and if_range.strip() == version.etag
    return version.modified_s is not None and _seconds(if_range) == version.modified_s


def _seconds(text: str) -> int | None:
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
