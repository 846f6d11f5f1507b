"""Registered models: create, read, change, remove, tag."""

from __future__ import annotations

from collections.abc import Mapping

from mlcore.entities import MoveKind, MoveNote, RegisteredModel
from mlcore.errors import AlreadyExistsError
from mlcore.wire.moves import adopting
from mlcore_store_sql.dialects import Cursor, Row
from mlcore_store_sql.part import now_ms
from mlcore_store_sql.registry_log import begin
from mlcore_store_sql.registry_moving import MovingPart


class ModelsPart(MovingPart):
    """The registry's methods for single registered models, and for tags."""

    def create_model(self, name: str, *, description: str, tags: Mapping[str, str]) -> RegisteredModel:
        """Create a registered model. Raises AlreadyExistsError: the name is taken."""
        with self._db.write() as cursor:
            now = now_ms()
            cursor.execute(self._texts.insert_model, (name, description, now, now))
            if cursor.rowcount != 1:
                raise _taken(name)
            row = self._model_row(cursor, name)
            cursor.executemany(self._texts.set_model_tag, [(row[0], key, value) for key, value in tags.items()])
            self._begin(cursor, row, self._note)
            return self._model(cursor, row)

    def adopt_model(self, model: RegisteredModel) -> RegisteredModel:
        """Create a registered model with the times, description and tags that it has elsewhere."""
        with self._db.write() as cursor:
            values = (model.name, model.description, model.creation_timestamp, model.last_updated_timestamp)
            cursor.execute(self._texts.insert_model, values)
            is_new = cursor.rowcount == 1
            row = self._model_row(cursor, model.name)
            if is_new:
                tags = [(row[0], key, value) for key, value in model.tags.items()]
                cursor.executemany(self._texts.set_model_tag, tags)
                self._begin(cursor, row, adopting(self._note))
            return self._model(cursor, row)

    def get_model(self, name: str) -> RegisteredModel:
        """Return a registered model with its latest versions and aliases."""
        with self._db.read() as cursor:
            return self._model(cursor, self._model_row(cursor, name))

    def update_model(self, name: str, *, new_name: str | None, description: str | None) -> RegisteredModel:
        """Rename or describe; None leaves as it is. Raises AlreadyExistsError: the new name is taken."""
        with self._db.write() as cursor:
            number, old_name, old_description = self._model_row(cursor, name)[:3]
            now = now_ms()
            if new_name is not None and new_name != old_name:
                cursor.execute(self._texts.model, (new_name,))
                if cursor.fetchone() is not None:
                    raise _taken(new_name)
                cursor.execute(self._texts.touch_versions, (now, number))
                history = self._history(cursor, number, old_name)
                history.add(MoveKind.MODEL, old_name, old_name, new_name, note=self._note)
                cursor.execute(self._texts.rename_line, (new_name, history.line))
            final_name = old_name if new_name is None else new_name
            text = old_description if description is None else description
            cursor.execute(self._texts.update_model, (final_name, text, now, number))
            return self._model(cursor, self._model_row(cursor, final_name))

    def delete_model(self, name: str) -> None:
        """Remove a registered model with all its versions."""
        with self._db.write() as cursor:
            number = self._model_row(cursor, name)[0]
            history, note = self._history(cursor, number, name), self._note
            cursor.execute(self._texts.aliases_of_model, (number,))
            for alias, version, _ in cursor.fetchall():
                history.add(MoveKind.ALIAS, alias, str(version), "", note=note)
            cursor.execute(self._texts.versions_of_model, (number,))
            for version, source in cursor.fetchall():
                history.add(MoveKind.VERSION, str(version), source, "", note=note)
            history.add(MoveKind.MODEL, name, name, "", note=note)
            self._cancel_requests(cursor, history.line, None, note)
            cursor.execute(self._texts.delete_model, (number,))

    def _begin(self, cursor: Cursor, row: Row, note: MoveNote) -> None:
        begin(cursor, self._texts, row[0], row[1]).add(MoveKind.MODEL, row[1], "", row[1], note=note)

    def set_tag(self, name: str, version: str | None, key: str, value: str | None) -> None:
        """Set a tag of the model, or of one version; the value None removes it."""
        texts = self._texts
        with self._db.write() as cursor:
            if version is None:
                number = self._model_row(cursor, name)[0]
                setting, deleting = texts.set_model_tag, texts.delete_model_tag
            else:
                number = self._version_row(cursor, name, version)[0]
                setting, deleting = texts.set_version_tag, texts.delete_version_tag
            if value is None:
                cursor.execute(deleting, (number, key))
            else:
                cursor.execute(setting, (number, key, value))


def _taken(name: str) -> AlreadyExistsError:
    return AlreadyExistsError(f"registered model (name={name!r}) already exists; choose another name")
