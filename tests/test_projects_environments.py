"""What a project's files say about its environment, and which manager makes it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mlcore.errors import PluginNotFoundError, ProjectError
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import EnvironmentManager, EnvironmentSpec, ImageSpec, Job
from mlcore.plugins import Plugins
from mlcore.projects import environments, requirement_lines
from mlcore.projects.credentials import stripped
from mlcore.projects.environment_files import for_pip, spec_of
from mlcore.projects.spec import Project
from mlcore.settings import Settings
from mlcore.testing import MemoryEnvironment

PYTHON = EnvironmentSpec(requirements=("numpy",))
CONDA = EnvironmentSpec(conda_packages=("libxml2", "pip"))
DOCKER = EnvironmentSpec(image=ImageSpec("python:3.11-slim"))


class MemoryPlugin:
    def __init__(self) -> None:
        self.manager = MemoryEnvironment()

    @hookimpl
    def environment(self, name: str) -> EnvironmentManager | None:
        return self.manager if name == "memory" else None


@pytest.fixture
def plugins() -> Plugins:
    return Plugins([])


def _python_env(directory: Path, text: str) -> EnvironmentSpec:
    (directory / "python_env.yaml").write_text(text)
    return spec_of(Project(directory, "p", python_env=directory / "python_env.yaml"))


def _conda(directory: Path, text: str) -> EnvironmentSpec:
    (directory / "conda.yaml").write_text(text)
    return spec_of(Project(directory, "p", conda_env=directory / "conda.yaml"))


def test_a_project_that_asks_for_nothing_has_an_empty_specification(tmp_path: Path) -> None:
    assert spec_of(Project(tmp_path, "p")) == EnvironmentSpec()


def test_an_image_is_all_that_a_docker_project_asks_for(tmp_path: Path) -> None:
    assert spec_of(Project(tmp_path, "p", docker_env=ImageSpec("a:1"))) == EnvironmentSpec(image=ImageSpec("a:1"))


def test_requirements_files_are_read_from_beside_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "requirements.txt").write_text("numpy>=2  # arrays\n\n-r more/extra.txt\n")
    (tmp_path / "more" / "extra.txt").write_text(
        "./wheels/a-1-py3-none-any.whl\nscipy \\\n  >=1\n--find-links wheels\n"
    )

    spec = _python_env(tmp_path, "python: '3.11'\nbuild_dependencies: [pip]\ndependencies: [-r requirements.txt]\n")

    wheels = tmp_path / "more" / "wheels"
    assert spec.python == "3.11"
    assert spec.build_requirements == ("pip",)
    assert spec.requirements == ("numpy>=2", f"{wheels}/a-1-py3-none-any.whl", "scipy >=1", f"--find-links {wheels}")


def test_a_python_that_yaml_reads_as_a_number_is_the_one_that_was_meant(tmp_path: Path) -> None:
    assert _python_env(tmp_path, "python: 3.10\n").python == "3.10"


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as told:
        _python_env(tmp_path, "python: [3]\nbuild_dependencies: pip\ndependencies: [numpy, {a: b}]\n")

    assert [line.partition(": ")[2].partition(":")[0] for line in str(told.value).splitlines()] == [
        "python",
        "build_dependencies",
        "dependencies[1]",
    ]


def test_a_missing_requirements_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"gone\.txt' can't be read"):
        _python_env(tmp_path, "dependencies: [-r gone.txt]\n")


def test_a_requirements_file_that_names_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("-r a.txt\n")

    with pytest.raises(ProjectError, match="names itself"):
        requirement_lines.read(tmp_path / "a.txt")


@pytest.mark.parametrize(
    "line",
    [
        "numpy>=2",
        "name[extra]>=1; python_version < '3.12'",
        "numpy==1 --hash=sha256:abc",
        "--index-url https://host/simple",
        "--pre",
        "foo @ git+https://host/foo.git@main",
        "git+ssh://git@host/foo.git",
        "https://host/foo-1-py3-none-any.whl",
    ],
)
def test_lines_without_local_paths_stay_as_they_are(line: str, tmp_path: Path) -> None:
    assert requirement_lines.absolute([line], tmp_path) == (line,)


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("./pkg[extra]", "{base}/pkg[extra]"),
        ("wheels/a-1.whl ; python_version>'3'", "{base}/wheels/a-1.whl ; python_version>'3'"),
        ("-e .", "--editable {base}"),
        ("-fwheels", "--find-links {base}/wheels"),
        ("--find-links=wheels", "--find-links {base}/wheels"),
        ("-c limits.txt", "--constraint {base}/limits.txt"),
        ("foo @ ./foo", "foo @ file://{base}/foo"),
    ],
)
def test_local_paths_become_absolute_and_are_known(line: str, seen: str, tmp_path: Path) -> None:
    (found,) = requirement_lines.absolute([line], tmp_path)

    assert found == seen.format(base=tmp_path)
    assert len(requirement_lines.local_paths(found)) == 1


def test_a_conda_file_is_read_with_its_section_of_pip(tmp_path: Path) -> None:
    spec = _conda(
        tmp_path, "channels: [conda-forge]\ndependencies: [python=3.11.7, pip<=24, libxml2>=2, {pip: [numpy, -e .]}]\n"
    )

    assert spec.python == "3.11.7"
    assert spec.conda_packages == ("pip<=24", "libxml2>=2")
    assert spec.channels == ("conda-forge",)
    assert spec.requirements == ("numpy", f"--editable {tmp_path}")
    assert environments.kind_of(spec) == "conda"


def test_a_conda_file_with_packages_of_pip_alone_needs_no_conda(tmp_path: Path) -> None:
    spec = _conda(tmp_path, "dependencies: ['python>=3.10', pip=24.0, {pip: [numpy]}]\n")

    assert (spec.python, spec.build_requirements) == (">=3.10", ("pip==24.0.*",))
    assert environments.kind_of(spec) == "python"


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("pip", "pip"),
        ("pip=24", "pip==24.*"),
        ("pip==24.0", "pip==24.0"),
        ("conda-forge::setuptools <70", "setuptools<70"),
        ("wheel 0.43 py311_0", "wheel==0.43.*"),
    ],
)
def test_specifications_of_conda_are_turned_into_those_of_pip(package: str, line: str) -> None:
    assert for_pip(package) == line


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (EnvironmentSpec(), "local"),
        (PYTHON, "python"),
        (EnvironmentSpec(python="3.11"), "python"),
        (CONDA, "conda"),
        (DOCKER, "docker"),
    ],
)
def test_the_kind_is_what_the_project_asks_for(spec: EnvironmentSpec, kind: str) -> None:
    assert environments.kind_of(spec) == kind


def test_the_manager_that_was_asked_for_is_taken(plugins: Plugins) -> None:
    assert environments.chosen(PYTHON, "virtualenv", plugins) == "virtualenv"
    assert environments.chosen(DOCKER, "local", plugins) == "local"


def test_the_setting_is_taken_where_it_can_hold_the_project(plugins: Plugins) -> None:
    setting = Settings(env_manager="virtualenv")

    assert environments.chosen(PYTHON, None, plugins, settings=setting) == "virtualenv"
    assert environments.chosen(CONDA, None, plugins, settings=setting) == "conda"
    assert environments.chosen(EnvironmentSpec(), None, plugins, settings=setting) == "local"


def test_without_a_word_the_kind_decides(plugins: Plugins) -> None:
    found = [environments.chosen(each, None, plugins) for each in (EnvironmentSpec(), PYTHON, CONDA, DOCKER)]

    assert found == ["local", "uv", "conda", "docker"]


@pytest.mark.parametrize(
    ("spec", "manager", "words"),
    [(DOCKER, "uv", "python:3.11-slim"), (CONDA, "uv", "libxml2"), (PYTHON, "docker", "image")],
)
def test_a_manager_that_cannot_hold_the_project_is_refused(
    spec: EnvironmentSpec, manager: str, words: str, plugins: Plugins
) -> None:
    with pytest.raises(ProjectError, match=words):
        environments.chosen(spec, manager, plugins)


def test_a_local_job_stays_as_it_is_and_its_lock_is_what_is_installed_here(tmp_path: Path, plugins: Plugins) -> None:
    job = Job("r", ("python", "-V"), tmp_path)

    placed = environments.placed(job, PYTHON, "local", plugins)

    assert (placed.job, placed.env_id, placed.manager) == (job, "", "local")
    assert any(line.startswith("pytest==") for line in placed.lock())


def test_a_job_is_put_into_the_environment_of_its_manager(tmp_path: Path, plugins: Plugins) -> None:
    plugins.register(MemoryPlugin())

    placed = environments.placed(Job("r", ("python", "-V"), tmp_path), PYTHON, "memory", plugins)

    assert placed.job.argv == (sys.executable, "-V")
    assert placed.lock() == ("numpy==1.0",)


def test_an_unknown_manager_is_named(tmp_path: Path, plugins: Plugins) -> None:
    with pytest.raises(PluginNotFoundError, match="'uw'"):
        environments.placed(Job("r", (), tmp_path), PYTHON, "uw", plugins)


def test_a_lock_takes_the_place_of_the_requirements_and_keeps_their_options() -> None:
    spec = EnvironmentSpec("3.11", ("--index-url https://host/simple", "numpy"), build_requirements=("pip",))

    found = environments.locked(spec, ("numpy==2.1",))

    assert found.requirements == ("--index-url https://host/simple", "numpy==2.1")
    assert found.locked
    assert found.build_requirements == ()


def test_a_file_in_a_lock_is_taken_from_the_checkout_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "x-1.whl").touch()
    spec = EnvironmentSpec(requirements=(f"{tmp_path}/x-1.whl", "numpy"))

    found = environments.locked(spec, ("numpy==2.1", "x @ file:///gone/x-1.whl#sha256=ab"))

    assert found.requirements == ("numpy==2.1", f"x @ {(tmp_path / 'x-1.whl').as_uri()}#sha256=ab")


@pytest.mark.parametrize("url", ["https://user:p@ss@host/simple", "git+https://token@host/simple"])
def test_credentials_are_taken_out_of_urls(url: str) -> None:
    assert stripped(f"from {url}, then").endswith("://host/simple, then")
