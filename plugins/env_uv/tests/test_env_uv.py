"""uv makes environments that keep the contract, and says in its own words why it can't."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlcore_env_uv import plugin
from mlcore_env_uv.manager import UvManager, program

from mlcore.errors import InvalidStateError, ProjectError
from mlcore.interfaces import EnvironmentManager, EnvironmentSpec
from mlcore.projects import environments
from mlcore.testing import EnvironmentContract
from mlcore.testing.small_wheels import small_wheel

OFFLINE = "--no-index"
_DIRECT = (("tiny", "1.5"), ("tool", "3.0"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def manager() -> UvManager:
    found = plugin.environment("uv")
    assert isinstance(found, UvManager)
    return found


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    for version in ("1.0", "2.0"):
        small_wheel(folder, "little", version, ["tiny>=1"])
    small_wheel(folder, "tiny", "1.5")
    small_wheel(folder, "tool", "3.0")
    return folder


def _run(manager: EnvironmentManager, env_id: str, code: str) -> str:
    argv = manager.command(env_id, ("python", "-c", code))
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


class TestUvManager(EnvironmentContract):
    plugin_module = "mlcore_env_uv.plugin"

    @pytest.fixture
    def environment(self, manager: EnvironmentManager) -> EnvironmentManager:
        return manager

    @pytest.fixture
    def opener(self) -> tuple[str, str]:
        return ("mlcore_env_uv.plugin", "uv")

    @pytest.fixture
    def other_spec(self, wheels: Path) -> EnvironmentSpec:
        files = [f"{name} @ {(wheels / f'{name}-{version}-py3-none-any.whl').as_uri()}" for name, version in _DIRECT]
        return EnvironmentSpec(requirements=tuple(files))

    @pytest.fixture
    def broken_spec(self, wheels: Path) -> EnvironmentSpec:
        return EnvironmentSpec(requirements=(OFFLINE, f"--find-links {wheels}", "no-such-thing==0"))

    @pytest.fixture
    def build_spec(self, wheels: Path) -> EnvironmentSpec:
        options = (OFFLINE, f"--find-links {wheels}")
        return EnvironmentSpec(requirements=(*options, "little"), build_requirements=(*options, "tool"))


@pytest.fixture
def options(wheels: Path) -> tuple[str, ...]:
    return (OFFLINE, f"--find-links {wheels}")


def test_versions_are_resolved_and_the_lock_alone_gives_them_again(
    manager: EnvironmentManager, options: tuple[str, ...]
) -> None:
    spec = EnvironmentSpec(requirements=(*options, "little<2"))
    lock = manager.lock(manager.create(spec))

    assert lock == ("little==1.0", "tiny==1.5")
    again = manager.create(environments.locked(EnvironmentSpec(requirements=(*options, "little")), lock))
    assert _run(manager, again, "import little; print(little.VERSION)") == "1.0"


def test_a_locked_environment_has_nothing_that_the_lock_does_not_name(
    manager: EnvironmentManager, options: tuple[str, ...]
) -> None:
    env_id = manager.create(EnvironmentSpec(requirements=(*options, "little==2.0"), locked=True))

    assert manager.lock(env_id) == ("little==2.0",)


def test_what_cannot_be_solved_is_told_in_the_solvers_words_and_nothing_is_left(
    manager: EnvironmentManager, options: tuple[str, ...], cache: Path
) -> None:
    with pytest.raises(ProjectError, match=r"(?s)uv says.*little.*tiny"):
        manager.create(EnvironmentSpec(requirements=(*options, "little", "tiny<1")))

    assert [each.name for each in (cache / "environments" / "uv").iterdir()] == [".locks"]


def test_an_environment_marker_that_does_not_hold_leaves_a_requirement_out(
    manager: EnvironmentManager, options: tuple[str, ...]
) -> None:
    env_id = manager.create(EnvironmentSpec(requirements=(*options, "tool; python_version < '3'", "tiny")))

    assert manager.lock(env_id) == ("tiny==1.5",)


def test_options_of_pip_that_uv_calls_otherwise_are_understood(
    manager: EnvironmentManager, options: tuple[str, ...]
) -> None:
    env_id = manager.create(EnvironmentSpec(requirements=(*options, "--pre", "--trusted-host 127.0.0.1", "tiny")))

    assert manager.lock(env_id) == ("tiny==1.5",)


def test_an_index_that_is_away_is_told_without_its_password(
    manager: EnvironmentManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    name, word = "somebody", "hidden"

    with pytest.raises(ProjectError, match=r"127\.0\.0\.1:9") as told:
        manager.create(EnvironmentSpec(requirements=(f"--index-url http://{name}:{word}@127.0.0.1:9/simple", "tiny")))

    assert word not in str(told.value)


def test_passwords_change_no_id_and_are_not_described(manager: UvManager, wheels: Path) -> None:
    def spec(word: str) -> EnvironmentSpec:
        links = (OFFLINE, f"--find-links {wheels}", f"--extra-index-url http://me:{word}@127.0.0.1:9/simple")
        return EnvironmentSpec(requirements=(*links, "tiny"))

    found = manager.create(spec("first"))

    assert manager.create(spec("second")) == found
    assert not any("first" in line for line in manager.describe(found).requirements)


def test_a_wheel_with_the_same_name_and_other_content_is_another_environment(
    manager: EnvironmentManager, tmp_path: Path
) -> None:
    wheel = small_wheel(tmp_path, "own", "1.0")
    first = manager.create(EnvironmentSpec(requirements=(str(wheel),)))
    small_wheel(tmp_path, "own", "1.0", ["nothing; python_version < '3'"])

    assert manager.create(EnvironmentSpec(requirements=(str(wheel),))) != first


def test_an_environment_that_is_there_is_found_without_a_process(
    manager: EnvironmentManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_id = manager.create(EnvironmentSpec())
    monkeypatch.setattr(subprocess, "Popen", None)

    assert UvManager().create(EnvironmentSpec()) == env_id
    assert manager.lock(env_id) == ()


@pytest.mark.skipif(os.name != "posix", reason="the script is one of sh")
def test_programs_that_a_command_starts_are_those_of_the_environment_too(
    manager: EnvironmentManager, options: tuple[str, ...]
) -> None:
    env_id = manager.create(EnvironmentSpec(requirements=(*options, "tool")))

    argv = manager.command(env_id, ("sh", "-c", "exec python -c 'import tool; print(tool.VERSION)'"))

    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip() == "3.0"


def test_an_environment_is_not_removed_while_somebody_holds_it(manager: EnvironmentManager) -> None:
    env_id = manager.create(EnvironmentSpec())
    holder = UvManager()
    holder.command(env_id, ("python",))

    with pytest.raises(InvalidStateError, match="in use"):
        manager.remove(env_id)

    del holder
    manager.remove(env_id)
    assert manager.list() == ()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what runs in an environment is seen on Linux only")
def test_an_environment_is_not_removed_while_a_process_runs_in_it_whose_starter_is_gone(
    manager: EnvironmentManager,
) -> None:
    env_id = manager.create(EnvironmentSpec())
    argv = manager.command(env_id, ("python", "-c", "print('on', flush=True); input()"))
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "on\n"

        with pytest.raises(InvalidStateError, match="in use"):
            manager.remove(env_id)

        child.communicate("\n")
    manager.remove(env_id)


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ProjectError, match=r"file/cache.*MLCORE_CACHE_DIR"):
        UvManager(tmp_path / "file" / "cache").create(EnvironmentSpec())


def test_uv_is_found_beside_the_interpreter_or_by_its_package() -> None:
    assert Path(program()).name.startswith("uv")
