from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from mlcore_deploy_sagemaker.calls import Caller, Clients
from mlcore_deploy_sagemaker.deployer import SageMakerDeployer
from mlcore_deploy_sagemaker.faults import DeploymentFailedError, DeploymentTimeoutError
from mlcore_deploy_sagemaker.options import Options
from mlcore_deploy_sagemaker.target import Target
from sagemaker_standin import StandIn

from mlcore.errors import (
    AlreadyExistsError,
    ChecksumError,
    InvalidParameterError,
    NotFoundError,
    PermissionDeniedError,
    StoreUnavailableError,
    UnauthenticatedError,
)
from mlcore.models.manifest import write_manifest
from mlcore.uris import local_path

Config = dict[str, object]


def only(among: dict[str, dict[str, Any]]) -> dict[str, Any]:
    assert len(among) == 1
    return next(iter(among.values()))


def is_empty(standin: StandIn) -> bool:
    return not (standin.models or standin.configs or standin.endpoints or standin.objects or standin.targets)


def test_an_endpoint_is_made_of_archive_model_and_configuration(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    made = deployer.create(
        "sums",
        model_uri,
        None,
        {
            **deploy_config,
            "instance_type": "ml.c5.large",
            "instance_count": "2",
            "variant_name": "blue",
            "env": '{"A": "1"}',
            "tags": {"team": "x"},
            "vpc_config": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
            "data_capture_config": {
                "EnableCapture": True,
                "InitialSamplingPercentage": 10,
                "DestinationS3Uri": "s3://models/captured",
                "CaptureOptions": [{"CaptureMode": "Input"}],
            },
        },
    )

    model, config = only(standin.models), only(standin.configs)
    assert (made.state, made.flavor, made.detail["EndpointStatus"]) == ("ready", "python_function", "InService")
    assert model["PrimaryContainer"]["Image"] == "image:1"
    assert model["PrimaryContainer"]["ModelDataUrl"].startswith("s3://models/mlcore/sums/")
    assert model["PrimaryContainer"]["Environment"]["A"] == "1"
    assert model["VpcConfig"]["Subnets"] == ["subnet-1"]
    assert config["ProductionVariants"][0]["InstanceType"] == "ml.c5.large"
    assert config["ProductionVariants"][0]["InitialInstanceCount"] == 2
    assert config["ProductionVariants"][0]["VariantName"] == "blue"
    assert config["DataCaptureConfig"]["InitialSamplingPercentage"] == 10
    assert {"Key": "team", "Value": "x"} in model["Tags"]
    assert {"Key": "mlcore:deployment", "Value": "sums"} in standin.endpoints["sums"]["Tags"]


def test_a_model_that_was_changed_is_not_deployed(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: dict[str, object]
) -> None:
    directory = local_path(model_uri)
    write_manifest(directory)
    (directory / "model.json").write_text("{}")

    with pytest.raises(ChecksumError, match=r"'model\.json'"):
        deployer.create("wine", model_uri, None, deploy_config)


def test_a_serverless_endpoint_has_no_instances(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    chosen = '{"MemorySizeInMB": 2048, "MaxConcurrency": "5"}'

    deployer.create("sums", model_uri, None, {**deploy_config, "serverless_config": chosen})

    variant = only(standin.configs)["ProductionVariants"][0]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert "InstanceType" not in variant


def test_an_asynchronous_endpoint_is_asked_through_s3(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    chosen = {"OutputConfig": {"S3OutputPath": "s3://models/answers"}}
    deployer.create("sums", model_uri, None, {**deploy_config, "async_inference_config": chosen})

    body, kind = deployer.predict("sums", b'{"inputs": [1.0]}', "application/json")

    assert (json.loads(body), kind) == ({"predictions": [2.0]}, "application/json")
    assert not [key for _, key in standin.objects if key.startswith("answers/requests")]


def test_scaling_begins_when_the_endpoint_serves_and_ends_with_it(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    wanted = {"min_capacity": 1, "max_capacity": 4, "target_value": 50}
    deployer.create("sums", model_uri, None, {**deploy_config, "autoscaling": json.dumps(wanted)})

    target, policy = only(standin.targets), only(standin.policies)
    deployer.delete("sums", deploy_config)

    assert (target["ResourceId"], target["MaxCapacity"]) == ("endpoint/sums/variant/main", 4)
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 50
    assert is_empty(standin)


def test_a_scaling_that_fails_takes_the_endpoint_with_it(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    standin.refuse("PutScalingPolicy", "LimitExceededException", "too many policies")

    with pytest.raises(Exception, match="too many policies; choose another instance_type"):
        deployer.create(
            "sums", model_uri, None, {**deploy_config, "autoscaling": {"min_capacity": 1, "max_capacity": 2}}
        )

    assert is_empty(standin)


@pytest.mark.parametrize("operation", ["PutObject", "CreateModel", "CreateEndpointConfig", "CreateEndpoint"])
def test_a_step_that_fails_leaves_nothing_and_says_which(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config, operation: str
) -> None:
    standin.refuse(operation, "AccessDeniedException", "not you")

    with pytest.raises(
        PermissionDeniedError, match=rf"deployment 'sums': \w+:{operation}.*not you; check the caller's"
    ):
        deployer.create("sums", model_uri, None, deploy_config)

    assert is_empty(standin)


def test_a_container_that_does_not_answer_is_told_with_its_log_and_leaves_nothing(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    standin.spoil("it did not pass the ping health check")

    with pytest.raises(DeploymentFailedError) as caught:
        deployer.create("sums", model_uri, None, deploy_config)

    assert caught.value.message == (
        "deployment 'sums' is Failed: it did not pass the ping health check; "
        "look at the log group /aws/sagemaker/Endpoints/sums"
    )
    assert is_empty(standin)


def test_what_cannot_be_removed_after_a_failure_is_told(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    standin.refuse("CreateEndpoint", "ResourceLimitExceeded", "no")
    standin.refuse("DeleteModel", "AccessDeniedException", "not that either")

    with pytest.raises(Exception, match="ResourceLimitExceeded") as caught:
        deployer.create("sums", model_uri, None, deploy_config)

    assert any("model sums-" in note and "stays behind" in note for note in caught.value.__notes__)
    assert not standin.configs
    assert not standin.objects


def test_a_wait_that_takes_too_long_ends_and_can_be_taken_up_again(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    standin.slow = 40

    with pytest.raises(DeploymentTimeoutError, match=r"'sums' is still Creating after .* raise timeout_seconds"):
        deployer.create("sums", model_uri, None, {**deploy_config, "timeout_seconds": 0.05})
    before = standin.changes()
    made = deployer.create("sums", model_uri, None, deploy_config)

    assert made.state == "ready"
    assert standin.changes() == before


def test_without_waiting_the_deployment_is_told_as_being_created(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    made = deployer.create("sums", model_uri, None, {**deploy_config, "synchronous": "false"})

    assert (made.state, made.model_uri) == ("creating", model_uri)


def test_waiting_tells_how_it_goes(
    deployer: SageMakerDeployer, model_uri: str, deploy_config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "mlcore.deployments"):
        deployer.create("sums", model_uri, None, deploy_config)

    told = [record.getMessage() for record in caplog.records]
    assert told[0].startswith("deployment 'sums': uploading s3://models/mlcore/sums/")
    assert told[1:] == ["deployment 'sums' is Creating after 0 s", "deployment 'sums' is InService after 0 s"]


def test_a_failed_endpoint_of_an_earlier_attempt_makes_room(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    standin.spoil("no capacity")
    deployer.create("sums", model_uri, None, {**deploy_config, "synchronous": False})
    standin.call("DescribeEndpoint", {"EndpointName": "sums"})
    assert deployer.get("sums").state == "failed"

    made = deployer.create("sums", model_uri, None, deploy_config)

    assert made.state == "ready"


def test_an_endpoint_of_somebody_else_is_neither_replaced_nor_emptied(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    theirs = {"ModelName": "theirs", "PrimaryContainer": {"Image": "i", "ModelDataUrl": "s3://models/theirs"}}
    standin.objects["models", "theirs"] = b"x"
    standin.call("CreateModel", theirs)
    variant = {"ModelName": "theirs", "VariantName": "v", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    standin.call("CreateEndpointConfig", {"EndpointConfigName": "theirs", "ProductionVariants": [variant]})
    standin.call("CreateEndpoint", {"EndpointName": "sums", "EndpointConfigName": "theirs"})

    with pytest.raises(AlreadyExistsError, match="'sums' exists with another model or config: update it, or delete"):
        deployer.create("sums", model_uri, None, deploy_config)
    deployer.delete("sums", deploy_config)

    assert (list(standin.models), list(standin.configs), list(standin.endpoints)) == (["theirs"], ["theirs"], [])
    assert standin.objects == {("models", "theirs"): b"x"}


def test_bucket_and_image_come_from_the_account_when_none_are_given(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    given = {key: deploy_config[key] for key in ("execution_role_arn", "poll_seconds")}

    deployer.create("sums", model_uri, None, given)

    container = only(standin.models)["PrimaryContainer"]
    assert container["Image"].startswith("123456789012.dkr.ecr.eu-west-1.amazonaws.com/mlcore-serving:")
    assert container["ModelDataUrl"].startswith("s3://mlcore-sagemaker-eu-west-1-123456789012/mlcore/sums/")


def test_without_a_role_it_is_said_what_to_give(deployer: SageMakerDeployer, standin: StandIn, model_uri: str) -> None:
    with pytest.raises(InvalidParameterError, match="user/me', which is no role; give execution_role_arn"):
        deployer.create("sums", model_uri, None, {})

    assert standin.changes() == []


def test_a_named_bucket_that_is_missing_is_named(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    with pytest.raises(
        NotFoundError, match=r"s3:PutObject of 'mlcore/sums/.*' into bucket 'nope' failed with NoSuchBucket"
    ):
        deployer.create("sums", model_uri, None, {**deploy_config, "bucket": "nope"})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"instance_typ": "x"}, "unknown key 'instance_typ', did you mean 'instance_type'?"),
        ({"region_name": "eu-west-1"}, "'region_name' belongs into the target: sagemaker:/REGION, or"),
        ({"instance_count": "two"}, "'instance_count' is 'two', expected a whole number, 0 or more"),
        ({"synchronous": "maybe"}, "'synchronous' is 'maybe', expected true or false"),
        ({"env": "{"}, "'env' is '{', expected a table, as JSON text"),
        ({"mode": "swap"}, "'mode' is 'swap', expected 'replace' or 'add'"),
        ({"timeout_seconds": "nan"}, "'timeout_seconds' is 'nan', expected a number, 0 or more"),
        ({"serverless_config": {}, "instance_type": "a"}, "serverless_config and 'instance_type' exclude each other"),
        ({"autoscaling": {"min_capacity": 1}}, r"invalid autoscaling: missing ['max_capacity']"),
        ({"autoscaling": {"min_capacity": 3, "max_capacity": 2}}, "min_capacity 3 is above max_capacity 2"),
    ],
)
def test_a_config_that_cannot_be_used_is_refused_before_anything_is_made(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, config: Config, message: str
) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        deployer.create("sums", model_uri, None, config)

    assert message in caught.value.message
    assert standin.changes() == []


def test_all_faults_of_a_config_are_told_at_once() -> None:
    with pytest.raises(InvalidParameterError, match=r"unknown key 'a'.*; 'port' is 'x', expected a whole number"):
        Options.read({"a": 1, "port": "x"})


def test_a_flavor_that_the_model_lacks_is_refused(
    deployer: SageMakerDeployer, model_uri: str, deploy_config: Config
) -> None:
    with pytest.raises(InvalidParameterError, match=r"has no flavor 'onnx' to serve \(it has: python_function\)"):
        deployer.create("sums", model_uri, "onnx", deploy_config)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ExpiredTokenException", 400, UnauthenticatedError),
        ("ServiceUnavailable", 503, StoreUnavailableError),
        ("AccessDeniedException", 400, PermissionDeniedError),
    ],
)
def test_errors_of_aws_keep_their_meaning(
    clients: Clients, standin: StandIn, code: str, status: int, kind: type[Exception]
) -> None:
    standin.refuse("DescribeEndpoint", code, "told", status)

    with pytest.raises(kind, match=f"deployment 'a': sagemaker:DescribeEndpoint failed with {code}: told"):
        SageMakerDeployer(clients).get("a")


def test_nobody_at_the_address_is_a_store_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, clients: Clients
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(StoreUnavailableError, match="check the network, the region and AWS_ENDPOINT_URL"):
        Caller(Clients(Target("eu-west-1")), "x").read("sts", "get_caller_identity")


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("sagemaker", Target()),
        ("sagemaker:", Target()),
        ("sagemaker:/eu-west-1", Target("eu-west-1")),
        ("sagemaker:eu-west-1", Target("eu-west-1")),
        ("sagemaker://eu-west-1/", Target("eu-west-1")),
        (
            "sagemaker:/eu-west-1/arn:aws:iam::123456789012:role/path/deployer",
            Target("eu-west-1", "arn:aws:iam::123456789012:role/path/deployer"),
        ),
    ],
)
def test_a_target_names_region_and_role(uri: str, target: Target) -> None:
    assert Target.parse(uri) == target


@pytest.mark.parametrize("uri", ["sagemaker:/EU WEST", "sagemaker:/eu-west-1/role", "sagemakers:/x"])
def test_another_target_is_refused(uri: str) -> None:
    with pytest.raises(
        InvalidParameterError, match="is no SageMaker target: expected 'sagemaker', 'sagemaker:/eu-west-1'"
    ):
        Target.parse(uri)
