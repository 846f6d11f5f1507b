"""The records of the domain: frozen attrs classes that cross every seam of mlcore."""

from mlcore.entities.dataset import Dataset, DatasetInput, InputTag, RunInputs
from mlcore.entities.experiment import Experiment, ExperimentChange, ExperimentTag
from mlcore.entities.file_info import FileInfo
from mlcore.entities.filters import And, Comparison, Field, Filter, Not, Or, OrderBy
from mlcore.entities.lifecycle import LifecycleStage, RunStatus, SourceType, ViewType
from mlcore.entities.metric import Batch, Metric, MetricSummary, Param, RunTag
from mlcore.entities.page import Page, PagedList
from mlcore.entities.queries import ExperimentQuery, RunQuery
from mlcore.entities.registered_model import ModelVersion, ModelVersionStatus, RegisteredModel
from mlcore.entities.run import NewRun, Run, RunChange, RunData, RunInfo

__all__ = [
    "And",
    "Batch",
    "Comparison",
    "Dataset",
    "DatasetInput",
    "Experiment",
    "ExperimentChange",
    "ExperimentQuery",
    "ExperimentTag",
    "Field",
    "FileInfo",
    "Filter",
    "InputTag",
    "LifecycleStage",
    "Metric",
    "MetricSummary",
    "ModelVersion",
    "ModelVersionStatus",
    "NewRun",
    "Not",
    "Or",
    "OrderBy",
    "Page",
    "PagedList",
    "Param",
    "RegisteredModel",
    "Run",
    "RunChange",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunQuery",
    "RunStatus",
    "RunTag",
    "SourceType",
    "ViewType",
]
