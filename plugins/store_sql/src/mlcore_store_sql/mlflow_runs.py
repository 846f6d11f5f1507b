"""Runs out of MLflow's tables: who and when first, all else for those that are wanted."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import evolve

from mlcore.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LifecycleStage,
    Metric,
    MetricSummary,
    ModelOutput,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
    ViewType,
)
from mlcore.tracking.summaries import summarize_all
from mlcore_store_sql.dialects import Row
from mlcore_store_sql.mlflow_file import MlflowFile

# Columns of the first releases, as the tags that later ones have in their place.
_OLD_COLUMNS = {
    "source_name": "mlflow.source.name",
    "source_version": "mlflow.source.git.commit",
    "entry_point_name": "mlflow.project.entryPoint",
}


class MlflowRuns:
    """Reads runs."""

    def __init__(self, file: MlflowFile) -> None:
        """Read from *file*."""
        self._file = file
        pick = file.pick
        self._step = pick("metrics", "step", "0")
        self._nan = pick("metrics", "is_nan", "0")
        self._info = (
            "SELECT runs.run_uuid, runs.experiment_id, runs.name, runs.user_id, runs.status, runs.start_time, "
            "runs.end_time, runs.artifact_uri, runs.lifecycle_stage, name_tag.value FROM runs LEFT JOIN tags AS name_tag "
            "ON name_tag.run_uuid = runs.run_uuid AND name_tag.key = 'mlflow.runName' "
        )

    def find(self, run_id: str) -> Run | None:
        """Return a run with everything; None when there is none."""
        rows = self._file.rows(self._info + "WHERE runs.run_uuid = ?", (run_id,))
        return next(iter(self.filled([self._bare(row) for row in rows])), None)

    def bare(self, experiment_ids: Sequence[str], view: ViewType) -> list[Run]:
        """Return the runs of experiments with nothing but their info."""
        numbers = [int(each) for each in dict.fromkeys(experiment_ids) if each.isascii() and each.isdigit()]
        rows = self._file.rows_of(self._info + "WHERE runs.experiment_id IN ({ids})", numbers)
        return [run for run in map(self._bare, rows) if view.shows(run.info.lifecycle_stage)]

    def filled(self, runs: Sequence[Run]) -> list[Run]:
        """Return runs with all that they recorded."""
        ids = [run.info.run_id for run in runs]
        latest, params, tags = self._latest(ids), self._texts("params", ids), self._texts("tags", ids)
        for run_id, more in self._old_columns(ids).items():
            tags[run_id] = more | tags[run_id]
        datasets, read, made = self._datasets(ids), *self._models(ids)
        return [
            evolve(
                run,
                data=RunData(latest[number], dict(sorted(params[number].items())), dict(sorted(tags[number].items()))),
                inputs=RunInputs(tuple(datasets[number]), tuple(read[number])),
                outputs=tuple(made[number]),
            )
            for run, number in zip(runs, ids, strict=True)
        ]

    def history(self, run_id: str, key: str, most: int, skip: int) -> list[Metric]:
        """Return points of a metric by time, step and value, NaN before numbers."""
        rows = self._file.rows(
            f"SELECT key, value, timestamp, {self._step} AS at_step, {self._nan} AS no_number FROM metrics "  # noqa: S608  # columns only
            "WHERE run_uuid = ? AND key = ? ORDER BY timestamp, at_step, "
            "CASE WHEN no_number OR value IS NULL THEN 0 ELSE 1 END, value LIMIT ? OFFSET ?",
            (run_id, key, most, skip),
        )
        return [_metric(*row) for row in rows]

    def summaries(self, run_id: str) -> dict[str, MetricSummary]:
        """Return the summaries of a run's metrics by key."""
        rows = self._file.rows(
            f"SELECT key, count(*), min(value), max(value) FROM (SELECT key, CASE WHEN {self._nan} THEN NULL ELSE value END "  # noqa: S608  # columns only
            "AS value FROM metrics WHERE run_uuid = ?) GROUP BY key",
            (run_id,),
        )
        last = {point.key: point for point in self._latest([run_id])[run_id]}
        found = {key: (count, low, high) for key, count, low, high in rows}
        return {
            key: MetricSummary(key, last[key], low, high, count)
            for key, (count, low, high) in sorted(found.items())
            if key in last
        }

    def _bare(self, row: Row) -> Run:
        number, experiment, name, user, status, start, end, uri, stage, tag = row
        return Run(
            RunInfo(
                number,
                str(experiment),
                name or tag or "",
                user or "",
                RunStatus(status or "RUNNING"),
                start or 0,
                end,
                self._file.located(uri),
                LifecycleStage(stage or "active"),
            )
        )

    def _latest(self, ids: Sequence[str]) -> Mapping[str, tuple[Metric, ...]]:
        found: dict[str, list[Metric]] = defaultdict(list)
        table = "latest_metrics" if self._file.has("latest_metrics") else "metrics"
        step, nan = self._file.pick(table, "step", "0"), self._file.pick(table, "is_nan", "0")
        for row in self._file.rows_of(
            f"SELECT run_uuid, key, value, timestamp, {step}, {nan} FROM {table} WHERE run_uuid IN ({{ids}})",  # noqa: S608  # columns only
            ids,
        ):
            found[row[0]].append(_metric(*row[1:]))
        if table == "metrics":
            return defaultdict(tuple, {number: _last_of(points) for number, points in found.items()})
        by_key = {number: tuple(sorted(points, key=lambda point: point.key)) for number, points in found.items()}
        return defaultdict(tuple, by_key)

    def _texts(self, table: str, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = defaultdict(dict)
        statement = f"SELECT run_uuid, key, value FROM {table} WHERE run_uuid IN ({{ids}})"  # noqa: S608  # tables only
        for number, key, value in self._file.rows_of(statement, ids):
            found[number][key] = value or ""
        return found

    def _old_columns(self, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        columns = [name for name in _OLD_COLUMNS if self._file.has("runs", name)]
        found: dict[str, dict[str, str]] = {}
        if columns:
            statement = f"SELECT run_uuid, {', '.join(columns)} FROM runs WHERE run_uuid IN ({{ids}})"  # noqa: S608  # columns only
            for number, *values in self._file.rows_of(statement, ids):
                said = {_OLD_COLUMNS[name]: text for name, text in zip(columns, values, strict=True) if text}
                if said:
                    found[number] = said
        return found

    def _datasets(self, ids: Sequence[str]) -> Mapping[str, list[DatasetInput]]:
        found: dict[str, list[DatasetInput]] = defaultdict(list)
        if not (self._file.has("inputs") and self._file.has("datasets")):
            return found
        rows = list(
            self._file.rows_of(
                "SELECT inputs.destination_id, inputs.input_uuid, datasets.name, datasets.digest, "
                "datasets.dataset_source_type, datasets.dataset_source, datasets.dataset_schema, datasets.dataset_profile "
                "FROM inputs JOIN datasets ON datasets.dataset_uuid = inputs.source_id WHERE "
                "inputs.source_type = 'DATASET' AND inputs.destination_type = 'RUN' AND inputs.destination_id IN ({ids}) "
                "ORDER BY inputs.rowid",
                ids,
            )
        )
        tags = self._input_tags([row[1] for row in rows])
        for number, used, name, digest, kind, source, schema, profile in rows:
            data = Dataset(name, digest, kind, source, schema, profile)
            found[number].append(DatasetInput(data, tuple(tags[used])))
        return found

    def _input_tags(self, inputs: Sequence[str]) -> Mapping[str, list[InputTag]]:
        found: dict[str, list[InputTag]] = defaultdict(list)
        if self._file.has("input_tags"):
            statement = "SELECT input_uuid, name, value FROM input_tags WHERE input_uuid IN ({ids}) ORDER BY name"
            for used, name, value in self._file.rows_of(statement, inputs):
                found[used].append(InputTag(name, value or ""))
        return found

    def _models(self, ids: Sequence[str]) -> tuple[Mapping[str, list[str]], Mapping[str, list[ModelOutput]]]:
        read: dict[str, list[str]] = defaultdict(list)
        made: dict[str, list[ModelOutput]] = defaultdict(list)
        if self._file.has("inputs"):
            step = self._file.pick("inputs", "step", "0")
            statement = (
                f"SELECT source_type, source_id, destination_id, {step} FROM inputs WHERE "  # noqa: S608  # columns only
                "source_type IN ('RUN_INPUT', 'RUN_OUTPUT') AND source_id IN ({ids}) ORDER BY inputs.rowid"
            )
            for kind, number, model, at in self._file.rows_of(statement, ids):
                if kind == "RUN_INPUT":
                    read[number].append(model)
                else:
                    made[number].append(ModelOutput(model, at or 0))
        return read, made


def _metric(key: str, value: float | None, timestamp: int | None, step: int | None, is_nan: int) -> Metric:
    """Make a point; NaN is a flag, and in some releases no value at all."""
    return Metric(key, math.nan if is_nan or value is None else float(value), timestamp or 0, step or 0)


def _last_of(points: Iterable[Metric]) -> tuple[Metric, ...]:
    def lasts() -> Iterator[Metric]:
        for summary in summarize_all(points).values():
            yield summary.last

    return tuple(lasts())
