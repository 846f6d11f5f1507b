"""The serving image on a real Docker Engine, with the SageMaker SDK's local mode as the outside judge.

The image is built from the plugin's Dockerfile and the checkout's wheels, without a network.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import docker_engine
import pytest
import serving_image
from attrs import frozen
from docker_engine import Engine
from mlcore_deploy_sagemaker.archive import packed
from mlcore_deploy_sagemaker.calls import Clients
from mlcore_deploy_sagemaker.deployer import SageMakerDeployer
from sagemaker_standin import StandInServer, until

from mlcore.interfaces import PlannedCall
from mlcore.models.saving import save_model

JSON = '{"dataframe_split": {"columns": ["a", "b"], "data": [[1.0, 2], [3.0, 4]]}}'
CSV = "a,b\n1.0,2\n3.0,4\n"
CONFIG = {"execution_role_arn": "arn:aws:iam::123456789012:role/SageMakerRole", "bucket": "models"}
SUMS = {"predictions": [pytest.approx(3.0), pytest.approx(7.0)]}

Container = Callable[..., tuple[str, int]]
Require = Callable[[str, bool, str], None]


@pytest.fixture(scope="module")
def engine(require: Require) -> Iterator[Engine]:
    require("docker", docker_engine.present(), docker_engine.INSTALL)
    with ExitStack() as stack:
        try:
            found = stack.enter_context(docker_engine.engine(serving_image.HOME))
        except RuntimeError as err:  # it is installed, but the machine does not let it run
            require("docker", False, f"{docker_engine.INSTALL} ({err})")
            raise
        yield found


@pytest.fixture(scope="module")
def image(model: Path, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The serving image, as the plugin's Dockerfile makes it."""
    wheels = serving_image.prepare(tmp_path_factory.mktemp("wheels"))
    tag = f"mlcore-test-serving-{os.getpid()}"
    with docker_engine.python_image(engine, serving_image.HOME, wheels) as python:
        options = ["-q", "--network", "none", "--force-rm", "--build-arg", f"PYTHON={python}", "-t", tag]
        engine.docker("build", *options, serving_image.IMAGE)
        yield tag
        docker_engine.forget(engine, tag)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, require: Require) -> Path:
    require("mlcore_flavor_sklearn", find_spec("mlcore_flavor_sklearn") is not None, "make dev")
    import pandas as pd
    from sklearn.linear_model import LinearRegression

    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 5.0], "b": [1, 0, 3, 4]})
    directory = tmp_path_factory.mktemp("model") / "sums"
    save_model(LinearRegression().fit(frame, frame.a + frame.b), directory)
    return directory


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2) as pinged:
            return bool(pinged.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def ask(port: int, body: str, kind: str = "application/json") -> object:
    url = f"http://127.0.0.1:{port}/invocations"
    request = urllib.request.Request(url, body.encode(), {"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


# the container contract


@pytest.fixture
def container(engine: Engine, image: str, model: Path) -> Iterator[Container]:
    """Start a container as SageMaker does; return its id and the port where it answers."""
    started = []

    def run(*options: str, inside: int = 8080) -> tuple[str, int]:
        port = free_port()
        mounts = ["-v", f"{model}:/opt/ml/model:ro", "-p", f"127.0.0.1:{port}:{inside}"]
        started.append(engine.docker("run", "-d", *mounts, *options, image, "serve").strip())
        until(lambda: answers(port), 120)
        return started[-1], port

    yield run
    for each in started:
        engine.docker("rm", "-fv", each, check=False)


def test_a_container_answers_pings_and_invocations_and_ends_well_on_sigterm(
    engine: Engine, container: Container
) -> None:
    name, port = container()

    answered = [ask(port, JSON), ask(port, CSV, "text/csv")]
    engine.docker("stop", "--time", "20", name)

    assert answered == [SUMS, SUMS]
    assert engine.docker("inspect", "--format", "{{.State.ExitCode}} {{.State.OOMKilled}}", name).split() == [
        "0",
        "false",
    ]
    assert engine.docker("logs", name) == "ready: http://0.0.0.0:8080\n"


def test_a_container_listens_where_its_environment_says(container: Container) -> None:
    _, port = container("-e", "SAGEMAKER_BIND_TO_PORT=9000", inside=9000)

    assert ask(port, JSON) == SUMS


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("train",), 2, "this image serves models: expected the argument 'serve', got ['train']"),
        (("serve",), 1, "no model at '/opt/ml/model'"),
    ],
)
def test_a_container_that_cannot_serve_says_why(
    engine: Engine, image: str, arguments: tuple[str, ...], code: int, message: str
) -> None:
    command = ["docker", "run", "--rm", image, *arguments]
    done = subprocess.run(command, env=engine.environ, capture_output=True, text=True, check=False, timeout=180)

    assert done.returncode == code
    assert message in done.stderr


