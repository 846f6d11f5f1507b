"""The protocols that plugins implement: one module each, at most 15 required methods, abilities apart."""

from mlcore.interfaces.artifact_repo import (
    ArtifactRepo,
    HashedFile,
    PresignedUrl,
    SupportsArrivals,
    SupportsFileTransfer,
    SupportsParts,
    SupportsPresign,
    SupportsStaging,
)
from mlcore.interfaces.authority import Authority, SupportsAudit
from mlcore.interfaces.batch_engine import BatchEngine
from mlcore.interfaces.deployer import (
    BatchPrediction,
    Deployer,
    Deployment,
    DeploymentEndpoint,
    PlannedCall,
    SupportsBatchPlan,
    SupportsBatchPredict,
    SupportsEndpoints,
    SupportsExplain,
    SupportsPlan,
    SupportsRunLocal,
)
from mlcore.interfaces.environment import EnvironmentManager, EnvironmentSpec
from mlcore.interfaces.flavor import AutologOptions, Flavor, Predictor, SavedModel, SupportsAutolog
from mlcore.interfaces.project_backend import Job, JobStatus, ProjectBackend
from mlcore.interfaces.registry_store import RegistryStore
from mlcore.interfaces.tracking_store import (
    SupportsCounts,
    SupportsDatasetSearch,
    SupportsGroupCommit,
    SupportsLoggedModels,
    SupportsSeries,
    SupportsSummary,
    TrackingStore,
)

__all__ = [
    "ArtifactRepo",
    "Authority",
    "AutologOptions",
    "BatchEngine",
    "BatchPrediction",
    "Deployer",
    "Deployment",
    "DeploymentEndpoint",
    "EnvironmentManager",
    "EnvironmentSpec",
    "Flavor",
    "HashedFile",
    "Job",
    "JobStatus",
    "PlannedCall",
    "Predictor",
    "PresignedUrl",
    "ProjectBackend",
    "RegistryStore",
    "SavedModel",
    "SupportsArrivals",
    "SupportsAudit",
    "SupportsAutolog",
    "SupportsBatchPlan",
    "SupportsBatchPredict",
    "SupportsCounts",
    "SupportsDatasetSearch",
    "SupportsEndpoints",
    "SupportsExplain",
    "SupportsFileTransfer",
    "SupportsGroupCommit",
    "SupportsLoggedModels",
    "SupportsParts",
    "SupportsPlan",
    "SupportsPresign",
    "SupportsRunLocal",
    "SupportsSeries",
    "SupportsStaging",
    "SupportsSummary",
    "TrackingStore",
]
