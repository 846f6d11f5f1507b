"""The shapes of answers, for the OpenAPI document and for readers; `tracking_json` and `models_json` write them.

Fields with a default may be absent. `Number` is a number, or one of the texts NaN, Infinity and -Infinity.
"""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import LifecycleStage, RunStatus

Number = float | str


@frozen
class Empty:
    """Nothing but success."""


@frozen
class KeyValue:
    """A tag or param."""

    key: str
    value: str


@frozen
class ExperimentShape:
    """An experiment."""

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: LifecycleStage
    last_update_time: int = 0
    creation_time: int = 0
    tags: tuple[KeyValue, ...] = ()


@frozen
class ExperimentCreated:
    """The id of a new experiment."""

    experiment_id: str


@frozen
class ExperimentAnswer:
    """One experiment."""

    experiment: ExperimentShape


@frozen
class ExperimentPage:
    """A page of experiments."""

    experiments: tuple[ExperimentShape, ...] = ()
    next_page_token: str = ""


@frozen
class MetricShape:
    """A point."""

    key: str
    value: Number
    timestamp: int
    step: int
    run_id: str = ""
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


@frozen
class RunInfoShape:
    """Who, when and where of a run."""

    run_id: str
    run_uuid: str
    experiment_id: str
    run_name: str
    user_id: str
    status: RunStatus
    start_time: int
    artifact_uri: str
    lifecycle_stage: LifecycleStage
    end_time: int = 0


@frozen
class RunDataShape:
    """What was recorded."""

    metrics: tuple[MetricShape, ...] = ()
    params: tuple[KeyValue, ...] = ()
    tags: tuple[KeyValue, ...] = ()


@frozen
class DatasetShape:
    """A dataset."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str = ""
    profile: str = ""


@frozen
class DatasetInputShape:
    """One use of a dataset."""

    dataset: DatasetShape
    tags: tuple[KeyValue, ...] = ()


@frozen
class ModelInputShape:
    """A logged model that was read."""

    model_id: str


@frozen
class ModelOutputShape:
    """A logged model that was made."""

    model_id: str
    step: int


@frozen
class RunInputsShape:
    """What a run read."""

    dataset_inputs: tuple[DatasetInputShape, ...] = ()
    model_inputs: tuple[ModelInputShape, ...] = ()


@frozen
class RunOutputsShape:
    """What a run made."""

    model_outputs: tuple[ModelOutputShape, ...] = ()


@frozen
class RunShape:
    """A run."""

    info: RunInfoShape
    data: RunDataShape
    inputs: RunInputsShape
    outputs: RunOutputsShape = RunOutputsShape()


@frozen
class RunAnswer:
    """One run."""

    run: RunShape


@frozen
class RunInfoAnswer:
    """The info of a run."""

    run_info: RunInfoShape


@frozen
class RunPage:
    """A page of runs."""

    runs: tuple[RunShape, ...] = ()
    next_page_token: str = ""


@frozen
class MetricPage:
    """A page of points."""

    metrics: tuple[MetricShape, ...] = ()
    next_page_token: str = ""


@frozen
class FileShape:
    """A file or directory."""

    path: str
    is_dir: bool
    file_size: int = 0


@frozen
class FileList:
    """What is in a directory; root_uri is where the paths begin."""

    root_uri: str = ""
    files: tuple[FileShape, ...] = ()


@frozen
class DatasetSummaryShape:
    """A dataset of an experiment."""

    experiment_id: str
    name: str
    digest: str
    context: str = ""


@frozen
class DatasetSummaries:
    """The datasets of experiments."""

    dataset_summaries: tuple[DatasetSummaryShape, ...] = ()


@frozen
class ArtifactUri:
    """Where the files of a model version are."""

    artifact_uri: str


@frozen
class PresignedShape:
    """A URL that allows one request for some time."""

    presigned_url: str
    headers: dict[str, str]
    file_size: int = 0


@frozen
class ProxyPresignedShape:
    """A URL that allows one download for some time."""

    url: str
    headers: dict[str, str]
    file_size: int = 0


@frozen
class UploadPart:
    """Where to put one part."""

    url: str
    part_number: int
    headers: dict[str, str]


@frozen
class UploadCreated:
    """A multipart upload that has begun."""

    upload_id: str
    credentials: tuple[UploadPart, ...] = ()


@frozen
class SeriesShape:
    """A thinned-out curve; the columns have one entry per point. count: points of the whole curve."""

    run_id: str
    key: str
    count: int
    steps: tuple[int, ...]
    timestamps: tuple[int, ...]
    values: tuple[Number, ...]


@frozen
class SeriesAnswer:
    """Curves."""

    series: tuple[SeriesShape, ...] = ()


@frozen
class RefusalShape:
    """An entry that was not stored and never will be."""

    sequence: int
    error_code: str
    message: str


@frozen
class ReplayAnswer:
    """How far a journal has come. delivered: sequence of the last entry of the request; absent when it had none."""

    run_id: str
    writer: str
    delivered: int = 0
    refused: tuple[RefusalShape, ...] = ()


@frozen
class Count:
    """How many there are."""

    count: int


@frozen
class FacetShape:
    """A value and how often it occurs."""

    value: str
    count: int


@frozen
class Facets:
    """The most frequent values."""

    facets: tuple[FacetShape, ...] = ()


@frozen
class ServerInfo:
    """What the server can do; `mlcore` holds what MLflow's servers do not tell."""

    store_type: str
    workspaces_enabled: bool
    trace_archival_enabled: bool
    multipart_uploads_enabled: bool
    multipart_downloads_enabled: bool
    presigned_upload_run_id_supported: bool
    presigned_upload_model_id_supported: bool
    features_enabled: dict[str, bool]
    mlcore: dict[str, str]


@frozen
class Failure:
    """What every error answer says."""

    error_code: str
    message: str
