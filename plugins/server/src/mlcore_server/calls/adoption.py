"""Answers to those who bring what another store has, with its ids, numbers and times."""

from __future__ import annotations

from mlcore.entities import Experiment, ModelVersion, Move, MoveNote, RegisteredModel
from mlcore.errors import UnsupportedError
from mlcore.interfaces import SupportsAdoption, SupportsHistoryAdoption, SupportsModelAdoption
from mlcore.registry.names import check_alias, check_model_name, check_version
from mlcore.registry.store_moves import noting
from mlcore.wire import limits
from mlcore.wire import requests_adoption as r
from mlcore.wire import requests_moves as m
from mlcore.wire.models_json import model_out
from mlcore.wire.moves import check_comment
from mlcore.wire.tracking_json import Json
from mlcore_server.calls.caller import Caller
from mlcore_server.calls.experiments import Experiments
from mlcore_server.calls.models import check_stage, registry_tags, shown_version
from mlcore_server.calls.versions import Versions
from mlcore_server.stores import Stores


class Adoption:
    """The group `adoption` of the endpoint table."""

    def __init__(self, stores: Stores, experiments: Experiments, versions: Versions) -> None:
        """Take over into *stores*; the other groups say which places are allowed."""
        self._stores = stores
        self._experiments = experiments
        self._versions = versions

    def experiment(self, request: r.AdoptExperiment, caller: Caller) -> Json:
        """Take over an experiment."""
        store = self._stores.tracking
        if not isinstance(store, SupportsAdoption):
            raise UnsupportedError("the server's tracking store takes over no experiments")
        for what, moment in (("creation_time", request.creation_time), ("last_update_time", request.last_update_time)):
            if moment is not None:
                limits.check_moment(what, moment)
        given = request.artifact_location
        found = store.adopt_experiment(
            Experiment(
                limits.check_experiment_id(request.experiment_id),
                limits.check_experiment_name(request.name),
                self._experiments.location(given, caller) if given else "",
                request.lifecycle_stage,
                request.creation_time,
                request.last_update_time,
                limits.experiment_tags({tag.key: tag.value for tag in request.tags}),
            )
        )
        return {"experiment": self._experiments.shown(found)}

    def model(self, request: r.AdoptModel, caller: Caller) -> Json:
        """Take over a registered model."""
        model = RegisteredModel(
            check_model_name(request.name),
            limits.check_moment("creation_timestamp", request.creation_timestamp),
            limits.check_moment("last_updated_timestamp", request.last_updated_timestamp),
            request.description,
            tags=registry_tags(request.tags),
        )
        return {"registered_model": model_out(self._registry(caller).adopt_model(model))}

    def version(self, request: r.AdoptVersion, caller: Caller) -> Json:
        """Take over a version."""
        version = ModelVersion(
            request.name,
            check_version(request.version),
            self._versions.source(request, caller),
            limits.check_moment("creation_timestamp", request.creation_timestamp),
            limits.check_moment("last_updated_timestamp", request.last_updated_timestamp),
            request.run_id or None,
            request.run_link or None,
            check_stage(request.current_stage),
            request.status,
            request.status_message,
            request.description,
            request.user_id,
            registry_tags(request.tags),
            tuple([check_alias(alias) for alias in request.aliases]),
        )
        registry = self._registry(caller)
        self._stores.mover(caller).adopt(version)
        return {"model_version": shown_version(self._stores, registry.adopt_version(version))}

    def history(self, request: m.AdoptHistory, _: Caller) -> Json:
        """Keep the history that a registered model had elsewhere."""
        registry = self._stores.registry
        if not isinstance(registry, SupportsHistoryAdoption):
            raise UnsupportedError("the server's registry takes over no histories")
        moves = [
            Move(
                each.number,
                each.name,
                each.kind,
                each.subject,
                each.before,
                each.after,
                limits.check_moment("at", each.at),
                check_comment("user", each.user),
                each.comment,
            )
            for each in request.moves
        ]
        return {"adopted": registry.adopt_history(check_model_name(request.name), moves)}

    def _registry(self, caller: Caller) -> SupportsModelAdoption:
        registry = noting(self._stores.registry, MoveNote(caller.principal.name))
        if not isinstance(registry, SupportsModelAdoption):
            raise UnsupportedError("the server's registry takes over no models")
        return registry
