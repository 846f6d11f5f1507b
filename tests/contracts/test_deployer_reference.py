"""The deployer in memory keeps the contract."""

from __future__ import annotations

import pytest

from mlcore.testing import DeployerContract, MemoryDeployer


class TestMemoryDeployer(DeployerContract):
    @pytest.fixture
    def deployer(self) -> MemoryDeployer:
        return MemoryDeployer()

    @pytest.fixture
    def faults(self, deployer: MemoryDeployer) -> MemoryDeployer:
        return deployer
