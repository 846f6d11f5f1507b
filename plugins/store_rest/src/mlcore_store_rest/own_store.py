"""The tracking store on a server of mlcore's own: everything is done there."""

from __future__ import annotations

from collections.abc import Iterator

from mlcore.entities import (
    Batch,
    DatasetSummary,
    Experiment,
    ExperimentQuery,
    Facet,
    Field,
    Filter,
    LifecycleStage,
    LoggedModel,
    LoggedModelChange,
    LoggedModelQuery,
    Metric,
    ModelMetric,
    ModelOutput,
    NewLoggedModel,
    NewRun,
    OrderBy,
    Page,
    Run,
    RunQuery,
    Series,
    SeriesQuery,
)
from mlcore.errors import UnsupportedError
from mlcore.wire import requests_models as m
from mlcore.wire import requests_tracking as r
from mlcore.wire import requests_views as v
from mlcore.wire.filter_text import filter_to_text, order_to_text
from mlcore.wire.models_json import logged_model_in
from mlcore.wire.tracking_json import Json, float_in, metric_out, tags_out
from mlcore_store_rest import pages
from mlcore_store_rest.pushing import split
from mlcore_store_rest.tracking import RestTrackingStore, creation

_MANY_EXPERIMENTS = 20  # of one question for datasets
_BATCH = 1000


class MlcoreTrackingStore(RestTrackingStore):
    """Experiments, runs and logged models on a server of mlcore."""

    def create_run(self, new: NewRun) -> Run:
        """Create a RUNNING run with the id that the caller chose; a second call returns the run as it is."""
        return self._run(self.service.call("runs/create", {**creation(new), "run_id": new.run_id})["run"])

    def search_runs(self, query: RunQuery) -> Page[Run]:
        """Return a page of the runs that fit."""
        parts = split(query.filter, lambda _: True)

        def fetch(token: str | None) -> Page[Run]:
            return self._runs_page(
                r.SearchRuns(
                    experiment_ids=query.experiment_ids,
                    filter=parts.text,
                    run_view_type=query.view,
                    max_results=query.max_results,
                    order_by=tuple(map(order_to_text, query.order_by)),
                    page_token=token or "",
                    columns=tuple(map(_named, query.columns or ())),
                )
            )

        if not query.experiment_ids:
            return Page(())
        if parts.rest is None:
            return fetch(query.page_token)
        from mlcore.tracking.evaluate import run_matches

        rest = parts.rest  # what no filter can say, such as a text with both kinds of quotes
        return pages.sifted(fetch, lambda run: run_matches(rest, run), query.max_results, query.page_token)

    def search_experiments(self, query: ExperimentQuery) -> Page[Experiment]:
        """Return a page of the experiments that fit."""
        parts = split(query.filter, lambda _: True)

        def fetch(token: str | None) -> Page[Experiment]:
            return self._experiments_page(
                r.SearchExperiments(
                    filter=parts.text,
                    view_type=query.view,
                    max_results=query.max_results,
                    order_by=tuple(map(order_to_text, query.order_by)),
                    page_token=token or "",
                )
            )

        if parts.rest is None:
            return fetch(query.page_token)
        from mlcore.tracking.evaluate import experiment_matches

        rest = parts.rest
        return pages.sifted(fetch, lambda each: experiment_matches(rest, each), query.max_results, query.page_token)

    def metric_series(self, query: SeriesQuery) -> tuple[Series, ...]:
        """Return thinned-out curves of many runs."""
        request = v.MetricSeries(
            run_ids=query.run_ids,
            keys=query.keys,
            max_points=query.max_points,
            min_step=query.min_step,
            max_step=query.max_step,
        )
        return tuple([_series(one) for one in self.service.call("metrics/series", request).get("series") or ()])

    def count_runs(self, query: RunQuery) -> int:
        """Return how many runs fit."""
        request = v.CountRuns(experiment_ids=query.experiment_ids, filter=_text(query.filter), run_view_type=query.view)
        return int(self.service.call("runs/count", request)["count"]) if query.experiment_ids else 0

    def run_facets(self, query: RunQuery, field: Field, limit: int) -> tuple[Facet, ...]:
        """Return the most frequent values of a field among the runs that fit."""
        request = v.RunFacets(
            experiment_ids=query.experiment_ids,
            field=_named(field),
            filter=_text(query.filter),
            run_view_type=query.view,
            limit=limit,
        )
        found = self.service.call("runs/facets", request) if query.experiment_ids else {}
        return tuple([Facet(one["value"], int(one["count"])) for one in found.get("facets") or ()])

    def search_datasets(self, experiment_ids: tuple[str, ...], max_results: int) -> tuple[DatasetSummary, ...]:
        """Return the distinct datasets that active runs read."""
        found: list[DatasetSummary] = []
        for start in range(0, len(experiment_ids), _MANY_EXPERIMENTS):
            asked = experiment_ids[start : start + _MANY_EXPERIMENTS]
            answer = self.service.call("experiments/search-datasets", r.SearchDatasets(experiment_ids=asked))
            found += [
                DatasetSummary(str(one["experiment_id"]), one["name"], one["digest"], one.get("context"))
                for one in answer.get("dataset_summaries") or ()
            ]
        found.sort(key=lambda one: (one.experiment_id, one.name, one.digest, one.context or ""))
        return tuple(found[:max_results])

    def create_logged_model(self, new: NewLoggedModel) -> LoggedModel:
        """Create a PENDING model with the id that the caller chose; a second call returns it as it is."""
        body: Json = {name: value for name, value in _model_fields(new) if value}
        return self._model("POST logged-models", body)

    def get_logged_model(self, model_id: str, *, allow_deleted: bool = False) -> LoggedModel:
        """Return a logged model."""
        request = m.LoggedModelId(model_id=model_id, allow_deleted=allow_deleted)
        return self._model("GET logged-models/{model_id}", request)

    def update_logged_model(self, model_id: str, change: LoggedModelChange) -> LoggedModel:
        """Change a logged model, in several requests; what can be refused goes first.

        Raises UnsupportedError: it is to be restored, for which the protocol has no request.
        """
        if change.lifecycle_stage is LifecycleStage.ACTIVE:
            raise UnsupportedError(
                f"cannot restore the logged model {model_id!r}: servers delete logged models for good"
            )
        of_model = {"model_id": model_id}
        for key in change.delete_tags:
            self.service.call("DELETE logged-models/{model_id}/tags/{tag_key:path}", {**of_model, "tag_key": key})
        if change.add_params:
            body = {**of_model, "params": tags_out(change.add_params)}
            self.service.call("POST logged-models/{model_id}/params", body)
        if change.set_tags:
            self.service.call("PATCH logged-models/{model_id}/tags", {**of_model, "tags": tags_out(change.set_tags)})
        if change.status is not None:
            request = m.FinalizeLoggedModel(model_id=model_id, status=change.status)
            self.service.call("PATCH logged-models/{model_id}", request)
        if change.lifecycle_stage is LifecycleStage.DELETED:
            self.service.call("DELETE logged-models/{model_id}", of_model)
        return self.get_logged_model(model_id, allow_deleted=True)

    def search_logged_models(self, query: LoggedModelQuery) -> Page[LoggedModel]:
        """Return a page of the active models that fit."""
        if not query.experiment_ids:
            return Page(())
        request = m.SearchLoggedModels(
            experiment_ids=query.experiment_ids,
            filter=_text(query.filter),
            datasets=tuple([m.ModelDataset(dataset_name=name, dataset_digest=d) for name, d in query.datasets]),
            max_results=query.max_results,
            order_by=tuple(map(_model_order, query.order_by)),
            page_token=query.page_token or "",
        )
        found = self.service.call("POST logged-models/search", request)
        items = tuple([logged_model_in(model) for model in found.get("models") or ()])
        return Page(items, found.get("next_page_token") or None)

    def log_model_metrics(self, run_id: str, metrics: tuple[ModelMetric, ...]) -> None:
        """Record what a run measured on models; the points go to the run, too, where the same point is kept once."""
        if not metrics:
            self.log_batch(run_id, Batch())
        for start in range(0, len(metrics), _BATCH):
            points = [dict(_measured(metric)) for metric in metrics[start : start + _BATCH]]
            self.service.call("runs/log-batch", {"run_id": run_id, "metrics": points})

    def link_models(self, run_id: str, *, inputs: tuple[str, ...] = (), outputs: tuple[ModelOutput, ...] = ()) -> None:
        """Record which models a run read and made; the same again is kept once."""
        if inputs or not outputs:
            models = [{"model_id": model_id} for model_id in inputs]
            self.service.call("runs/log-inputs", {"run_id": run_id, "models": models})
        if outputs:
            made = [{"model_id": output.model_id, "step": output.step} for output in outputs]
            self.service.call("runs/outputs", {"run_id": run_id, "models": made})

    def _model(self, name: str, request: object) -> LoggedModel:
        return logged_model_in(self.service.call(name, request)["model"])


