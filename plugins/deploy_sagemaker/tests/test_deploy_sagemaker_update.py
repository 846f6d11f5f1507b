from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlcore_deploy_sagemaker.deployer import SageMakerDeployer
from mlcore_deploy_sagemaker.faults import DeploymentFailedError, DeploymentTimeoutError
from sagemaker_standin import StandIn

from mlcore.errors import InvalidParameterError, InvalidStateError, LimitExceededError, UnsupportedError

Config = dict[str, object]
QUESTION = (b'{"inputs": [1.0]}', "application/json")


def answer(deployer: SageMakerDeployer) -> float:
    value: float = json.loads(deployer.predict("sums", *QUESTION)[0])["predictions"][0]
    return value


def sizes(standin: StandIn) -> tuple[int, int, int]:
    return len(standin.models), len(standin.configs), len(standin.objects)


def test_a_replaced_model_takes_over_and_the_old_one_is_removed(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, other_model_uri: str, deploy_config: Config
) -> None:
    deployer.create("sums", model_uri, None, deploy_config)

    deployer.update("sums", other_model_uri, None, deploy_config)

    assert answer(deployer) == 3.0
    assert sizes(standin) == (1, 1, 1)


def test_what_an_update_does_not_name_stays_as_it_is(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, other_model_uri: str, deploy_config: Config
) -> None:
    chosen = {"instance_type": "ml.c5.xlarge", "variant_name": "blue", "kms_key_id": "k"}
    deployer.create(
        "sums",
        model_uri,
        None,
        {**deploy_config, **chosen, "vpc_config": {"Subnets": ["s"], "SecurityGroupIds": ["g"]}},
    )

    deployer.update("sums", other_model_uri, None, {"poll_seconds": 0.01})

    (model,), (config,) = standin.models.values(), standin.configs.values()
    variant = config["ProductionVariants"][0]
    assert (variant["InstanceType"], variant["VariantName"], config["KmsKeyId"]) == ("ml.c5.xlarge", "blue", "k")
    assert (model["PrimaryContainer"]["Image"], model["VpcConfig"]["Subnets"]) == ("image:1", ["s"])


