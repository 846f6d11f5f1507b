"""The batch engine in memory keeps the contract."""

from __future__ import annotations

import pytest

from mlcore.testing import BatchEngineContract, MemoryBatchEngine


class TestMemoryBatchEngine(BatchEngineContract):
    @pytest.fixture
    def engine(self) -> MemoryBatchEngine:
        return MemoryBatchEngine()
