from __future__ import annotations

import pytest
from mlcore_deploy_sagemaker.deployer import SageMakerDeployer
from mlcore_deploy_sagemaker.variants import VariantDeployer
from sagemaker_standin import StandIn

from mlcore.testing import DeployerContract


class Faults:
    def __init__(self, standin: StandIn, sleeper: object) -> None:
        self._standin, self._sleeper = standin, sleeper

    def fail_next(self, kind: str) -> None:
        if kind == "step":
            self._standin.spoil("The primary container for production variant main did not pass the ping health check.")
        elif kind == "quota":
            self._standin.refuse(
                "CreateEndpoint",
                "ResourceLimitExceeded",
                "The account-level service limit 'ml.m5.large' is 0 Instances",
            )
        else:
            self._sleeper.interrupt = True  # type: ignore[attr-defined]  # the sleeper of the fixtures


class SageMakerFixtures(DeployerContract):
    plugin_module = "mlcore_deploy_sagemaker.plugin"

    @pytest.fixture
    def faults(self, standin: StandIn, sleeper: object) -> Faults:
        return Faults(standin, sleeper)

    @pytest.fixture
    def deploy_config(self) -> dict[str, object]:
        role = "arn:aws:iam::123456789012:role/SageMakerRole"
        return {"execution_role_arn": role, "bucket": "models", "image_url": "image:1", "poll_seconds": 0.01}

    @pytest.fixture
    def batch_places(self) -> tuple[str, str]:
        return "s3://models/in", "s3://models/out"

    @pytest.fixture
    def endpoint_config(self, model_uri: str, deploy_config: dict[str, object]) -> dict[str, object]:
        return {"model_uri": model_uri, **deploy_config}


class TestSageMakerDeployer(SageMakerFixtures):
    pass


class TestSageMakerVariants(SageMakerFixtures):
    @pytest.fixture
    def deployer(self, deployer: SageMakerDeployer) -> VariantDeployer:
        return deployer.at_endpoint("shared")
