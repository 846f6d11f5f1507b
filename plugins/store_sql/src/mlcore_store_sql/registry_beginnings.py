"""The first lines of histories of models that were there before there was a history."""

from __future__ import annotations

from mlcore.entities import MoveKind, MoveNote
from mlcore.wire.stages import NO_STAGE
from mlcore_store_sql.dialects import Cursor
from mlcore_store_sql.registry_log import begin
from mlcore_store_sql.texts import Texts

FOUND = "found when the history began"


def begin_histories(cursor: Cursor, texts: Texts) -> None:
    """Write what is known of each model: when it and its versions came, and where versions and aliases are now.

    Nobody knows when those moved: they are told as of now, so that an earlier time has no answer instead of a wrong one.
    """
    cursor.execute(texts.every_model)
    for model, name, created in cursor.fetchall():
        history = begin(cursor, texts, model, name)
        history.add(MoveKind.MODEL, name, "", name, note=MoveNote(comment=FOUND), at=created)
        cursor.execute(texts.known_versions, (model,))
        versions = cursor.fetchall()
        for version, source, came, user, _ in versions:
            history.add(MoveKind.VERSION, str(version), "", source, note=MoveNote(user, FOUND), at=came)
        for version, _, _, _, stage in versions:
            if stage != NO_STAGE:
                history.add(MoveKind.STAGE, str(version), NO_STAGE, stage, note=MoveNote(comment=FOUND))
        cursor.execute(texts.aliases_of_model, (model,))
        for alias, version, _ in cursor.fetchall():
            history.add(MoveKind.ALIAS, alias, "", str(version), note=MoveNote(comment=FOUND))
