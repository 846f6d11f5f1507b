"""The requests about experiments, runs and metrics."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import RunStatus, ViewType
from mlcore.wire.messages import optional, required


@frozen
class NoFields:
    """A request without fields."""


@frozen
class Tag:
    """A key with a text; the text is empty unless given."""

    key: str = required()
    value: str = optional("")


@frozen
class CreateExperiment:
    """`POST experiments/create`."""

    name: str = required()
    artifact_location: str = optional("")
    tags: tuple[Tag, ...] = optional(())


@frozen
class ExperimentId:
    """A request that only names an experiment."""

    experiment_id: str = required()


@frozen
class ExperimentName:
    """`GET experiments/get-by-name`."""

    experiment_name: str = required()


@frozen
class UpdateExperiment:
    """`POST experiments/update`; without a new name nothing changes."""

    experiment_id: str = required()
    new_name: str = optional("")


@frozen
class SetExperimentTag:
    """`POST experiments/set-experiment-tag`."""

    experiment_id: str = required()
    key: str = required()
    value: str = optional("")


@frozen
class DeleteExperimentTag:
    """`POST experiments/delete-experiment-tag`."""

    experiment_id: str = required()
    key: str = required()


@frozen
class SearchExperiments:
    """`POST` and `GET experiments/search`; max_results has to be given."""

    max_results: int = optional(0)
    page_token: str = optional("")
    filter: str = optional("")
    order_by: tuple[str, ...] = optional(())
    view_type: ViewType = optional(ViewType.ACTIVE_ONLY)


@frozen
class ListExperiments:
    """`GET experiments/list` of MLflow 1.x."""

    view_type: ViewType = optional(ViewType.ACTIVE_ONLY)
    max_results: int | None = optional()
    page_token: str = optional("")


@frozen
class SearchDatasets:
    """`POST experiments/search-datasets`."""

    experiment_ids: tuple[str, ...] = optional(())


@frozen
class CreateRun:
    """`POST runs/create`.

    run_id: of mlcore: chosen by the caller, so that a repeated request makes one run.
    """

    experiment_id: str = required()
    user_id: str = optional("")
    run_name: str = optional("")
    start_time: int = optional(0)
    tags: tuple[Tag, ...] = optional(())
    run_id: str = optional("")


@frozen
class RunId:
    """A request that only names a run."""

    run_id: str = required(alias="run_uuid")


@frozen
class UpdateRun:
    """`POST runs/update`; what is absent stays as it is."""

    run_id: str = required(alias="run_uuid")
    status: RunStatus | None = optional()
    end_time: int | None = optional()
    run_name: str = optional("")


@frozen
class LogMetric:
    """`POST runs/log-metric`."""

    run_id: str = required(alias="run_uuid")
    key: str = required()
    value: float = required()
    timestamp: int = required()
    step: int = optional(0)
    model_id: str = optional("")
    dataset_name: str = optional("")
    dataset_digest: str = optional("")


@frozen
class LogParam:
    """`POST runs/log-parameter`."""

    run_id: str = required(alias="run_uuid")
    key: str = required()
    value: str = optional("")


@frozen
class SetTag:
    """`POST runs/set-tag`."""

    run_id: str = required(alias="run_uuid")
    key: str = required()
    value: str = optional("")


@frozen
class DeleteTag:
    """`POST runs/delete-tag`."""

    run_id: str = required()
    key: str = required()


@frozen
class BatchMetric:
    """A point in a batch."""

    key: str = required()
    value: float = required()
    timestamp: int = required()
    step: int = optional(0)
    model_id: str = optional("")
    dataset_name: str = optional("")
    dataset_digest: str = optional("")


@frozen
class LogBatch:
    """`POST runs/log-batch`."""

    run_id: str = required()
    metrics: tuple[BatchMetric, ...] = optional(())
    params: tuple[Tag, ...] = optional(())
    tags: tuple[Tag, ...] = optional(())


@frozen
class LogModel:
    """`POST runs/log-model`; model_json is an MLmodel file as JSON."""

    run_id: str = required()
    model_json: str = required()


@frozen
class DatasetFields:
    """A dataset as it is logged."""

    name: str = optional("")
    digest: str = optional("")
    source_type: str = optional("")
    source: str = optional("")
    schema: str | None = optional()
    profile: str | None = optional()


@frozen
class DatasetUse:
    """One use of a dataset."""

    dataset: DatasetFields = required()
    tags: tuple[Tag, ...] = optional(())


@frozen
class ModelUse:
    """A logged model that a run read, or made at a step."""

    model_id: str = required()
    step: int = optional(0)


@frozen
class LogInputs:
    """`POST runs/log-inputs`."""

    run_id: str = required()
    datasets: tuple[DatasetUse, ...] = optional(())
    models: tuple[ModelUse, ...] = optional(())


@frozen
class LogOutputs:
    """`POST runs/outputs`."""

    run_id: str = required()
    models: tuple[ModelUse, ...] = optional(())


@frozen
class SearchRuns:
    """`POST runs/search`.

    columns: of mlcore: the metrics, params and tags that are wanted, such as `metrics.loss`; all when empty.
    """

    experiment_ids: tuple[str, ...] = optional(())
    filter: str = optional("")
    run_view_type: ViewType = optional(ViewType.ACTIVE_ONLY)
    max_results: int = optional(1000)
    order_by: tuple[str, ...] = optional(())
    page_token: str = optional("")
    columns: tuple[str, ...] = optional(())


@frozen
class MetricHistory:
    """`GET metrics/get-history`."""

    run_id: str = required(alias="run_uuid")
    metric_key: str = required()
    max_results: int | None = optional()
    page_token: str = optional("")


@frozen
class MetricHistoryBulk:
    """`GET metrics/get-history-bulk`; the runs come as a repeated `run_id`."""

    run_id: tuple[str, ...] = optional(())
    metric_key: str = optional("")
    max_results: int = optional(25_000)


@frozen
class MetricHistoryInterval:
    """`GET metrics/get-history-bulk-interval`."""

    run_ids: tuple[str, ...] = required()
    metric_key: str = required()
    start_step: int | None = optional()
    end_step: int | None = optional()
    max_results: int = optional(2500)
