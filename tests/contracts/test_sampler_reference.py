"""The sampler in memory keeps the contract."""

from __future__ import annotations

import pytest

from mlcore.testing import MemorySampler, SamplerContract


class TestMemorySampler(SamplerContract):
    learns = True

    @pytest.fixture
    def sampler(self) -> MemorySampler:
        return MemorySampler()
