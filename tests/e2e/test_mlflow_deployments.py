"""Programs written for MLflow's deployment clients find the same methods here, with the same parameters."""

from __future__ import annotations

import inspect
import json
import subprocess
from pathlib import Path

import pytest

from mlcore.deployments import DeployClient

# What goes to a language model's endpoint in pieces has no counterpart.
LEFT_OUT = {"predict_stream"}
PRINT = """
import inspect, json
from mlflow.deployments import BaseDeploymentClient as base
methods = {name: method for name, method in vars(base).items() if inspect.isfunction(method) and name[0] != "_"}
print(json.dumps({name: list(inspect.signature(method).parameters) for name, method in methods.items()}))
"""


@pytest.fixture(scope="module")
def theirs(peer_mlflow: Path) -> dict[str, list[str]]:
    done = subprocess.run(
        [str(peer_mlflow), "-W", "ignore", "-c", PRINT], capture_output=True, text=True, check=True, timeout=180
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_every_method_of_mlflows_clients_is_there(theirs: dict[str, list[str]]) -> None:
    assert {name for name in theirs if not hasattr(DeployClient, name)} == LEFT_OUT


def test_methods_take_the_parameters_that_mlflows_take_in_their_order(theirs: dict[str, list[str]]) -> None:
    ours = {name: list(inspect.signature(getattr(DeployClient, name)).parameters) for name in set(theirs) - LEFT_OUT}

    assert {name: ours[name][: len(theirs[name])] for name in ours} == {name: theirs[name] for name in ours}
