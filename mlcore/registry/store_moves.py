"""Make a move in a registry store: with its note, as one step, where the store can; by the plain contract elsewhere."""

from __future__ import annotations

import logging
from contextlib import suppress

from mlcore.entities import ModelVersion, MoveKind, MoveNote
from mlcore.errors import ConflictError, InvalidStateError, UnsupportedError
from mlcore.interfaces import RegistryStore, SupportsMoves, SupportsNotes

logger: logging.Logger = logging.getLogger(__name__)

_PRODUCTION, _ARCHIVED = "Production", "Archived"
_RECENT = 100
_ONE_STEP_MS = 1000


def noting(store: RegistryStore, note: MoveNote) -> RegistryStore:
    """Return the store with a note at every move; the same where it takes none."""
    return store.noting(note) if isinstance(store, SupportsNotes) else store


def put_stage(
    store: RegistryStore,
    name: str,
    version: str,
    stage: str,
    *,
    archive_existing: bool,
    note: MoveNote,
    expected: str | None,
) -> ModelVersion:
    """Move a version to a stage. Raises ConflictError: it is in another one than *expected*."""
    if isinstance(store, SupportsMoves):
        with suppress(UnsupportedError):
            return store.move_stage(
                name, version, stage, archive_existing=archive_existing, note=note, expected=expected
            )
    if expected is not None and (now := store.get_version(name, version).current_stage) != expected:
        raise ConflictError(
            f"version {version!r} of registered model {name!r} is in stage {now!r}, expected {expected!r}: look at it "
            "again, then decide anew"
        )
    _drop(store, note)
    return store.update_version(name, version, description=None, stage=stage, archive_existing=archive_existing)


def put_alias(
    store: RegistryStore, name: str, alias: str, version: str | None, *, note: MoveNote, expected: str | None
) -> None:
    """Point an alias to a version. Raises ConflictError: it points elsewhere than *expected*."""
    if isinstance(store, SupportsMoves):
        with suppress(UnsupportedError):
            return store.move_alias(name, alias, version, note=note, expected=expected)
    if expected is not None and (now := store.get_model(name).aliases.get(alias, "")) != expected:
        raise ConflictError(
            f"alias {alias!r} of registered model {name!r} points to {now or 'no version'}, expected "
            f"{expected or 'no version'}: look at it again, then decide anew"
        )
    _drop(store, note)
    return store.set_alias(name, alias, version)


def _drop(store: RegistryStore, note: MoveNote) -> None:
    if note.comment:
        logger.warning(
            "the comment %r goes to listeners alone: this registry (%s) keeps no history of its moves",
            note.comment,
            type(store).__name__,
        )


def remove_version(store: RegistryStore, found: ModelVersion, *, note: MoveNote, force: bool) -> None:
    """Remove a version. Raises InvalidStateError: it is in Production, and nobody forces it."""
    if isinstance(store, SupportsMoves):
        with suppress(UnsupportedError):
            return store.remove_version(found.name, found.version, note=note, force=force)
    if found.current_stage == _PRODUCTION and not force:
        raise InvalidStateError(
            f"version {found.version} of registered model {found.name!r} is in Production and is not deleted: "
            "move it to another stage first, or pass force=True"
        )
    return store.delete_version(found.name, found.version)


def archived_by(store: RegistryStore, name: str, version: str, stage: str) -> list[str]:
    """Return the versions that a move of *version* sent to Archived: their lines stand before its own in the history."""
    if not isinstance(store, SupportsMoves):
        return []
    with suppress(UnsupportedError):
        recent = list(store.history(name, max_results=_RECENT, page_token=None).items)
        while recent and (recent[0].kind, recent[0].subject, recent[0].after) != (MoveKind.STAGE, version, stage):
            recent.pop(0)
        found = []
        for one in recent[1:]:
            is_same_step = recent[0].at - one.at <= _ONE_STEP_MS and one.user == recent[0].user
            if not is_same_step or (one.kind, one.before, one.after) != (MoveKind.STAGE, stage, _ARCHIVED):
                break
            found.append(one.subject)
        return found
    return []
