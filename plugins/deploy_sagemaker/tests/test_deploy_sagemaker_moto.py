"""Moto as an outside judge of the calls: what it accepts, and what of an account it leaves behind.

It knows no slow states, refuses updates and answers invocations of endpoints that do not exist; those are for the
stand-in.
"""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from mlcore_deploy_sagemaker.batch import BatchTransforms, Transform
from mlcore_deploy_sagemaker.calls import Clients, as_role
from mlcore_deploy_sagemaker.deployer import SageMakerDeployer
from mlcore_deploy_sagemaker.target import Target
from sagemaker_standin import StandIn

from mlcore.errors import AlreadyExistsError, NotFoundError, PermissionDeniedError

Config = dict[str, object]
ROLE = "arn:aws:iam::123456789012:role/deployer"


@pytest.fixture(scope="module")
def moto_clients() -> Iterator[Clients]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        made = Clients(Target("eu-west-1"))
        for service in ("sagemaker", "s3", "sts", "iam", "sagemaker-runtime", "application-autoscaling"):
            made.get(service)  # a client keeps the address that it was made with
    yield made
    server.stop()


@pytest.fixture
def config(moto_clients: Clients) -> Config:
    return {"execution_role_arn": "arn:aws:iam::123456789012:role/SageMaker", "poll_seconds": 0.01}


def test_moto_accepts_an_endpoint_with_everything_and_nothing_stays(
    moto_clients: Clients, model_uri: str, config: Config
) -> None:
    deployer = SageMakerDeployer(moto_clients)
    sagemaker, s3 = moto_clients.get("sagemaker"), moto_clients.get("s3")
    chosen: Config = {
        **config,
        "instance_type": "ml.m5.large",
        "env": {"A": "1"},
        "tags": {"team": "x"},
        "vpc_config": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        "data_capture_config": {
            "EnableCapture": True,
            "InitialSamplingPercentage": 10,
            "DestinationS3Uri": "s3://b/captured",
            "CaptureOptions": [{"CaptureMode": "Input"}],
        },
    }

    made = deployer.create("sums", model_uri, None, chosen)
    again = deployer.create("sums", model_uri, None, chosen)
    tags = sagemaker.list_tags(ResourceArn=made.detail["EndpointArn"])["Tags"]
    listed = deployer.list()
    deployer.delete("sums", config)

    assert (made.state, made.model_uri) == ("ready", model_uri)
    assert again == made
    assert listed == (made,)
    assert {"Key": "mlcore:deployment", "Value": "sums"} in tags
    assert deployer.list() == ()
    assert sagemaker.list_models()["Models"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert "Contents" not in s3.list_objects_v2(Bucket="mlcore-sagemaker-eu-west-1-123456789012")


def test_moto_knows_no_deployment_that_was_not_made(moto_clients: Clients, config: Config) -> None:
    deployer = SageMakerDeployer(moto_clients)

    with pytest.raises(NotFoundError, match="no deployment 'never' in region eu-west-1"):
        deployer.get("never")
    deployer.delete("never", config)


def test_moto_scales_an_endpoint(moto_clients: Clients, model_uri: str, config: Config) -> None:
    deployer = SageMakerDeployer(moto_clients)
    scaling = moto_clients.get("application-autoscaling")

    deployer.create("sums", model_uri, None, {**config, "autoscaling": {"min_capacity": 1, "max_capacity": 3}})
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    deployer.delete("sums", config)

    assert [(each["ResourceId"], each["MaxCapacity"]) for each in targets] == [("endpoint/sums/variant/main", 3)]
    assert [each["PolicyType"] for each in policies] == ["TargetTrackingScaling"]
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []


def test_moto_refuses_a_name_in_use_for_another_model(
    moto_clients: Clients, model_uri: str, other_model_uri: str, config: Config
) -> None:
    deployer = SageMakerDeployer(moto_clients)
    deployer.create("sums", model_uri, None, config)

    with pytest.raises(AlreadyExistsError, match="'sums' exists with another model or config"):
        deployer.create("sums", other_model_uri, None, config)

    deployer.delete("sums", config)


def test_moto_runs_a_transform_job(moto_clients: Clients, model_uri: str, config: Config) -> None:
    jobs = BatchTransforms(moto_clients)

    done = jobs.start("nightly", model_uri, Transform(input_uri="s3://b/in", output_uri="s3://b/out"), config)

    assert done.state == "succeeded"


@pytest.fixture
def account(moto_clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients that a test makes work at moto."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_clients.get("sts").meta.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.mark.usefixtures("account")
def test_a_role_in_the_target_is_taken_on_for_every_call() -> None:
    clients = Clients(Target("eu-west-1", ROLE))

    caller = clients.get("sts").get_caller_identity()

    assert caller["Arn"] == "arn:aws:sts::123456789012:assumed-role/deployer/mlcore"
    assert clients.region == "eu-west-1"


@pytest.mark.usefixtures("account")
def test_the_credentials_of_a_role_renew_themselves_before_they_expire() -> None:
    own = boto3.Session(region_name="eu-west-1")
    # botocore renews what is good for less than a quarter of an hour
    lasting, leaving = (as_role(own, ROLE, seconds).get_credentials() for seconds in (3600, 900))

    assert lasting.get_frozen_credentials() == lasting.get_frozen_credentials()
    assert leaving.get_frozen_credentials() != leaving.get_frozen_credentials()


@pytest.mark.usefixtures("server")
def test_a_role_that_may_not_be_taken_on_is_an_error_of_permissions(standin: StandIn) -> None:
    standin.refuse("AssumeRole", "AccessDenied", "not authorized to perform: sts:AssumeRole", 403)
    deployer = SageMakerDeployer(Clients(Target("eu-west-1", ROLE)))

    with pytest.raises(PermissionDeniedError, match="AccessDenied: not authorized to perform: sts:AssumeRole"):
        deployer.get("sums")
