"""Runs as the index keeps them: rows to search in, and one document to show."""

from __future__ import annotations

import functools
import json
import math
import sys
from collections.abc import Callable, Collection, Sequence

from mlcore.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LifecycleStage,
    Metric,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
)
from mlcore.entities.filters import Field
from mlcore.entities.logged_model import ModelOutput
from mlcore.tracking.tags import DATASET_CONTEXT
from mlcore.wire.filter_values import clamped, param_number
from mlcore_store_file.run_state import Curve, RunState

Rows = list[tuple[object, ...]]
_LARGEST = sys.float_info.max


def document(run: Run, state: RunState) -> str:
    """Return everything that a search returns of a run, and what its stage depends on, as text."""
    inputs = [
        [
            use.dataset.name,
            use.dataset.digest,
            use.dataset.source_type,
            use.dataset.source,
            use.dataset.schema,
            use.dataset.profile,
            [[tag.key, tag.value] for tag in use.tags],
        ]
        for use in run.inputs.dataset_inputs
    ]
    return _encode(
        [
            [[point.key, point.value, point.timestamp, point.step] for point in run.data.latest],
            run.data.params,
            run.data.tags,
            inputs,
            run.inputs.model_inputs,
            [[made.model_id, made.step] for made in run.outputs],
            [state.created, state.stages],
        ]
    )


_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
_number_in = functools.lru_cache(maxsize=4096)(param_number)  # params have few different values


def stage_of(text: str, of_experiment: Sequence[tuple[tuple[int, str, int], str]]) -> LifecycleStage:
    """Return a run's stage after something happened to its experiment."""
    (at, writer, sequence), stages = json.loads(text)[6]
    own = [((int(when), str(who), int(where)), str(stage)) for (when, who, where), stage in stages]
    return RunState(created=(at, writer, sequence), stages=own).stage(of_experiment)


class Shower:
    """Make runs of the index's rows."""

    columns = (
        "run_id, experiment_id, run_name, user_id, status, start_time, end_time, lifecycle_stage, document"  # in order
    )

    def __init__(self, uri: Callable[[str, str], str], wanted: Sequence[Field] | None) -> None:
        """Show all, or only the *wanted* metrics, params and tags.

        uri: gives the artifact URI of experiment and run.
        """
        self._uri = uri
        self._wanted: dict[str, Collection[str]] | None = None
        if wanted is not None:
            self._wanted = {
                entity: {field.key for field in wanted if field.entity == entity}
                for entity in ("metric", "param", "tag")
            }

    def run(self, row: Sequence[object]) -> Run:
        """Return the run of a row."""
        run_id, experiment_id, name, user, status, start, end, stage, text = row
        points, params, tags, inputs, models, outputs, _ = json.loads(str(text))
        if self._wanted is not None:
            metrics, keys, names = self._wanted["metric"], self._wanted["param"], self._wanted["tag"]
            points = [point for point in points if point[0] in metrics]
            params = {key: params[key] for key in params if key in keys}
            tags = {key: tags[key] for key in tags if key in names}
            inputs, models, outputs = (), (), ()
        info = RunInfo(
            str(run_id),
            str(experiment_id),
            str(name),
            str(user),
            _STATUSES[str(status)],
            start,  # type: ignore[arg-type]  # the column's type is INTEGER
            end,  # type: ignore[arg-type]  # INTEGER, or NULL
            self._uri(str(experiment_id), str(run_id)),
            _STAGES[str(stage)],
        )
        used = RunInputs(tuple([_input(each) for each in inputs]), tuple(models))
        made = tuple([ModelOutput(model_id, step) for model_id, step in outputs])
        return Run(info, RunData(tuple([Metric(*point) for point in points]), params, tags), used, made)


_STATUSES = {each.value: each for each in RunStatus}
_STAGES = {each.value: each for each in LifecycleStage}


def _input(given: Sequence[object]) -> DatasetInput:
    *dataset, tags = given
    return DatasetInput(
        Dataset(*dataset),  # type: ignore[arg-type]  # as `document` wrote it
        tuple([InputTag(key, value) for key, value in tags]),  # type: ignore[attr-defined]  # a list of pairs
    )


def metric_rows(number: int, curves: dict[str, Curve]) -> Rows:
    """Return the rows of a run's metrics; NaN is NULL."""
    rows: Rows = []
    for key, curve in sorted(curves.items()):  # rows that come in the order of their keys are appended
        value = curve.last.value
        if curve.least == curve.greatest == value and -_LARGEST <= value <= _LARGEST:  # nearly every curve of one point
            rows.append((number, key, value, value, value))
        else:
            last = None if math.isnan(value) else clamped(value)
            rows.append((number, key, last, _bound(curve.least), _bound(curve.greatest)))
    return rows


def param_rows(number: int, run: Run) -> Rows:
    """Return the rows of a run's params."""
    return [(number, key, value, _number_in(value)) for key, value in sorted(run.data.params.items())]


def tag_rows(number: int, run: Run) -> Rows:
    """Return the rows of a run's tags."""
    return [(number, key, value) for key, value in sorted(run.data.tags.items())]


def input_rows(number: int, run: Run) -> Rows:
    """Return the rows of what a run read."""
    rows: Rows = []
    for place, use in enumerate(run.inputs.dataset_inputs):
        rows += [(number, "name", use.dataset.name, place), (number, "digest", use.dataset.digest, place)]
        rows += [(number, "context", tag.value, place) for tag in use.tags if tag.key == DATASET_CONTEXT]
    return rows


def _bound(value: float | None) -> float | None:
    return None if value is None else clamped(value)
