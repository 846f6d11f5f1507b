"""A tracking store that keeps experiments and runs in MLflow's own file layout, so that MLflow reads them."""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import evolve

from mlcore.entities import (
    Batch,
    DatasetInput,
    Experiment,
    ExperimentChange,
    NewRun,
    Run,
    RunChange,
    RunInfo,
    RunStatus,
)
from mlcore.errors import AlreadyExistsError, InvalidParameterError, NotFoundError
from mlcore.uris import file_uri, join
from mlcore_store_file.mlruns_change import Change, alone
from mlcore_store_file.mlruns_logging import MlrunsLogging
from mlcore_store_file.mlruns_reading import ACTIVE, DELETED, FoundRun, refuse_deleted
from mlcore_store_file.mlruns_records import (
    NAME_TAG,
    experiment_fields,
    new_run_fields,
    number,
    status_number,
    text,
)
from mlcore_store_file.mlruns_tree import ARTIFACTS, META, METRICS, PARAMS, RESERVED, TAGS, TRASH, check_key
from mlcore_store_file.mlruns_yaml import write_meta

_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,254}")
_DEFAULT_ID, _DEFAULT_NAME = "0", "Default"


class MlrunsTrackingStore(MlrunsLogging):
    """Read and write an `mlruns` tree; each method is one step for everybody who uses mlcore."""

    def __init__(self, root: Path, artifact_root: str | None = None) -> None:
        """Use the tree at *root*; a new one begins with the default experiment.

        artifact_root: where new experiments put artifacts; None: into the tree, as MLflow does.
        """
        root.mkdir(parents=True, exist_ok=True)
        super().__init__(root, artifact_root)
        self._artifact_root = artifact_root or file_uri(self._tree.root)
        self._begin()

    def create_experiment(self, name: str, *, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        """Create an experiment whose name no other has. Raises AlreadyExistsError: the name is taken."""
        with alone(self._tree.root):
            self._refuse_taken(name)
            while self._tree.experiment(made := _new_id()) is not None:
                continue
            now = _now_ms()
            place = artifact_location or join(self._artifact_root, made)
            return self._write_experiment(Experiment(made, name, place, ACTIVE, now, now, dict(tags)))

    def adopt_experiment(self, experiment: Experiment) -> Experiment:
        """Create an experiment with the id, times, tags and lifecycle stage that it has elsewhere."""
        with alone(self._tree.root):
            wanted = experiment.experiment_id
            if not _ID.fullmatch(wanted) or wanted in RESERVED:
                raise InvalidParameterError(f"MLflow's file layout cannot keep an experiment with the id {wanted!r}")
            if self._tree.experiment(wanted) is not None:
                known = self._experiment(wanted)[1]
                if known.name != experiment.name:
                    raise AlreadyExistsError(f"experiment '{wanted}' already exists, with the name {known.name!r}")
                return known
            self._refuse_taken(experiment.name)
            place = experiment.artifact_location or join(self._artifact_root, wanted)
            created = _now_ms() if experiment.creation_time is None else experiment.creation_time
            changed = created if experiment.last_update_time is None else experiment.last_update_time
            return self._write_experiment(
                evolve(experiment, artifact_location=place, creation_time=created, last_update_time=changed)
            )

    def update_experiment(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Rename, tag, delete or restore an experiment; its runs are deleted and restored with it."""
        with alone(self._tree.root):
            folder, old = self._experiment(experiment_id)
            self._check_change(old, change)
            now, stage = _now_ms(), change.lifecycle_stage
            steps = Change(self._tree.root)
            home = os.path.relpath(folder, self._tree.root)
            if stage is not None:
                now, home = self._move(steps, old, folder, now)
            tags = {key: value for key, value in old.tags.items() if key not in change.delete_tags}
            new = evolve(
                old,
                name=change.name or old.name,
                lifecycle_stage=stage or old.lifecycle_stage,
                tags={**tags, **change.set_tags},
                last_update_time=now,
            )
            for key in change.delete_tags:
                steps.remove(f"{home}/{TAGS}/{key}")
            _write_texts(steps, f"{home}/{TAGS}", change.set_tags, "the experiment tag")
            kept = self._tree.meta(folder) or {}
            fields = {**kept, **experiment_fields(new), "artifact_location": kept.get("artifact_location")}
            steps.write(f"{home}/{META}", write_meta(fields))
            steps.commit()
            return new

    def create_run(self, new: NewRun) -> Run:
        """Create a RUNNING run; a second call with the same run_id and experiment returns the run as it is."""
        with alone(self._tree.root):
            folder, place = self._experiment(new.experiment_id)
            known = self._known_experiment(new.run_id)
            if known is None:
                refuse_deleted(f"experiment '{place.experiment_id}'", place.lifecycle_stage)
                if not _ID.fullmatch(new.run_id) or new.run_id in RESERVED:
                    raise InvalidParameterError(f"MLflow's file layout cannot keep a run with the id {new.run_id!r}")
                self._write_run(new, folder, place)
            elif known != new.experiment_id:
                raise AlreadyExistsError(f"run '{new.run_id}' already exists in experiment '{known}'")
        return self.get_run(new.run_id)

    def update_run(self, run_id: str, change: RunChange) -> RunInfo:
        """Change status, end time, name or lifecycle stage; a rename rewrites the tag `mlflow.runName`."""
        with self._writing(run_id) as found:
            fields = self._fields(found)
            if change != RunChange(lifecycle_stage=change.lifecycle_stage) and change.lifecycle_stage is not ACTIVE:
                refuse_deleted(f"run '{run_id}'", self._stage(found, fields))
            steps = Change(found.folder)
            if change.status is not None:
                fields["status"] = status_number(change.status)
            if change.end_time is not None or change.status is RunStatus.RUNNING:
                fields["end_time"] = change.end_time
            if change.run_name:
                fields["run_name"] = change.run_name
                steps.write(f"{TAGS}/{NAME_TAG}", change.run_name)
            if change.lifecycle_stage is not None and change.lifecycle_stage != self._stage(found, fields):
                self._set_stage(found, fields, change)
            if change != RunChange():
                steps.write(META, write_meta(fields))
            steps.commit()
        return self._record(run_id).run.info

    def log_batch(self, run_id: str, batch: Batch) -> None:
        """Record params, points and tags of a run: all, or nothing."""
        with self._writing(run_id) as found:
            fields = self._fields(found)
            refuse_deleted(f"run '{run_id}'", self._stage(found, fields))
            self._recording.write(found.folder, batch, fields)

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag. Raises NotFoundError: the run has no such tag."""
        with self._writing(run_id) as found:
            refuse_deleted(f"run '{run_id}'", self._stage(found, self._fields(found)))
            if not self._recording.has_tag(found.folder, key):
                raise NotFoundError(f"no tag with name {key!r} in run with id='{run_id}'")
            steps = Change(found.folder)
            steps.remove(f"{TAGS}/{key}")
            steps.commit()

    def log_inputs(self, run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
        """Record datasets that the run read; the same dataset again is kept once."""
        with self._writing(run_id) as found:
            refuse_deleted(f"run '{run_id}'", self._stage(found, self._fields(found)))
            self._recording.write_inputs(found, inputs)

    def _begin(self) -> None:
        with alone(self._tree.root):
            os.makedirs(self._tree.trash, exist_ok=True)
            if not any(True for _ in self._tree.experiments()):
                now = _now_ms()
                place = join(self._artifact_root, _DEFAULT_ID)
                self._write_experiment(Experiment(_DEFAULT_ID, _DEFAULT_NAME, place, ACTIVE, now, now))

    def _write_experiment(self, new: Experiment) -> Experiment:
        """Write an experiment; its `meta.yaml` comes last and makes it one."""
        home = new.experiment_id if new.lifecycle_stage is ACTIVE else f"{TRASH}/{new.experiment_id}"
        steps = Change(self._tree.root)
        _write_texts(steps, f"{home}/{TAGS}", new.tags, "the experiment tag")
        steps.write(f"{home}/{META}", write_meta(experiment_fields(new)))
        steps.commit()
        return new

    def _check_change(self, old: Experiment, change: ExperimentChange) -> None:
        if change.lifecycle_stage == old.lifecycle_stage:
            raise NotFoundError(f"experiment '{old.experiment_id}' is '{old.lifecycle_stage}' already")
        if change.lifecycle_stage is None:
            refuse_deleted(f"experiment '{old.experiment_id}'", old.lifecycle_stage)
        if change.name is not None and change.name != old.name:
            self._refuse_taken(change.name)
        for key in change.delete_tags:
            if key not in old.tags:
                raise NotFoundError(f"no tag {key!r} in experiment '{old.experiment_id}'")

    def _move(self, steps: Change, old: Experiment, folder: str, now: int) -> tuple[int, str]:
        """Move an experiment to the bin or back, with its runs; return the time and where it is then.

        As in MLflow, a run that goes with its experiment has the experiment's last change as the time of its deletion:
        that is how those that were deleted before are told apart.
        """
        here, there = old.experiment_id, f"{TRASH}/{old.experiment_id}"
        runs = list(self._run_fields(folder))
        if old.lifecycle_stage is ACTIVE:
            now = max([now, *(1 + (number(fields, "deleted_time") or 0) for _, fields in runs)])
            steps.make(TRASH)
            steps.move(here, there)
            for run_id, fields in runs:
                if text(fields, "lifecycle_stage") != DELETED:
                    binned = {**fields, "lifecycle_stage": str(DELETED), "deleted_time": now}
                    steps.write(f"{there}/{run_id}/{META}", write_meta(binned))
            return now, there
        steps.move(there, here)
        for run_id, fields in runs:
            gone = number(fields, "deleted_time")
            if text(fields, "lifecycle_stage") == DELETED and gone in (None, old.last_update_time):
                back = {key: value for key, value in fields.items() if key != "deleted_time"}
                steps.write(f"{here}/{run_id}/{META}", write_meta({**back, "lifecycle_stage": str(ACTIVE)}))
        return now, here

    def _run_fields(self, experiment: str) -> Iterator[tuple[str, dict[str, object]]]:
        for run_id, folder in self._tree.folders(experiment):
            fields = self._tree.meta(folder) if run_id not in RESERVED else None
            if fields is not None:
                yield run_id, fields

    def _refuse_taken(self, name: str) -> None:
        found = next((each for each in self._experiments() if each.name == name), None)
        if found is not None:
            hint = " and is deleted: restore it, or" if found.lifecycle_stage is DELETED else ":"
            raise AlreadyExistsError(f"experiment {name!r} already exists{hint} choose another name")

    def _known_experiment(self, run_id: str) -> str | None:
        """Return the experiment of a run that is there already."""
        try:
            return os.path.basename(self._find(run_id).experiment)
        except NotFoundError:
            return None

    def _write_run(self, new: NewRun, folder: str, place: Experiment) -> None:
        home = f"{os.path.relpath(folder, self._tree.root)}/{new.run_id}"
        steps = Change(self._tree.root)
        for part in (METRICS, PARAMS, ARTIFACTS):
            steps.make(f"{home}/{part}")
        _write_texts(steps, f"{home}/{TAGS}", {**new.tags, NAME_TAG: new.run_name}, "the tag")
        uri = join(place.artifact_location, new.run_id, ARTIFACTS)
        steps.write(f"{home}/{META}", write_meta(new_run_fields(new, uri)))
        steps.commit()

    def _set_stage(self, found: FoundRun, fields: dict[str, object], change: RunChange) -> None:
        fields["lifecycle_stage"] = str(change.lifecycle_stage)
        fields.pop("deleted_time", None)
        if change.lifecycle_stage is DELETED:
            # Not the moment at which the experiment was deleted: see `_move`.
            with_it = number(self._tree.meta(found.experiment) or {}, "last_update_time") or 0
            fields["deleted_time"] = max(_now_ms(), with_it + 1)


def _write_texts(steps: Change, folder: str, texts: Mapping[str, str], what: str) -> None:
    for key, value in texts.items():
        check_key(key, what)
        steps.write(f"{folder}/{key}", value)


def _new_id() -> str:
    """Return an id as MLflow makes them since 2.0: 18 digits of a random number."""
    return str(uuid.uuid4().int)[:18]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
