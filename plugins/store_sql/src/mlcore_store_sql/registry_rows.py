"""Registered models and versions out of rows, and what all parts of the registry share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlcore.entities import ModelVersion, ModelVersionStatus, MoveNote, RegisteredModel
from mlcore.errors import NotFoundError
from mlcore.wire.stages import STAGES
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import Cursor, Row
from mlcore_store_sql.part import number_of


class RegistryPart:
    """A part of the registry: methods of one topic over a shared database."""

    def __init__(self, database: Database) -> None:
        """Work on *database*."""
        self._db = database
        self._texts = database.texts
        self._note = MoveNote()

    def _model_row(self, cursor: Cursor, name: str) -> Row:
        cursor.execute(self._texts.model, (name,))
        row = cursor.fetchone()
        if row is None:
            raise NotFoundError(
                f"registered model with name={name!r} not found; search_registered_models() lists those that there are"
            )
        return row

    def _version_row(self, cursor: Cursor, name: str, version: str) -> Row:
        model = self._model_row(cursor, name)[0]
        number = number_of(version)
        if number is not None:
            cursor.execute(self._texts.version_of_model, (model, number))
            row = cursor.fetchone()
            if row is not None:
                return row
        raise NotFoundError(
            f"model version (name={name!r}, version={version!r}) not found; search_model_versions() lists those that "
            "there are"
        )

    def _model(self, cursor: Cursor, row: Row) -> RegisteredModel:
        number = (row[0],)
        cursor.execute(self._texts.aliases_of_model, number)
        aliases = cursor.fetchall()
        cursor.execute(self._texts.latest_versions, number)
        latest = [self._version(cursor, version, aliases) for version in cursor.fetchall()]
        cursor.execute(self._texts.tags_of_model, number)
        return model_of(row, latest, dict(cursor.fetchall()), {alias: str(version) for alias, version, _ in aliases})

    def _version(self, cursor: Cursor, row: Row, aliases: Sequence[Row] | None = None) -> ModelVersion:
        if aliases is None:
            cursor.execute(self._texts.aliases_of_model, (row[1],))
            aliases = cursor.fetchall()
        cursor.execute(self._texts.tags_of_version, (row[0],))
        own = tuple(alias for alias, _, number in aliases if number == row[0])
        return version_of(row, dict(cursor.fetchall()), own)


def model_of(
    row: Row, latest: Sequence[ModelVersion], tags: Mapping[str, str], aliases: Mapping[str, str]
) -> RegisteredModel:
    """Make a registered model of its row and all else; *latest* in any order."""
    _, name, description, created, changed, _ = row
    by_stage = tuple(sorted(latest, key=lambda version: STAGES.index(version.current_stage)))
    return RegisteredModel(name, created, changed, description, by_stage, tags, aliases)


def version_of(row: Row, tags: Mapping[str, str], aliases: tuple[str, ...]) -> ModelVersion:
    """Make a version of its row, tags and aliases."""
    _, _, name, version, source, created, changed, run_id, run_link, stage, status, message, description, user = row
    return ModelVersion(
        name=name,
        version=str(version),
        source=source,
        creation_timestamp=created,
        last_updated_timestamp=changed,
        run_id=run_id,
        run_link=run_link,
        current_stage=stage,
        status=ModelVersionStatus(status),
        status_message=message,
        description=description,
        user_id=user,
        tags=tags,
        aliases=aliases,
    )
