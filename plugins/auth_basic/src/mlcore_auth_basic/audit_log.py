"""The audit log: who changed what, before, after and when. Entries are added and read, never changed or deleted."""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from mlcore.entities import AuditEntry, Page, Resource
from mlcore.errors import InvalidParameterError

MASK = "***"
MAX_VALUE_BYTES = 65_536  # of before and of after; a batch of metrics is not a change that anybody reads
MAX_PAGE = 1000
_SECRET = re.compile(
    r"(?i)pass(word|wd|phrase)|secret|token$|^tokens$|api_?key|access_?key|private_?key|credential|authorization|cookie"
)


@frozen
class AuditQuery:
    """Which entries to show.

    who: the principal's name. what: an endpoint, or the beginning of some, such as `experiments/`.
    since_ms, until_ms: ms since the epoch; until is not included.
    """

    who: str | None = None
    what: str | None = None
    resource: Resource | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    max_results: int = 100
    page_token: str | None = None


@frozen
class AuditRow:
    """An entry and its number, which grows."""

    id: int
    entry: AuditEntry


def append(connection: sqlite3.Connection, entries: Iterable[AuditEntry]) -> None:
    """Add entries; secrets in them are masked."""
    connection.executemany(
        "INSERT INTO audit (time_ms, principal, endpoint, kind, resource_id, status, request_id, before, after) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                e.time_ms,
                _whole(e.principal),
                _whole(e.endpoint),
                _whole(e.resource.kind),
                _whole(e.resource.id),
                e.status,
                _whole(e.request_id),
                _text(e.before),
                _text(e.after),
            )
            for e in entries
        ],
    )


def search(connection: sqlite3.Connection, query: AuditQuery) -> Page[AuditRow]:
    """Return a page of entries, newest first. Raises InvalidParameterError: page size or token."""
    if not 1 <= query.max_results <= MAX_PAGE:
        raise InvalidParameterError(f"max_results is {query.max_results}, expected 1 to {MAX_PAGE}")
    conditions: list[tuple[str, object]] = []
    if query.page_token:
        if not query.page_token.isdecimal() or len(query.page_token) > 18:
            raise InvalidParameterError(f"page_token {query.page_token[:40]!r} is not one that an answer had")
        conditions.append(("id < ?", int(query.page_token)))
    if query.who:
        conditions.append(("principal = ?", query.who))
    if query.what:
        # not LIKE: its wildcards are ordinary characters of the caller's
        conditions.append(("substr(endpoint, 1, length(?1)) = ?1", query.what))
    if query.resource:
        conditions += [("kind = ?", query.resource.kind), ("resource_id = ?", query.resource.id)]
    if query.since_ms is not None:
        conditions.append(("time_ms >= ?", query.since_ms))
    if query.until_ms is not None:
        conditions.append(("time_ms < ?", query.until_ms))
    where = " AND ".join(text.replace("?1", "?") for text, _ in conditions) or "1"
    values = [value for text, value in conditions for _ in range(text.replace("?1", "?").count("?"))]
    rows = connection.execute(
        "SELECT id, time_ms, principal, endpoint, kind, resource_id, status, request_id, before, after "  # noqa: S608  # constants
        f"FROM audit WHERE {where} ORDER BY id DESC LIMIT ?",
        (*values, query.max_results + 1),
    ).fetchall()
    found = [_row(row) for row in rows[: query.max_results]]
    return Page(tuple(found), str(found[-1].id) if len(rows) > query.max_results else None)


def masked(value: object) -> object:
    """Return a copy of a JSON value in which whatever is called like a secret is hidden."""
    if isinstance(value, Mapping):
        named = value.get("key", value.get("name"))
        hides = isinstance(named, str) and "value" in value and _SECRET.search(named)
        return {
            _whole(str(key)): MASK if (_SECRET.search(str(key)) or (hides and key == "value")) else masked(each)
            for key, each in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [masked(each) for each in value]
    if isinstance(value, str):
        return _whole(value)
    # JSON has no infinities and no NaN, and a metric may be one
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _whole(text: str) -> str:
    """Return *text* with halves of characters spelled out, which JSON may bring and no file can hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def _text(value: object) -> str | None:
    if value is None:
        return None
    text = json.dumps(masked(value), ensure_ascii=False, default=lambda each: _whole(str(each)))
    size = len(text.encode())
    return text if size <= MAX_VALUE_BYTES else json.dumps({"truncated": True, "bytes": size, "start": text[:1000]})


def _row(row: Sequence[object]) -> AuditRow:
    number, time_ms, principal, endpoint, kind, resource_id, status, request_id, before, after = row
    entry = AuditEntry(
        int(str(time_ms)),
        str(principal),
        str(endpoint),
        Resource(str(kind), str(resource_id)),
        int(str(status)),
        str(request_id),
        _value(before),
        _value(after),
    )
    return AuditRow(int(str(number)), entry)


def _value(text: object) -> object:
    return json.loads(text) if isinstance(text, str) else None