def _text(tree: Filter | None) -> str:
    return "" if tree is None else filter_to_text(tree)


def _named(field: Field) -> str:
    return order_to_text(OrderBy(field)).removesuffix(" ASC")


def _series(given: Json) -> Series:
    columns = zip(given["values"], given["timestamps"], given["steps"], strict=True)
    points = tuple([Metric(given["key"], float_in(value), int(time), int(step)) for value, time, step in columns])
    return Series(given["run_id"], given["key"], points, int(given["count"]))


def _model_fields(new: NewLoggedModel) -> Iterator[tuple[str, object]]:
    for name in ("experiment_id", "name", "model_type", "source_run_id", "model_id"):
        yield name, getattr(new, name)
    yield "params", tags_out(new.params)
    yield "tags", tags_out(new.tags)


def _model_order(order: OrderBy) -> m.ModelOrder:
    field = order.field
    name = f"metrics.{field.key}" if field.entity == "metric" else field.key
    return m.ModelOrder(field_name=name, ascending=order.ascending)


def _measured(metric: ModelMetric) -> Iterator[tuple[str, object]]:
    yield from metric_out(metric.point).items()
    yield "model_id", metric.model_id
    if metric.dataset_name:
        yield "dataset_name", metric.dataset_name
        yield "dataset_digest", metric.dataset_digest
