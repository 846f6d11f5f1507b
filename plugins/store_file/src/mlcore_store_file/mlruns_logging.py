"""The part of a tracking store in MLflow's file layout that writes logged models."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import evolve

from mlcore.entities import (
    LoggedModel,
    LoggedModelChange,
    ModelMetric,
    ModelOutput,
    NewLoggedModel,
)
from mlcore.errors import AlreadyExistsError, BadRequestError, CorruptStoreError, InvalidParameterError, NotFoundError
from mlcore.uris import join
from mlcore_store_file.mlruns_change import Change, alone, together
from mlcore_store_file.mlruns_lines import model_line_of
from mlcore_store_file.mlruns_models import new_model_fields, status_number
from mlcore_store_file.mlruns_reading import FoundRun, MlrunsReader, refuse_deleted
from mlcore_store_file.mlruns_recording import Recording
from mlcore_store_file.mlruns_records import run_info_of
from mlcore_store_file.mlruns_tree import ARTIFACTS, META, METRICS, MODELS, PARAMS, TAGS, check_key
from mlcore_store_file.mlruns_yaml import write_meta


class MlrunsLogging(MlrunsReader):
    """Write logged models; what they need of runs is written by the store itself."""

    def __init__(self, root: Path, artifact_root: str | None) -> None:
        """Use the tree at *root*. artifact_root: where new experiments put artifacts."""
        super().__init__(root, locking=True, artifact_root=artifact_root)
        self._recording = Recording(self._tree)

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """Create a PENDING model; a second call with the same model_id and experiment returns it as it is."""
        with alone(self._tree.root):
            folder, place = self._experiment(new.experiment_id)
            try:
                known = self._logged_model(new.model_id, allow_deleted=True)
            except NotFoundError:
                known = None
            if known is not None and known.experiment_id != new.experiment_id:
                raise AlreadyExistsError(
                    f"logged model '{new.model_id}' already exists in experiment '{known.experiment_id}'"
                )
            if known is not None:
                return known
            refuse_deleted(f"experiment '{place.experiment_id}'", place.lifecycle_stage)
            _check_id(new.model_id)
            home = f"{os.path.relpath(folder, self._tree.root)}/{MODELS}/{new.model_id}"
            uri = join(place.artifact_location, MODELS, new.model_id, ARTIFACTS)
            steps = Change(self._tree.root)
            for part in (METRICS, PARAMS):
                steps.make(f"{home}/{part}")
            for part, texts in ((PARAMS, new.params), (TAGS, new.tags)):
                for key, value in texts.items():
                    check_key(key, part[:-1])
                    steps.write(f"{home}/{part}/{key}", value)
            steps.write(f"{home}/{META}", write_meta(new_model_fields(new, uri, _now_ms())))
            steps.commit()
            return self._logged_model(new.model_id, allow_deleted=False)

    def update_logged_model(self, model_id: str, change: LoggedModelChange) -> LoggedModel:
        """Change a logged model in one step."""
        with alone(self._tree.root):
            old = self._logged_model(model_id, allow_deleted=change.lifecycle_stage is not None)
            for key in change.add_params:
                if key in old.params:
                    raise BadRequestError(f"param {key!r} of logged model '{model_id}' has a value already")
            for key in change.delete_tags:
                if key not in old.tags and key not in change.set_tags:
                    raise NotFoundError(f"no tag with key {key!r} in logged model with id='{model_id}'")
            folder = self._experiment(old.experiment_id)[0]
            home = f"{os.path.relpath(folder, self._tree.root)}/{MODELS}/{model_id}"
            steps = Change(self._tree.root)
            for part, texts in ((PARAMS, change.add_params), (TAGS, change.set_tags)):
                for key, value in texts.items():
                    check_key(key, part[:-1])
                    steps.write(f"{home}/{part}/{key}", value)
            for key in change.delete_tags:
                steps.remove(f"{home}/{TAGS}/{key}")
            fields = dict(self._tree.meta(os.path.join(self._tree.root, home)) or {})
            if change.status is not None:
                fields["status"] = status_number(change.status)
            if change.lifecycle_stage is not None:
                fields["lifecycle_stage"] = str(change.lifecycle_stage)
            fields["last_updated_timestamp"] = max(_now_ms(), old.last_updated_timestamp)
            steps.write(f"{home}/{META}", write_meta(fields))
            steps.commit()
            return self._logged_model(model_id, allow_deleted=True)

    def log_model_metrics(self, run_id: str, metrics: tuple[ModelMetric, ...]) -> None:
        """Record what a run measured on models: the latest point of each key, run and dataset."""
        with alone(self._tree.root):
            found = self._find(run_id)
            refuse_deleted(f"run '{run_id}'", self._stage(found, self._fields(found)))
            lines: dict[str, list[str]] = {}
            for metric in metrics:
                check_key(metric.point.key, "the metric")
                _check_dataset(metric)
                home = self._model_home(metric.model_id)
                line = model_line_of(evolve(metric, run_id=run_id))
                lines.setdefault(f"{home}/{METRICS}/{metric.point.key}", []).append(line)
            steps = Change(self._tree.root)
            for path, new in lines.items():
                place = os.path.join(self._tree.root, path)
                there = set(self._tree.text(place).splitlines(keepends=True)) if os.path.isfile(place) else set()
                fresh = [line for line in dict.fromkeys(new) if line not in there]
                if fresh:
                    steps.append(path, fresh)
            steps.commit()

    def link_models(self, run_id: str, *, inputs: tuple[str, ...] = (), outputs: tuple[ModelOutput, ...] = ()) -> None:
        """Record which models a run read and made; the same again is kept once."""
        with self._writing(run_id) as found:
            refuse_deleted(f"run '{run_id}'", self._stage(found, self._fields(found)))
            self._recording.write_links(found, inputs, outputs)

    @contextlib.contextmanager
    def _writing(self, run_id: str) -> Iterator[FoundRun]:
        """Hold a run's folder alone, in a tree in which nothing else moves."""
        with together(self._tree.root):
            found = self._find(run_id)
            with alone(found.folder):
                yield found

    def _fields(self, found: FoundRun) -> dict[str, object]:
        """Return the fields of a run that is to be written."""
        fields = self._tree.meta(found.folder)
        if fields is None:
            raise CorruptStoreError(f"run with id='{found.run_id}' cannot be read: look at {found.folder}/{META}")
        return dict(fields)

    def _model_home(self, model_id: str) -> str:
        try:
            known = self._logged_model(model_id, allow_deleted=True)
        except NotFoundError as err:
            raise BadRequestError(f"there is no logged model '{model_id}': create it first") from err
        folder = self._experiment(known.experiment_id)[0]
        return f"{os.path.relpath(folder, self._tree.root)}/{MODELS}/{model_id}"

    def _stage(self, found: FoundRun, fields: Mapping[str, object]) -> str:
        return run_info_of(fields, "", {}, binned=found.binned).lifecycle_stage


def _check_id(model_id: str) -> None:
    check_key(model_id, "the logged model")
    if "/" in model_id:
        raise InvalidParameterError(f"MLflow's file layout cannot keep a logged model with the id {model_id!r}")


def _check_dataset(metric: ModelMetric) -> None:
    """Refuse a dataset that does not fit into MLflow's lines, whose fields are separated by spaces."""
    name, digest = metric.dataset_name, metric.dataset_digest
    if bool(name) != bool(digest) or any(each.split() != [each] for each in (name, digest) if each):
        raise InvalidParameterError(
            f"MLflow's file layout cannot keep a metric of dataset {name!r} with digest {digest!r}: both need at least "
            "one character, and no spaces"
        )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
