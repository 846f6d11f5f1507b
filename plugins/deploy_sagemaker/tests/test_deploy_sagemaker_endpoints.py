"""Endpoints that hold several deployments."""

from __future__ import annotations

import json

import pytest
from mlcore_deploy_sagemaker.calls import Caller, Clients
from mlcore_deploy_sagemaker.deployer import SageMakerDeployer
from mlcore_deploy_sagemaker.faults import DeploymentFailedError
from mlcore_deploy_sagemaker.options import Options
from mlcore_deploy_sagemaker.resources import Wanted
from mlcore_deploy_sagemaker.updating import Update, look
from mlcore_deploy_sagemaker.variants import VariantDeployer
from mlcore_deploy_sagemaker.waiting import Clock
from sagemaker_standin import StandIn

from mlcore.cli import main
from mlcore.errors import ConflictError, InvalidParameterError

Config = dict[str, object]
REQUEST = b'{"inputs": [1.0]}', "application/json"
TARGET = "sagemaker:/eu-west-1"


@pytest.fixture
def shared(deployer: SageMakerDeployer, model_uri: str, deploy_config: Config) -> VariantDeployer:
    inside = deployer.at_endpoint("shared")
    inside.create("old", model_uri, None, deploy_config)
    return inside


def weights(standin: StandIn) -> dict[str, float]:
    config = standin.configs[standin.endpoints["shared"]["EndpointConfigName"]]
    return {each["VariantName"]: each["InitialVariantWeight"] for each in config["ProductionVariants"]}


def test_a_second_deployment_gets_no_requests_until_it_has_a_weight(
    shared: VariantDeployer, standin: StandIn, other_model_uri: str, deploy_config: Config
) -> None:
    shared.create("new", other_model_uri, None, deploy_config)
    silent = weights(standin)
    shared.update("new", None, None, {**deploy_config, "variant_weight": 0.25})

    assert silent == {"old": 1.0, "new": 0.0}
    assert weights(standin) == {"old": 1.0, "new": 0.25}
    assert json.loads(shared.predict("new", *REQUEST)[0]) == {"predictions": [3.0]}


def test_the_deployment_that_is_left_gets_the_requests(
    shared: VariantDeployer, standin: StandIn, other_model_uri: str, deploy_config: Config
) -> None:
    shared.create("new", other_model_uri, None, deploy_config)

    shared.delete("old", deploy_config)

    assert weights(standin) == {"new": 1.0}
    assert len(standin.models) == len(standin.configs) == len(standin.objects) == 1


def test_with_its_last_deployment_an_endpoint_goes_and_leaves_nothing(
    shared: VariantDeployer, standin: StandIn, deploy_config: Config
) -> None:
    shared.delete("old", deploy_config)

    assert [standin.endpoints, standin.configs, standin.models, standin.objects] == [{}, {}, {}, {}]


def test_a_second_deployment_that_fails_leaves_the_first_one_serving(
    shared: VariantDeployer, standin: StandIn, model_uri: str, other_model_uri: str, deploy_config: Config
) -> None:
    standin.spoil("no ping")

    with pytest.raises(DeploymentFailedError, match="no ping; what was there before goes on serving"):
        shared.create("new", other_model_uri, None, deploy_config)

    assert [(each.name, each.state, each.model_uri) for each in shared.list()] == [("old", "ready", model_uri)]
    assert len(standin.models) == len(standin.configs) == len(standin.objects) == 1


def test_what_somebody_else_added_in_the_meantime_is_not_taken_away(
    shared: VariantDeployer, standin: StandIn, clients: Clients, other_model_uri: str, deploy_config: Config
) -> None:
    call, wanted = Caller(clients, "'mine'"), Wanted("shared", Options(variant_weight=3.0))
    seen = look(call, wanted, Clock())
    shared.create("theirs", other_model_uri, None, deploy_config)

    with pytest.raises(ConflictError, match="'shared' was updated by somebody else in the meantime: do it again"):
        Update(call, wanted, Clock(), seen).run()

    assert weights(standin) == {"old": 1.0, "theirs": 0.0}
    assert len(standin.configs) == 1


@pytest.mark.parametrize(
    ("action", "name", "expected"),
    [
        ("create", "new", ["PutObject", "CreateModel", "CreateEndpointConfig", "UpdateEndpoint"]),
        ("update", "old", ["PutObject", "CreateModel", "CreateEndpointConfig", "UpdateEndpoint"]),
        ("delete", "old", ["DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel", "DeleteObject"]),
    ],
)
def test_a_plan_tells_the_calls_and_makes_none(
    shared: VariantDeployer, standin: StandIn, other_model_uri: str, deploy_config: Config, action, name, expected
) -> None:
    before = standin.changes()

    planned = shared.plan(action, name, other_model_uri, None, {**deploy_config, "archive": action != "delete"})

    assert [call.operation for call in planned if not call.reads] == expected
    assert standin.changes() == before


def test_an_endpoint_without_a_model_is_refused_and_told_what_to_do(deployer: SageMakerDeployer) -> None:
    with pytest.raises(InvalidParameterError, match="endpoint 'shared' needs a model_uri in its config: SageMaker has"):
        deployer.create_endpoint("shared", {})


def test_endpoints_and_batch_predictions_are_on_the_command_line(
    standin: StandIn, model_uri: str, other_model_uri: str, capsys: pytest.CaptureFixture[str], deploy_config: Config
) -> None:
    def run(*arguments: str, config: bool = True) -> str:
        chosen = [part for key, value in deploy_config.items() for part in ("-C", f"{key}={value}")] if config else []
        capsys.readouterr()
        assert main(("deployments", arguments[0], "-t", TARGET, *arguments[1:], *chosen)) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    run("create-endpoint", "--endpoint", "shared", "-C", f"model_uri={model_uri}")
    run("create", "--endpoint", "shared", "--name", "new", "-m", other_model_uri)
    planned = run("delete", "--endpoint", "shared", "--name", "new", "--dry-run")
    listed = run("list", "--endpoint", "shared", "--json", config=False)
    endpoints = run("list-endpoints", "--json", config=False)
    batch = ("--name", "nightly", "-m", model_uri, "--input-uri", "s3://models/in", "--output-uri", "s3://models/out")
    plan = run("batch-predict", *batch, "-C", "split=Line", "--dry-run")
    done = run("batch-predict", *batch, "-C", "split=Line", "--json")
    got = run("get-batch", "--name", "nightly", "--json", config=False)

    assert "UpdateEndpoint" in planned
    assert [json.loads(line)["name"] for line in listed.splitlines()] == ["main", "new"]
    assert json.loads(endpoints)["name"] == "shared"
    assert [json.loads(line)["operation"] for line in plan.splitlines()][-1] == "CreateTransformJob"
    assert json.loads(done)["state"] == "succeeded"
    assert done == got
    assert json.loads(run("list-batches", "--json", config=False))["name"] == "nightly"
    assert standin.jobs["nightly"]["TransformInput"]["SplitType"] == "Line"
    run("stop-batch", "--name", "nightly", config=False)
    run("delete-endpoint", "--endpoint", "shared", config=False)
    assert not standin.endpoints
