from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlcore.deployments import (
    PredictionsResponse,
    get_deploy_client,
    get_deployments_target,
    set_deployments_target,
    target_name,
)
from mlcore.deployments.predictions import payload
from mlcore.errors import (
    CorruptStoreError,
    InvalidParameterError,
    NotFoundError,
    PluginNotFoundError,
    UnsupportedError,
)
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import Deployer
from mlcore.plugins import Plugins
from mlcore.testing.memory_deployer import MemoryDeployer
from mlcore.testing.memory_target import MemoryTarget

_MLMODEL = "flavors:\n  python_function:\n    loader_module: mlcore.testing.memory_flavor\n    data: model.json\n"


class MemoryPlugin:
    def __init__(self) -> None:
        self.target = MemoryDeployer()

    @hookimpl
    def deployer(self, name: str, target_uri: str) -> Deployer | None:
        return self.target if name == "memory" else None


@pytest.fixture
def plugins() -> Plugins:
    made = Plugins()
    made.register(MemoryPlugin(), "memory")
    return made


@pytest.fixture
def model_uri(tmp_path: Path) -> str:
    model = tmp_path / "model"
    model.mkdir()
    (model / "MLmodel").write_text(_MLMODEL)
    (model / "model.json").write_text(json.dumps({"slope": 2.0, "intercept": 1.0}))
    return model.as_uri()


@pytest.fixture(autouse=True)
def no_target(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("MLCORE_DEPLOYMENTS_TARGET", raising=False)
    monkeypatch.delenv("MLFLOW_DEPLOYMENTS_TARGET", raising=False)
    yield
    set_deployments_target(None)


@pytest.mark.parametrize("uri", ["memory", "memory:/a/b", "memory://host/x", "memory:eu-west-1"])
def test_a_target_is_named_by_what_stands_before_the_colon(uri: str) -> None:
    assert target_name(uri) == "memory"


def test_what_names_no_target_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"'/tmp' is no deployment target: expected a name"):
        target_name("/tmp")


def test_an_unknown_target_is_named_in_the_error(plugins: Plugins) -> None:
    with pytest.raises(PluginNotFoundError, match="'elsewhere'"):
        get_deploy_client("elsewhere:/x", plugins=plugins)


def test_without_a_target_there_is_no_client() -> None:
    assert get_deploy_client() is None
    with pytest.raises(InvalidParameterError, match="no deployments target is set: call set_deployments_target"):
        get_deployments_target()


def test_the_chosen_target_is_used_when_none_is_named(plugins: Plugins) -> None:
    set_deployments_target("memory:/here")

    client = get_deploy_client(plugins=plugins)

    assert client is not None
    assert client.target_uri == get_deployments_target() == "memory:/here"


def test_the_variable_of_mlflow_chooses_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_DEPLOYMENTS_TARGET", "memory")

    assert get_deployments_target() == "memory"


def test_answers_are_dicts_with_the_names_that_mlflow_uses(plugins: Plugins, model_uri: str) -> None:
    client = get_deploy_client("memory", plugins=plugins)

    made = client.create_deployment("sums", model_uri, flavor="python_function")

    assert made == {"name": "sums", "flavor": "python_function", "state": "ready", "model_uri": model_uri}
    assert client.get_deployment("sums") == made
    assert client.list_deployments() == [made]
    assert client.update_deployment("sums", config={})["name"] == "sums"
    client.delete_deployment("sums")
    with pytest.raises(NotFoundError, match="'sums'"):
        client.get_deployment("sums")


def test_predictions_come_back_as_the_wanted_kind(plugins: Plugins, model_uri: str) -> None:
    client = get_deploy_client("memory", plugins=plugins)
    client.create_deployment("sums", model_uri)

    answer = client.predict("sums", np.array([1.0, 2.0]))

    assert answer["predictions"] == [3.0, 5.0]
    assert answer.get_predictions("ndarray", "float32").dtype == np.float32
    assert answer.get_predictions()[0].tolist() == [3.0, 5.0]
    with pytest.raises(InvalidParameterError, match="'list': expected 'dataframe' or 'ndarray'"):
        answer.get_predictions("list")  # type: ignore[arg-type]  # what a caller without types may write


