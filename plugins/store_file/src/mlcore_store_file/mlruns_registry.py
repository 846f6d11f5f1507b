"""A registry store that keeps registered models in MLflow's own file layout, so that MLflow reads them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from mlcore.entities import ModelVersion, RegisteredModel
from mlcore.errors import AlreadyExistsError, InvalidParameterError, NotFoundError
from mlcore.wire.stages import ARCHIVED, NO_STAGE, canonical_stage
from mlcore_store_file.mlruns_change import Change, alone
from mlcore_store_file.mlruns_tree import META, TAGS, check_key
from mlcore_store_file.mlruns_versions import ALIASES, REMOVED, MlrunsRegistryReader
from mlcore_store_file.mlruns_yaml import write_meta


class MlrunsRegistryStore(MlrunsRegistryReader):
    """Read and write the registered models of an `mlruns` tree; each method is one step for all who use mlcore."""

    def __init__(self, root: Path) -> None:
        """Use the tree at *root*, creating what is not there."""
        (root / "models").mkdir(parents=True, exist_ok=True)
        super().__init__(root, locking=True)

    def create_model(self, name: str, *, description: str, tags: Mapping[str, str]) -> RegisteredModel:
        """Create a registered model. Raises AlreadyExistsError: the name is taken."""
        with alone(self._tree.models):
            self._refuse_taken(name)
            now = _now_ms()
            return self._write_model(RegisteredModel(name, now, now, description, tags=dict(tags)))

    def adopt_model(self, model: RegisteredModel) -> RegisteredModel:
        """Create a registered model with the times, description and tags that it has elsewhere."""
        with alone(self._tree.models):
            try:
                return self._model(model.name)
            except NotFoundError:
                self._refuse_taken(model.name)
                return self._write_model(model)

    def update_model(self, name: str, *, new_name: str | None, description: str | None) -> RegisteredModel:
        """Rename or describe; None leaves as it is. Raises AlreadyExistsError: the new name is taken."""
        with alone(self._tree.models):
            folder, now = self._folder(name), _now_ms()
            new = new_name or name
            steps = Change(self._tree.models)
            if new != name:
                self._refuse_taken(new)
                steps.move(name, new)
                for number, path in self._version_folders(folder):
                    fields = {**(self._tree.meta(path) or {}), "name": new, "last_updated_timestamp": now}
                    steps.write(f"{new}/version-{number}/{META}", write_meta(fields))
            changed = {} if description is None else {"description": description}
            self._write_meta(steps, folder, new, {"name": new, "last_updated_timestamp": now, **changed})
            steps.commit()
            return self._model(new)

    def delete_model(self, name: str) -> None:
        """Remove a registered model with all its versions."""
        with alone(self._tree.models):
            self._folder(name)
            steps = Change(self._tree.models)
            steps.remove(f"{name}/{META}")  # first: from then on it is no model any more
            steps.drop(name)
            steps.commit()

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
        with alone(self._tree.models):
            taken = self._version_folders(self._folder(name))
            now = _now_ms()
            number = taken[-1][0] + 1 if taken else 1
            made = ModelVersion(
                name, str(number), source, now, now, run_id, run_link, description=description, tags=dict(tags)
            )
            return self._write_version(made, now)

    def adopt_version(self, version: ModelVersion) -> ModelVersion:
        """Create a version with the number, times, stage, status, tags and aliases that it has elsewhere."""
        with alone(self._tree.models):
            self._folder(version.name)
            try:
                return self._version(version.name, version.version)
            except NotFoundError:
                return self._write_version(version, None)

    def update_version(
        self, name: str, version: str, *, description: str | None, stage: str | None, archive_existing: bool
    ) -> ModelVersion:
        """Describe a version or move it to a stage; None leaves as it is."""
        with alone(self._tree.models):
            self._version(name, version)
            wanted = None if stage is None else canonical_stage(stage, archive_existing=archive_existing)
            folder, now = self._folder(name), _now_ms()
            steps = Change(self._tree.models)
            for other in self._versions(folder) if archive_existing and wanted is not None else ():
                if other.version != version and other.current_stage == wanted:
                    self._change_version(steps, folder, other.version, {"current_stage": ARCHIVED}, now)
            changed = {"description": description, "current_stage": wanted}
            given = {key: value for key, value in changed.items() if value is not None}
            self._change_version(steps, folder, version, given, now)
            self._write_meta(steps, folder, name, {"last_updated_timestamp": now})
            steps.commit()
            return self._version(name, version)

    def delete_version(self, name: str, version: str) -> None:
        """Remove one version and the aliases that point to it; its number is not used again."""
        with alone(self._tree.models):
            aliases = self._version(name, version).aliases
            folder, now = self._folder(name), _now_ms()
            steps = Change(self._tree.models)
            self._change_version(steps, folder, version, {"current_stage": REMOVED}, now)
            for alias in aliases:
                steps.remove(f"{name}/{ALIASES}/{alias}")
            self._write_meta(steps, folder, name, {"last_updated_timestamp": now})
            steps.commit()

    def set_alias(self, name: str, alias: str, version: str | None) -> None:
        """Point *alias* to a version; None removes it."""
        with alone(self._tree.models):
            folder = self._folder(name)
            check_key(alias, "the alias")
            steps = Change(self._tree.models)
            if version is None:
                steps.remove(f"{name}/{ALIASES}/{alias}")
            else:
                pointed = self._version(name, version).version
                steps.write(f"{name}/{ALIASES}/{alias}", pointed)
            self._write_meta(steps, folder, name, {"last_updated_timestamp": _now_ms()})
            steps.commit()

    def set_tag(self, name: str, version: str | None, key: str, value: str | None) -> None:
        """Set a tag of the model, or of one version; the value None removes it."""
        with alone(self._tree.models):
            folder = self._folder(name)
            home = name if version is None else f"{name}/version-{self._version(name, version).version}"
            check_key(key, "the tag")
            steps = Change(self._tree.models)
            if value is None:
                steps.remove(f"{home}/{TAGS}/{key}")
            else:
                steps.write(f"{home}/{TAGS}/{key}", value)
            now = _now_ms()
            if version is None:
                self._write_meta(steps, folder, name, {"last_updated_timestamp": now})
            else:
                self._change_version(steps, folder, version, {}, now)
            steps.commit()

    def _refuse_taken(self, name: str) -> None:
        if any(each in name for each in "/\\:%\0") or name in ("", ".", "..") or name.startswith(".mlcore"):
            raise InvalidParameterError(
                f"MLflow's file layout cannot keep a registered model named {name!r}: the name becomes a folder's, and "
                "MLflow refuses '/', ':' and '%' in it; choose another name or another store"
            )
        check_key(name, "the registered model")
        if any(known == name for known, _ in self._folders()):
            raise AlreadyExistsError(f"registered model {name!r} already exists: choose another name")

    def _write_model(self, model: RegisteredModel) -> RegisteredModel:
        """Write a model; its `meta.yaml` comes last and makes it one."""
        steps = Change(self._tree.models)
        for key, value in model.tags.items():
            check_key(key, "the tag")
            steps.write(f"{model.name}/{TAGS}/{key}", value)
        fields = {
            "creation_timestamp": model.creation_timestamp,
            "description": model.description,
            "last_updated_timestamp": model.last_updated_timestamp,
            "name": model.name,
        }
        steps.write(f"{model.name}/{META}", write_meta(fields))
        steps.commit()
        return self._model(model.name)

    def _write_version(self, new: ModelVersion, now: int | None) -> ModelVersion:
        """Write a version with its aliases; *now*: when the model is to be marked as changed."""
        home = f"{new.name}/version-{int(new.version)}"
        steps = Change(self._tree.models)
        for key, value in new.tags.items():
            check_key(key, "the tag")
            steps.write(f"{home}/{TAGS}/{key}", value)
        steps.write(f"{home}/{META}", write_meta(_version_fields(new)))
        folder = self._folder(new.name)
        known = self._aliases(folder)
        for alias in new.aliases:
            if alias not in known:
                check_key(alias, "the alias")
                steps.write(f"{new.name}/{ALIASES}/{alias}", str(int(new.version)))
        if now is not None:
            self._write_meta(steps, folder, new.name, {"last_updated_timestamp": now})
        steps.commit()
        return self._version(new.name, new.version)

    def _write_meta(self, steps: Change, folder: str, name: str, changed: Mapping[str, object]) -> None:
        """Rewrite a model's fields. folder: where it is now. name: where it is when the step is done."""
        fields = {key: value for key, value in (self._tree.meta(folder) or {}).items() if key != "aliases"}
        steps.write(f"{name}/{META}", write_meta({**fields, **changed}))

    def _change_version(
        self, steps: Change, folder: str, version: str, changed: Mapping[str, object], now: int
    ) -> None:
        home = f"version-{version}"
        fields = {**(self._tree.meta(os.path.join(folder, home)) or {}), **changed, "last_updated_timestamp": now}
        steps.write(f"{os.path.basename(folder)}/{home}/{META}", write_meta(fields))


def _version_fields(new: ModelVersion) -> dict[str, object]:
    """Return the fields that MLflow writes for a version."""
    return {
        "aliases": [],
        "creation_timestamp": new.creation_timestamp,
        "current_stage": new.current_stage or NO_STAGE,
        "description": new.description,
        "last_updated_timestamp": new.last_updated_timestamp,
        "name": new.name,
        "run_id": new.run_id,
        "run_link": new.run_link,
        "source": new.source,
        "status": str(new.status),
        "status_message": new.status_message or None,
        "storage_location": new.source,
        "user_id": new.user_id or None,
        "version": int(new.version),
    }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
