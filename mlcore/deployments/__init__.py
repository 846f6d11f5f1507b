"""Deploy models to targets that plugins bring, under the names of `mlflow.deployments`."""

from mlcore.deployments.client import DeployClient, get_deploy_client, open_deployer, run_local, target_name
from mlcore.deployments.predictions import PredictionsResponse
from mlcore.deployments.target import get_deployments_target, set_deployments_target

__all__ = [
    "DeployClient",
    "PredictionsResponse",
    "get_deploy_client",
    "get_deployments_target",
    "open_deployer",
    "run_local",
    "set_deployments_target",
    "target_name",
]
