"""The registry store that reads MLflow's databases; the first releases have no registry, which is read as an empty one."""

# ruff: noqa: ARG002 - what would change something has the contract's arguments, and refuses

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from mlcore.entities import ModelVersion, ModelVersionStatus, Page, RegisteredModel
from mlcore.errors import NotFoundError
from mlcore.tracking.evaluate_registry import model_matches, sort_models, sort_versions, version_matches
from mlcore.wire.filter_parser import parse_model_filter, parse_model_order, parse_version_filter, parse_version_order
from mlcore.wire.stages import NO_STAGE, STAGES
from mlcore_store_sql import paging
from mlcore_store_sql.dialects import Row
from mlcore_store_sql.mlflow_file import MlflowFile

_Texts = dict[str, str]


class MlflowRegistryStore:
    """Registered models in a database of MLflow; the contract is `RegistryStore`, without its changes.

    Each method that would change something raises UnsupportedError. Of MLflow's workspaces the default one is read.
    """

    def __init__(self, file: MlflowFile) -> None:
        """Read *file*."""
        self._file = file

    def get_model(self, name: str) -> RegisteredModel:
        """Return a registered model with its latest versions and aliases."""
        for found in self._models(name):
            return found
        raise NotFoundError(f"registered model with name={name!r} not found")

    def search_models(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[RegisteredModel]:
        """Return a page of registered models, by name unless ordered otherwise."""
        tree, order, skip = parse_model_filter(filter_string), parse_model_order(order_by), paging.offset(page_token)
        found = [model for model in self._models(None) if model_matches(tree, model)]
        return paging.page(sort_models(found, order)[skip : skip + max_results + 1], skip, max_results)

    def get_version(self, name: str, version: str) -> ModelVersion:
        """Return one version."""
        self.get_model(name)
        for found in self._versions(name):
            if found.version == version:
                return found
        raise NotFoundError(f"model version (name={name!r}, version={version!r}) not found")

    def search_versions(
        self, filter_string: str, *, order_by: tuple[str, ...], max_results: int, page_token: str | None
    ) -> Page[ModelVersion]:
        """Return a page of versions, the last changed first unless ordered otherwise."""
        tree, order, skip = (
            parse_version_filter(filter_string),
            parse_version_order(order_by),
            paging.offset(page_token),
        )
        found = [version for version in self._versions(None) if version_matches(tree, version)]
        return paging.page(sort_versions(found, order)[skip : skip + max_results + 1], skip, max_results)

    def get_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that *alias* points to."""
        number = self.get_model(name).aliases.get(alias)
        if number is None:
            raise NotFoundError(f"registered model alias {alias!r} not found in model {name!r}")
        return self.get_version(name, number)

    def create_model(self, name: str, *, description: str, tags: Mapping[str, str]) -> RegisteredModel:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"create the registered model {name!r}")

    def update_model(self, name: str, *, new_name: str | None, description: str | None) -> RegisteredModel:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"change the registered model {name!r}")

    def delete_model(self, name: str) -> None:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"remove the registered model {name!r}")

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
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"add a version to the registered model {name!r}")

    def update_version(
        self, name: str, version: str, *, description: str | None, stage: str | None, archive_existing: bool
    ) -> ModelVersion:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"change version {version} of the registered model {name!r}")

    def delete_version(self, name: str, version: str) -> None:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"remove version {version} of the registered model {name!r}")

    def set_alias(self, name: str, alias: str, version: str | None) -> None:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"move the alias {alias!r} of the registered model {name!r}")

    def set_tag(self, name: str, version: str | None, key: str, value: str | None) -> None:
        """Refuse. Raises UnsupportedError."""
        raise self._file.refusal(f"tag the registered model {name!r}")

    def close(self) -> None:
        """Let go of the file; further calls open it again."""
        self._file.close()

    def _rows(self, table: str, columns: Sequence[str], name: str | None) -> list[Row]:
        if not self._file.has(table):
            return []
        picked = ", ".join(self._file.pick(table, column) for column in columns)
        place = self._file.pick(table, "workspace", "'default'")
        which, values = ("", ()) if name is None else (" AND name = ?", (name,))
        return self._file.rows(f"SELECT {picked} FROM {table} WHERE {place} = 'default'{which}", values)  # noqa: S608  # names only

    def _models(self, name: str | None) -> list[RegisteredModel]:
        rows = self._rows("registered_models", ("name", "creation_time", "last_updated_time", "description"), name)
        tags: dict[str, _Texts] = defaultdict(dict)
        for owner, key, value in sorted(self._rows("registered_model_tags", ("name", "key", "value"), name)):
            tags[owner][key] = value or ""
        aliases = self._aliases(name)
        latest: dict[str, dict[str, ModelVersion]] = defaultdict(dict)
        for version in self._versions(name):
            latest[version.name][version.current_stage] = version
        return [
            RegisteredModel(
                owner,
                created or 0,
                changed or 0,
                text or "",
                tuple([latest[owner][stage] for stage in STAGES if stage in latest[owner]]),
                tags[owner],
                aliases[owner],
            )
            for owner, created, changed, text in rows
        ]

    def _aliases(self, name: str | None) -> Mapping[str, _Texts]:
        found: dict[str, _Texts] = defaultdict(dict)
        for owner, alias, number in sorted(self._rows("registered_model_aliases", ("name", "alias", "version"), name)):
            found[owner][alias] = str(number)
        return found

    def _versions(self, name: str | None) -> list[ModelVersion]:
        """Return versions by number."""
        tags: dict[tuple[str, int], _Texts] = defaultdict(dict)
        for owner, number, key, value in sorted(
            self._rows("model_version_tags", ("name", "version", "key", "value"), name)
        ):
            tags[owner, number][key] = value or ""
        aliases: dict[tuple[str, str], list[str]] = defaultdict(list)
        for owner, of_model in self._aliases(name).items():
            for alias, pointed in of_model.items():
                aliases[owner, pointed].append(alias)
        names = ("name", "version", "source", "creation_time", "last_updated_time", "run_id", "run_link")
        more = ("current_stage", "status", "status_message", "description", "user_id")
        return [
            _version(row, tags[row[0], row[1]], aliases[row[0], str(row[1])])
            for row in sorted(self._rows("model_versions", (*names, *more), name), key=lambda row: (row[0], row[1]))
            if row[7] != "Deleted_Internal"
        ]


def _version(row: Row, tags: _Texts, aliases: Sequence[str]) -> ModelVersion:
    name, number, source, created, changed, run_id, run_link, stage, status, message, text, user = row
    return ModelVersion(
        name,
        str(number),
        source or "",
        created or 0,
        changed or 0,
        run_id or None,
        run_link or None,
        stage or NO_STAGE,
        ModelVersionStatus(status or "READY"),
        message or "",
        text or "",
        user or "",
        tags,
        tuple(aliases),
    )
