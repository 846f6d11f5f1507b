"""The statements of the registry's history, in SQLAlchemy Core; importing this module imports SQLAlchemy."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, insert, literal_column, or_, select, update

from mlcore_store_sql.schema_moves import LINES, MOVES, REQUESTS
from mlcore_store_sql.schema_registry import MODEL_VERSIONS, MODELS
from mlcore_store_sql.statement_parts import NULL, ONE, ZERO, Grammar, Statement, is_given, names_of, update_by_id

_PENDING: ColumnElement[Any] = literal_column("'PENDING'")
_MOST: Any = bindparam("most")
_SKIP: Any = bindparam("skip")

_MOVE = tuple(MOVES.c[name] for name in names_of(MOVES, without=("id", "line")))
_REQUEST = (
    REQUESTS.c.id,
    REQUESTS.c.request_id,
    LINES.c.name,
    *(REQUESTS.c[name] for name in names_of(REQUESTS, without=("id", "request_id", "line"))),
)


def move_statements(grammar: Grammar) -> dict[str, Statement]:
    """Return all of them, by name."""
    return {**_of_lines(), **_of_moves(), **_of_versions(), **_of_requests(grammar), **_of_migration()}


def _of_lines() -> dict[str, Statement]:
    new = {"model": bindparam("model"), "name": bindparam("name"), "moved": ZERO, "moved_at": ZERO}
    moved = ("moved", "moved_at")
    # The present model's first: that is the only one whose line has a model.
    order = (LINES.c.model.is_(None), LINES.c.id.desc())
    return {
        "insert_line": (insert(LINES).values(new), ("model", "name")),
        "line_of_model": (
            select(LINES.c.id, *(LINES.c[each] for each in moved)).where(is_given(LINES.c.model)),
            ("of_model",),
        ),
        "ended_line": (insert(LINES).values({**new, "model": NULL}), ("name",)),
        "lines_of_name": (
            select(LINES.c.id, LINES.c.moved, LINES.c.model).where(is_given(LINES.c.name)).order_by(*order),
            ("of_name",),
        ),
        "move_line": (update_by_id(LINES, moved), (*moved, "of_id")),
        "rename_line": (update_by_id(LINES, ("name",)), ("name", "of_id")),
    }


def _of_moves() -> dict[str, Statement]:
    moves = MOVES
    new = names_of(moves, without=("id",))
    subject = (is_given(moves.c.line), is_given(moves.c.kind), is_given(moves.c.subject))
    latest = (moves.c.moved_at.desc(), moves.c.number.desc())
    renamed = select(LINES.c.name).select_from(moves.join(LINES)).where(is_given(moves.c.name))
    return {
        "insert_move": (insert(moves).values({name: bindparam(name) for name in new}), new),
        "moves_of_line": (
            select(*_MOVE).where(is_given(moves.c.line)).order_by(moves.c.number.desc()).limit(_MOST).offset(_SKIP),
            ("of_line", "most", "skip"),
        ),
        "moves_of_name": (
            select(*_MOVE)
            .select_from(moves.join(LINES))
            .where(is_given(LINES.c.name))
            .order_by(moves.c.moved_at.desc(), moves.c.id.desc())
            .limit(_MOST)
            .offset(_SKIP),
            ("of_name", "most", "skip"),
        ),
        "move": (select(*_MOVE).where(is_given(moves.c.line), is_given(moves.c.number)), ("of_line", "of_number")),
        "last_move_of_subject": (
            select(*_MOVE).where(*subject).order_by(*latest).limit(ONE).offset(ZERO),
            ("of_line", "of_kind", "of_subject"),
        ),
        "move_of_subject_at": (
            select(moves.c.moved_to)
            .where(*subject, moves.c.moved_at <= bindparam("until"))
            .order_by(*latest)
            .limit(ONE)
            .offset(ZERO),
            ("of_line", "of_kind", "of_subject", "until"),
        ),
        "name_now": (renamed.order_by(moves.c.id.desc()).limit(ONE).offset(ZERO), ("of_name",)),
    }


def _of_versions() -> dict[str, Statement]:
    in_stage = (
        is_given(MODEL_VERSIONS.c.model),
        is_given(MODEL_VERSIONS.c.stage),
        MODEL_VERSIONS.c.id != bindparam("but_id"),
    )
    versions = select(MODEL_VERSIONS.c.version, MODEL_VERSIONS.c.source)
    return {
        "versions_in_stage": (
            versions.where(*in_stage).order_by(MODEL_VERSIONS.c.version),
            ("of_model", "of_stage", "but_id"),
        ),
        "versions_of_model": (
            versions.where(is_given(MODEL_VERSIONS.c.model)).order_by(MODEL_VERSIONS.c.version),
            ("of_model",),
        ),
    }


def _of_requests(grammar: Grammar) -> dict[str, Statement]:
    asked = REQUESTS
    new = ("request_id", "line", "version", "stage", "user_id", "comment", "created_at", "archive_existing")
    undecided = {"status": _PENDING, "decided_by": literal_column("''"), "decision": literal_column("''")}
    decided = ("status", "decided_at", "decided_by", "decision")
    found: Select[Any] = select(*_REQUEST).select_from(asked.join(LINES))
    wanted = (
        or_(bindparam("any_name") == ONE, is_given(LINES.c.name)),
        or_(bindparam("any_status") == ONE, is_given(asked.c.status)),
    )
    gone = (
        is_given(asked.c.line),
        or_(bindparam("any_version") == ONE, is_given(asked.c.version)),
        asked.c.status == _PENDING,
    )
    return {
        "insert_request": (grammar.insert_or_ignore(asked, new, undecided), new),
        "request": (found.where(is_given(asked.c.request_id)), ("of_request_id",)),
        "decide_request": (update_by_id(asked, decided), (*decided, "of_id")),
        "cancel_requests": (
            update(asked).values({name: bindparam(name) for name in decided}).where(*gone),
            (*decided, "of_line", "any_version", "of_version"),
        ),
        "search_requests": (
            found.where(*wanted).order_by(asked.c.id.desc()).limit(_MOST).offset(_SKIP),
            ("any_name", "of_name", "any_status", "of_status", "most", "skip"),
        ),
    }


def _of_migration() -> dict[str, Statement]:
    versions = MODEL_VERSIONS
    known = (versions.c.version, versions.c.source, versions.c.creation_time, versions.c.user_id, versions.c.stage)
    return {
        "every_model": (select(MODELS.c.id, MODELS.c.name, MODELS.c.creation_time).order_by(MODELS.c.id), ()),
        "known_versions": (
            select(*known).where(is_given(versions.c.model)).order_by(versions.c.creation_time, versions.c.version),
            ("of_model",),
        ),
    }
