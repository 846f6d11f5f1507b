"""What makes two environments the same, the interpreter that is taken, and folders that are whole or not there."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlcore.errors import InvalidStateError, NotFoundError, ProjectError
from mlcore.interfaces import EnvironmentSpec
from mlcore.projects import interpreters
from mlcore.projects.environment_folders import EnvironmentFolders
from mlcore.projects.environment_ids import content_of, env_id

posix = pytest.mark.skipif(os.name != "posix", reason="the interpreters are scripts of sh")


def _id(*requirements: str, **more: str | bool) -> str:
    return env_id("uv", EnvironmentSpec(requirements=requirements, **more), "3.11.7")  # type: ignore[arg-type]  # fields


def test_the_order_of_requirements_does_not_count_and_that_of_indexes_does() -> None:
    first, second = "--index-url https://a/simple", "--extra-index-url https://b/simple"

    assert _id("a", "b") == _id("b", "a")
    assert _id(first, second, "a") == _id("a", first, second)
    assert _id(first, second, "a") != _id(second, first, "a")


def test_the_version_of_python_and_a_lock_count() -> None:
    assert _id("a==1") != _id("a==1", locked=True)
    assert env_id("uv", EnvironmentSpec(), "3.11.7") != env_id("uv", EnvironmentSpec(), "3.11.8")


def test_a_required_directory_counts_by_its_content_without_what_runs_leave(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("one")
    first = _id(str(tmp_path))
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "run").write_text("left")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "code.pyc").write_text("left")

    assert _id(str(tmp_path)) == first
    (tmp_path / "code.py").write_text("two")
    assert _id(str(tmp_path)) != first


def test_where_a_required_file_lies_does_not_count(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "wheels").mkdir(parents=True)
        (tmp_path / name / "wheels" / "x-1.whl").write_text("same")
    here, there = tmp_path / "a", tmp_path / "b"

    for line in ("{}/wheels/x-1.whl", "x @ file://{}/wheels/x-1.whl", "--find-links {}/wheels", "{}"):
        assert _id(line.format(here)) == _id(line.format(there)), line
    assert _id(f"--editable {here}") != _id(f"--editable {there}")


def test_of_a_directory_that_is_installed_in_place_only_the_metadata_counts(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]")
    (tmp_path / "code.py").write_text("one")
    first = _id(f"--editable {tmp_path}")

    (tmp_path / "code.py").write_text("two")
    assert _id(f"--editable {tmp_path}") == first
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'")
    assert _id(f"--editable {tmp_path}") != first


def test_limits_in_a_file_count(tmp_path: Path) -> None:
    (tmp_path / "limits.txt").write_text("a<2")
    first = _id(f"--constraint {tmp_path}/limits.txt", "a")
    (tmp_path / "limits.txt").write_text("a<3")

    assert _id(f"--constraint {tmp_path}/limits.txt", "a") != first


def test_a_required_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="gone"):
        content_of(tmp_path / "gone")


@pytest.fixture
def pythons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Other interpreters: 3.98.1 and 3.98.2 below pyenv, 3.99.5 on PATH, and one that is broken."""
    home = tmp_path / "pyenv"
    for version in ("3.98.1", "3.98.2"):
        _python(home / "versions" / version / "bin" / "python", f"echo {version}")
    _python(home / "versions" / "3.97.0" / "bin" / "python", "exit 1")
    _python(tmp_path / "bin" / "python3", "echo 3.99.5")
    monkeypatch.setenv("PYENV_ROOT", str(home))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return home / "versions"


def _python(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_without_a_wish_the_running_interpreter_is_taken() -> None:
    here = interpreters.running()

    assert interpreters.interpreter(None) == here
    assert interpreters.interpreter(here.version) == here
    assert interpreters.interpreter(">=3.11") == here


@posix
@pytest.mark.parametrize(
    ("wanted", "version"),
    [("3.98.1", "3.98.1"), ("3.98", "3.98.2"), ("3.99", "3.99.5"), (">=3.98,<3.99", "3.98.2"), ("~=3.99.0", "3.99.5")],
)
def test_an_interpreter_is_found_below_pyenv_or_on_path(wanted: str, version: str, pythons: Path) -> None:
    assert interpreters.interpreter(wanted).version == version
    assert pythons.is_dir()


@posix
@pytest.mark.usefixtures("pythons")
def test_another_patch_level_is_taken_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert interpreters.interpreter("3.98.7").version == "3.98.2"

    assert "Python 3.98.7 is not here: Python 3.98.2 is taken" in caplog.text


@posix
@pytest.mark.usefixtures("pythons")
@pytest.mark.parametrize("wanted", ["3.96", "2", "3.97", "3.97.0", ">=3.100"])
def test_another_minor_version_is_never_taken_and_those_that_are_there_are_named(wanted: str) -> None:
    with pytest.raises(ProjectError, match=r"no Python .*3\.98\.1, 3\.98\.2, 3\.99\.5"):
        interpreters.interpreter(wanted)


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(ProjectError, match="invalid Python version 'pypy'"):
        interpreters.interpreter("pypy")


def _build(directory: Path) -> Mapping[str, object]:
    directory.mkdir()
    (directory / "file").write_text("whole")
    return {"python": "3"}


def test_a_folder_whose_making_fails_is_not_there(tmp_path: Path) -> None:
    folders = EnvironmentFolders(tmp_path)

    def fail(directory: Path) -> Mapping[str, object]:
        directory.mkdir()
        raise ProjectError("no")

    with pytest.raises(ProjectError, match="no"):
        folders.make("a", fail)

    assert folders.ids() == ()
    assert not (tmp_path / "a").exists()
    assert folders.make("a", _build).is_dir()


def test_a_full_disk_is_told_with_the_setting_for_another_place_and_nothing_is_left(small_disk: Path) -> None:
    folders = EnvironmentFolders(small_disk / "cache")

    def fill(directory: Path) -> Mapping[str, object]:
        directory.mkdir()
        (directory / "file").write_bytes(b"x" * (2 << 20))
        return {}

    with pytest.raises(ProjectError, match=r"No space left on device.*MLCORE_CACHE_DIR"):
        folders.make("a", fill)

    assert [each.name for each in folders.root.iterdir()] == [".locks"]


def test_what_a_killed_maker_left_is_swept_away(tmp_path: Path) -> None:
    folders = EnvironmentFolders(tmp_path)
    folders.make("a", _build)
    (tmp_path / "b" / "half").mkdir(parents=True)

    folders.sweep()

    assert sorted(each.name for each in tmp_path.iterdir()) == [".locks", "a"]


@pytest.mark.parametrize("name", ["", "..", "../a", ".locks", "a/b"])
def test_a_name_that_leads_elsewhere_is_no_environment(name: str, tmp_path: Path) -> None:
    EnvironmentFolders(tmp_path).make("a", _build)

    with pytest.raises(NotFoundError):
        EnvironmentFolders(tmp_path).remove(name)


def test_a_folder_that_another_holds_is_not_removed(tmp_path: Path) -> None:
    holder = EnvironmentFolders(tmp_path)
    holder.make("a", _build)

    with pytest.raises(InvalidStateError, match="'a' is in use"):
        EnvironmentFolders(tmp_path).remove("a")

    holder.remove("a")
    assert holder.ids() == ()
