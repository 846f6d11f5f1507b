"""The hooks of mlcore-deploy-sagemaker."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import Deployer


@hookimpl
def deployer(name: str, target_uri: str) -> Deployer | None:
    """Open SageMaker in the region that the target names; boto3 loads here, AWS is asked at the first call."""
    if name != "sagemaker":
        return None
    from mlcore_deploy_sagemaker.deployer import SageMakerDeployer

    return SageMakerDeployer.open(target_uri)
