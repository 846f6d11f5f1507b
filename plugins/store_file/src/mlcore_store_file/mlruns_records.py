"""What the `meta.yaml` files of experiments, runs, inputs and outputs mean, in all releases from 1.0 on."""

from __future__ import annotations

from collections.abc import Mapping

from mlcore.entities import (
    Dataset,
    Experiment,
    LifecycleStage,
    NewRun,
    RunInfo,
    RunStatus,
    SourceType,
)
from mlcore.errors import InvalidParameterError

Fields = Mapping[str, object]
NAME_TAG = "mlflow.runName"

_STATUSES = {
    1: RunStatus.RUNNING,
    2: RunStatus.SCHEDULED,
    3: RunStatus.FINISHED,
    4: RunStatus.FAILED,
    5: RunStatus.KILLED,
}
_NUMBERS = {status: number for number, status in _STATUSES.items()}
_SOURCES = {1: "NOTEBOOK", 2: "JOB", 3: "PROJECT", 4: "LOCAL"}
_UNKNOWN_SOURCE = 1000


def text(fields: Fields, key: str) -> str:
    """Return a field as text; empty when it is not there, or no single value."""
    value = fields.get(key)
    # A text of nested lists could be larger than any memory: YAML lets one list stand in many places.
    return "" if value is None or isinstance(value, (list, tuple, dict, set)) else str(value)


def number(fields: Fields, key: str) -> int | None:
    """Return a field as a whole number; None when it is not there, empty, or no number."""
    value = fields.get(key)
    if isinstance(value, bool) or value is None:
        return None
    try:
        return int(value) if isinstance(value, (int, float, str)) else None
    except (ValueError, OverflowError):
        return None


def experiment_of(fields: Fields, stage: LifecycleStage, location: str, tags: Mapping[str, str]) -> Experiment:
    """Make an experiment of its fields. Raises InvalidParameterError: id or name are missing."""
    experiment_id, name = text(fields, "experiment_id"), text(fields, "name")
    if not experiment_id or not name:
        raise InvalidParameterError("it has no 'experiment_id' or no 'name'")
    created, changed = number(fields, "creation_time"), number(fields, "last_update_time")
    return Experiment(experiment_id, name, location, stage, created, changed, dict(tags))


def experiment_fields(experiment: Experiment) -> dict[str, object]:
    """Return the fields that MLflow writes for an experiment."""
    return {
        "artifact_location": experiment.artifact_location,
        "creation_time": experiment.creation_time,
        "experiment_id": experiment.experiment_id,
        "last_update_time": experiment.last_update_time,
        "lifecycle_stage": str(experiment.lifecycle_stage),
        "name": experiment.name,
    }


def run_info_of(fields: Fields, artifact_uri: str, tags: Mapping[str, str], *, binned: bool) -> RunInfo:
    """Make a run's info of its fields.

    binned: the experiment was put in the bin by a release that did not mark its runs.
    Raises InvalidParameterError: no run id, or a status that is none.
    """
    run_id = text(fields, "run_id") or text(fields, "run_uuid")
    if not run_id:
        raise InvalidParameterError("it has no 'run_id' and no 'run_uuid'")
    deleted = binned or text(fields, "lifecycle_stage") == LifecycleStage.DELETED
    return RunInfo(
        run_id=run_id,
        experiment_id=text(fields, "experiment_id"),
        run_name=text(fields, "run_name") or tags.get(NAME_TAG, "") or text(fields, "name"),
        user_id=text(fields, "user_id"),
        status=status_of(fields.get("status")),
        start_time=number(fields, "start_time") or 0,
        end_time=number(fields, "end_time"),
        artifact_uri=artifact_uri,
        lifecycle_stage=LifecycleStage.DELETED if deleted else LifecycleStage.ACTIVE,
    )


def new_run_fields(new: NewRun, artifact_uri: str) -> dict[str, object]:
    """Return the fields of a new run; `run_uuid` is for releases before 3.0, which need it."""
    return {
        "artifact_uri": artifact_uri,
        "deleted_time": None,
        "end_time": None,
        "entry_point_name": "",
        "experiment_id": new.experiment_id,
        "lifecycle_stage": str(LifecycleStage.ACTIVE),
        "run_id": new.run_id,
        "run_name": new.run_name,
        "run_uuid": new.run_id,
        "source_name": "",
        "source_type": 4,
        "source_version": "",
        "start_time": new.start_time,
        "status": _NUMBERS[RunStatus.RUNNING],
        "tags": [],
        "user_id": new.user_id,
    }


def status_of(value: object) -> RunStatus:
    """Return the status that a number or a name means; none at all means RUNNING, as in MLflow."""
    if value is None:
        return RunStatus.RUNNING
    if isinstance(value, str) and not value.isdigit():
        try:
            return RunStatus(value.upper())
        except ValueError:
            raise InvalidParameterError(f"it has the status {value!r}, which is none") from None
    found = _STATUSES.get(int(value)) if isinstance(value, (int, str)) else None
    if found is None:
        raise InvalidParameterError(f"it has the status {value!r}: expected 1 to 5")
    return found


def status_number(status: RunStatus) -> int:
    """Return the number under which MLflow writes a status."""
    return _NUMBERS[status]


def tags_of_old_fields(fields: Fields) -> dict[str, str]:
    """Return what the first releases kept as fields of a run and later ones as tags."""
    found: dict[str, str] = {}
    listed = fields.get("tags")
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and entry.get("key"):
            found[str(entry["key"])] = text(entry, "value")
    for field, key in (
        ("source_name", "mlflow.source.name"),
        ("source_version", "mlflow.source.git.commit"),
        ("entry_point_name", "mlflow.project.entryPoint"),
        ("name", NAME_TAG),
    ):
        if text(fields, field):
            found.setdefault(key, text(fields, field))
    if text(fields, "source_name"):
        kind = number(fields, "source_type") or _UNKNOWN_SOURCE
        found.setdefault("mlflow.source.type", str(SourceType(_SOURCES.get(kind, "UNKNOWN"))))
    return found


def dataset_of(fields: Fields) -> Dataset:
    """Make a dataset of its fields. Raises InvalidParameterError: it has no name."""
    if not text(fields, "name"):
        raise InvalidParameterError("it has no 'name'")
    schema, profile = fields.get("schema"), fields.get("profile")
    return Dataset(
        text(fields, "name"),
        text(fields, "digest"),
        text(fields, "source_type"),
        text(fields, "source"),
        None if schema is None else str(schema),
        None if profile is None else str(profile),
    )


def dataset_fields(dataset: Dataset) -> dict[str, object]:
    """Return the fields that MLflow writes for a dataset."""
    return {
        "digest": dataset.digest,
        "name": dataset.name,
        "profile": dataset.profile,
        "schema": dataset.schema,
        "source": dataset.source,
        "source_type": dataset.source_type,
    }
