"""SageMaker's contract for containers, kept by the program of the serving image, run as a process."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from mlcore_deploy_sagemaker.deployer import SageMakerDeployer
from sagemaker_standin import StandIn, until

from mlcore.models.pyfunc import save_model as save_function
from mlcore.models.saving import save_model
from mlcore.serving.container import main

Start = Callable[..., tuple[subprocess.Popen[str], str]]
ROWS = {"dataframe_split": {"columns": ["a", "b"], "data": [[1.0, 2], [3.0, 4]]}}


@pytest.fixture
def model(tmp_path: Path, require: Callable[[str, bool, str], None]) -> Path:
    require("mlcore_flavor_sklearn", find_spec("mlcore_flavor_sklearn") is not None, "make dev")
    import pandas as pd
    from sklearn.linear_model import LinearRegression

    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 5.0], "b": [1, 0, 3, 4]})
    save_model(LinearRegression().fit(frame, frame.a + frame.b), tmp_path / "sklearn")
    return tmp_path / "sklearn"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the container's program; return it and its URL when it answers."""
    started: list[subprocess.Popen[str]] = []

    def run(directory: Path, **variables: str) -> tuple[subprocess.Popen[str], str]:
        port = free_port()
        environ = {
            **os.environ,
            "MLCORE_MODEL_DIR": str(directory),
            "SAGEMAKER_BIND_TO_PORT": str(port),
            "MLCORE_SERVING_HOST": "127.0.0.1",
            **variables,
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "mlcore.serving.container", "serve"],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready == f"ready: http://127.0.0.1:{port}\n", process.stderr.read() if process.stderr else ""
        return process, f"http://127.0.0.1:{port}"

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def post(url: str, body: bytes, kind: str) -> object:
    request = urllib.request.Request(f"{url}/invocations", body, {"Content-Type": kind})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def test_it_answers_pings_and_invocations_and_ends_on_sigterm(start: Start, model: Path) -> None:
    process, url = start(model)

    with urllib.request.urlopen(f"{url}/ping", timeout=2) as pinged:
        assert pinged.status == 200
    assert post(url, json.dumps(ROWS).encode(), "application/json") == {"predictions": pytest.approx([3.0, 7.0])}
    assert post(url, b"a,b\n1.0,2\n", "text/csv") == {"predictions": pytest.approx([3.0])}
    process.send_signal(signal.SIGTERM)

    assert process.wait(10) == 0


def test_a_bad_request_is_answered_with_its_fault_and_hurts_nobody(start: Start, model: Path) -> None:
    _, url = start(model)

    with pytest.raises(urllib.error.HTTPError, match="400") as caught:
        post(url, b"{", "application/json")
    caught.value.close()

    assert post(url, json.dumps(ROWS).encode(), "application/json") == {"predictions": pytest.approx([3.0, 7.0])}


def test_a_model_with_code_needs_trust(start: Start, tmp_path: Path) -> None:
    def double(model_input: list[float]) -> list[float]:
        return [2 * value for value in model_input]

    save_function(tmp_path / "code", python_model=double)
    environ = {**os.environ, "MLCORE_MODEL_DIR": str(tmp_path / "code"), "SAGEMAKER_BIND_TO_PORT": str(free_port())}

    refused = subprocess.run(
        [sys.executable, "-m", "mlcore.serving.container", "serve"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    _, url = start(tmp_path / "code", MLCORE_TRUST_MODELS=str(tmp_path / "code"))

    assert refused.returncode == 1
    assert "would run code that it brings" in refused.stderr
    assert post(url, b'{"inputs": [2]}', "application/json") == {"predictions": [4]}


def test_another_argument_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train"]) == 2
    assert capsys.readouterr().err == "error: this image serves models: expected the argument 'serve', got ['train']\n"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"MLCORE_MODEL_DIR": "/nowhere"}, "error: no model at '/nowhere'"),
        ({"SAGEMAKER_BIND_TO_PORT": "http"}, "error: the variable SAGEMAKER_BIND_TO_PORT is 'http': expected a whole"),
    ],
)
def test_a_container_that_cannot_start_says_why(
    capsys: pytest.CaptureFixture[str], variables: dict[str, str], message: str
) -> None:
    given = {"SAGEMAKER_BIND_TO_PORT": "0", "MLCORE_SERVING_HOST": "127.0.0.1", **variables}

    assert main(["serve"], given) == 1
    assert capsys.readouterr().err.startswith(message)


def test_an_endpoint_answers_with_what_its_container_says(
    deployer: SageMakerDeployer, standin: StandIn, start: Start, model: Path, deploy_config: dict[str, object]
) -> None:
    _, url = start(model)
    standin.forward = f"{url}/invocations"
    deployer.create("sums", str(model), None, deploy_config)

    body, kind = deployer.predict("sums", json.dumps(ROWS).encode(), "application/json")

    assert (json.loads(body), kind) == ({"predictions": pytest.approx([3.0, 7.0])}, "application/json")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_run_local_serves_until_it_is_interrupted(model: Path, end: signal.Signals) -> None:
    port = free_port()
    command = ["deployments", "run-local", "-t", "sagemaker", "--name", "sums", "-m", str(model), "-C", f"port={port}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mlcore.cli", *command], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            try:
                return bool(post(url, json.dumps(ROWS).encode(), "application/json"))
            except urllib.error.URLError:
                return False

        until(answers, 120)
        process.send_signal(end)
        assert process.wait(60) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its server as well, which would keep the pipe open
        _, told = process.communicate()
    assert f"deployment 'sums' serves {model} at {url} until Ctrl-C" in told
    with pytest.raises(urllib.error.URLError):
        post(url, b"{}", "application/json")
