"""An image that `mlcore models build-image` builds serves its model, on a real Docker Engine and without a network."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import docker_engine
import pytest
import serving_image
from docker_engine import Engine

from mlcore.models.manifest import write_manifest

DOUBLER = """
class Doubler:
    def predict(self, model_input):
        return [2 * value for value in model_input]


def _load_pyfunc(path):
    return Doubler()
"""
DEADLINE_S = 180.0

Require = Callable[[str, bool, str], None]


@pytest.fixture
def engine(require: Require) -> Iterator[Engine]:
    require("docker", docker_engine.present(), docker_engine.INSTALL)
    with ExitStack() as stack:
        try:
            found = stack.enter_context(docker_engine.engine(serving_image.HOME))
        except RuntimeError as err:  # it is installed, but the machine does not let it run
            require("docker", False, f"{docker_engine.INSTALL} ({err})")
            raise
        yield found


@pytest.fixture
def base(engine: Engine, tmp_path: Path) -> Iterator[str]:
    """An image with Python that knows the checkout's wheels and what they need, and no index."""
    (tmp_path / "wheels").mkdir()
    own = serving_image.built_wheels(tmp_path / "wheels")
    if not docker_engine.answering():
        docker_engine.debian(serving_image.HOME)
    with docker_engine.python_image(engine, serving_image.HOME, [own, serving_image.fetched_wheels(own)]) as python:
        yield python


def write_model(directory: Path) -> None:
    """A model that any Python loads, and that needs the kernel alone: the image is made in seconds."""
    (directory / "code").mkdir(parents=True)
    (directory / "MLmodel").write_text("flavors:\n  python_function: {loader_module: doubler, code: code}\n")
    (directory / "code" / "doubler.py").write_text(DOUBLER)
    (directory / "requirements.txt").write_text("# nothing but what loads it\n")
    write_manifest(directory)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def asked(url: str, body: object = None) -> bytes:
    """Ask until somebody answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    end = time.monotonic() + DEADLINE_S
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as err:
            raise AssertionError(err.read().decode()) from err
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def test_a_built_image_serves_the_model_as_nobody_special_and_ends_on_sigterm(
    engine: Engine, base: str, tmp_path: Path
) -> None:
    write_model(tmp_path / "m")
    tag, port = f"mlcore-test-model-{os.getpid()}", free_port()
    command = [
        sys.executable,
        "-m",
        "mlcore.cli",
        "models",
        "build-image",
        "m",
        "--tag",
        tag,
        "--base",
        base,
        "--trust",
    ]

    done = subprocess.run(
        [*command, "--build-arg=--network=none"],
        cwd=tmp_path,
        env=engine.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, f"{tag}\n"), done.stderr[-2000:]
    name = ""
    try:
        name = engine.docker("run", "-d", "--read-only", "-p", f"127.0.0.1:{port}:8080", tag).strip()
        asked(f"http://127.0.0.1:{port}/ping")
        answer = json.loads(asked(f"http://127.0.0.1:{port}/invocations", {"inputs": [1.0, 3.5]}))
        user = engine.docker("exec", name, "id", "-u").strip()
        engine.docker("stop", "--time", "30", name)
        ended = engine.docker("inspect", "--format", "{{.State.ExitCode}}", name).strip()
    finally:
        if name:
            engine.docker("rm", "-fv", name, check=False)
        docker_engine.forget(engine, tag)
    assert answer == {"predictions": [2.0, 7.0]}
    assert (user, ended) == ("1000", "0")
