"""The tracking store on a server of MLflow: what that lacks is done here, and told once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import uuid4

from attrs import evolve

from mlcore.entities import (
    Batch,
    DatasetInput,
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    Field,
    LifecycleStage,
    Metric,
    MetricSummary,
    NewRun,
    OrderBy,
    Page,
    Run,
    RunQuery,
    ViewType,
)
from mlcore.errors import (
    AlreadyExistsError,
    BadRequestError,
    EndpointNotFoundError,
    InvalidStateError,
    NotFoundError,
    StoreUnavailableError,
    UnsupportedError,
)
from mlcore.tracking.evaluate import experiment_matches, run_matches, sort_experiments, sort_runs
from mlcore.tracking.summaries import summarize_all
from mlcore.tracking.tags import CLIENT_RUN_ID
from mlcore.wire import requests_tracking as r
from mlcore.wire.tracking_json import Json
from mlcore_store_rest import pages
from mlcore_store_rest.peers import Peer, Shortfalls
from mlcore_store_rest.pushing import fields_of, orders, split
from mlcore_store_rest.service import Service
from mlcore_store_rest.tracking import RestTrackingStore, creation
from mlcore_store_rest.vocabulary import MlflowVocabulary

_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_TRIES = 3
_HISTORY_PAGE = 25_000
_HERE = "what the rest of the filter finds is fetched and looked at here, which takes longer"


class MlflowTrackingStore(RestTrackingStore):
    """Experiments and runs on a server of MLflow."""

    def __init__(self, service: Service, peer: Peer) -> None:
        """Ask through *service* what *peer* can do."""
        super().__init__(service)
        self.peer: Peer = peer
        self._words = MlflowVocabulary(peer.version)
        self._lacks = Shortfalls(f"the server {service.shown} ({peer.shown})")

    def create_experiment(self, name: str, *, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        """Create an experiment. Raises AlreadyExistsError: the name is taken."""
        try:
            return super().create_experiment(name, artifact_location=artifact_location, tags=tags)
        except AlreadyExistsError as err:
            raise self._taken(name) from err

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return the experiment, deleted or not."""
        if not _NUMBER.fullmatch(experiment_id):  # to some releases an error of another kind
            raise NotFoundError(f"no experiment with id='{experiment_id}'")
        return super().get_experiment(experiment_id)

    def update_experiment(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Rename, tag, delete or restore an experiment, in several requests; checked before."""
        known = self.get_experiment(experiment_id)
        stage = change.lifecycle_stage
        if stage == known.lifecycle_stage:
            raise NotFoundError(f"experiment '{experiment_id}' is '{stage}' already")
        if stage is None and known.lifecycle_stage is LifecycleStage.DELETED:
            raise InvalidStateError(
                f"experiment '{experiment_id}' must be in the 'active' state, it is 'deleted': restore it first"
            )
        if change.name is not None and change.name != known.name and self.get_experiment_by_name(change.name):
            raise self._taken(change.name)
        if change.name == known.name:
            change = evolve(change, name=None)
        return super().update_experiment(experiment_id, change)

    def search_experiments(self, query: ExperimentQuery) -> Page[Experiment]:
        """Return a page of the experiments that fit."""
        parts = split(query.filter, self._words.experiment_filter)
        newest = (
            OrderBy(Field("attribute", "creation_time"), ascending=False),
            OrderBy(Field("attribute", "experiment_id")),
        )
        order = orders((*query.order_by, *newest), self._words.experiment_order)

        def fetch(token: str | None) -> Page[Experiment]:
            return self._experiments_page(
                r.SearchExperiments(
                    filter=parts.text,
                    view_type=query.view,
                    max_results=query.max_results,
                    order_by=order or (),
                    page_token=token or "",
                )
            )

        if parts.rest is not None:
            self._lacks.tell("experiment filters", _HERE)
        if order is None:
            self._lacks.tell("experiment orders", "all that fit are fetched and sorted here")
            kept = [each for each in pages.everything(fetch) if experiment_matches(parts.rest, each)]
            return pages.cut(sort_experiments(kept, query.order_by), query.max_results, query.page_token)
        return pages.sifted(
            fetch, lambda each: experiment_matches(parts.rest, each), query.max_results, query.page_token
        )

    def create_run(self, new: NewRun) -> Run:
        """Create a RUNNING run; the server chooses its id, the caller's is kept in a tag that is not shown.

        When nobody knows whether the server made it, it is looked for before another attempt.
        """
        mark = new.run_id or uuid4().hex
        body = creation(new, {CLIENT_RUN_ID: mark})
        for _ in range(_TRIES - 1):
            try:
                return self._run(self.service.call("runs/create", body, once=True)["run"])
            except StoreUnavailableError:
                made = self.created_as(new.experiment_id, mark)
                if made is not None:
                    return made
        return self._run(self.service.call("runs/create", body, once=True)["run"])

    def log_batch(self, run_id: str, batch: Batch) -> None:
        """Record params, points and tags of a run: all, or nothing."""
        try:
            super().log_batch(run_id, batch)
        except BadRequestError as err:
            if "IntegrityError" not in err.message:
                raise
            super().log_batch(run_id, batch)  # somebody logged the same param at that moment; now the server sees it

    def log_inputs(self, run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
        """Record datasets that the run read; the same dataset again is kept once."""
        if not inputs:  # to some releases a mistake
            run = self.get_run(run_id)
            if run.info.lifecycle_stage is LifecycleStage.DELETED:
                raise InvalidStateError(f"run '{run_id}' must be in the 'active' state, it is 'deleted'")
            return
        super().log_inputs(run_id, inputs)

    def get_metric_history(self, run_id: str, key: str, *, max_results: int, page_token: str | None) -> Page[Metric]:
        """Return a page of a metric's points, ordered by (timestamp, step, value)."""

        def fetch(token: str | None) -> Page[Metric]:
            return super(MlflowTrackingStore, self).get_metric_history(
                run_id, key, max_results=max_results, page_token=token
            )

        # Releases before 3 send all points whatever is asked for.
        return pages.sifted(fetch, lambda _: True, max_results, page_token)

    def search_runs(self, query: RunQuery) -> Page[Run]:
        """Return a page of the runs that fit; unknown experiment ids match nothing."""
        parts = split(query.filter, self._words.run_filter)
        order = orders(query.order_by, self._words.run_order)
        ids = tuple(each for each in query.experiment_ids if _NUMBER.fullmatch(each))
        extremes = {
            field.key
            for field in (*fields_of(parts.rest), *(each.field for each in query.order_by))
            if field.entity == "metric" and field.stat != "last"
        }

        def fetch(token: str | None) -> Page[Run]:
            if not ids:
                return Page(())
            return self._runs_page(
                r.SearchRuns(
                    experiment_ids=ids,
                    filter=parts.text,
                    run_view_type=query.view,
                    max_results=query.max_results,
                    order_by=order or (),
                    page_token=token or "",
                )
            )

        def keep(run: Run) -> bool:
            return parts.rest is None or run_matches(parts.rest, run, self._summaries(run, extremes))

        if parts.rest is not None:
            self._lacks.tell("run filters with OR, NOT, numbers in params or minima", _HERE)
        if order is not None:
            return pages.sifted(fetch, keep, query.max_results, query.page_token)
        self._lacks.tell("run orders by minima and maxima", "all that fit are fetched and sorted here")
        kept = [run for run in pages.everything(fetch) if keep(run)]
        by_run = {run.info.run_id: self._summaries(run, extremes) for run in kept}
        return pages.cut(sort_runs(kept, query.order_by, by_run), query.max_results, query.page_token)

    def _run(self, given: Json) -> Run:
        run = super()._run(given)
        if CLIENT_RUN_ID not in run.data.tags:
            return run
        tags = {key: value for key, value in run.data.tags.items() if key != CLIENT_RUN_ID}
        return evolve(run, data=evolve(run.data, tags=tags))

    def created_as(self, experiment_id: str, run_id: str) -> Run | None:
        """Return the run that was made when *run_id* was asked for; None when there is none."""
        request = r.SearchRuns(
            experiment_ids=(experiment_id,),
            filter=f"tags.`{CLIENT_RUN_ID}` = '{run_id}'",
            run_view_type=ViewType.ALL,
            max_results=1,
        )
        found = self._runs_page(request).items
        return found[0] if found else None

    def _summaries(self, run: Run, keys: set[str]) -> Mapping[str, MetricSummary]:
        points: list[Metric] = []
        for key in sorted(keys & {point.key for point in run.data.latest}):
            token: str | None = None
            while True:
                page = self.get_metric_history(run.info.run_id, key, max_results=_HISTORY_PAGE, page_token=token)
                points += page.items
                token = page.next_token
                if token is None:
                    break
        return summarize_all(points)

    def _taken(self, name: str) -> AlreadyExistsError:
        found = self.get_experiment_by_name(name)
        is_deleted = found is not None and found.lifecycle_stage is LifecycleStage.DELETED
        hint = " and is deleted: restore it, or" if is_deleted else ":"
        return AlreadyExistsError(f"experiment {name!r} already exists{hint} choose another name")

    def _delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        if key not in self.get_experiment(experiment_id).tags:
            raise NotFoundError(f"no tag {key!r} in experiment '{experiment_id}'")
        try:
            super()._delete_experiment_tag(experiment_id, key)
        except EndpointNotFoundError as err:
            raise UnsupportedError(
                f"cannot delete the tag {key!r}: the server {self.service.shown} ({self.peer.shown}) deletes no tags of "
                "experiments; set it to another value"
            ) from err
