from __future__ import annotations

from collections.abc import Callable

import pytest
from mlcore_deploy_sagemaker.batch import BatchTransforms, Transform
from mlcore_deploy_sagemaker.calls import Clients
from mlcore_deploy_sagemaker.faults import DeploymentFailedError
from mlcore_deploy_sagemaker.waiting import Clock
from sagemaker_standin import StandIn

from mlcore.errors import AlreadyExistsError, LimitExceededError, NotFoundError

Config = dict[str, object]
FILES = Transform(input_uri="s3://models/in", output_uri="s3://models/out", strategy="MultiRecord")


@pytest.fixture
def jobs(clients: Clients, standin: StandIn, sleeper: Callable[[float], None]) -> BatchTransforms:
    return BatchTransforms(clients, Clock(sleep=sleeper))


def test_a_job_runs_to_its_end(jobs: BatchTransforms, standin: StandIn, model_uri: str, deploy_config: Config) -> None:
    done = jobs.start("nightly", model_uri, FILES, {**deploy_config, "instance_count": 2})

    job = standin.jobs["nightly"]
    assert (done.name, done.state) == ("nightly", "succeeded")
    assert job["ModelName"] in standin.models
    assert job["TransformResources"] == {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    assert job["BatchStrategy"] == "MultiRecord"


def test_the_same_job_started_twice_runs_once(
    jobs: BatchTransforms, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    jobs.start("nightly", model_uri, FILES, {**deploy_config, "synchronous": False})

    jobs.start("nightly", model_uri, FILES, deploy_config)

    assert standin.changes().count("CreateTransformJob") == 1


def test_the_name_of_a_job_is_not_used_again(
    jobs: BatchTransforms, model_uri: str, other_model_uri: str, deploy_config: Config
) -> None:
    jobs.start("nightly", model_uri, FILES, deploy_config)

    with pytest.raises(AlreadyExistsError, match="'nightly' exists for another model or input: choose another name"):
        jobs.start("nightly", other_model_uri, FILES, deploy_config)


def test_a_job_that_fails_says_why(
    jobs: BatchTransforms, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    standin.spoil("AlgorithmError: bad input")

    with pytest.raises(DeploymentFailedError, match="transform job 'nightly' failed: AlgorithmError: bad input"):
        jobs.start("nightly", model_uri, FILES, deploy_config)


def test_a_job_beyond_the_quota_leaves_nothing(
    jobs: BatchTransforms, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    standin.refuse("CreateTransformJob", "ResourceLimitExceeded", "none left")

    with pytest.raises(LimitExceededError, match="transform job 'nightly': sagemaker:CreateTransformJob failed"):
        jobs.start("nightly", model_uri, FILES, deploy_config)

    assert not standin.models
    assert not standin.objects


def test_a_job_is_stopped_and_stopping_again_does_nothing(
    jobs: BatchTransforms, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    standin.slow = 5
    jobs.start("nightly", model_uri, FILES, {**deploy_config, "synchronous": False})

    jobs.stop("nightly")
    jobs.stop("nightly")
    jobs.stop("never")

    assert standin.changes().count("StopTransformJob") == 1
    assert jobs.get("nightly").state == "stopping"


def test_a_job_that_is_not_there_is_named(jobs: BatchTransforms) -> None:
    with pytest.raises(NotFoundError, match="no transform job 'never' in region eu-west-1"):
        jobs.get("never")


def test_a_plan_starts_nothing(jobs: BatchTransforms, standin: StandIn, model_uri: str, deploy_config: Config) -> None:
    planned = jobs.plan("nightly", model_uri, FILES, deploy_config)

    assert [c.operation for c in planned if not c.reads] == ["PutObject", "CreateModel", "CreateTransformJob"]
    assert standin.changes() == []
