"""Environments of containers on a real Docker Engine, without a network."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

import docker_engine
import pytest
from attrs import evolve
from docker_engine import Engine
from mlcore_env_docker.manager import DockerEnvironments

from mlcore.errors import ProjectError
from mlcore.interfaces import EnvironmentManager, EnvironmentSpec, ImageSpec, Job
from mlcore.projects.cache import cache_directory
from mlcore.projects.images import DockerProgram
from mlcore.testing.environment import EnvironmentContract

HOME = Path(__file__).resolve().parents[3] / ".cache" / "docker"
DEADLINE_S = 120.0
ODD = ("", "a b", "$HOME", "`id`", "quote'\"", "*", "ß\n2", "; echo no")

Require = Callable[[str, bool, str], None]


@pytest.fixture(scope="module")
def engine(require: Require) -> Iterator[Engine]:
    require("docker", docker_engine.present(), docker_engine.INSTALL)
    with ExitStack() as stack:
        try:
            found = stack.enter_context(docker_engine.engine(HOME))
        except RuntimeError as err:  # it is installed, but the machine does not let it run
            require("docker", False, f"{docker_engine.INSTALL} ({err})")
            raise
        yield found


@pytest.fixture(scope="module")
def image(engine: Engine) -> Iterator[str]:
    with docker_engine.plain_image(engine, HOME) as name:
        yield name


@pytest.fixture(autouse=True)
def _engine_of_the_test(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_BUILDKIT"):
        if name in engine.environ:
            monkeypatch.setenv(name, engine.environ[name])


@pytest.fixture
def environment(tmp_path: Path) -> DockerEnvironments:
    return DockerEnvironments(tmp_path / ".environments")


@pytest.fixture
def spec(image: str) -> EnvironmentSpec:
    return EnvironmentSpec(python=docker_engine.PYTHON, image=ImageSpec(image))


class TestDockerEnvironments(EnvironmentContract):
    plugin_module = "mlcore_env_docker.plugin"

    @pytest.fixture
    def environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EnvironmentManager:
        monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / ".cache"))
        return DockerEnvironments(cache_directory() / "environments" / "docker")

    @pytest.fixture
    def opener(self) -> tuple[str, str]:
        return ("mlcore_env_docker.plugin", "docker")

    @pytest.fixture
    def spec(self, image: str) -> EnvironmentSpec:
        return EnvironmentSpec(python=docker_engine.PYTHON, image=ImageSpec(image))

    @pytest.fixture
    def other_spec(self, image: str) -> EnvironmentSpec:
        return EnvironmentSpec(image=ImageSpec(image, environment=(("A", "b"),)))

    @pytest.fixture
    def broken_spec(self) -> EnvironmentSpec:
        return EnvironmentSpec(image=ImageSpec("127.0.0.1:9/no-such-thing"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "a project, with 'odd' name"
    directory.mkdir()
    (directory / "data.txt").write_text("found me")
    return directory


def run(placed: Job) -> subprocess.CompletedProcess[str]:
    """Run a placed job as a local backend does."""
    env = {**os.environ, **placed.env}
    return subprocess.run(placed.argv, cwd=placed.directory, env=env, capture_output=True, text=True, check=False)


def python(project: Path, code: str, *arguments: str, **env: str) -> Job:
    return Job("a" * 32, ("python", "-c", code, *arguments), project, env, name="odd name")


def containers(engine: Engine) -> str:
    return engine.docker("ps", "-q", "--filter", "label=mlcore.run_id=" + "a" * 32).strip()


def test_a_job_gets_its_project_arguments_and_variables_and_writes_back(
    environment: DockerEnvironments, spec: EnvironmentSpec, project: Path
) -> None:
    code = """if True:
        import os, sys
        print(os.getcwd(), open('data.txt').read(), ascii(os.environ['TOLD']), ascii(sys.argv[1:]), os.getpid() != 1)
        open('made.txt', 'w').write('by the container')
        sys.exit(3)
    """
    env_id = environment.create(spec)

    done = run(environment.place(env_id, python(project, code, *ODD, TOLD="ß\n1")))

    told = ascii("ß\n1")
    assert done.stdout == f"/mlflow/projects/code found me {told} {[*ODD]!a} True\n", done.stderr
    assert done.returncode == 3
    assert (project / "made.txt").read_text() == "by the container"


def test_what_the_caller_writes_as_the_caller_is_the_callers(
    environment: DockerEnvironments, image: str, project: Path
) -> None:
    spec = EnvironmentSpec(image=ImageSpec(image, options=(("user", "host"),)))

    done = run(environment.place(environment.create(spec), python(project, "import os; print(os.getuid())")))

    assert done.stdout.strip() == str(os.getuid()), done.stderr


def test_volumes_and_inputs_are_there(
    environment: DockerEnvironments, image: str, project: Path, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("1,2")
    (project / "sub").mkdir()
    spec = EnvironmentSpec(image=ImageSpec(image, ("./sub:/sub:ro",)))
    code = "import os, sys; print(os.path.isdir('/sub'), *(open(each).read() for each in sys.argv[1:]))"
    inputs = (project / "data.txt", tmp_path / "rows.csv")
    job = evolve(python(project, code, *map(str, inputs)), inputs=inputs)

    done = run(environment.place(environment.create(spec), job))

    assert done.stdout == "True found me 1,2\n", done.stderr


def test_an_image_with_the_project_in_it_does_not_see_the_machines_and_goes_with_its_environment(
    engine: Engine, environment: DockerEnvironments, image: str, project: Path
) -> None:
    (project / ".dockerignore").write_text("secret.txt\n")
    (project / "secret.txt").write_text("not for images")
    env_id = environment.create(EnvironmentSpec(image=ImageSpec(image, build=True)))
    code = "import os; print(sorted(os.listdir())); open('made.txt', 'w').close()"

    first = environment.place(env_id, python(project, code))
    again = environment.place(env_id, python(project, code))
    done = run(first)
    built = engine.docker("images", "-q", "mlcore-project-odd-name").split()
    environment.remove(env_id)

    assert done.stdout == "['.dockerignore', 'data.txt']\n", done.stderr
    assert not (project / "made.txt").exists()
    assert len(built) == 1
    assert [word for word in first.argv if "sha256:" in word] == [word for word in again.argv if "sha256:" in word]
    assert engine.docker("images", "-q", "mlcore-project-odd-name") == ""


def test_a_lock_is_the_same_image_after_its_name_has_moved(
    engine: Engine, environment: DockerEnvironments, spec: EnvironmentSpec, image: str, project: Path
) -> None:
    engine.docker("tag", image, "mlcore-test-moving:1")
    moving = evolve(spec, image=ImageSpec("mlcore-test-moving:1"))
    before = environment.create(moving)
    lock = environment.lock(before)
    changed = DockerProgram().built(project, image)
    engine.docker("tag", changed, "mlcore-test-moving:1")

    after = environment.create(moving)
    again = environment.create(evolve(moving, requirements=lock, locked=True))
    docker_engine.forget(engine, "mlcore-test-moving:1")

    assert after != before
    assert again == before


def test_an_environment_tells_its_size_and_when_it_was_used(
    environment: DockerEnvironments, spec: EnvironmentSpec, image: str
) -> None:
    env_id = environment.create(spec)

    found = environment.describe(env_id)

    assert found.requirements == (image,)
    assert found.size_bytes > 50_000_000
    assert found.used_ms >= found.created_ms


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_container_ends_with_who_runs_it(
    engine: Engine, environment: DockerEnvironments, spec: EnvironmentSpec, project: Path, number: signal.Signals
) -> None:
    placed = environment.place(environment.create(spec), python(project, "import time; time.sleep(600)"))
    process = subprocess.Popen(placed.argv, cwd=placed.directory, start_new_session=True)
    until(lambda: containers(engine) != "")

    os.killpg(process.pid, number)

    code = process.wait(DEADLINE_S)
    until(lambda: containers(engine) == "")
    assert code == (143 if number == signal.SIGTERM else -9)


def test_a_program_that_is_not_in_the_image_is_named(
    environment: DockerEnvironments, spec: EnvironmentSpec, project: Path
) -> None:
    placed = environment.place(environment.create(spec), Job("a" * 32, ("no-such-program-at-all",), project))

    done = run(placed)

    assert done.returncode == 127
    assert "no-such-program-at-all" in done.stderr


def test_an_engine_that_does_not_answer_is_told_of(
    environment: DockerEnvironments, spec: EnvironmentSpec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")

    with pytest.raises(ProjectError, match="Cannot connect to the Docker daemon"):
        environment.create(spec)


MLPROJECT = """
name: odd name
docker_env:
  image: {image}
  environment: [[GIVEN, "a b"]]