def test_a_data_frame_travels_with_its_columns_and_without_its_index() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[7, 8])

    body, kind = payload(frame)

    assert kind == "application/json"
    assert json.loads(body) == {"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"], [2, None]]}}


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ([1, 2], {"inputs": [1, 2]}),
        ({"a": [1]}, {"inputs": {"a": [1]}}),
        ({"instances": [1], "params": {"k": 1}}, {"instances": [1], "params": {"k": 1}}),
        ('{"inputs": [3]}', {"inputs": [3]}),
        (b"[4]", [4]),
    ],
)
def test_plain_inputs_get_the_key_that_they_lack(inputs: object, expected: object) -> None:
    assert json.loads(payload(inputs)[0]) == expected


def test_nothing_is_not_sent() -> None:
    with pytest.raises(InvalidParameterError, match="predict was called without inputs"):
        payload(None)


def test_an_answer_that_is_no_json_is_shown() -> None:
    with pytest.raises(CorruptStoreError, match="what is no JSON: b'<html>'"):
        PredictionsResponse.from_json(b"<html>")


def test_abilities_that_a_target_lacks_are_told(plugins: Plugins, model_uri: str) -> None:
    client = get_deploy_client("memory:/x", plugins=plugins)

    with pytest.raises(UnsupportedError, match="'memory:/x' cannot tell its calls in advance"):
        client.plan("create", "a", model_uri)
    with pytest.raises(UnsupportedError, match="'memory:/x' does not explain predictions"):
        client.explain("a", [1])
    with pytest.raises(UnsupportedError, match="cannot run locally: serve the model with `mlcore models serve`"):
        client.run_local("a", model_uri)
    with pytest.raises(UnsupportedError, match="has no endpoints apart from deployments; leave out endpoint='e'"):
        client.get_deployment("a", endpoint="e")
    with pytest.raises(UnsupportedError, match=r"'memory:/x' has no endpoints apart from deployments$"):
        client.list_endpoints()
    with pytest.raises(UnsupportedError, match="'memory:/x' has no batch predictions: send files with `predict`"):
        client.get_batch("a")
    with pytest.raises(UnsupportedError, match="cannot tell the calls of a batch prediction in advance"):
        client.plan_batch_predict("a", model_uri, "in", "out")


@pytest.fixture
def target(plugins: Plugins) -> MemoryTarget:
    class TargetPlugin:
        @hookimpl
        def deployer(self, name: str, target_uri: str) -> Deployer | None:
            return made if name == "target" else None

    made = MemoryTarget()
    plugins.register(TargetPlugin(), "target")
    return made


def test_an_endpoint_holds_deployments_under_the_names_that_mlflow_uses(
    plugins: Plugins, target: MemoryTarget, model_uri: str
) -> None:
    client = get_deploy_client("target", plugins=plugins)

    endpoint = client.create_endpoint("shared")
    made = client.create_deployment("sums", model_uri, endpoint="shared")
    answers = [client.predict("sums", [1.0], endpoint="shared"), client.predict(inputs=[1.0], endpoint="shared")]

    assert endpoint == {"name": "shared", "state": "ready"}
    assert client.list_endpoints() == [client.get_endpoint("shared")] == [client.update_endpoint("shared", config={})]
    assert client.list_deployments(endpoint="shared") == [client.get_deployment("sums", endpoint="shared")] == [made]
    assert client.list_deployments() == []
    assert [answer["predictions"] for answer in answers] == [[3.0], [3.0]]
    client.delete_deployment("sums", endpoint="shared")
    assert client.list_deployments("shared") == []
    client.delete_endpoint("shared")
    assert client.list_endpoints() == []


def test_files_are_predicted_without_a_deployment(
    plugins: Plugins, target: MemoryTarget, model_uri: str, tmp_path: Path
) -> None:
    client = get_deploy_client("target", plugins=plugins)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_text('{"inputs": [1.0]}')
    places = (tmp_path / "in").as_uri(), (tmp_path / "out").as_uri()

    done = client.batch_predict("nightly", model_uri, *places)

    assert (done["name"], done["state"], done["output_uri"]) == ("nightly", "succeeded", places[1])
    assert (tmp_path / "out" / "a.json.out").read_text() == '{"predictions": [3.0]}'
    assert client.list_batches() == [client.get_batch("nightly")] == [done]
    client.stop_batch("nightly")
