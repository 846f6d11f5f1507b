"""Answers about experiments."""

from __future__ import annotations

from attrs import evolve

from mlcore.entities import Experiment, ExperimentChange, ExperimentQuery, LifecycleStage, Page
from mlcore.errors import InvalidParameterError, InvalidStateError, NotFoundError, PermissionDeniedError
from mlcore.tracking.counts import search_datasets
from mlcore.uris import redacted, scheme
from mlcore.wire import limits
from mlcore.wire import requests_tracking as r
from mlcore.wire.filter_parser import parse_experiment_filter, parse_experiment_order
from mlcore.wire.tracking_json import Json, experiment_out
from mlcore_server.calls.caller import Caller
from mlcore_server.places import PROXY
from mlcore_server.stores import Stores

_MOST_DATASETS = 1000
_MOST_DATASET_EXPERIMENTS = 20


class Experiments:
    """The group `experiments` of the endpoint table."""

    def __init__(self, stores: Stores) -> None:
        """Answer from *stores*."""
        self._stores = stores

    def create(self, request: r.CreateExperiment, caller: Caller) -> Json:
        """Create an experiment."""
        limits.check_experiment_name(request.name)
        tags = limits.experiment_tags({tag.key: tag.value for tag in request.tags})
        location = self.location(request.artifact_location, caller) if request.artifact_location else None
        made = self._stores.tracking.create_experiment(request.name, artifact_location=location, tags=tags)
        return {"experiment_id": made.experiment_id}

    def get(self, request: r.ExperimentId, _: Caller) -> Json:
        """Return an experiment."""
        return {"experiment": self.shown(self._stores.tracking.get_experiment(request.experiment_id))}

    def get_by_name(self, request: r.ExperimentName, _: Caller) -> Json:
        """Return the experiment of that name."""
        found = self._stores.tracking.get_experiment_by_name(request.experiment_name)
        if found is None:
            raise NotFoundError(f"Could not find experiment with name '{request.experiment_name}'")
        return {"experiment": self.shown(found)}

    def delete(self, request: r.ExperimentId, _: Caller) -> Json:
        """Move an experiment to the bin."""
        return self._change(request.experiment_id, ExperimentChange(lifecycle_stage=LifecycleStage.DELETED))

    def restore(self, request: r.ExperimentId, _: Caller) -> Json:
        """Take an experiment out of the bin."""
        return self._change(request.experiment_id, ExperimentChange(lifecycle_stage=LifecycleStage.ACTIVE))

    def update(self, request: r.UpdateExperiment, _: Caller) -> Json:
        """Rename an experiment."""
        if not request.new_name:
            return {}
        limits.check_experiment_name(request.new_name)
        self._active(request.experiment_id)
        return self._change(request.experiment_id, ExperimentChange(name=request.new_name))

    def set_tag(self, request: r.SetExperimentTag, _: Caller) -> Json:
        """Set a tag."""
        tags = limits.experiment_tags({request.key: request.value})
        self._active(request.experiment_id)
        return self._change(request.experiment_id, ExperimentChange(set_tags=tags))

    def delete_tag(self, request: r.DeleteExperimentTag, _: Caller) -> Json:
        """Remove a tag."""
        self._active(request.experiment_id)
        return self._change(request.experiment_id, ExperimentChange(delete_tags=(request.key,)))

    def search(self, request: r.SearchExperiments, _: Caller) -> Json:
        """Return a page of the experiments that fit."""
        if request.max_results < 1:
            raise InvalidParameterError(
                f"Invalid value {request.max_results} for parameter 'max_results' supplied. "
                "It must be a positive integer"
            )
        query = ExperimentQuery(
            parse_experiment_filter(request.filter),
            parse_experiment_order(request.order_by),
            request.view_type,
            limits.check_max_results(request.max_results),
            request.page_token or None,
        )
        return self._page(self._stores.tracking.search_experiments(query))

    def list(self, request: r.ListExperiments, _: Caller) -> Json:
        """Return experiments by id, all of them unless a page is asked for; for clients of MLflow 1.x."""
        asked = request.max_results
        query = ExperimentQuery(
            order_by=parse_experiment_order(["experiment_id ASC"]),
            view=request.view_type,
            max_results=limits.check_max_results(asked) if asked else limits.SEARCH_RESULTS,
            page_token=request.page_token or None,
        )
        return self._page(self._stores.tracking.search_experiments(query))

    def search_datasets(self, request: r.SearchDatasets, _: Caller) -> Json:
        """Return the datasets of some experiments."""
        count = len(request.experiment_ids)
        if not 1 <= count <= _MOST_DATASET_EXPERIMENTS:
            raise InvalidParameterError(
                f"SearchDatasets request must name 1 to {_MOST_DATASET_EXPERIMENTS} experiment ids, got {count}"
            )
        found = search_datasets(self._stores.tracking, request.experiment_ids, _MOST_DATASETS)
        rows = []
        for one in found:
            row = {"experiment_id": one.experiment_id, "name": one.name, "digest": one.digest}
            rows.append(row if one.context is None else row | {"context": one.context})
        return {"dataset_summaries": rows} if rows else {}

    def shown(self, experiment: Experiment) -> Json:
        """Return an experiment as clients see it."""
        location = self._stores.places.outward(experiment.artifact_location)
        return experiment_out(evolve(experiment, artifact_location=location))

    def _page(self, page: Page[Experiment]) -> Json:
        out: Json = {"experiments": [self.shown(one) for one in page.items]} if page.items else {}
        if page.next_token:
            out["next_page_token"] = page.next_token
        return out

    def _change(self, experiment_id: str, change: ExperimentChange) -> Json:
        self._stores.tracking.update_experiment(experiment_id, change)
        return {}

    def _active(self, experiment_id: str) -> None:
        stage = self._stores.tracking.get_experiment(experiment_id).lifecycle_stage
        if stage != LifecycleStage.ACTIVE:
            raise InvalidStateError(
                f"The experiment {experiment_id} must be in the 'active' state. Current state is {stage}."
            )

    def location(self, given: str, caller: Caller) -> str:
        """Return the real place of a location that a client chose.

        Whoever chooses a place chooses what the server will read there, so a place on the server's own disk has to
        lie below its roots; and where there is an authority, any place that the server reads is for admins: another
        experiment's files may be there.
        """
        if not given.isprintable() or len(given) > limits.ARTIFACT_LOCATION_LENGTH:
            raise InvalidParameterError(
                f"invalid artifact_location {redacted(given[:100])!r}: expected a printable URI of at most "
                f"{limits.ARTIFACT_LOCATION_LENGTH} characters"
            )
        kind = scheme(given)
        is_own = kind in ("file", "mlflow-artifacts")
        if kind in ("runs", "models"):
            raise InvalidParameterError(f"invalid artifact_location {given!r}: expected a place, not a {kind}:/ URI")
        if any(mark in given for mark in "#?;") and is_own:
            raise InvalidParameterError(
                f"invalid artifact_location {redacted(given)!r}: it may have no fragment, query or parameters"
            )
        if not is_own and ".." in given.split("/"):
            raise InvalidParameterError(f"invalid artifact_location {redacted(given)!r}: it may not contain '..'")
        real = self._stores.places.inward(_local(given) if kind == "file" else given.rstrip("/"))
        if caller.is_limited and (is_own or self._stores.places.touches(real)):
            raise PermissionDeniedError(
                f"Permission denied: only an admin chooses a place below {PROXY}/ or another one that the server reads; "
                "leave artifact_location out"
            )
        return self._stores.places.readable(real) if kind == "file" else real


def _local(given: str) -> str:
    """Return the absolute URI of a local place that a client named.

    Raises InvalidParameterError: relative, or with a part that leads upwards.
    """
    from mlcore.uris import file_uri, local_path

    path = local_path(given)
    if not path.is_absolute() or ".." in path.parts:
        raise InvalidParameterError(f"invalid artifact_location {given!r}: expected an absolute path without '..'")
    return file_uri(path)
