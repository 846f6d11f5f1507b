"""Experiments: create, read, change."""

from __future__ import annotations

from mlcore.entities import Experiment, ExperimentChange, LifecycleStage
from mlcore.errors import AlreadyExistsError, InvalidParameterError, InvalidStateError, NotFoundError
from mlcore_store_sql.dialects import Cursor, Row
from mlcore_store_sql.part import ACTIVE, DELETED, Part, no_experiment, now_ms, number_of
from mlcore_store_sql.places import Places

DEFAULT_NAME = "Default"
DEFAULT_ID = "0"


class ExperimentsPart(Part):
    """The store's methods for single experiments."""

    def create_experiment(self, name: str, *, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        """Create an experiment whose name no other has, active or deleted."""
        with self._db.write() as cursor:
            now = now_ms()
            cursor.execute(self._texts.insert_experiment, (name, artifact_location, now, now))
            created = cursor.rowcount == 1
            row = self._row_by_name(cursor, name)
            if not created:
                raise _taken(row)
            number = row[0]
            location = artifact_location or self._places.to_store(str(number))
            if location != artifact_location:
                self._set_location(cursor, number, location)
            cursor.executemany(self._texts.set_experiment_tag, [(number, key, value) for key, value in tags.items()])
            return self._experiment(cursor, (*row[:2], location, *row[3:]))

    def adopt_experiment(self, experiment: Experiment) -> Experiment:
        """Create an experiment with the id, times, tags and lifecycle stage that it has elsewhere.

        Raises InvalidParameterError: the id is no decimal number below 2**63, as ids are here.
        """
        number = number_of(experiment.experiment_id)
        if number is None:
            raise InvalidParameterError(
                f"the experiment {experiment.name!r} cannot keep the id {experiment.experiment_id!r} in a database: "
                "expected a decimal number below 2**63; create it with another id"
            )
        created = now_ms() if experiment.creation_time is None else experiment.creation_time
        changed = created if experiment.last_update_time is None else experiment.last_update_time
        place = experiment.artifact_location or self._places.to_store(str(number))
        stage = str(experiment.lifecycle_stage)
        values = (number, experiment.name, place, stage, created, changed, changed if stage == DELETED else None)
        with self._db.write() as cursor:
            cursor.execute(self._texts.adopt_experiment, values)
            if cursor.rowcount == 1:
                tags = [(number, key, value) for key, value in experiment.tags.items()]
                cursor.executemany(self._texts.set_experiment_tag, tags)
                return self._experiment(cursor, self._row(cursor, str(number)))
            cursor.execute(self._texts.experiment_by_name, (experiment.name,))
            named = cursor.fetchone()
            if named is None:
                row = self._row(cursor, str(number))
                raise AlreadyExistsError(
                    f"the experiment {row[1]!r} has the id {str(number)!r} already; create {experiment.name!r} with "
                    "another id"
                )
            if named[0] != number:
                raise _taken(named)
            return self._experiment(cursor, named)

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return the experiment, deleted or not."""
        with self._db.read() as cursor:
            return self._experiment(cursor, self._row(cursor, experiment_id))

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name, deleted or not; None when there is none."""
        with self._db.read() as cursor:
            cursor.execute(self._texts.experiment_by_name, (name,))
            row = cursor.fetchone()
            return None if row is None else self._experiment(cursor, row)

    def update_experiment(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Rename, tag, delete or restore an experiment; its runs are deleted and restored with it.

        Runs that were deleted before their experiment stay deleted when it is restored.
        """
        with self._db.write() as cursor:
            row = self._row(cursor, experiment_id)
            number, old_name, _, old_stage = row[:4]
            stage = change.lifecycle_stage or old_stage
            _check_change(experiment_id, old_stage, change)
            name = old_name if change.name is None else change.name
            if name != old_name:
                cursor.execute(self._texts.experiment_by_name, (name,))
                taken = cursor.fetchone()
                if taken is not None:
                    raise _taken(taken)
            now = now_ms()
            deleted_time = now if stage == DELETED else None
            cursor.execute(self._texts.update_experiment, (name, str(stage), now, deleted_time, number))
            if stage != old_stage:
                self._take_runs_along(cursor, number, stage, now)
            self._change_tags(cursor, experiment_id, number, change)
            return self._experiment(cursor, self._row(cursor, experiment_id))

    def _take_runs_along(self, cursor: Cursor, number: int, stage: str, now: int) -> None:
        if stage == DELETED:
            cursor.execute(self._texts.delete_runs_of_experiment, (now, number))
        else:
            cursor.execute(self._texts.restore_runs_of_experiment, (number,))
        cursor.execute(self._texts.runs_to_touch, (number,))
        cursor.executemany(self._texts.touch_run, cursor.fetchall())

    def _change_tags(self, cursor: Cursor, experiment_id: str, number: int, change: ExperimentChange) -> None:
        rows = [(number, key, value) for key, value in change.set_tags.items()]
        cursor.executemany(self._texts.set_experiment_tag, rows)
        for key in change.delete_tags:
            cursor.execute(self._texts.delete_experiment_tag, (number, key))
            if cursor.rowcount != 1:
                raise NotFoundError(f"no tag with name {key!r} in experiment with id={experiment_id!r}")

    def _set_location(self, cursor: Cursor, number: int, location: str | None) -> None:
        cursor.execute(self._texts.set_experiment_location, (location, number))

    def _row_by_name(self, cursor: Cursor, name: str) -> Row:
        cursor.execute(self._texts.experiment_by_name, (name,))
        row = cursor.fetchone()
        if row is None:
            raise NotFoundError(f"no experiment named {name!r}")
        return row

    def _row(self, cursor: Cursor, experiment_id: str) -> Row:
        number = number_of(experiment_id)
        if number is None:
            raise no_experiment(experiment_id)
        cursor.execute(self._texts.experiment_by_id, (number,))
        row = cursor.fetchone()
        if row is None:
            raise no_experiment(experiment_id)
        return row

    def _experiment(self, cursor: Cursor, row: Row) -> Experiment:
        cursor.execute(self._texts.experiment_tags, (row[0],))
        return experiment_of(row, dict(cursor.fetchall()), self._places)


def experiment_of(row: Row, tags: dict[str, str], places: Places) -> Experiment:
    """Make an experiment of its row and tags."""
    number, name, location, stage, created, updated = row
    where = places.of_experiment(location, number)
    return Experiment(str(number), name, where, LifecycleStage(stage), created, updated, tags)


def _check_change(experiment_id: str, stage: str, change: ExperimentChange) -> None:
    if change.lifecycle_stage == stage:
        # As the protocol has it: only what is active can be deleted, and only what is deleted restored.
        raise NotFoundError(f"no experiment with id={experiment_id!r} to change: it is {stage!r} already")
    becomes_active = change.lifecycle_stage == ACTIVE
    changes_more = change.name is not None or change.set_tags or change.delete_tags
    if stage != ACTIVE and changes_more and not becomes_active:
        raise InvalidStateError(
            f"the experiment {experiment_id!r} must be in the 'active' state, but it is {stage!r}; restore it first"
        )


def _taken(row: Row) -> AlreadyExistsError:
    number, name, _, stage = row[:4]
    if stage == DELETED:
        return AlreadyExistsError(
            f"experiment {name!r} already exists, deleted, with id={str(number)!r}; restore it or choose another name"
        )
    return AlreadyExistsError(f"experiment {name!r} already exists, with id={str(number)!r}; choose another name")
