from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the stand-in is a module beside the tests

from mlcore_deploy_sagemaker.calls import Clients  # after the path
from mlcore_deploy_sagemaker.deployer import SageMakerDeployer  # after the path
from mlcore_deploy_sagemaker.target import Target  # after the path
from mlcore_deploy_sagemaker.waiting import Clock  # after the path
from sagemaker_standin import StandIn, StandInServer  # after the path

ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"
CONFIG = {"execution_role_arn": ROLE, "bucket": "models", "image_url": "image:1", "poll_seconds": 0.01}
MLMODEL = "flavors:\n  python_function:\n    loader_module: mlcore.testing.memory_flavor\n    data: model.json\n"


class Interruptible:
    """Sleep, and be interrupted by Control-C when told to."""

    def __init__(self) -> None:
        self.interrupt = False

    def __call__(self, seconds: float) -> None:
        if self.interrupt:
            self.interrupt = False
            raise KeyboardInterrupt
        time.sleep(min(seconds, 0.02))


@pytest.fixture(scope="session")
def server() -> Iterator[StandInServer]:
    with StandInServer(StandIn()) as started, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", started.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield started


@pytest.fixture(scope="session")
def clients(server: StandInServer) -> Clients:
    """One set for all tests: boto3 takes half a second to make it."""
    return Clients(Target("eu-west-1"))


@pytest.fixture
def standin(server: StandInServer) -> StandIn:
    return server.renew()


@pytest.fixture
def sleeper() -> Interruptible:
    return Interruptible()


@pytest.fixture
def deployer(standin: StandIn, clients: Clients, sleeper: Interruptible) -> SageMakerDeployer:
    return SageMakerDeployer(clients, Clock(sleep=sleeper))


@pytest.fixture
def deploy_config() -> dict[str, object]:
    return dict(CONFIG)


def make_model(directory: Path, slope: float) -> str:
    directory.mkdir()
    (directory / "MLmodel").write_text(MLMODEL)
    (directory / "model.json").write_text(json.dumps({"slope": slope, "intercept": 0.0}))
    return directory.as_uri()


@pytest.fixture
def model_uri(tmp_path: Path) -> str:
    return make_model(tmp_path / "model", 2.0)


@pytest.fixture
def other_model_uri(tmp_path: Path) -> str:
    return make_model(tmp_path / "other", 3.0)
