"""Model versions: create, read, change, remove, and the aliases that point to them."""

from __future__ import annotations

from collections.abc import Mapping

from mlcore.entities import ModelVersion, ModelVersionStatus, MoveKind, MoveNote
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.wire.moves import adopting
from mlcore.wire.stages import NO_STAGE, canonical_stage
from mlcore_store_sql.dialects import Cursor, Row
from mlcore_store_sql.part import now_ms, number_of
from mlcore_store_sql.registry_history import HistoryPart
from mlcore_store_sql.registry_log import History


class VersionsPart(HistoryPart):
    """The registry's methods for single versions and aliases."""

    def create_version(
        self,
        name: str,
        source: str,
        *,
        run_id: str | None,
        run_link: str | None,
        description: str,
        tags: Mapping[str, str],
    ) -> ModelVersion:
        """Add the next version; of many racing callers each gets a number of its own."""
        with self._db.write() as cursor:
            model = self._model_row(cursor, name)
            now = now_ms()
            number = model[5] + 1
            cursor.execute(self._texts.count_version, (now, number, model[0]))
            state = (NO_STAGE, str(ModelVersionStatus.READY), "", description, "", now, now)
            cursor.execute(self._texts.insert_version, (model[0], number, source, run_id, run_link, *state))
            row = self._version_row(cursor, name, str(number))
            cursor.executemany(self._texts.set_version_tag, [(row[0], key, value) for key, value in tags.items()])
            self._came(cursor, row, self._note)
            return self._version(cursor, row)

    def adopt_version(self, version: ModelVersion) -> ModelVersion:
        """Create a version with the number, times, stage, status, tags and aliases that it has elsewhere.

        Raises InvalidParameterError: the version is no decimal number.
        """
        number = number_of(version.version)
        if number is None:
            raise InvalidParameterError(f"invalid version {version.version!r} of {version.name!r}: expected a number")
        with self._db.write() as cursor:
            model = self._model_row(cursor, version.name)
            cursor.execute(self._texts.version_of_model, (model[0], number))
            row = cursor.fetchone()
            if row is None:
                self._insert_adopted(cursor, model, number, version)
                row = self._version_row(cursor, version.name, version.version)
                tags = [(row[0], key, value) for key, value in version.tags.items()]
                cursor.executemany(self._texts.set_version_tag, tags)
                note = adopting(self._note)
                history = self._came(cursor, row, note)
                for alias in version.aliases:
                    cursor.execute(self._texts.version_of_alias, (model[0], alias))
                    if cursor.fetchone() is None:
                        cursor.execute(self._texts.set_alias, (model[0], alias, row[0]))
                        history.add(MoveKind.ALIAS, alias, "", str(number), note=note)
            return self._version(cursor, row)

    def _insert_adopted(self, cursor: Cursor, model: Row, number: int, version: ModelVersion) -> None:
        stage = canonical_stage(version.current_stage or NO_STAGE, archive_existing=False)
        state = (stage, str(version.status), version.status_message, version.description, version.user_id)
        times = (version.creation_timestamp, version.last_updated_timestamp)
        links = (version.source, version.run_id, version.run_link)
        cursor.execute(self._texts.insert_version, (model[0], number, *links, *state, *times))
        # The next own version gets a number that none has; the model's time stays what it was elsewhere.
        cursor.execute(self._texts.count_version, (model[4], max(model[5], number), model[0]))

    def _came(self, cursor: Cursor, row: Row, note: MoveNote) -> History:
        """Write that the version of a row came, and to which stage."""
        history = self._history(cursor, row[1], row[2])
        history.add(MoveKind.VERSION, str(row[3]), "", row[4], note=note)
        if row[9] != NO_STAGE:
            history.add(MoveKind.STAGE, str(row[3]), NO_STAGE, row[9], note=note)
        return history

    def get_version(self, name: str, version: str) -> ModelVersion:
        """Return one version."""
        with self._db.read() as cursor:
            return self._version(cursor, self._version_row(cursor, name, version))

    def update_version(
        self, name: str, version: str, *, description: str | None, stage: str | None, archive_existing: bool
    ) -> ModelVersion:
        """Describe a version or move it to a stage; None leaves as it is.

        archive_existing: move the versions that were in that stage to Archived, in the same step.
        """
        with self._db.write() as cursor:
            row = self._version_row(cursor, name, version)
            archives = archive_existing and stage is not None
            wanted = row[9] if stage is None else canonical_stage(stage, archive_existing=archives)
            text = row[12] if description is None else description
            self._to_stage(cursor, (*row[:12], text, *row[13:]), wanted, archives, self._note)
            return self._by_id(cursor, row[0])

    def delete_version(self, name: str, version: str) -> None:
        """Remove one version and the aliases that point to it; its number is not used again."""
        with self._db.write() as cursor:
            self._remove(cursor, self._version_row(cursor, name, version), self._note, force=True)

    def set_alias(self, name: str, alias: str, version: str | None) -> None:
        """Point *alias* to a version; None removes it."""
        self.move_alias(name, alias, version, note=self._note, expected=None)

    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that *alias* points to."""
        with self._db.read() as cursor:
            cursor.execute(self._texts.version_of_alias, (self._model_row(cursor, name)[0], alias))
            found = cursor.fetchone()
            if found is None:
                cursor.execute(self._texts.aliases_of_model, (self._model_row(cursor, name)[0],))
                known = ", ".join(repr(each) for each, _, _ in cursor.fetchall()) or "none"
                raise NotFoundError(
                    f"registered model alias {alias!r} not found in model {name!r} (its aliases: {known}); "
                    "set it with set_registered_model_alias()"
                )
            return self._by_id(cursor, found[0])

    def _by_id(self, cursor: Cursor, number: int) -> ModelVersion:
        cursor.execute(self._texts.version_by_id, (number,))
        row: Row | None = cursor.fetchone()
        if row is None:
            raise NotFoundError("a version that was just there is gone")
        return self._version(cursor, row)
