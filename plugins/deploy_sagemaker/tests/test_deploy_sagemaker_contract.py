from __future__ import annotations

import pytest
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


class TestSageMakerDeployer(DeployerContract):
    plugin_module = "mlcore_deploy_sagemaker.plugin"

    @pytest.fixture
    def faults(self, standin: StandIn, sleeper: object) -> Faults:
        return Faults(standin, sleeper)

    @pytest.fixture
    def deploy_config(self) -> dict[str, object]:
        role = "arn:aws:iam::123456789012:role/SageMakerRole"
        return {"execution_role_arn": role, "bucket": "models", "image_url": "image:1", "poll_seconds": 0.01}
