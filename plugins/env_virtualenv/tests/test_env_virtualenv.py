"""virtualenv and pip make environments that keep the contract."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlcore_env_virtualenv import plugin
from mlcore_env_virtualenv.manager import VirtualenvManager

from mlcore.errors import ProjectError
from mlcore.interfaces import EnvironmentSpec
from mlcore.testing import EnvironmentContract
from mlcore.testing.small_wheels import small_wheel


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seeds")


@pytest.fixture
def manager(tmp_path: Path, seeds: Path, monkeypatch: pytest.MonkeyPatch) -> VirtualenvManager:
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))
    # pip is unpacked and compiled once, not in each environment
    monkeypatch.setenv("VIRTUALENV_OVERRIDE_APP_DATA", str(seeds))
    monkeypatch.setenv("VIRTUALENV_SYMLINK_APP_DATA", "1")
    found = plugin.environment("virtualenv")
    assert isinstance(found, VirtualenvManager)
    return found


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    small_wheel(folder, "little", "1.0", ["tiny>=1"])
    small_wheel(folder, "tiny", "1.5")
    return folder


class TestVirtualenvManager(EnvironmentContract):
    """Without `opener`: what processes do together is the kernel's, proven with env_uv and with the kernel's own fakes."""

    plugin_module = "mlcore_env_virtualenv.plugin"

    @pytest.fixture
    def environment(self, manager: VirtualenvManager) -> VirtualenvManager:
        return manager

    @pytest.fixture
    def other_spec(self) -> EnvironmentSpec:
        return EnvironmentSpec(locked=True)  # without a run of pip, whose start takes longer than all the rest


def test_versions_are_resolved_and_what_cannot_be_is_told_in_pips_words(
    manager: VirtualenvManager, wheels: Path
) -> None:
    options = ("--no-index", f"--find-links {wheels}")

    found = manager.lock(manager.create(EnvironmentSpec(requirements=(*options, "little"))))

    assert {"little==1.0", "tiny==1.5"} <= set(found)
    with pytest.raises(ProjectError, match=r"(?s)pip says.*no-such-thing"):
        manager.create(EnvironmentSpec(requirements=(*options, "no-such-thing==0")))
    assert len(manager.list()) == 1
