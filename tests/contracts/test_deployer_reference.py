"""The deployer in memory keeps the contract."""

from __future__ import annotations

import pytest

from mlcore.testing import DeployerContract, MemoryDeployer


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
