"""Logged models: create, read, change, measure, and link to runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlcore.entities import (
    LifecycleStage,
    LoggedModel,
    LoggedModelChange,
    LoggedModelStatus,
    Metric,
    ModelMetric,
    ModelOutput,
    NewLoggedModel,
)
from mlcore.errors import AlreadyExistsError, BadRequestError, NotFoundError
from mlcore.uris import join
from mlcore.wire.filter_values import param_number
from mlcore_store_sql import curves
from mlcore_store_sql.dialects import Cursor, Row
from mlcore_store_sql.part import ACTIVE, DELETED, Part, now_ms
from mlcore_store_sql.places import Places


class LoggedPart(Part):
    """The store's methods for single logged models."""

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """Create a PENDING model of an active experiment; the same model again is returned as it is."""
        with self._db.write() as cursor:
            known = self._logged_row_or_none(cursor, new.model_id)
            if known is not None:
                if str(known[2]) != new.experiment_id:
                    raise AlreadyExistsError(
                        f"logged model {new.model_id!r} already exists in experiment {str(known[2])!r}; it cannot be "
                        f"created in experiment {new.experiment_id!r}, choose another model id"
                    )
                return self._logged_model(cursor, known)
            experiment, location = self._writable_experiment(cursor, new.experiment_id)
            uri = None if location is None else join(location, "models", new.model_id, "artifacts")
            now = now_ms()
            state = (str(LoggedModelStatus.PENDING), "", new.creator_id, new.model_type, new.source_run_id, ACTIVE)
            values = (new.model_id, experiment, new.name, uri, now, now, *state)
            cursor.execute(self._texts.insert_logged_model, values)
            row = self._logged_row(cursor, new.model_id)
            self._add_model_params(cursor, row[0], new.params)
            self._set_model_tags(cursor, row[0], new.tags)
            return self._logged_model(cursor, row)

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """Return a logged model. Raises NotFoundError: unknown, or deleted and not allowed to be."""
        with self._db.read() as cursor:
            return self._logged_model(cursor, self._logged_row(cursor, model_id, allow_deleted=allow_deleted))

    def update_logged_model(self, model_id: str, change: LoggedModelChange) -> LoggedModel:
        """Change a logged model in one step; one that is deleted can only be deleted again, or restored."""
        with self._db.write() as cursor:
            row = self._logged_row(cursor, model_id, allow_deleted=change.lifecycle_stage is not None)
            number, status, stage = row[0], row[7], row[12]
            if change.add_params:
                self._refuse_known_params(cursor, model_id, number, change.add_params)
                self._add_model_params(cursor, number, change.add_params)
            self._set_model_tags(cursor, number, change.set_tags)
            for key in change.delete_tags:
                cursor.execute(self._texts.delete_logged_model_tag, (number, key))
                if cursor.rowcount != 1:
                    raise NotFoundError(f"no tag with key {key!r} in logged model with id={model_id!r}")
            if change != LoggedModelChange():
                now = (now_ms(), str(change.status or status), str(change.lifecycle_stage or stage))
                cursor.execute(self._texts.update_logged_model, (*now, number))
            return self._logged_model(cursor, self._logged_row(cursor, model_id, allow_deleted=True))

    def log_model_metrics(self, run_id: str, metrics: tuple[ModelMetric, ...]) -> None:
        """Record what a run measured on models: the latest point of each key, run and dataset."""
        with self._db.write() as cursor:
            self._writable_run(cursor, run_id)
            for metric in metrics:
                row = self._logged_row_or_none(cursor, metric.model_id)
                if row is None:
                    raise BadRequestError(
                        f"run {run_id!r} cannot record metric {metric.point.key!r} of logged model "
                        f"{metric.model_id!r}: there is no such model, create it first"
                    )
                curve = (row[0], metric.point.key, run_id, metric.dataset_name, metric.dataset_digest)
                point = curves.point(metric.point)
                cursor.execute(self._texts.logged_model_metric, curve)
                before = cursor.fetchone()
                last = point if before is None else curves.later(point, (before[0], before[1], before[2], before[3]))
                cursor.execute(self._texts.set_logged_model_metric, (*curve, *last))

    def link_models(self, run_id: str, *, inputs: tuple[str, ...] = (), outputs: tuple[ModelOutput, ...] = ()) -> None:
        """Record which models a run read and made; the same again is kept once."""
        with self._db.write() as cursor:
            run, _ = self._writable_run(cursor, run_id)
            cursor.executemany(self._texts.insert_model_input, [(run, model_id) for model_id in inputs])
            made = [(run, output.model_id, output.step) for output in outputs]
            cursor.executemany(self._texts.insert_model_output, made)

    def _refuse_known_params(self, cursor: Cursor, model_id: str, number: int, params: Mapping[str, str]) -> None:
        cursor.execute(self._texts.params_of_logged_model, (number,))
        known: dict[str, str] = dict(cursor.fetchall())
        for key in params:
            if key in known:
                raise BadRequestError(
                    f"param {key!r} of logged model {model_id!r} has the value {known[key]!r} already; params of a "
                    "model never change, log it under another key"
                )

    def _add_model_params(self, cursor: Cursor, number: int, params: Mapping[str, str]) -> None:
        rows = [(number, key, value, param_number(value)) for key, value in params.items()]
        cursor.executemany(self._texts.insert_logged_model_param, rows)

    def _set_model_tags(self, cursor: Cursor, number: int, tags: Mapping[str, str]) -> None:
        rows = [(number, key, value) for key, value in tags.items()]
        cursor.executemany(self._texts.set_logged_model_tag, rows)

    def _logged_row(self, cursor: Cursor, model_id: str, *, allow_deleted: bool = False) -> Row:
        row = self._logged_row_or_none(cursor, model_id)
        if row is None or (row[12] == DELETED and not allow_deleted):
            raise NotFoundError(
                f"logged model with id={model_id!r} not found; search_logged_models() lists those that there are"
            )
        return row

    def _logged_row_or_none(self, cursor: Cursor, model_id: str) -> Row | None:
        cursor.execute(self._texts.logged_model, (model_id,))
        return cursor.fetchone()

    def _logged_model(self, cursor: Cursor, row: Row) -> LoggedModel:
        number = (row[0],)
        cursor.execute(self._texts.params_of_logged_model, number)
        params: dict[str, str] = dict(cursor.fetchall())
        cursor.execute(self._texts.tags_of_logged_model, number)
        tags: dict[str, str] = dict(cursor.fetchall())
        cursor.execute(self._texts.metrics_of_logged_model, number)
        return logged_model_of(row, params, tags, cursor.fetchall(), self._places)


def logged_model_of(
    row: Row, params: Mapping[str, str], tags: Mapping[str, str], metrics: Sequence[Row], places: Places
) -> LoggedModel:
    """Make a logged model of its row and all else."""
    _, model_id, experiment, name, uri, created, changed, status, message, creator, kind, source_run, stage = row
    return LoggedModel(
        model_id=model_id,
        experiment_id=str(experiment),
        name=name,
        artifact_uri=places.of_model(uri, experiment, model_id),
        creation_timestamp=created,
        last_updated_timestamp=changed,
        status=LoggedModelStatus(status),
        status_message=message,
        creator_id=creator,
        model_type=kind,
        source_run_id=source_run,
        params=params,
        tags=tags,
        metrics=tuple(_model_metric(model_id, found) for found in metrics),
        lifecycle_stage=LifecycleStage(stage),
    )


def _model_metric(model_id: str, row: Row) -> ModelMetric:
    _, key, run_id, dataset_name, dataset_digest, step, timestamp, value, special = row
    point: Metric = curves.metric_of(key, (step, timestamp, value, special))
    return ModelMetric(model_id, run_id, point, dataset_name, dataset_digest)
