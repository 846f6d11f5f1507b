from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
import uvicorn
from sklearn.linear_model import LinearRegression
from starlette.applications import Starlette

from mlcore import __version__
from mlcore.models.infer import infer_signature
from mlcore.models.pyfunc import PyFuncModel, load_model
from mlcore.models.saving import save_model
from mlcore.models.schema import ColSpec, DataType, ModelSignature, ParamSchema, ParamSpec, Schema
from mlcore.serving.app import Limits, create_app, scoring_app
from mlcore.serving.payload import Payload
from mlcore.serving.server import Address, bind, url

JSON = {"Content-Type": "application/json"}
SPLIT = {"dataframe_split": {"columns": ["a", "b"], "data": [[1.0, 2], [3.0, 4]]}}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PyFuncModel:
    """A sum: prediction = a + b, where a is double and b long."""
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 5.0], "b": [1, 0, 3, 4]})
    fitted = LinearRegression().fit(frame, frame.a + frame.b)
    path = tmp_path_factory.mktemp("models") / "sum"
    save_model(fitted, path, signature=infer_signature(frame, fitted.predict(frame)))
    return load_model(path)


@contextmanager
def serving(app: Starlette) -> Iterator[httpx.Client]:
    """Serve on a free port of this machine; yield a client of it."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
    with bind(Address(port=0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with httpx.Client(base_url=url(listening), timeout=20, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def client(model: PyFuncModel) -> Iterator[httpx.Client]:
    with serving(create_app(model)) as opened:
        yield opened


def predictions(client: httpx.Client, body: object) -> object:
    answer = client.post("/invocations", content=json.dumps(body), headers=JSON)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()["predictions"]


def fault(client: httpx.Client, body: str | bytes, status: int = 400, content_type: str = "application/json") -> str:
    answer = client.post("/invocations", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error_code", "message"}
    message: str = answer.json()["message"]
    return message


@pytest.mark.parametrize("path", ["/ping", "/health"])
def test_a_server_that_runs_is_healthy(client: httpx.Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer.text) == (200, "\n")


def test_the_routes_of_a_sagemaker_container_are_there(client: httpx.Client) -> None:
    headers = {"Content-Type": "text/csv", "Accept": "*/*", "X-Amzn-SageMaker-Custom-Attributes": "trace=1"}

    ping, answer = client.get("/ping"), client.post("/invocations", content="a,b\n1.0,2\n", headers=headers)

    assert (ping.status_code, ping.headers["content-type"]) == (200, "application/json")
    assert answer.json()["predictions"] == pytest.approx([3.0])


def test_the_version_is_told(client: httpx.Client) -> None:
    assert client.get("/version").text == __version__


@pytest.mark.parametrize(
    "body",
    [
        SPLIT,
        {"dataframe_split": {"columns": ["b", "x", "a"], "data": [[2, "?", 1], [4, None, 3]]}},
        {"dataframe_split": {"columns": ["a", "b"], "index": [7, 8], "data": [[1, 2], [3, 4]]}},
        {"dataframe_records": [{"a": 1, "b": 2}, {"b": 4, "a": 3, "c": 0}]},
        {"instances": [[1, 2], [3, 4]]},
        {"instances": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]},
        {"inputs": {"a": [1, 3], "b": [2, 4]}},
        {"inputs": [[1, 2], [3, 4]]},
    ],
)
def test_every_shape_of_the_protocol_gives_the_same_predictions(client: httpx.Client, body: object) -> None:
    assert predictions(client, body) == pytest.approx([3.0, 7.0])


def test_csv_gives_the_same_predictions(client: httpx.Client) -> None:
    answer = client.post(
        "/invocations", content="b,a\n2,1.0\n4,3.0\n", headers={"Content-Type": "text/csv; charset=utf-8"}
    )

    assert answer.json()["predictions"] == pytest.approx([3.0, 7.0])


def test_a_missing_column_is_named_with_what_is_expected(client: httpx.Client) -> None:
    message = fault(client, '{"dataframe_records": [{"a": 1.0, "c": 2}]}')

    assert "column 'b' is missing (expected long)" in message


def test_a_wrong_type_is_named_with_column_expected_and_got(client: httpx.Client) -> None:
    message = fault(client, '{"dataframe_split": {"columns": ["a", "b"], "data": [["x", 2]]}}')

    assert "column 'a'" in message
    assert "double" in message
    assert "'x'" in message


def test_a_fraction_is_no_long(client: httpx.Client) -> None:
    assert "column 'b'" in fault(client, '{"dataframe_split": {"columns": ["a", "b"], "data": [[1.0, 2.5]]}}')


def test_all_faults_are_listed_at_once(client: httpx.Client) -> None:
    message = fault(client, '{"dataframe_split": {"columns": ["a", "b"], "data": [["x", 2.5]]}}')

    assert "column 'a'" in message
    assert "column 'b'" in message


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        ("{", "application/json", 400, "the request is not valid JSON: "),
        ("[]", "application/json", 400, "exactly one of dataframe_split, dataframe_records, instances, inputs"),
        ('{"inputs": [], "instances": []}', "application/json", 400, "got the keys 'inputs', 'instances'"),
        ("a,b\n1", "text/plain", 415, "unsupported Content-Type 'text/plain'"),
        ("", "text/csv", 400, "not CSV"),
        ("{}", "application/json; charset=latin-1", 415, "unsupported charset"),
    ],
)
def test_requests_that_cannot_be_read_are_refused(
    client: httpx.Client, body: str, content_type: str, status: int, message: str
) -> None:
    assert message in fault(client, body, status, content_type)


def test_a_request_without_a_content_type_is_refused(client: httpx.Client) -> None:
    assert client.post("/invocations", content=b"{}").status_code == 415


def test_other_methods_and_paths_are_told_what_there_is(client: httpx.Client) -> None:
    wrong_method, wrong_path = client.get("/invocations"), client.post("/predict")

    assert (wrong_method.status_code, wrong_method.json()["error_code"]) == (405, "BAD_REQUEST")
    assert (wrong_path.status_code, wrong_path.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
    assert "POST /invocations" in wrong_path.json()["message"]


@pytest.mark.parametrize("is_told", [True, False])
def test_a_body_over_the_limit_is_refused_whether_its_length_is_told_or_not(model: PyFuncModel, is_told: bool) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    with serving(create_app(model, Limits(max_body_bytes=1000))) as client:
        body = b"x" * 2000 if is_told else chunks()
        answer = client.post("/invocations", content=body, headers=JSON)

    assert answer.status_code == 413
    assert "this server takes at most 1000" in answer.json()["message"]


def test_a_body_at_the_limit_is_read(model: PyFuncModel) -> None:
    body = json.dumps(SPLIT).encode()

    with serving(create_app(model, Limits(max_body_bytes=len(body)))) as client:
        assert client.post("/invocations", content=body, headers=JSON).status_code == 200


class Function:
    """A scorer of one function, for what real models seldom do."""

    def __init__(self, answer: object = None, *, seconds: float = 0.0, error: Exception | None = None) -> None:
        self.answer, self.seconds, self.error = answer, seconds, error

    def score(self, request: Payload) -> object:
        time.sleep(self.seconds)
        if self.error:
            raise self.error
        return self.answer if self.answer is not None else request.data


def test_a_model_that_fails_is_a_bad_request_without_a_traceback() -> None:
    with serving(scoring_app(Function(error=ZeroDivisionError("by zero")))) as client:
        message = fault(client, '{"inputs": [1]}')

    assert message.startswith("the model failed to predict: ZeroDivisionError: by zero")
    assert "Traceback" not in message


def test_the_traceback_is_told_on_request_only() -> None:
    with serving(scoring_app(Function(error=ZeroDivisionError("by zero")), debug=True)) as client:
        answer = client.post("/invocations", content='{"inputs": [1]}', headers=JSON).json()

    assert "ZeroDivisionError: by zero" in answer["stack_trace"]
    assert "Traceback" in answer["stack_trace"]


def test_a_prediction_that_is_no_number_is_null() -> None:
    with serving(scoring_app(Function(np.array([1.0, np.nan, math.inf])))) as client:
        answer = client.post("/invocations", content='{"inputs": [1]}', headers=JSON)

    assert answer.content == b'{"predictions":[1.0,null,null]}'


def test_a_prediction_that_json_cannot_hold_is_told() -> None:
    with serving(scoring_app(Function(1j))) as client:
        assert "a prediction of type complex cannot be written as JSON" in fault(client, '{"inputs": [1]}')


def test_a_model_that_takes_too_long_is_given_up() -> None:
    with serving(scoring_app(Function(seconds=0.4), Limits(timeout_s=0.05))) as client:
        answer = client.post("/invocations", content='{"inputs": [1]}', headers=JSON)

    assert (answer.status_code, answer.json()["error_code"]) == (504, "DEADLINE_EXCEEDED")
    assert "did not answer within 0.05 s" in answer.json()["message"]


def test_health_is_answered_while_the_model_is_busy() -> None:
    with serving(scoring_app(Function(seconds=0.5), Limits(threads=1))) as client, ThreadPoolExecutor() as pool:
        slow = pool.submit(client.post, "/invocations", content='{"inputs": [1]}', headers=JSON)
        time.sleep(0.1)

        start = time.perf_counter()
        answer = client.get("/health")

        assert answer.status_code == 200
        assert time.perf_counter() - start < 0.3
        assert slow.result().status_code == 200


# params and optional columns


def times(model_input: pd.DataFrame, params: Mapping[str, float] | None = None) -> object:
    return model_input["x"] * (params or {})["factor"]


@pytest.fixture
def scaling(tmp_path: Path) -> Iterator[httpx.Client]:
    signature = ModelSignature(
        inputs=Schema([ColSpec(DataType.double, "x"), ColSpec(DataType.long, "n", required=False)]),
        params=ParamSchema([ParamSpec("factor", DataType.double, 2.0)]),
    )
    save_model(times, tmp_path / "scaling", signature=signature)
    with serving(create_app(load_model(tmp_path / "scaling", trust=True))) as opened:
        yield opened


def test_params_have_their_defaults(scaling: httpx.Client) -> None:
    assert predictions(scaling, {"inputs": {"x": [1, 2]}}) == [{"x": 2.0}, {"x": 4.0}]


def test_params_are_passed_on(scaling: httpx.Client) -> None:
    assert predictions(scaling, {"inputs": {"x": [1]}, "params": {"factor": 10}}) == [{"x": 10.0}]


def test_a_param_of_the_wrong_type_is_named(scaling: httpx.Client) -> None:
    message = fault(scaling, '{"inputs": {"x": [1]}, "params": {"factor": "ten"}}')

    assert "param 'factor'" in message


def test_an_integer_column_may_have_missing_values(scaling: httpx.Client) -> None:
    body = {"dataframe_split": {"columns": ["x", "n"], "data": [[1.0, 1], [2.0, None]]}}

    assert predictions(scaling, body) == [{"x": 2.0}, {"x": 4.0}]
