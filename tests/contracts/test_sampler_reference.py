"""The sampler in memory keeps the contract."""

from __future__ import annotations

import pytest

from mlcore.testing import MemorySampler, SamplerContract


class TestMemorySampler(SamplerContract):
    @pytest.fixture
    def sampler(self) -> MemorySampler:
        return MemorySampler()
