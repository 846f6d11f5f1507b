"""The tracking store over the endpoint table: what servers of both products do alike."""

from __future__ import annotations

from collections.abc import Mapping

from mlcore.entities import (
    Batch,
    DatasetInput,
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    LifecycleStage,
    Metric,
    NewRun,
    Page,
    Param,
    Run,
    RunChange,
    RunInfo,
    RunQuery,
)
from mlcore.errors import NotFoundError, ParamConflictError
from mlcore.wire import limits
from mlcore.wire import requests_tracking as r
from mlcore.wire.tracking_json import (
    Json,
    dataset_input_out,
    experiment_in,
    metric_in,
    metric_out,
    run_in,
    run_info_in,
    tags_out,
)
from mlcore_store_rest.service import Service


class RestTrackingStore:
    """Experiments and runs on a server."""

    def __init__(self, service: Service) -> None:
        """Ask through *service*."""
        self.service: Service = service

    def create_experiment(self, name: str, *, artifact_location: str | None, tags: dict[str, str]) -> Experiment:
        """Create an experiment. Raises AlreadyExistsError: the name is taken."""
        request = r.CreateExperiment(name=name, artifact_location=artifact_location or "", tags=_tags(tags))
        return self.get_experiment(str(self.service.call("experiments/create", request)["experiment_id"]))

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return the experiment, deleted or not."""
        found = self.service.call("experiments/get", {"experiment_id": experiment_id})
        return experiment_in(found["experiment"])

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name, deleted or not; None when there is none."""
        try:
            found = self.service.call("experiments/get-by-name", {"experiment_name": name})
        except NotFoundError:
            return None
        return experiment_in(found["experiment"])

    def update_experiment(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Rename, tag, delete or restore an experiment, in several requests; what can be refused goes first."""
        stage = change.lifecycle_stage
        if stage is LifecycleStage.ACTIVE:
            self._move(experiment_id, stage)
        if len(change.delete_tags) and (change.name is not None or change.set_tags or len(change.delete_tags) > 1):
            known = self.get_experiment(experiment_id).tags
            for key in change.delete_tags:
                if key not in known:
                    raise NotFoundError(f"no tag {key!r} in experiment '{experiment_id}'")
        if change.name is not None:
            self.service.call(
                "experiments/update", r.UpdateExperiment(experiment_id=experiment_id, new_name=change.name)
            )
        for key in change.delete_tags:
            self._delete_experiment_tag(experiment_id, key)
        for key, value in change.set_tags.items():
            request = r.SetExperimentTag(experiment_id=experiment_id, key=key, value=value)
            self.service.call("experiments/set-experiment-tag", request)
        if stage is LifecycleStage.DELETED:
            self._move(experiment_id, stage)
        return self.get_experiment(experiment_id)

    def search_experiments(self, query: ExperimentQuery) -> Page[Experiment]:
        """Return a page of the experiments that fit."""
        raise NotImplementedError

    def create_run(self, new: NewRun) -> Run:
        """Create a RUNNING run; the returned run has the id that counts."""
        raise NotImplementedError

    def get_run(self, run_id: str) -> Run:
        """Return the run with the latest point of each metric, deleted or not."""
        return self._run(self.service.call("runs/get", {"run_id": run_id})["run"])

    def update_run(self, run_id: str, change: RunChange) -> RunInfo:
        """Change status, end time, name or lifecycle stage."""
        stage, info = change.lifecycle_stage, None
        if stage is LifecycleStage.ACTIVE:
            self.service.call("runs/restore", {"run_id": run_id})
        if change != RunChange(lifecycle_stage=stage):
            request = r.UpdateRun(
                run_id=run_id, status=change.status, end_time=change.end_time, run_name=change.run_name or ""
            )
            info = run_info_in(self.service.call("runs/update", request)["run_info"])
        if stage is LifecycleStage.DELETED:
            self.service.call("runs/delete", {"run_id": run_id})
            info = None
        return info if info is not None else self.get_run(run_id).info

    def log_batch(self, run_id: str, batch: Batch) -> None:
        """Record params, points and tags of a run: all, or nothing."""
        if len(batch.metrics) == 1 and not batch.params and not batch.tags:
            self.service.call("runs/log-metric", {"run_id": run_id, **metric_out(batch.metrics[0])})
            return
        body: Json = {"run_id": run_id}
        if batch.metrics:
            body["metrics"] = [metric_out(point) for point in batch.metrics]
        if batch.params:
            body["params"] = [{"key": param.key, "value": param.value} for param in _unique(batch.params)]
        if batch.tags:
            body["tags"] = tags_out({tag.key: tag.value for tag in batch.tags})
        self.service.call("runs/log-batch", body)

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag. Raises NotFoundError: the run has no such tag."""
        self.service.call("runs/delete-tag", {"run_id": run_id, "key": key})

    def log_inputs(self, run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
        """Record datasets that the run read; the same dataset again is kept once."""
        self.service.call(
            "runs/log-inputs", {"run_id": run_id, "datasets": [dataset_input_out(used) for used in inputs]}
        )

    def get_metric_history(self, run_id: str, key: str, *, max_results: int, page_token: str | None) -> Page[Metric]:
        """Return a page of a metric's points, ordered by (timestamp, step, value)."""
        size = min(max_results, limits.HISTORY_RESULTS)
        request = r.MetricHistory(run_id=run_id, metric_key=key, max_results=size, page_token=page_token or "")
        found = self.service.call("metrics/get-history", request)
        points = tuple([metric_in(point) for point in found.get("metrics") or ()])
        if not points and not page_token:
            self.get_run(run_id)  # servers answer for unknown runs, too
        return Page(points, found.get("next_page_token") or None)

    def search_runs(self, query: RunQuery) -> Page[Run]:
        """Return a page of the runs that fit; unknown experiment ids match nothing."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of connections; further calls open them again."""
        self.service.close()

    def _run(self, given: Json) -> Run:
        return run_in(given)

    def _runs_page(self, request: r.SearchRuns) -> Page[Run]:
        found = self.service.call("runs/search", request)
        return Page(tuple([self._run(run) for run in found.get("runs") or ()]), found.get("next_page_token") or None)

    def _experiments_page(self, request: r.SearchExperiments) -> Page[Experiment]:
        found = self.service.call("experiments/search", request)
        items = tuple([experiment_in(each) for each in found.get("experiments") or ()])
        return Page(items, found.get("next_page_token") or None)

    def _move(self, experiment_id: str, stage: LifecycleStage) -> None:
        name = "experiments/restore" if stage is LifecycleStage.ACTIVE else "experiments/delete"
        self.service.call(name, {"experiment_id": experiment_id})

    def _delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        request = r.DeleteExperimentTag(experiment_id=experiment_id, key=key)
        self.service.call("experiments/delete-experiment-tag", request)


def _tags(tags: Mapping[str, str]) -> tuple[r.Tag, ...]:
    return tuple([r.Tag(key=key, value=value) for key, value in tags.items()])


def creation(new: NewRun, extra: Mapping[str, str] | None = None) -> Json:
    """Return the body of the request that creates a run, without its id."""
    # The name goes as a field; servers refuse a tag of another value beside it.
    tags = {key: value for key, value in new.tags.items() if key != "mlflow.runName"} | dict(extra or {})
    return {
        "experiment_id": new.experiment_id,
        "user_id": new.user_id,
        "run_name": new.run_name,
        "start_time": new.start_time,
        "tags": tags_out(tags),
    }


def _unique(params: tuple[Param, ...]) -> tuple[Param, ...]:
    """Return the params without repetitions, which servers refuse. Raises ParamConflictError: one has two values."""
    found: dict[str, Param] = {}
    for param in params:
        if found.setdefault(param.key, param).value != param.value:
            raise ParamConflictError(
                f"param {param.key!r} has the value {found[param.key].value!r} already, got {param.value!r}"
            )
    return tuple(found.values())