entry_points:
  main:
    parameters: {{rows: path, text: string}}
    command: python show.py --rows={{rows}} {{text}}
"""
SHOW = """
import os, sys
print(os.environ["GIVEN"], os.environ["MLFLOW_RUN_ID"], open(sys.argv[1][7:]).read(), sys.argv[2:])
"""


@pytest.mark.parametrize("build", [False, True])
def test_a_project_runs_in_its_image_and_its_run_knows_which(
    image: str, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: bool
) -> None:
    import mlcore
    from mlcore import projects

    (project / "MLproject").write_text(MLPROJECT.format(image=image))
    (project / "show.py").write_text(SHOW)
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / ".cache"))
    mlcore.set_tracking_uri(f"sqlite:///{tmp_path}/lab.db")

    submitted = projects.run(
        str(project),
        parameters={"rows": "data.txt", "text": "$(id); `id`"},
        build_image=build,
        docker_args={"m": "512m"},
    )

    run = mlcore.get_run(submitted.run_id)
    assert run.info.status == "FINISHED"
    assert list(submitted.logs()) == [f"a b {submitted.run_id} found me {['$(id); `id`']}"]
    assert run.data.tags["mlflow.project.env"] == "docker"
    lock = mlcore.artifacts.load_text(f"runs:/{submitted.run_id}/project/requirements.lock.txt")
    assert lock.startswith("docker-image @ sha256:")


class Registry(BaseHTTPRequestHandler):
    """As much of a registry as pushing and pulling need; it keeps what it gets in memory."""

    kept: ClassVar[dict[str, tuple[str, bytes]]] = {}

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, code: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if self.path == "/v2/":
            self.answer(200)
        elif name in self.kept:
            kind, content = self.kept[name]
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            self.answer(200, content, Content_Type=kind, Docker_Content_Digest=digest)
        else:
            error = b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'
            self.answer(404, error, Content_Type="application/json")

    do_HEAD = do_GET  # noqa: N815  # the base class looks for these names

    def do_POST(self) -> None:
        self.answer(202, Location=f"{self.path}{len(self.kept)}.{id(self)}", Range="0-0")

    def do_PATCH(self) -> None:
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        self.kept[self.path] = ("application/octet-stream", content)
        self.answer(202, Location=self.path, Range=f"0-{len(content)}")

    def do_PUT(self) -> None:
        path, _, query = self.path.partition("?")
        content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if query:  # of an upload
            digest = unquote(query.partition("digest=")[2])
            self.kept[digest] = self.kept.pop(path)
        else:
            kind = self.headers["Content-Type"]
            self.kept[digest] = self.kept[path.rpartition("/")[2]] = (kind, content)
        self.answer(201, Location=path, Docker_Content_Digest=digest)


@pytest.fixture
def registry() -> Iterator[str]:
    """Return the address of a registry; that it is on this machine is why the engine does not ask for TLS."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_image_that_was_pushed_is_fetched_for_an_environment_and_goes_with_it(
    engine: Engine, environment: DockerEnvironments, project: Path, registry: str, tmp_path: Path
) -> None:
    subprocess.run(["tar", "-cf", tmp_path / "empty.tar", "-C", project, "."], check=True)
    engine.docker("import", tmp_path / "empty.tar", "mlcore-test-empty")
    docker, name = DockerProgram(), f"{registry}/team/wine:1"
    docker.tag(docker.built(project, "mlcore-test-empty"), name)

    pushed = docker.push(name)
    for each in (name, "mlcore-test-empty"):
        docker.forget(each)
    env_id = environment.create(EnvironmentSpec(image=ImageSpec(name)))
    there = docker.found(name)
    lock = environment.lock(env_id)
    environment.remove(env_id)

    assert pushed.startswith(f"{registry}/team/wine@sha256:")
    assert there is not None
    assert lock == (f"docker-image @ {pushed}",)
    assert docker.found(name) is None


def test_an_image_that_a_registry_does_not_have_is_told_of_in_its_words(
    environment: DockerEnvironments, registry: str
) -> None:
    with pytest.raises(ProjectError, match=r"could not get the image '.*/none:2' \(exit code 1\): .*manifest unknown"):
        environment.create(EnvironmentSpec(image=ImageSpec(f"{registry}/none:2")))


def until(seen: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_S
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.1)
