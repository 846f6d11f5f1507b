"""The registry store in a directory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from mlcore.entities import ModelVersion, Page, RegisteredModel
from mlcore.errors import AlreadyExistsError, NotFoundError
from mlcore.tracking.evaluate_registry import model_matches, sort_models, sort_versions, version_matches
from mlcore.wire.filter_parser import parse_model_filter, parse_model_order, parse_version_filter, parse_version_order
from mlcore.wire.stages import canonical_stage
from mlcore_store_file import model_state as entry
from mlcore_store_file.claims import Claim, Claims
from mlcore_store_file.following import Tail
from mlcore_store_file.layout import names_in
from mlcore_store_file.model_state import ModelHistory, ModelState
from mlcore_store_file.paging import page_of
from mlcore_store_file.part import Place


class FileRegistry:
    """Keep registered models in journals, one for each writer and model."""

    def __init__(self, place: Place) -> None:
        """Use `open`."""
        self._place = place
        self._claims = Claims(place.layout.claims / "models")
        self._known: dict[str, tuple[Tail, ModelHistory]] = {}

    @classmethod
    def open(cls, path: Path) -> FileRegistry:
        """Open the registry in a directory, making both when they are not there; see `FileStore.open`."""
        return cls(Place.open(path))

    def create_model(self, name: str, *, description: str, tags: Mapping[str, str]) -> RegisteredModel:
        """Create a registered model. Raises AlreadyExistsError: the name is taken."""
        with self._place.lock:
            self._create(name, {"description": description, "tags": dict(tags)})
            return self.get_model(name)

    def get_model(self, name: str) -> RegisteredModel:
        """Return a registered model with its latest versions and aliases."""
        with self._place.lock:
            return self._shown(name)

    def update_model(self, name: str, *, new_name: str | None, description: str | None) -> RegisteredModel:
        """Rename or describe; None leaves as it is. Raises AlreadyExistsError: the new name is taken."""
        with self._place.lock:
            folder, _ = self._find(name)
            data: dict[str, object] = {} if description is None else {"description": description}
            if new_name is None or new_name == name:
                self._note(folder, entry.MODEL_CHANGE, data)
                return self.get_model(name)

            def check() -> None:
                self._refuse_taken(new_name)
                self._find(name)

            with self._claims.taken(new_name, folder, check, self._is_recorded) as token:
                self._note(folder, entry.MODEL_CHANGE, {**data, "name": new_name, "token": token})
            return self.get_model(new_name)

    def delete_model(self, name: str) -> None:
        """Remove a registered model with all its versions."""
        with self._place.lock:
            folder, _ = self._find(name)
            self._note(folder, entry.MODEL_REMOVAL, {})

    def search_models(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[RegisteredModel]:
        """Return a page of registered models, by name unless ordered otherwise."""
        tree, order = parse_model_filter(filter_string), parse_model_order(order_by)
        with self._place.lock:
            shown = [self._shown(name) for name in self._names()]
        found = [model for model in shown if model_matches(tree, model)]
        return page_of(sort_models(found, order), max_results, page_token)

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
        data = {
            "source": source,
            "run_id": run_id,
            "run_link": run_link,
            "description": description,
            "tags": dict(tags),
        }
        with self._place.lock:
            while True:
                _, state = self._find(name)
                number = max(state.numbers().values(), default=0) + 1
                try:
                    return self._add(name, number, data)
                except _TakenError:
                    continue

    def get_version(self, name: str, version: str) -> ModelVersion:
        """Return one version."""
        with self._place.lock:
            return self._version(name, version)[2]

    def update_version(
        self, name: str, version: str, *, description: str | None, stage: str | None, archive_existing: bool
    ) -> ModelVersion:
        """Describe a version or move it to a stage; None leaves as it is."""
        with self._place.lock:
            folder, token, _ = self._version(name, version)
            data: dict[str, object] = {"version": token}
            if description is not None:
                data["description"] = description
            if stage is not None:
                data["stage"] = canonical_stage(stage, archive_existing=archive_existing)
                data["archive"] = archive_existing
            self._note(folder, entry.VERSION_CHANGE, data)
            return self._version(name, version)[2]

    def delete_version(self, name: str, version: str) -> None:
        """Remove one version and the aliases that point to it; its number is not used again."""
        with self._place.lock:
            folder, token, _ = self._version(name, version)
            self._note(folder, entry.VERSION_REMOVAL, {"version": token})

    def search_versions(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[ModelVersion]:
        """Return a page of versions, the last changed first unless ordered otherwise."""
        tree, order = parse_version_filter(filter_string), parse_version_order(order_by)
        with self._place.lock:
            shown = [
                evolve(each, name=name) for name, (_, state) in self._names().items() for each in state.shown_versions()
            ]
        found = [each for each in shown if version_matches(tree, each)]
        return page_of(sort_versions(found, order), max_results, page_token)

    def set_alias(self, name: str, alias: str, version: str | None) -> None:
        """Point *alias* to a version; None removes it."""
        with self._place.lock:
            folder, _ = self._find(name)
            token = None if version is None else self._version(name, version)[1]
            self._note(folder, entry.ALIAS, {"alias": alias, "version": token})

    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that *alias* points to."""
        with self._place.lock:
            model = self._shown(name)
            if alias not in model.aliases:
                raise NotFoundError(f"no alias {alias!r} of model {name!r} (known: {', '.join(model.aliases)})")
            return self._version(name, model.aliases[alias])[2]

    def set_tag(self, name: str, version: str | None, key: str, value: str | None) -> None:
        """Set a tag of the model, or of one version; the value None removes it."""
        with self._place.lock:
            folder, _ = self._find(name)
            token = None if version is None else self._version(name, version)[1]
            self._note(folder, entry.TAG, {"version": token, "key": key, "value": value})

    def adopt_model(self, model: RegisteredModel) -> RegisteredModel:
        """Create a registered model with the times, description and tags that it has elsewhere."""
        times = [model.creation_timestamp, model.last_updated_timestamp]
        with self._place.lock:
            if model.name not in self._names():
                self._create(model.name, {"description": model.description, "tags": dict(model.tags), "times": times})
            return self.get_model(model.name)

    def adopt_version(self, version: ModelVersion) -> ModelVersion:
        """Create a version with the number, times, stage, status, tags and aliases that it has elsewhere."""
        data = {
            "source": version.source,
            "run_id": version.run_id,
            "run_link": version.run_link,
            "description": version.description,
            "tags": dict(version.tags),
            "times": [version.creation_timestamp, version.last_updated_timestamp],
            "stage": version.current_stage,
            "status": version.status.value,
            "status_message": version.status_message,
            "user_id": version.user_id,
            "aliases": list(version.aliases),
        }
        with self._place.lock:
            _, state = self._find(version.name)
            if int(version.version) not in state.numbers().values():
                try:
                    return self._add(version.name, int(version.version), data)
                except _TakenError:
                    pass
            return self.get_version(version.name, version.version)

    def close(self) -> None:
        """Let go of files; further calls open them again."""
        with self._place.lock:
            self._place.writers.close()

    def _create(self, name: str, data: Mapping[str, object]) -> None:
        with self._claims.taken(
            name, self._new_folder(name), lambda: self._refuse_taken(name), self._is_recorded
        ) as token:
            self._note(self._new_folder(name), entry.MODEL, {**data, "name": name, "token": token})

    def _add(self, name: str, number: int, data: Mapping[str, object]) -> ModelVersion:
        folder, state = self._find(name)

        def check() -> None:
            if number in self._find(name)[1].numbers().values():
                raise _TakenError

        key = f"{folder}/{state.incarnation}/{number}"
        with self._claims.taken(key, folder, check, self._is_recorded) as token:
            self._note(folder, entry.VERSION, {**data, "model": name, "number": number, "token": token})
        state = self._find(name)[1]
        return self._version(name, str(state.numbers()[token]))[2]

    def _note(self, folder: str, name: str, data: Mapping[str, object]) -> None:
        self._place.note(self._place.layout.models / folder, folder, name, data)

    def _find(self, name: str) -> tuple[str, ModelState]:
        """Return folder and state of a model. Raises NotFoundError."""
        found = self._names().get(name)
        if found is None:
            raise NotFoundError(f"no registered model {name!r}: create it first")
        return found

    def _shown(self, name: str) -> RegisteredModel:
        shown = self._find(name)[1].shown()
        if shown is None:
            raise NotFoundError(f"no registered model {name!r}: create it first")
        return evolve(
            shown, name=name, latest_versions=tuple(evolve(each, name=name) for each in shown.latest_versions)
        )

    def _version(self, name: str, version: str) -> tuple[str, str, ModelVersion]:
        """Return folder, token and one version of a model. Raises NotFoundError."""
        folder, state = self._find(name)
        numbers = state.numbers()
        shown = {each.version: each for each in state.shown_versions()}
        if version not in shown:
            raise NotFoundError(f"no version {version!r} of model {name!r} (known: {', '.join(shown)})")
        token = next(token for token, number in numbers.items() if str(number) == version)
        return folder, token, evolve(shown[version], name=name)

    def _names(self) -> dict[str, tuple[str, ModelState]]:
        """Return folder and state of each model by its name; the later one of two that got one name has its id added."""
        folders = names_in(self._place.layout.models)
        there = [(folder, state) for folder in folders if (state := self._read(folder)) is not None]
        names: dict[str, tuple[str, ModelState]] = {}
        for folder, state in sorted(there, key=lambda each: each[1].named):
            if state.model is not None:
                name = state.model.name
                names[name if name not in names else f"{name} ({folder})"] = (folder, state)
        return names

    def _read(self, folder: str) -> ModelState | None:
        path = self._place.layout.models / folder
        tail, history = self._known.get(folder) or (Tail(path, self._place.faults), ModelHistory())
        try:
            history.take(tail.news())
        except (FileNotFoundError, NotADirectoryError):
            self._known.pop(folder, None)
            return None
        self._known[folder] = (tail, history)
        self._place.clock.seen(history.greatest_at)
        return history.state

    def _new_folder(self, name: str) -> str:
        """Return the folder for a model that is created with a name: the same on machines that never met."""
        attempt = 0
        while True:
            text = name if attempt == 0 else f"{name}\0{attempt}"
            folder = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
            state = self._read(folder)
            if state is None or state.model is None:
                return folder
            attempt += 1  # the model that has it is called otherwise now

    def _is_recorded(self, claim: Claim) -> bool:
        self._read(claim.subject)
        known = self._known.get(claim.subject)
        return known is not None and claim.token in known[1].tokens

    def _refuse_taken(self, name: str) -> None:
        if name in self._names():
            raise AlreadyExistsError(f"registered model {name!r} already exists: choose another name")


class _TakenError(Exception):
    """Another caller added the version of that number."""
