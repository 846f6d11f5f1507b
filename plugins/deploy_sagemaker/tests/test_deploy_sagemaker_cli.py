from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import frozen
from sagemaker_standin import StandIn

from mlcore.cli import main
from mlcore.deployments import get_deploy_client

TARGET = "sagemaker:/eu-west-1"
ROLE = "execution_role_arn=arn:aws:iam::123456789012:role/SageMaker"
CHOSEN = ("-C", ROLE, "-C", "bucket=models", "-C", "image_url=image:1", "-C", "poll_seconds=0.01")


@frozen
class Done:
    code: int
    out: str
    err: str


Cli = Callable[..., Done]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], standin: StandIn) -> Cli:
    def run(*arguments: str) -> Done:
        capsys.readouterr()
        code = main(("deployments", *arguments))
        return Done(code, *capsys.readouterr())

    return run


def test_a_deployment_lives_its_life_on_the_command_line(
    cli: Cli, standin: StandIn, model_uri: str, other_model_uri: str, tmp_path: Path
) -> None:
    (tmp_path / "rows.json").write_text('{"inputs": [1.0]}')
    named = ("-t", TARGET, "--name", "sums")

    created = cli("create", *named, "-m", model_uri, *CHOSEN, "--json")
    listed = cli("list", "-t", TARGET, "--json")
    asked = cli("predict", *named, "-I", str(tmp_path / "rows.json"))
    updated = cli("update", *named, "-m", other_model_uri, *CHOSEN)
    got = cli("get", *named)
    deleted = cli("delete", *named, "-C", "poll_seconds=0.01")

    assert (json.loads(created.out)["state"], created.code) == ("ready", 0), created.err
    assert "deployment 'sums' is Creating after 0 s" in created.err
    assert json.loads(listed.out) == json.loads(created.out)
    assert json.loads(asked.out) == {"predictions": [2.0]}
    assert other_model_uri in updated.out
    assert got.out == updated.out
    assert (deleted.out, deleted.code) == ("", 0)
    assert not standin.endpoints


@pytest.mark.parametrize("spelling", [("plan", "create"), ("create", "--dry-run")])
def test_a_plan_is_a_line_of_json_for_each_call(
    cli: Cli, standin: StandIn, model_uri: str, spelling: tuple[str, ...]
) -> None:
    done = cli(*spelling, "-t", TARGET, "--name", "sums", "-m", model_uri, *CHOSEN)

    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["operation"] for line in lines if not line["reads"]] == [
        "PutObject",
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
    ]
    assert lines[-1]["arguments"]["EndpointName"] == "sums"
    assert standin.changes() == []


def test_an_error_is_one_line(cli: Cli) -> None:
    done = cli("get", "-t", TARGET, "--name", "never")

    assert (done.code, done.err) == (1, "error: no deployment 'never' in region eu-west-1\n")


def test_a_setting_of_the_config_is_given_once(cli: Cli) -> None:
    done = cli("delete", "-t", TARGET, "--name", "sums", "-C", "archive=1", "-C", "archive=0")

    assert done.code == 2
    assert "--config 'archive' is given twice" in done.err


def test_a_target_has_to_be_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = cli("list")
    monkeypatch.setenv("MLFLOW_DEPLOYMENTS_TARGET", TARGET)

    assert (refused.code, cli("list", "--json").code) == (2, 0)
    assert "name the target: --target, or the variable MLCORE_DEPLOYMENTS_TARGET" in refused.err


def test_the_client_speaks_as_mlflows_does(
    standin: StandIn, model_uri: str, other_model_uri: str, deploy_config: dict[str, object]
) -> None:
    client = get_deploy_client(TARGET)

    made = client.create_deployment("sums", model_uri, config=deploy_config)
    updated = client.update_deployment("sums", other_model_uri, config=deploy_config)
    answer = client.predict("sums", [1.0, 2.0])
    client.delete_deployment("sums", config=deploy_config)

    assert (made["name"], made["flavor"], made["EndpointStatus"]) == ("sums", "python_function", "InService")
    assert updated["model_uri"] == other_model_uri
    assert answer.get_predictions()[0].tolist() == [3.0, 6.0]
    assert client.list_deployments() == []
