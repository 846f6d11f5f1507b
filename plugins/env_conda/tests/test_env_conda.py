"""The manager of conda keeps the contract; with a stand-in for conda that answers as it does and installs nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlcore_env_conda import plugin
from mlcore_env_conda.manager import CondaManager

from mlcore.errors import MissingDependencyError, ProjectError
from mlcore.interfaces import EnvironmentSpec
from mlcore.projects import environments
from mlcore.testing import EnvironmentContract
from mlcore.testing.small_wheels import small_wheel

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in is started by a script of sh")
STAND_IN = Path(__file__).with_name("conda_stand_in.py")


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stand-in, which is on PATH as `conda`, writes what it was called with."""
    _program(tmp_path / "bin" / "conda")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CONDA_STAND_IN_LOG", str(tmp_path / "log"))
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("MLFLOW_CONDA_HOME", raising=False)
    return tmp_path / "log"


def _program(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
    path.chmod(0o755)


@pytest.fixture
def manager(log: Path) -> CondaManager:
    assert not log.exists()
    found = plugin.environment("conda")
    assert isinstance(found, CondaManager)
    return found


def _calls(log: Path) -> list[list[str]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


class TestCondaManager(EnvironmentContract):
    plugin_module = "mlcore_env_conda.plugin"

    @pytest.fixture
    def environment(self, manager: CondaManager) -> CondaManager:
        return manager

    @pytest.fixture
    def other_spec(self, tmp_path: Path) -> EnvironmentSpec:
        wheel = small_wheel(tmp_path, "tiny").as_uri()
        return EnvironmentSpec(conda_packages=("zlib=1.3",), requirements=(f"tiny @ {wheel}",))

    @pytest.fixture
    def broken_spec(self) -> EnvironmentSpec:
        return EnvironmentSpec(conda_packages=("no-such-thing=1",))


def test_packages_and_channels_are_words_of_their_own_and_pip_comes_after(
    manager: CondaManager, log: Path, tmp_path: Path
) -> None:
    wheel = small_wheel(tmp_path, "tiny").as_uri()
    channels = ("https://127.0.0.1/forge", "nodefaults")

    manager.create(EnvironmentSpec("3.11", (f"tiny @ {wheel}",), None, (), ("zlib=1.3", "libxml2 >=2"), channels))

    conda, pip = _calls(log)
    assert conda[:4] == ["create", "--yes", "--quiet", "--prefix"]
    assert conda[5:8] == ["--channel", "https://127.0.0.1/forge", "--override-channels"]
    assert conda[8:] == ["python=3.11", "zlib=1.3", "libxml2 >=2", "pip"]
    assert pip[:2] == ["pip", "install"]


def test_packages_that_are_not_of_python_bring_no_python(manager: CondaManager, log: Path) -> None:
    manager.create(EnvironmentSpec(conda_packages=("r-base=4",)))

    assert _calls(log)[0][5:] == ["r-base=4"]


def test_conditions_on_python_are_passed_on(manager: CondaManager, log: Path) -> None:
    manager.create(EnvironmentSpec(python=">=3.10,<3.12"))

    assert _calls(log)[0][5:] == ["python>=3.10,<3.12"]


def test_a_lock_has_urls_without_passwords_and_is_installed_without_solving(manager: CondaManager, log: Path) -> None:
    spec = EnvironmentSpec(conda_packages=("zlib=1.3",))
    lock = manager.lock(manager.create(spec))

    assert lock == (f"zlib @ https://127.0.0.1/main/noarch/zlib-1.0-0.conda#{'0' * 32}",)
    manager.create(environments.locked(spec, lock))
    assert _calls(log)[1][5] == "--file"
    assert len(_calls(log)[1]) == 7


def test_what_cannot_be_solved_is_told_in_condas_words(manager: CondaManager) -> None:
    with pytest.raises(ProjectError, match=r"(?s)conda says.*PackagesNotFoundError.*no-such-thing"):
        manager.create(EnvironmentSpec(conda_packages=("no-such-thing",)))


def test_what_pip_cannot_find_is_told_in_pips_words_and_nothing_is_left(manager: CondaManager) -> None:
    with pytest.raises(ProjectError, match=r"pip says.*\n.*No matching distribution found for absent"):
        manager.create(EnvironmentSpec(conda_packages=("zlib",), requirements=("absent",)))

    assert manager.list() == ()


def test_scripts_of_activation_are_run(manager: CondaManager) -> None:
    env_id = manager.create(EnvironmentSpec())
    scripts = manager.folders.find(env_id) / "etc" / "conda" / "activate.d"
    scripts.mkdir(parents=True)
    (scripts / "own.sh").write_text("export FROM_SCRIPT=$CONDA_PREFIX\n")

    argv = manager.command(env_id, ("sh", "-c", "echo $FROM_SCRIPT"))

    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip() == str(
        manager.folders.find(env_id)
    )


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("name", ["mamba", "micromamba"])
def test_another_of_the_three_programs_serves_as_well(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path / "other" / name)
    monkeypatch.setenv("PATH", str(tmp_path / "other"))

    with pytest.raises(ProjectError, match=rf"\b{name} says"):
        CondaManager().create(EnvironmentSpec(conda_packages=("no-such-thing",)))


@pytest.mark.usefixtures("log")
def test_without_any_of_them_all_three_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CONDA_EXE", raising=False)
    monkeypatch.delenv("MAMBA_EXE", raising=False)

    with pytest.raises(MissingDependencyError, match="conda, mamba and micromamba"):
        CondaManager().create(EnvironmentSpec())
