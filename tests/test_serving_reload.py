"""A server that serves an alias takes over what the alias comes to mean, without losing a request."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sklearn.dummy import DummyRegressor

import mlcore
from mlcore import Client
from mlcore.settings import Settings
from mlcore.tracking.session import Session, using

DEADLINE_S = 60


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/mlcore.db"


@pytest.fixture
def client(tmp_path: Path, uri: str) -> Iterator[Client]:
    """Two versions of `constant`, which answer 1 and 2; the alias points to the first."""
    settings = Settings.load({"tracking_uri": uri}, environ={}, directory=tmp_path)
    with using(Session(settings)):
        client = Client()
        for value in (1.0, 2.0):
            with mlcore.start_run():
                fitted = DummyRegressor(strategy="constant", constant=value).fit([[0]], [value])
                mlcore.log_model(fitted, name="model", registered_model_name="constant")
        client.set_registered_model_alias("constant", "champion", 1)
        yield client


@contextmanager
def serving(uri: str, *arguments: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "mlcore.cli", "models", "serve", "-p", "0", *arguments]
    server = subprocess.Popen(
        command,
        env={**os.environ, "MLCORE_TRACKING_URI": uri},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line.startswith("ready: "), server.stderr.read() if server.stderr else ""
        with httpx.Client(base_url=line.split()[1], timeout=DEADLINE_S, trust_env=False) as client:
            yield client, server
    finally:
        server.terminate()
        server.communicate(timeout=DEADLINE_S)


def _answer(client: httpx.Client) -> float:
    answer = client.post("/invocations", json={"instances": [[0]]})
    assert answer.status_code == 200, answer.text
    value: float = answer.json()["predictions"][0]
    return value


def test_a_moved_alias_takes_over_and_no_request_is_lost(client: Client, uri: str) -> None:
    with serving(uri, "-m", "models:/constant@champion", "--reload-every", "0.1") as (http, _):
        assert _answer(http) == 1.0

        client.set_registered_model_alias("constant", "champion", 2)
        deadline = time.monotonic() + DEADLINE_S
        seen = [_answer(http)]
        while seen[-1] != 2.0:
            assert time.monotonic() < deadline
            seen.append(_answer(http))

        assert seen == sorted(seen)
        assert http.get("/v2/models/constant").json()["versions"] == ["2"]


def test_a_version_that_cannot_be_loaded_leaves_the_old_one_in_use(client: Client, uri: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "MLmodel").write_text("flavors: 7\n")
    client.create_model_version("constant", str(broken))
    with serving(uri, "-m", "models:/constant@champion", "--reload-every", "0.1") as (http, server):
        client.set_registered_model_alias("constant", "champion", 3)

        assert server.stderr is not None
        told = server.stderr.readline()

        assert "version 3 of model 'constant' cannot be loaded, version 1 is served on" in told
        assert _answer(http) == 1.0


def test_several_models_are_served_by_name(client: Client, uri: str) -> None:
    with serving(uri, "-m", "one=models:/constant/1", "-m", "two=models:/constant/2", "-w", "2") as (http, _):
        answers = [
            http.post(f"/models/{name}/invocations", json={"instances": [[0]]}).json() for name in ("one", "two")
        ]

        assert answers == [{"predictions": [1.0]}, {"predictions": [2.0]}]
        assert 'mlcore_requests_total{model="two",status="2xx"} 1' in http.get("/metrics").text
    assert client.get_model_version("constant", 1).version == "1"


def test_several_models_need_names(uri: str) -> None:
    command = [sys.executable, "-m", "mlcore.cli", "models", "serve", "-m", "a", "-m", "b"]

    done = subprocess.run(command, env={**os.environ, "MLCORE_TRACKING_URI": uri}, capture_output=True, text=True)

    assert done.returncode == 1
    assert "several models are served, and 'a' has no name: give it one, as name=a" in done.stderr