def test_other_instances_do_not_need_another_model(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    deployer.create("sums", model_uri, None, deploy_config)
    before = list(standin.models)

    deployer.update("sums", None, None, {"instance_count": 3, "poll_seconds": 0.01})

    (config,) = standin.configs.values()
    assert config["ProductionVariants"][0]["InitialInstanceCount"] == 3
    assert list(standin.models) == before
    assert answer(deployer) == 2.0


def test_an_update_to_the_same_changes_nothing(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    deployer.create("sums", model_uri, None, deploy_config)

    deployer.update("sums", model_uri, None, deploy_config)

    assert "UpdateEndpoint" not in standin.changes()
    assert sizes(standin) == (1, 1, 1)


def test_an_added_variant_gets_no_traffic_until_it_is_given_some(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, other_model_uri: str, deploy_config: Config
) -> None:
    deployer.create("sums", model_uri, None, deploy_config)

    deployer.update("sums", other_model_uri, None, {**deploy_config, "mode": "add", "variant_name": "green"})

    (config,) = standin.configs.values()
    weights = {each["VariantName"]: each["InitialVariantWeight"] for each in config["ProductionVariants"]}
    assert weights == {"main": 1.0, "green": 0.0}
    assert sizes(standin) == (2, 1, 2)
    assert answer(deployer) == 2.0
    deployer.delete("sums", deploy_config)
    assert sizes(standin) == (0, 0, 0)


def test_a_variant_is_not_added_twice_under_one_name(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, other_model_uri: str, deploy_config: Config
) -> None:
    deployer.create("sums", model_uri, None, deploy_config)

    with pytest.raises(InvalidParameterError, match="'sums' has a variant 'main' already: choose another variant_name"):
        deployer.update("sums", other_model_uri, None, {**deploy_config, "mode": "add", "variant_name": "main"})

    assert sizes(standin) == (1, 1, 1)


@pytest.mark.parametrize("end", ["InService", "Failed", "UpdateRollbackFailed"])
def test_an_update_that_fails_leaves_what_was_there_serving(
    deployer: SageMakerDeployer,
    standin: StandIn,
    model_uri: str,
    other_model_uri: str,
    deploy_config: Config,
    end: str,
) -> None:
    deployer.create("sums", model_uri, None, deploy_config)
    before = (set(standin.models), set(standin.configs), set(standin.objects))
    standin.spoil("out of memory", end)

    with pytest.raises(
        DeploymentFailedError, match="'sums' failed: out of memory; what was there before goes on serving"
    ):
        deployer.update("sums", other_model_uri, None, deploy_config)

    assert answer(deployer) == 2.0
    assert (set(standin.models), set(standin.configs), set(standin.objects)) == before


def test_an_update_beyond_the_quota_changes_nothing(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, other_model_uri: str, deploy_config: Config
) -> None:
    deployer.create("sums", model_uri, None, deploy_config)
    standin.refuse("UpdateEndpoint", "ResourceLimitExceeded", "no more instances")

    with pytest.raises(
        LimitExceededError, match=r"'sums': sagemaker:UpdateEndpoint failed .* or ask AWS for a higher quota"
    ):
        deployer.update("sums", other_model_uri, None, deploy_config)

    assert sizes(standin) == (1, 1, 1)
    assert answer(deployer) == 2.0


def test_an_update_that_takes_too_long_keeps_what_it_needs(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, other_model_uri: str, deploy_config: Config
) -> None:
    deployer.create("sums", model_uri, None, deploy_config)
    standin.slow = 30

    with pytest.raises(DeploymentTimeoutError, match="'sums' is still Updating"):
        deployer.update("sums", other_model_uri, None, {**deploy_config, "timeout_seconds": 0.05})
    deployer.update("sums", other_model_uri, None, deploy_config)

    assert answer(deployer) == 3.0


def test_what_an_update_left_that_nobody_waited_for_goes_with_the_deployment(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, other_model_uri: str, deploy_config: Config
) -> None:
    deployer.create("sums", model_uri, None, deploy_config)
    deployer.create("sums-2", model_uri, None, deploy_config)
    deployer.update("sums", other_model_uri, None, {**deploy_config, "synchronous": False})
    assert sizes(standin) == (3, 3, 3)

    deployer.delete("sums", deploy_config)

    assert sizes(standin) == (1, 1, 1)
    assert [each.name for each in deployer.list()] == ["sums-2"]


def test_an_interrupted_update_goes_on_and_can_be_taken_up_again(
    deployer: SageMakerDeployer,
    standin: StandIn,
    sleeper: object,
    model_uri: str,
    other_model_uri: str,
    deploy_config: Config,
) -> None:
    deployer.create("sums", model_uri, None, deploy_config)
    sleeper.interrupt = True  # type: ignore[attr-defined]  # the sleeper of the fixtures

    with pytest.raises(KeyboardInterrupt):
        deployer.update("sums", other_model_uri, None, deploy_config)
    deployer.update("sums", other_model_uri, None, deploy_config)

    assert answer(deployer) == 3.0


def test_archiving_keeps_what_an_update_replaces(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, other_model_uri: str, deploy_config: Config
) -> None:
    deployer.create("sums", model_uri, None, deploy_config)

    deployer.update("sums", other_model_uri, None, {**deploy_config, "archive": "true"})

    assert sizes(standin) == (2, 2, 2)


def test_a_failed_endpoint_cannot_be_updated(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    standin.spoil("no capacity")
    deployer.create("sums", model_uri, None, {**deploy_config, "synchronous": False})

    with pytest.raises(InvalidStateError, match="'sums' cannot be updated: no capacity; delete it and create it again"):
        deployer.update("sums", model_uri, None, deploy_config)


def test_an_endpoint_that_is_being_created_is_deleted_when_it_has_come_to_rest(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    standin.slow = 3
    deployer.create("sums", model_uri, None, {**deploy_config, "synchronous": False})

    deployer.delete("sums", deploy_config)

    assert sizes(standin) == (0, 0, 0)
    assert deployer.list() == ()


def test_lists_of_many_pages_are_read_to_the_end(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    standin.page = 2
    for number in range(5):
        deployer.create(f"sums-{number}", model_uri, None, {**deploy_config, "synchronous": False})

    assert [each.name for each in deployer.list()] == [f"sums-{number}" for number in range(5)]


def test_a_plan_tells_every_call_and_makes_only_those_that_read(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    config = {
        **deploy_config,
        "env": {"API_TOKEN": "hush", "A": "1"},
        "autoscaling": {"min_capacity": 1, "max_capacity": 2},
    }

    planned = deployer.plan("create", "sums", model_uri, None, config)

    assert [call.operation for call in planned if not call.reads] == [
        "PutObject",
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
        "RegisterScalableTarget",
        "PutScalingPolicy",
    ]
    assert standin.changes() == []
    assert "hush" not in json.dumps([dict(call.arguments) for call in planned])


def test_what_was_planned_is_what_is_done(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, other_model_uri: str, deploy_config: Config
) -> None:
    def planned_and_done(action: str, uri: str | None) -> tuple[list[str], list[str]]:
        plan = deployer.plan(action, "sums", uri, None, deploy_config)  # type: ignore[arg-type]  # one of the three
        del standin.calls[:]
        if action == "delete":
            deployer.delete("sums", deploy_config)
        else:
            getattr(deployer, action)("sums", uri, None, deploy_config)
        return [call.operation for call in plan if not call.reads], standin.changes()

    for action, uri in (("create", model_uri), ("update", other_model_uri), ("delete", None)):
        planned, done = planned_and_done(action, uri)

        assert planned == done, action


def test_a_plan_finds_what_aws_would_refuse(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    with pytest.raises(
        InvalidParameterError, match=r'CreateModel would be refused: .*; Unknown parameter in VpcConfig: "Subnet"'
    ):
        deployer.plan("create", "sums", model_uri, None, {**deploy_config, "vpc_config": {"Subnet": "s"}})


def test_explanations_are_asked_of_endpoints_that_have_them(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, deploy_config: Config
) -> None:
    baseline = {"ClarifyExplainerConfig": {"ShapConfig": {"ShapBaselineConfig": {"ShapBaseline": "1"}}}}
    deployer.create("sums", model_uri, None, deploy_config)

    with pytest.raises(UnsupportedError, match="'sums' was made without explanations: update it with explainer_config"):
        deployer.explain("sums", *QUESTION)
    deployer.update("sums", None, None, {**deploy_config, "explainer_config": baseline})
    body, _ = deployer.explain("sums", *QUESTION)

    assert json.loads(body) == {"predictions": [2.0]}
    assert standin.calls[-1][1]["X-Amzn-SageMaker-Enable-Explanations"] == "`true`"


def test_the_same_files_make_the_same_archive(
    deployer: SageMakerDeployer, standin: StandIn, model_uri: str, tmp_path: Path, deploy_config: Config
) -> None:
    deployer.create("sums", model_uri, None, {**deploy_config, "archive": True})
    first = set(standin.objects)
    deployer.delete("sums", {**deploy_config, "archive": True})
    (tmp_path / "model" / "MLmodel").touch()

    deployer.create("sums", model_uri, None, deploy_config)

    assert set(standin.objects) == first
    assert standin.changes().count("PutObject") == 1