def test_the_image_tells_sagemaker_what_it_can(engine: Engine, image: str) -> None:
    config = json.loads(engine.docker("image", "inspect", "--format", "{{json .Config}}", image))

    assert config["Entrypoint"] == ["python", "-m", "mlcore.serving.container"]
    assert config["Labels"] == {"com.amazonaws.sagemaker.capabilities.accept-bind-to-port": "true"}
    assert "8080/tcp" in config["ExposedPorts"]


def test_run_local_serves_from_the_image_until_control_c(engine: Engine, image: str, model: Path) -> None:
    port, config = free_port(), ("docker=true", "trust=true", 'env={"MLCORE_SERVING_TIMEOUT": "30"}')
    options = [part for each in (*config, f"image_url={image}", f"port={port}") for part in ("-C", each)]
    command = ["deployments", "run-local", "-t", "sagemaker", "--name", "sums", "-m", str(model), *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlcore.cli", *command],
        env=engine.environ,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until(lambda: process.poll() is not None or answers(port), 120)
        assert process.poll() is None, process.communicate()[1]
        answered = ask(port, JSON)
        running = engine.docker("ps", "--format", "{{.Names}} {{.Image}}")
        process.send_signal(signal.SIGINT)

        assert process.wait(60) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert answered == SUMS
    assert f"mlcore-sums {image}\n" in running
    assert "mlcore-sums" not in engine.docker("ps", "-a", "--format", "{{.Names}}")


# the SDK's local mode


@frozen
class Judgement:
    """What the SDK's local mode told, and the folder with the results of its transform job."""

    told: dict[str, object]
    output: Path


def planned(calls: Iterable[PlannedCall], operation: str) -> dict[str, object]:
    """Return the arguments of the one call of that operation."""
    (found,) = [dict(call.arguments) for call in calls if call.operation == operation]
    return found


@pytest.fixture(scope="module")
def requests(server: StandInServer, clients: Clients, image: str, model: Path) -> Callable[[Path], dict[str, object]]:
    """Return what the deployer would send to SageMaker, for files below a folder of this machine."""

    def make(home: Path) -> dict[str, object]:
        server.renew()
        config = {**CONFIG, "image_url": image, "instance_type": "local"}
        deployer = SageMakerDeployer(clients)
        places = "s3://files/in", "s3://files/out"
        container = planned(deployer.plan("create", "sums", model.as_uri(), None, config), "CreateModel")
        job = planned(deployer.plan_batch_predict("sums", model.as_uri(), None, *places, config), "CreateTransformJob")
        local = {"ModelDataUrl": (home / "archive" / "model.tar.gz").as_uri()}
        asked = {key: job[key] for key in job if key.startswith("Transform") and key != "TransformJobName"}
        return {
            "container": {**container["PrimaryContainer"], **local},
            "transform": json.loads(json.dumps(asked).replace("s3://files", home.as_uri())),
            "requests": [("application/json", JSON), ("text/csv", CSV)],
            "port": free_port(),
        }

    return make


@pytest.fixture(scope="module")
def judgement(
    engine: Engine,
    model: Path,
    requests: Callable[[Path], dict[str, object]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Judgement:
    """Let the SDK serve what the deployer would have made, and run its transform job."""
    home = tmp_path_factory.mktemp("judge")
    for name in ("archive", "in", "out"):
        (home / name).mkdir()
    (home / "in" / "rows.csv").write_text(CSV)
    with packed(model.as_uri(), None) as archive:
        shutil.copy(archive.path, home / "archive" / "model.tar.gz")
    (home / "config.yaml").write_text(
        "SchemaVersion: '1.0'\nSageMaker: {PythonSDK: {Modules: {TelemetryOptOut: true}}}\n"
    )
    environ = {
        **engine.environ,
        "HOME": str(home),
        **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "test"),
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(home / "config.yaml"),
    }
    done = subprocess.run(
        [str(serving_image.sdk_python()), str(Path(__file__).with_name("sdk_judge.py")), str(home / "told.json")],
        input=json.dumps(requests(home)),
        env=environ,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return Judgement(json.loads((home / "told.json").read_text()), home / "out")


def test_the_sdk_serves_what_the_deployer_makes(judgement: Judgement) -> None:
    assert (judgement.told["status"], judgement.told["ping"]) == ("InService", 200)
    assert [json.loads(answer) for answer in judgement.told["answers"]] == [SUMS, SUMS]


def test_the_sdk_transforms_a_file_as_the_deployer_asks(judgement: Judgement) -> None:
    assert judgement.told["job"] == "Completed"
    assert json.loads((judgement.output / "rows.csv.out").read_text()) == SUMS
