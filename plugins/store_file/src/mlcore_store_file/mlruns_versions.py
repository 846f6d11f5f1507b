"""Registered models of an `mlruns` tree, read in place."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from mlcore.entities import ModelVersion, ModelVersionStatus, Page, RegisteredModel
from mlcore.errors import NotFoundError
from mlcore.tracking.evaluate_registry import model_matches, sort_models, sort_versions, version_matches
from mlcore.wire.filter_parser import parse_model_filter, parse_model_order, parse_version_filter, parse_version_order
from mlcore.wire.stages import NO_STAGE, STAGES
from mlcore_store_file.mlruns_locations import Locations
from mlcore_store_file.mlruns_paging import page_of
from mlcore_store_file.mlruns_records import Fields, number, text
from mlcore_store_file.mlruns_tree import META, TAGS, Tree

ALIASES = "aliases"
REMOVED = "Deleted_Internal"  # the stage of a version that MLflow has deleted: its number is not used again
VERSION = re.compile(r"version-([1-9][0-9]{0,17})")


class MlrunsRegistryReader:
    """What registry stores answer, read from the folder `models` of an `mlruns` tree."""

    def __init__(self, root: Path, *, locking: bool) -> None:
        """Use the tree at *root*; locking: keep others of mlcore from changing what is read."""
        self._tree = Tree(root)
        self._locking = locking
        self._locations = Locations(self._tree)

    def get_model(self, name: str) -> RegisteredModel:
        """Return a registered model with its latest versions and aliases."""
        with self._holding():
            return self._model(name)

    def search_models(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[RegisteredModel]:
        """Return a page of registered models, by name unless ordered otherwise."""
        tree, order = parse_model_filter(filter_string), parse_model_order(order_by)
        with self._holding():
            everything = [model for _, folder in self._folders() if (model := self._read_model(folder)) is not None]
        found = [each for each in everything if model_matches(tree, each)]
        return page_of(sort_models(found, order), max_results, page_token)

    def get_version(self, name: str, version: str) -> ModelVersion:
        """Return one version."""
        with self._holding():
            return self._version(name, version)

    def search_versions(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[ModelVersion]:
        """Return a page of versions, the last changed first unless ordered otherwise."""
        tree, order = parse_version_filter(filter_string), parse_version_order(order_by)
        with self._holding():
            everything = [each for _, folder in self._folders() for each in self._versions(folder)]
        found = [each for each in everything if version_matches(tree, each)]
        return page_of(sort_versions(found, order), max_results, page_token)

    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that *alias* points to."""
        with self._holding():
            aliases = self._aliases(self._folder(name))
            if alias not in aliases:
                raise NotFoundError(f"no alias {alias!r} of model {name!r} (known: {', '.join(aliases)})")
            return self._version(name, aliases[alias])

    def close(self) -> None:
        """Do nothing: no file stays open."""

    @contextlib.contextmanager
    def _holding(self) -> Iterator[None]:
        if self._locking:
            from mlcore_store_file.mlruns_change import together  # not for readers: some systems have no such locks

            with together(self._tree.models):
                yield
        else:
            yield

    def _folders(self) -> Iterator[tuple[str, str]]:
        for name, folder in self._tree.folders(self._tree.models):
            if os.path.isfile(os.path.join(folder, META)):
                yield name, folder

    def _folder(self, name: str) -> str:
        folder = self._tree.folder(self._tree.models, name)
        if folder is None or not os.path.isfile(os.path.join(folder, META)):
            raise NotFoundError(f"no registered model {name!r}: create it first")
        return folder

    def _model(self, name: str) -> RegisteredModel:
        found = self._read_model(self._folder(name))
        if found is None:
            raise NotFoundError(f"no registered model {name!r} that can be read: look at its {META}")
        return found

    def _read_model(self, folder: str) -> RegisteredModel | None:
        fields = self._tree.meta(folder)
        if fields is None:
            return None
        if text(fields, "name") != os.path.basename(folder):
            fault = f"says that it is model {text(fields, 'name')!r}: left out here"
            self._tree.report(os.path.join(folder, META), fault)
            return None
        latest = {found.current_stage: found for found in self._versions(folder)}
        return RegisteredModel(
            name=text(fields, "name"),
            creation_timestamp=number(fields, "creation_timestamp") or 0,
            last_updated_timestamp=number(fields, "last_updated_timestamp") or 0,
            description=text(fields, "description"),
            latest_versions=tuple(latest[stage] for stage in STAGES if stage in latest),
            tags=self._texts(folder, TAGS),
            aliases=self._aliases(folder),
        )

    def _version_folders(self, folder: str) -> list[tuple[int, str]]:
        """Return number and folder of all versions, deleted ones included, by number."""
        found = [(VERSION.fullmatch(name), path) for name, path in self._tree.folders(folder)]
        return sorted((int(match[1]), path) for match, path in found if match is not None)

    def _versions(self, folder: str) -> Iterator[ModelVersion]:
        aliases = self._aliases(folder)
        for _, path in self._version_folders(folder):
            fields = self._tree.meta(path)
            if fields is not None and text(fields, "current_stage") != REMOVED:
                yield self._read_version(folder, path, fields, aliases)

    def _version(self, name: str, version: str) -> ModelVersion:
        folder = self._folder(name)
        path = self._tree.folder(folder, f"version-{version}") if VERSION.fullmatch(f"version-{version}") else None
        fields = self._tree.meta(path) if path is not None else None
        if path is None or fields is None or text(fields, "current_stage") == REMOVED:
            known = ", ".join(each.version for each in self._versions(folder))
            raise NotFoundError(f"no version {version!r} of model {name!r} (known: {known})")
        return self._read_version(folder, path, fields, self._aliases(folder))

    def _read_version(self, folder: str, path: str, fields: Fields, aliases: Mapping[str, str]) -> ModelVersion:
        version = os.path.basename(path).partition("-")[2]
        stage, status = text(fields, "current_stage"), text(fields, "status")
        return ModelVersion(
            name=os.path.basename(folder),
            version=version,
            source=self._locations.of_source(text(fields, "source")),
            creation_timestamp=number(fields, "creation_timestamp") or 0,
            last_updated_timestamp=number(fields, "last_updated_timestamp") or 0,
            run_id=text(fields, "run_id") or None,
            run_link=text(fields, "run_link") or None,
            current_stage=stage or NO_STAGE,
            status=ModelVersionStatus(status) if status in set(ModelVersionStatus) else ModelVersionStatus.READY,
            status_message=text(fields, "status_message"),
            description=text(fields, "description"),
            user_id=text(fields, "user_id"),
            tags=self._texts(path, TAGS),
            aliases=tuple(sorted(alias for alias, pointed in aliases.items() if pointed == version)),
        )

    def _aliases(self, folder: str) -> dict[str, str]:
        found = self._texts(folder, ALIASES)
        return {alias: version.strip() for alias, version in found.items()}

    def _texts(self, folder: str, part: str) -> dict[str, str]:
        return self._tree.texts(self._tree.files(os.path.join(folder, part)))
