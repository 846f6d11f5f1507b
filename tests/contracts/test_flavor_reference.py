"""The flavor in memory keeps the contract."""

from __future__ import annotations

import pytest

from mlcore.testing import FlavorContract, MemoryFlavor
from mlcore.testing.memory_flavor import LinearModel


class TestMemoryFlavor(FlavorContract):
    @pytest.fixture
    def flavor(self) -> MemoryFlavor:
        return MemoryFlavor()

    @pytest.fixture
    def model(self) -> LinearModel:
        return LinearModel(2.0, 1.0)

    @pytest.fixture
    def data(self) -> list[float]:
        return [0.0, 1.0, -2.5]

    @pytest.fixture
    def expected(self) -> list[float]:
        return [1.0, 3.0, -4.0]
