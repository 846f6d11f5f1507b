"""Datasets that a run read, as recorded with the run."""

from __future__ import annotations

from attrs import frozen


@frozen
class Dataset:
    """What data it was: a name, a digest of its content, and where it came from.

    source, schema, profile: JSON texts as MLflow writes them, or None.
    """

    name: str
    digest: str
    source_type: str = "local"
    source: str = "{}"
    schema: str | None = None
    profile: str | None = None


@frozen
class InputTag:
    """A note on a dataset's use in a run; `mlflow.data.context` says what for."""

    key: str
    value: str


@frozen
class DatasetInput:
    """One use of a dataset by a run."""

    dataset: Dataset
    tags: tuple[InputTag, ...] = ()


@frozen
class RunInputs:
    """Everything that a run is known to have read; model_inputs are ids of logged models."""

    dataset_inputs: tuple[DatasetInput, ...] = ()
    model_inputs: tuple[str, ...] = ()


@frozen
class DatasetSummary:
    """A dataset that some run of an experiment read; context is the input tag `mlflow.data.context`."""

    experiment_id: str
    name: str
    digest: str
    context: str | None = None
