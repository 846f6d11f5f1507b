"""The records of the domain: frozen attrs classes that cross every seam of mlcore."""

from mlcore.entities.access import Action, AuditEntry, Credentials, Permission, Principal, Resource
from mlcore.entities.dataset import Dataset, DatasetInput, DatasetSummary, InputTag, RunInputs
from mlcore.entities.entry import Entry, InputsUse, Note, Recorded, RunCreation, SpooledArtifact, TagRemoval
from mlcore.entities.experiment import Experiment, ExperimentChange, ExperimentTag
from mlcore.entities.file_info import FileInfo
from mlcore.entities.filters import And, Comparison, Field, Filter, Not, Or, OrderBy
from mlcore.entities.lifecycle import LifecycleStage, RunStatus, SourceType, ViewType
from mlcore.entities.liveness import Heartbeat, RunState
from mlcore.entities.logged_model import (
    LoggedModel,
    LoggedModelChange,
    LoggedModelStatus,
    ModelMetric,
    ModelOutput,
    NewLoggedModel,
)
from mlcore.entities.metric import Batch, Metric, MetricSummary, Param, RunTag
from mlcore.entities.page import Page, PagedList
from mlcore.entities.queries import ExperimentQuery, LoggedModelQuery, RunQuery
from mlcore.entities.registered_model import ModelVersion, ModelVersionStatus, RegisteredModel
from mlcore.entities.registry_moves import Move, MoveKind, MoveNote, RequestStatus, Transition, TransitionRequest
from mlcore.entities.run import NewRun, Run, RunChange, RunData, RunInfo
from mlcore.entities.run_tables import (
    Cell,
    ColumnStats,
    KeyFacet,
    KeyFacets,
    RunCells,
    RunGroup,
    RunGroupQuery,
    RunGroups,
    RunOutline,
    RunRow,
    RunTable,
    RunTableQuery,
)
from mlcore.entities.series import Facet, Series, SeriesQuery

__all__ = [
    "Action",
    "And",
    "AuditEntry",
    "Batch",
    "Cell",
    "ColumnStats",
    "Comparison",
    "Credentials",
    "Dataset",
    "DatasetInput",
    "DatasetSummary",
    "Entry",
    "Experiment",
    "ExperimentChange",
    "ExperimentQuery",
    "ExperimentTag",
    "Facet",
    "Field",
    "FileInfo",
    "Filter",
    "Heartbeat",
    "InputTag",
    "InputsUse",
    "KeyFacet",
    "KeyFacets",
    "LifecycleStage",
    "LoggedModel",
    "LoggedModelChange",
    "LoggedModelQuery",
    "LoggedModelStatus",
    "Metric",
    "MetricSummary",
    "ModelMetric",
    "ModelOutput",
    "ModelVersion",
    "ModelVersionStatus",
    "Move",
    "MoveKind",
    "MoveNote",
    "NewLoggedModel",
    "NewRun",
    "Not",
    "Note",
    "Or",
    "OrderBy",
    "Page",
    "PagedList",
    "Param",
    "Permission",
    "Principal",
    "Recorded",
    "RegisteredModel",
    "RequestStatus",
    "Resource",
    "Run",
    "RunCells",
    "RunChange",
    "RunCreation",
    "RunData",
    "RunGroup",
    "RunGroupQuery",
    "RunGroups",
    "RunInfo",
    "RunInputs",
    "RunOutline",
    "RunQuery",
    "RunRow",
    "RunState",
    "RunStatus",
    "RunTable",
    "RunTableQuery",
    "RunTag",
    "Series",
    "SeriesQuery",
    "SourceType",
    "SpooledArtifact",
    "TagRemoval",
    "Transition",
    "TransitionRequest",
    "ViewType",
]
