"""The environment manager in memory keeps the contract, and so does one that many processes share."""

from __future__ import annotations

from pathlib import Path

import environment_fakes
import pytest

from mlcore.interfaces import EnvironmentManager, EnvironmentSpec
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


class TestSharedEnvironment(EnvironmentContract):
    @pytest.fixture
    def environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EnvironmentManager:
        monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))
        found = environment_fakes.environment("good")
        assert found is not None
        return found

    @pytest.fixture
    def opener(self) -> tuple[str, str]:
        return ("environment_fakes", "good")
