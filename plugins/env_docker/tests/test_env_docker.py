"""What a job's container gets, and who outlives whom, without an engine: containers are processes here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from mlcore_env_docker import attended
from mlcore_env_docker.containers import container
from mlcore_env_docker.manager import DockerEnvironments
from mlcore_env_docker.records import Record, Records

import mlcore
from mlcore import projects
from mlcore.errors import CorruptStoreError, MissingDependencyError, NotFoundError, ProjectError
from mlcore.interfaces import EnvironmentSpec, ImageSpec, Job
from mlcore.projects.images import DockerProgram
from mlcore.testing.plugin_module import PluginModuleContract

IMAGE = ImageSpec("python:3.11-slim")
DEADLINE_S = 60.0


class TestPlugin(PluginModuleContract):
    plugin_module = "mlcore_env_docker.plugin"


def job(directory: Path, *argv: str, inputs: tuple[Path, ...] = (), **env: str) -> Job:
    return Job("a" * 32, argv or ("python", "train.py"), directory, env, inputs=inputs)


def until(seen: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.02)


# what a container gets


def test_the_project_is_mounted_where_its_command_starts(tmp_path: Path) -> None:
    found = container(job(tmp_path), IMAGE, "box")

    assert found.words == (
        "--name=box",
        "--workdir=/mlflow/projects/code",
        f"--mount=type=bind,source={tmp_path},target=/mlflow/projects/code",
    )


def test_a_directory_with_commas_and_quotes_is_mounted_as_it_is() -> None:
    found = container(job(Path('/odd, "place"')), IMAGE, "box")

    assert found.words[-1] == '--mount=type=bind,"source=/odd, ""place""",target=/mlflow/projects/code'


def test_an_image_with_the_project_in_it_needs_no_mount(tmp_path: Path) -> None:
    found = container(job(tmp_path), evolve(IMAGE, build=True), "box")

    assert found.words == ("--name=box", "--workdir=/mlflow/projects/code")


def test_values_of_the_runs_variables_are_not_among_the_words(tmp_path: Path) -> None:
    found = container(job(tmp_path, MLFLOW_TRACKING_TOKEN="secret", PATH="/here"), IMAGE, "box")

    assert "--env=MLFLOW_TRACKING_TOKEN" in found.words
    assert not any("secret" in word or "PATH" in word for word in found.words)
    assert found.env["MLFLOW_TRACKING_TOKEN"] == "secret"


def test_variables_of_the_project_are_given_or_copied(tmp_path: Path) -> None:
    image = evolve(IMAGE, environment=(("GIVEN", "a b"), ("COPIED", None)))

    found = container(job(tmp_path), image, "box", {"COPIED": "from here"})

    assert [word for word in found.words if word.startswith("--env")] == ["--env=GIVEN=a b", "--env=COPIED"]


def test_all_variables_that_cannot_be_copied_are_named(tmp_path: Path) -> None:
    image = evolve(IMAGE, environment=(("ONE", None), ("TWO", None)))

    with pytest.raises(ProjectError, match="not set: 'ONE', 'TWO'"):
        container(job(tmp_path), image, "box", {})


def test_paths_of_volumes_are_the_projects_or_the_users(tmp_path: Path) -> None:
    image = evolve(IMAGE, volumes=("./data:/data:ro", "../x:/x", "~/y:/y", "named:/models", "/abs:/abs"))

    found = container(job(tmp_path / "project"), image, "box")

    home = str(Path.home())
    assert [word.removeprefix("--volume=") for word in found.words if word.startswith("--volume")] == [
        f"{tmp_path}/project/data:/data:ro",
        f"{tmp_path}/x:/x",
        f"{home}/y:/y",
        "named:/models",
        "/abs:/abs",
    ]


def test_options_are_those_of_docker_run(tmp_path: Path) -> None:
    image = evolve(IMAGE, options=(("gpus", "all"), ("privileged", True), ("m", "1g"), ("name", "mine")))

    found = container(job(tmp_path), image, "box")

    assert found.name == "mine"
    assert set(found.words) >= {"--name=mine", "--gpus=all", "--privileged", "-m", "1g"}
    assert "--name=box" not in found.words


@pytest.mark.parametrize("name", ["--gpus", "a b", "", "detach", "gpus=all --privileged"])
def test_an_option_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProjectError, match="invalid option"):
        container(job(tmp_path), evolve(IMAGE, options=((name, "x"),)), "box")


@pytest.mark.parametrize("option", ["bad opt", "detach"])
def test_options_are_looked_at_before_there_is_a_run(tmp_path: Path, option: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "MLproject").write_text("docker_env: {image: none.invalid/x}\nentry_points: {main: {command: train}}")
    mlcore.set_tracking_uri(f"sqlite:///{tmp_path}/lab.db")

    with pytest.raises(ProjectError, match=f"invalid option '{option}'"):
        projects.run(project, docker_args={option: "1"})

    assert mlcore.search_runs(output_format="list") == []


