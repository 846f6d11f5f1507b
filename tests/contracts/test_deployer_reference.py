"""The deployers in memory keep the contract."""

from __future__ import annotations

import pytest

from mlcore.testing import DeployerContract, MemoryDeployer, MemoryTarget


class TestMemoryDeployer(DeployerContract):
    @pytest.fixture
    def deployer(self) -> MemoryDeployer:
        return MemoryDeployer()

    @pytest.fixture
    def scoring_answer(self) -> object:
        return {"predictions": [2.0, 4.0]}

    @pytest.fixture
    def faults(self, deployer: MemoryDeployer) -> MemoryDeployer:
        return deployer


class TestMemoryTarget(DeployerContract):
    @pytest.fixture
    def deployer(self) -> MemoryTarget:
        return MemoryTarget()


class TestMemoryTargetAtAnEndpoint(DeployerContract):
    @pytest.fixture
    def deployer(self) -> MemoryDeployer:
        return MemoryTarget().at_endpoint("shared")
