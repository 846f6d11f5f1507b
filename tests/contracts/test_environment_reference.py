"""The environment manager in memory keeps the contract."""

from __future__ import annotations

import pytest

from mlcore.interfaces import EnvironmentSpec
from mlcore.testing import EnvironmentContract, MemoryEnvironment


class TestMemoryEnvironment(EnvironmentContract):
    @pytest.fixture
    def environment(self) -> MemoryEnvironment:
        return MemoryEnvironment()

    @pytest.fixture
    def other_spec(self) -> EnvironmentSpec:
        return EnvironmentSpec(requirements=("pip", "attrs>=24"))

    @pytest.fixture
    def broken_spec(self) -> EnvironmentSpec:
        return EnvironmentSpec(requirements=("no-such-thing==0",))

    @pytest.fixture
    def build_spec(self) -> EnvironmentSpec:
        return EnvironmentSpec(requirements=("attrs",), build_requirements=("setuptools",))
