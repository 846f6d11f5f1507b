"""Single runs: create, read, change, and the curve of a metric."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from operator import itemgetter

from attrs import frozen

from mlcore.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LifecycleStage,
    Metric,
    MetricSummary,
    ModelOutput,
    NewRun,
    Page,
    Run,
    RunChange,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
)
from mlcore.errors import AlreadyExistsError, InvalidStateError
from mlcore.uris import join
from mlcore_store_sql import curves, paging
from mlcore_store_sql.dialects import Cursor, Row
from mlcore_store_sql.part import DELETED, Part, no_run, now_ms
from mlcore_store_sql.places import Places

RUN_NAME_TAG = "mlflow.runName"


class RunsPart(Part):
    """The store's methods for single runs."""

    def create_run(self, new: NewRun) -> Run:
        """Create a RUNNING run below its experiment's artifact location; the same run again is returned as it is."""
        with self._db.write() as cursor:
            cursor.execute(self._texts.run, (new.run_id,))
            row = cursor.fetchone()
            if row is not None:
                if str(row[2]) != new.experiment_id:
                    raise AlreadyExistsError(
                        f"run {new.run_id!r} already exists in experiment {str(row[2])!r}; it cannot be created in "
                        f"experiment {new.experiment_id!r}, choose another run id"
                    )
                return self._run(cursor, row)
            experiment, location = self._writable_experiment(cursor, new.experiment_id)
            uri = None if location is None else join(location, new.run_id, "artifacts")
            values = (new.run_id, experiment, new.run_name, new.user_id, new.start_time, uri)
            cursor.execute(self._texts.insert_run, values)
            cursor.execute(self._texts.run, (new.run_id,))
            row = cursor.fetchone()
            if row is None:
                raise no_run(new.run_id)
            self._touch(cursor, row[0], experiment)
            tags = {**new.tags, RUN_NAME_TAG: new.run_name}
            cursor.executemany(self._texts.set_tag, [(row[0], key, value) for key, value in tags.items()])
            return Run(run_info(row, self._places), RunData(tags=dict(sorted(tags.items()))))

    def get_run(self, run_id: str) -> Run:
        """Return the run with the latest point of each metric, deleted or not."""
        with self._db.read() as cursor:
            return self._run(cursor, self._run_row(cursor, run_id))

    def update_run(self, run_id: str, change: RunChange) -> RunInfo:
        """Change status, end time, name or lifecycle stage; a rename rewrites the tag `mlflow.runName`."""
        with self._db.write() as cursor:
            row = self._run_row(cursor, run_id)
            number, old_name, old_status, old_end, old_stage = row[0], row[3], row[5], row[7], row[9]
            stage = change.lifecycle_stage or old_stage
            if change == RunChange(lifecycle_stage=change.lifecycle_stage) and stage == old_stage:
                return run_info(row, self._places)
            if DELETED == old_stage == stage:
                raise InvalidStateError(
                    f"the run {run_id!r} must be in the 'active' state, but it is {old_stage!r}; restore it first"
                )
            name = old_name if change.run_name is None else change.run_name
            status = change.status or old_status
            kept_end = None if change.status is RunStatus.RUNNING else old_end
            end_time = kept_end if change.end_time is None else change.end_time
            deleted_time = now_ms() if stage == DELETED else None
            cursor.execute(self._texts.update_run, (name, str(status), end_time, str(stage), deleted_time, number))
            self._touch(cursor, number, row[2])
            if change.run_name is not None:
                cursor.execute(self._texts.set_tag, (number, RUN_NAME_TAG, name))
            return run_info(self._run_row(cursor, run_id), self._places)

    def get_metric_history(self, run_id: str, key: str, *, max_results: int, page_token: str | None) -> Page[Metric]:
        """Return a page of a metric's points, ordered by (timestamp, step, value), NaN before numbers."""
        skip = paging.offset(page_token)
        with self._db.read() as cursor:
            number = self._run_row(cursor, run_id)[0]
            cursor.execute(self._texts.history, (number, key, max_results + 1, skip))
            return paging.page([curves.metric_of(key, row) for row in cursor.fetchall()], skip, max_results)

    def metric_summaries(self, run_id: str) -> tuple[MetricSummary, ...]:
        """Return one summary per metric of the run, sorted by key."""
        with self._db.read() as cursor:
            number = self._run_row(cursor, run_id)[0]
            cursor.execute(self._texts.metrics_of_run, (number,))
            return tuple(
                curves.summary_of(row[1], row[2:], partial(self._has_special, cursor, number, row[1]))
                for row in cursor.fetchall()
            )

    def _has_special(self, cursor: Cursor, run: int, key: str, special: int) -> bool:
        cursor.execute(self._texts.has_special, (run, key, special))
        return cursor.fetchone() is not None

    def _run_row(self, cursor: Cursor, run_id: str) -> Row:
        cursor.execute(self._texts.run, (run_id,))
        row = cursor.fetchone()
        if row is None:
            raise no_run(run_id)
        return row

    def _run(self, cursor: Cursor, row: Row) -> Run:
        of_run = (row[0],)
        cursor.execute(self._texts.metrics_of_run, of_run)
        latest = tuple(curves.metric_of(found[1], found[2:6]) for found in cursor.fetchall())
        cursor.execute(self._texts.params_of_run, of_run)
        params: dict[str, str] = dict(cursor.fetchall())
        cursor.execute(self._texts.tags_of_run, of_run)
        tags: dict[str, str] = dict(cursor.fetchall())
        cursor.execute(self._texts.inputs_of_run, of_run)
        datasets = inputs_of(cursor.fetchall()).get(row[0], ())
        cursor.execute(self._texts.models_of_run, (row[0], row[0]))
        models = models_of(cursor.fetchall()).get(row[0], Models())
        data = RunData(latest, params, tags)
        return Run(run_info(row, self._places), data, RunInputs(datasets, models.read), models.made)


def run_info(row: Row, places: Places) -> RunInfo:
    """Make a run's info of its row."""
    _, run_id, experiment, name, user, status, start, end, uri, stage = row
    where = places.of_run(uri, experiment, run_id)
    return RunInfo(run_id, str(experiment), name, user, RunStatus(status), start, end, where, LifecycleStage(stage))


def inputs_of(rows: Iterable[Row]) -> dict[int, tuple[DatasetInput, ...]]:
    """Group rows of datasets, one for each tag, by the run's number."""
    found: dict[int, dict[int, tuple[Dataset, list[InputTag]]]] = {}
    for run, number, name, digest, source_type, source, schema, profile, key, value in rows:
        of_run = found.setdefault(run, {})
        if number not in of_run:
            of_run[number] = (Dataset(name, digest, source_type, source, schema, profile), [])
        if key is not None:
            of_run[number][1].append(InputTag(key, value))
    return {
        run: tuple(DatasetInput(dataset, tuple(tags)) for dataset, tags in of_run.values())
        for run, of_run in found.items()
    }


@frozen
class Models:
    """The logged models that a run read and made."""

    read: tuple[str, ...] = ()
    made: tuple[ModelOutput, ...] = ()


def models_of(rows: Iterable[Row]) -> dict[int, Models]:
    """Group rows of run, logged model, step and number of the row by the run; models that were read have no step."""
    found: dict[int, tuple[list[str], list[ModelOutput]]] = {}
    for run, model_id, step, _ in sorted(rows, key=itemgetter(3)):
        read, made = found.setdefault(run, ([], []))
        if step is None:
            read.append(model_id)
        else:
            made.append(ModelOutput(model_id, step))
    return {run: Models(tuple(read), tuple(made)) for run, (read, made) in found.items()}
