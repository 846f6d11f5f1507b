"""The part of the client that makes model versions: what needs the tracking store beside the registry."""

from __future__ import annotations

import time
from collections.abc import Mapping

from mlcore.artifacts.resolve import LoggedModelName, parse_models_uri, parse_runs_uri
from mlcore.entities import ModelVersion, ModelVersionStatus
from mlcore.errors import AlreadyExistsError, InvalidStateError, StoreUnavailableError
from mlcore.interfaces import RegistryStore, SupportsLoggedModels
from mlcore.registry.finding import find_version
from mlcore.registry.governance import GovernanceOperations
from mlcore.registry.moving import Mover
from mlcore.registry.names import check_model_name, check_registry_tags
from mlcore.registry.operations import RegistryOperations
from mlcore.registry.people import present_user
from mlcore.tracking.session import Session
from mlcore.uris import absolute, join, scheme

AWAIT_S = 300
_POLL_S = 0.5


class ModelVersions(RegistryOperations, GovernanceOperations):
    """Work with the registry of a session, and with the runs from which its versions come."""

    _session: Session
    registry_uri: str

    @property
    def _registry(self) -> RegistryStore:
        return self._session.registry(self.registry_uri)

    @property
    def _mover(self) -> Mover:
        return Mover(self._session.plugins, self._registry, present_user())

    @property
    def tracking_uri(self) -> str:
        """The URI of the tracking store."""
        raise NotImplementedError

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Mapping[str, object] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        await_creation_for: int | None = AWAIT_S,
        model_id: str | None = None,
    ) -> ModelVersion:
        """Add the next version of a registered model and return it when it is ready.

        source: where its files are: a path, `runs:/`, `models:/`, or the URI of any artifact place.
        run_id: the run that made it; known by itself for `runs:/` and `models:/`.
        await_creation_for: how long to wait for a registry that takes its time, in seconds; None or 0 for not at all.
        model_id: of the logged model that it is, as MLflow's clients from 3.0 on say; kept in the source.
        """
        place, of_run = self._place(source)
        made = self._mover.create_version(
            check_model_name(name),
            place,
            run_id=run_id or of_run,
            run_link=run_link,
            description=description or "",
            tags=check_registry_tags({**({"mlcore.model_id": model_id} if model_id else {}), **(tags or {})}),
        )
        return self._ready(made, await_creation_for or 0)

    def copy_model_version(self, src_model_uri: str, dst_name: str) -> ModelVersion:
        """Add a version to *dst_name*, created if it is not there, that has the files of another version.

        src_model_uri: a `models:/` URI. The copy's source is the original's files; its tags and description come along.
        """
        original = find_version(self._registry, parse_models_uri(src_model_uri))
        self.get_or_create_registered_model(dst_name)
        return self._mover.create_version(
            dst_name,
            original.source,
            run_id=original.run_id,
            run_link=original.run_link,
            description=original.description,
            tags={**original.tags, "mlcore.copied_from": f"models:/{original.name}/{original.version}"},
        )

    def get_or_create_registered_model(self, name: str) -> None:
        """See to it that a registered model is there; of racing callers none fails."""
        try:
            self._mover.create_model(check_model_name(name), description="", tags={})
        except AlreadyExistsError:
            return

    def _place(self, source: str) -> tuple[str, str | None]:
        """Return the URI of a version's files, and the run that they come from."""
        kind = scheme(source)
        if kind == "runs":
            named = parse_runs_uri(source)
            root = self._session.store(self.tracking_uri).get_run(named.run_id).info.artifact_uri
            return join(root, named.path) if named.path else root, named.run_id
        if kind == "models":
            model = parse_models_uri(source)
            if isinstance(model, LoggedModelName):
                store = self._session.store(self.tracking_uri)
                if isinstance(store, SupportsLoggedModels):
                    logged = store.get_logged_model(model.model_id)
                    return logged.artifact_uri, logged.source_run_id
            version = find_version(self._registry, model)
            return version.source, version.run_id
        return absolute(source), None

    def _ready(self, version: ModelVersion, patience_s: float) -> ModelVersion:
        end = time.monotonic() + patience_s
        while version.status is ModelVersionStatus.PENDING_REGISTRATION and time.monotonic() < end:
            time.sleep(_POLL_S)
            version = self._registry.get_version(version.name, version.version)
        if version.status is ModelVersionStatus.FAILED_REGISTRATION:
            raise InvalidStateError(
                f"version {version.version} of registered model {version.name!r} could not be registered: "
                f"{version.status_message or 'the registry gives no reason'}"
            )
        if version.status is ModelVersionStatus.PENDING_REGISTRATION and patience_s:
            raise StoreUnavailableError(
                f"version {version.version} of registered model {version.name!r} is not ready after {patience_s} s: "
                "it may become so later, or wait longer with await_registration_for"
            )
        return version
