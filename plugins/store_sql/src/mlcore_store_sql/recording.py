"""What a run records: points, params, tags and inputs. The path that has to be fast."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlcore.entities import Batch, DatasetInput, Metric, Param
from mlcore.errors import NotFoundError, ParamConflictError
from mlcore.wire.filter_values import param_number
from mlcore_store_sql import curves
from mlcore_store_sql.dialects import Cursor
from mlcore_store_sql.part import Part
from mlcore_store_sql.runs import RUN_NAME_TAG

# By number of the run and metric key: the points of one curve.
Curves = dict[tuple[int, str], list[curves.Point]]


class RecordingPart(Part):
    """The store's methods that add to a run."""

    def log_batch(self, run_id: str, batch: Batch) -> None:
        """Record params, points and tags of a run: all, or nothing."""
        with self._db.write() as cursor:
            known = self._db.key_numbers
            new = self._add_batch(cursor, run_id, batch, known)
        if new:
            known.update(new)  # only now that they are committed

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag."""
        with self._db.write() as cursor:
            run, _ = self._writable_run(cursor, run_id)
            cursor.execute(self._texts.delete_tag, (run, key))
            if cursor.rowcount != 1:
                raise NotFoundError(f"no tag with name {key!r} in run with id={run_id!r}")

    def log_inputs(self, run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
        """Record datasets that the run read; the same dataset (name and digest) again changes nothing."""
        with self._db.write() as cursor:
            run, experiment = self._writable_run(cursor, run_id)
            for each in inputs:
                self._add_input(cursor, run, experiment, each)

    def _add_batch(self, cursor: Cursor, run_id: str, batch: Batch, known: dict[str, int]) -> dict[str, int]:
        """Add a batch to its run; return new metric keys with their numbers."""
        run, _ = self._writable_run(cursor, run_id)
        if batch.params:
            self._add_params(cursor, run_id, run, batch.params)
        new = self._add_points(cursor, curves_of(run, batch.metrics), known) if batch.metrics else {}
        if batch.tags:
            self._set_tags(cursor, run, {tag.key: tag.value for tag in batch.tags})
        return new

    def _add_params(self, cursor: Cursor, run_id: str, run: int, params: tuple[Param, ...]) -> None:
        rows = [(run, param.key, param.value, param_number(param.value)) for param in params]
        cursor.executemany(self._texts.insert_param, rows)
        if cursor.rowcount == len(rows):
            return
        cursor.execute(self._texts.params_of_run, (run,))
        recorded: dict[str, str] = dict(cursor.fetchall())
        error = param_conflict(run_id, recorded, params)
        if error is not None:
            raise error

    def _set_tags(self, cursor: Cursor, run: int, values: Mapping[str, str]) -> None:
        cursor.executemany(self._texts.set_tag, [(run, key, value) for key, value in values.items()])
        if RUN_NAME_TAG in values:
            cursor.execute(self._texts.rename_run, (values[RUN_NAME_TAG], run))

    def _add_points(self, cursor: Cursor, found: Curves, known: dict[str, int]) -> dict[str, int]:
        """Add points and bring the summaries of their curves up to date; return new keys with their numbers."""
        rows: list[tuple[object, ...]] = []
        latest: list[tuple[object, ...]] = []
        new_keys: dict[str, int] = {}
        for run, key in sorted(found) if len(found) > 1 else found:
            number = known.get(key)
            if number is None:
                number = new_keys.get(key)
                if number is None:
                    number = new_keys[key] = self._key_number(cursor, key)
            points = found[run, key]
            if len(points) > 1:
                points = list(dict.fromkeys(points))
            cursor.execute(self._texts.latest_metric, (run, number))
            before = cursor.fetchone()
            added = len(points)
            own = [(run, number, *row) for row in points]
            if before is None or min(points)[:2] > before[:2]:
                rows += own
            else:
                # Some may be there already; only the database knows which.
                cursor.executemany(self._texts.insert_metric, own)
                added = cursor.rowcount
            if added:
                latest.append((run, number, *curves.summarized(points, before, added)))
        cursor.executemany(self._texts.insert_metric, rows)
        cursor.executemany(self._texts.set_latest_metric, latest)
        return new_keys

    def _key_number(self, cursor: Cursor, key: str) -> int:
        cursor.execute(self._texts.metric_key, (key,))
        row = cursor.fetchone()
        if row is None:
            cursor.execute(self._texts.insert_metric_key, (key,))
            cursor.execute(self._texts.metric_key, (key,))
            row = cursor.fetchone()
        if row is None:
            raise NotFoundError(f"no number for metric {key!r}")
        return int(row[0])

    def _add_input(self, cursor: Cursor, run: int, experiment: int, used: DatasetInput) -> None:
        data = used.dataset
        cursor.execute(
            self._texts.insert_dataset,
            (experiment, data.name, data.digest, data.source_type, data.source, data.schema, data.profile),
        )
        cursor.execute(self._texts.dataset, (experiment, data.name, data.digest))
        dataset = _only(cursor)
        cursor.execute(self._texts.insert_input, (run, dataset))
        if cursor.rowcount == 1:
            cursor.execute(self._texts.input, (run, dataset))
            number = _only(cursor)
            rows = [(number, tag.key, tag.value) for tag in used.tags]
            cursor.executemany(self._texts.insert_input_tag, rows)


def curves_of(run: int, metrics: Iterable[Metric], found: Curves | None = None) -> Curves:
    """Sort points by curve, adding to *found*."""
    found = {} if found is None else found
    for metric in metrics:
        row = curves.point(metric)
        points = found.get((run, metric.key))
        if points is None:
            found[run, metric.key] = [row]
        else:
            points.append(row)
    return found


def param_conflict(run_id: str, recorded: Mapping[str, str], params: Iterable[Param]) -> ParamConflictError | None:
    """Return the error for params whose *recorded* value is another one; None when there is none."""
    conflicts = [
        f"param {param.key!r} has the value {recorded[param.key]!r} already, got {param.value!r}"
        for param in params
        if recorded[param.key] != param.value
    ]
    if not conflicts:
        return None
    return ParamConflictError(
        f"changing param values is not allowed: in run {run_id!r} {'; '.join(conflicts)}. Log it under "
        "another key, or in a new run; what changes during a run is a metric or a tag"
    )


def _only(cursor: Cursor) -> int:
    row = cursor.fetchone()
    if row is None:
        raise NotFoundError("a row that was just written is not there")
    return int(row[0])