def test_the_user_host_is_the_caller(tmp_path: Path) -> None:
    found = container(job(tmp_path), evolve(IMAGE, options=(("user", "host"),)), "box")

    assert f"--user={os.getuid()}:{os.getgid()}" in found.words
    assert "--env=HOME=/tmp" in found.words


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("sqlite:////data/lab/mlcore.db", "/data/lab"),
        ("sqlite:////data/a%20b/mlcore.db?x=1", "/data/a b"),
        ("file:///data/mlruns", "/data/mlruns"),
        ("/data/mlruns", "/data/mlruns"),
    ],
)
def test_a_local_store_is_mounted_at_its_own_place(tmp_path: Path, uri: str, place: str) -> None:
    found = container(job(tmp_path, MLFLOW_TRACKING_URI=uri), IMAGE, "box")

    assert f"--mount=type=bind,source={place},target={place}" in found.words


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the machine has a name instead")
def test_a_server_on_this_machine_is_reached_by_its_network_unless_one_is_named(tmp_path: Path) -> None:
    tracked = job(tmp_path, MLFLOW_TRACKING_URI="http://127.0.0.1:5000")

    found = container(tracked, IMAGE, "box")
    chosen = container(tracked, evolve(IMAGE, options=(("network", "lab"),)), "box")
    elsewhere = container(evolve(tracked, env={"MLFLOW_TRACKING_URI": "https://ml.example.com"}), IMAGE, "box")

    assert "--network=host" in found.words
    assert [word for word in chosen.words if "network" in word] == ["--network=lab"]
    assert not any("network" in word for word in elsewhere.words)


def test_files_that_parameters_name_are_in_the_container(tmp_path: Path) -> None:
    inside, outside = tmp_path / "project" / "data" / "rows.csv", tmp_path / "cache" / "big.bin"

    found = container(job(tmp_path / "project", "cat", str(inside), str(outside), inputs=(inside, outside)), IMAGE, "b")

    assert found.argv == ("cat", "/mlflow/projects/code/data/rows.csv", str(outside))
    assert f"--mount=type=bind,source={outside},target={outside}" in found.words


# what is remembered


def test_without_an_image_the_project_is_told_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="docker_env"):
        DockerEnvironments(tmp_path).create(EnvironmentSpec(requirements=("numpy",)))


@pytest.mark.parametrize("name", ["", "-v", "A b", "--privileged", "x;y", "$(id)", "python:", "python\n"])
def test_a_name_that_is_no_images_never_reaches_the_program(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProjectError, match="invalid name of an image"):
        DockerEnvironments(tmp_path, DockerProgram("no-such-program")).create(EnvironmentSpec(image=ImageSpec(name)))


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingDependencyError, match="'no-such-program' on PATH"):
        DockerEnvironments(tmp_path, DockerProgram("no-such-program")).create(EnvironmentSpec(image=IMAGE))


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    image = ImageSpec("x:1", ("a:/b",), (("A", None), ("B", "c")), (("gpus", True),), build=True)
    record = Record("x-1", image, "sha256:0", "x@sha256:0", 5, pulled=True, built=("mlcore-project-x:1",))
    records = Records(tmp_path / "new")

    records.write(record)

    assert records.find("x-1") == record


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")

    with pytest.raises(CorruptStoreError, match=r"x\.json"):
        Records(tmp_path).find("x")


def test_an_id_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}")
    (tmp_path / "records").mkdir()

    with pytest.raises(NotFoundError):
        Records(tmp_path / "records").find("../other")


# who outlives whom

DOCKER = """#!/bin/sh
echo "$@" >> "{log}"
case $1 in
run) echo $$ > "{log}.pid"; trap 'exit 7' TERM; while :; do sleep 0.05; done ;;
esac
"""


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """A program that runs until it gets SIGTERM, and writes down what it is told."""
    program = tmp_path / "docker"
    program.write_text(DOCKER.format(log=tmp_path / "told"))
    program.chmod(0o755)
    return program


def told(docker: Path) -> list[str]:
    log = docker.with_name("told")
    return log.read_text().splitlines() if log.exists() else []


def start(docker: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", attended.__file__, "box", str(docker), "run", "x"]
    process = subprocess.Popen(command, start_new_session=True)
    until(lambda: "run x" in told(docker))
    return process


def test_a_signal_reaches_the_client_and_its_exit_code_comes_back(docker: Path) -> None:
    process = start(docker)

    process.terminate()

    assert process.wait(DEADLINE_S) == 7
    assert told(docker) == ["run x"]


def test_killing_who_runs_a_container_stops_it(docker: Path, tmp_path: Path) -> None:
    process = start(docker)

    os.killpg(process.pid, signal.SIGKILL)

    process.wait()
    until(lambda: told(docker)[-1] == "rm --force box")
    assert "kill box" in told(docker)
    os.kill(int((tmp_path / "told.pid").read_text()), signal.SIGTERM)  # the stand-in has no engine that would end it


def test_the_exit_code_of_a_signal_is_the_shells(tmp_path: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

    done = subprocess.run(
        [sys.executable, "-I", "-S", attended.__file__, "box", sys.executable, "-c", code], check=False
    )

    assert done.returncode == 137
