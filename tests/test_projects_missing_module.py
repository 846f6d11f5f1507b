"""A command that finds no module in an environment of nothing is told why, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import mlcore
from mlcore import projects
from mlcore.errors import ExecutionError
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import EnvironmentManager
from mlcore.plugins import current
from mlcore.testing.memory_environment import MemoryEnvironment

HINT = "the project names no requirements"


class _Managers:
    @hookimpl
    def environment(self, name: str) -> EnvironmentManager | None:
        return MemoryEnvironment() if name == "memory" else None


@pytest.fixture(autouse=True)
def memory_manager() -> Iterator[None]:
    undo = current().register(_Managers())
    yield
    undo()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "MLproject").write_text("entry_points:\n  main:\n    command: python train.py\n")
    (folder / "train.py").write_text("import no_such_module\n")
    return folder


def message_of(project: Path, manager: str) -> str:
    with pytest.raises(ExecutionError):
        projects.run(project, env_manager=manager)
    return mlcore.search_runs(output_format="list", max_results=1)[0].data.tags["mlcore.error.message"]


def test_what_an_environment_of_nothing_holds_and_what_to_do_are_told(project: Path) -> None:
    message = message_of(project, "memory")

    assert "the command ended with exit code 1" in message
    assert "no module 'no_such_module', as the environment of 'memory' holds nothing but Python" in message
    assert f"{HINT}; list them under 'dependencies' in a python_env.yaml in its directory" in message
    assert message.endswith("or run it with --env-manager local")
    assert "\n" not in message


def test_the_file_without_requirements_is_named(project: Path) -> None:
    (project / "python_env.yaml").write_text("build_dependencies: [setuptools]\n")

    message = message_of(project, "memory")

    assert "holds only setuptools==1.0" in message
    assert "in its python_env.yaml" in message


@pytest.mark.parametrize(("manager", "requirements"), [("memory", "[tiny]"), ("local", "[]")])
def test_an_environment_that_holds_what_was_asked_for_is_no_reason(
    project: Path, manager: str, requirements: str
) -> None:
    (project / "python_env.yaml").write_text(f"dependencies: {requirements}\n")

    assert HINT not in message_of(project, manager)


def test_another_failure_gets_no_hint(project: Path) -> None:
    (project / "train.py").write_text("raise SystemExit(3)\n")

    assert HINT not in message_of(project, "memory")
