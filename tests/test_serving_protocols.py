"""Every way to ask a scoring server: legacy bodies, tables, the Open Inference Protocol, metrics, description, batches."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uvicorn
from sklearn.linear_model import LinearRegression
from starlette.applications import Starlette

from mlcore.models.infer import infer_signature
from mlcore.models.pyfunc import PyFuncModel, load_model
from mlcore.models.saving import save_model
from mlcore.serving.app import create_app, models_app, scoring_app
from mlcore.serving.batching import Batching, BatchingScorer
from mlcore.serving.metrics import Metrics
from mlcore.serving.payload import Payload
from mlcore.serving.served import Served, about, served
from mlcore.serving.server import Address, bind, url

ARROW = "application/vnd.apache.arrow.stream"
JSON = {"Content-Type": "application/json"}
FRAME = pd.DataFrame({"a": [1.0, 3.0], "b": [2, 4]})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> PyFuncModel:
    """A sum: prediction = a + b, where a is double and b long."""
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 5.0], "b": [1, 0, 3, 4]})
    fitted = LinearRegression().fit(frame, frame.a + frame.b)
    path = tmp_path_factory.mktemp("models") / "sum"
    save_model(fitted, path, signature=infer_signature(frame, fitted.predict(frame)))
    return load_model(path)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> PyFuncModel:
    """The mean of each image of 2 x 3 pixels."""
    path = tmp_path_factory.mktemp("models") / "images"
    example = np.zeros((4, 2, 3), np.float32)

    def mean(model_input: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> object:
        return model_input.mean(axis=(1, 2))

    from mlcore.models import pyfunc

    pyfunc.save_model(path, python_model=mean, signature=infer_signature(example, np.zeros(4, np.float32)))
    return load_model(path, trust=True)


@contextmanager
def serving(app: Starlette) -> Iterator[httpx.Client]:
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
def client(model: PyFuncModel, images: PyFuncModel) -> Iterator[httpx.Client]:
    with serving(models_app([served(model, "sum", "7"), served(images, "images")])) as opened:
        yield opened


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json; format=pandas-split", {"columns": ["a", "b"], "data": [[1.0, 2], [3.0, 4]]}),
        ("application/json", {"columns": ["a", "b"], "index": [0, 1], "data": [[1.0, 2], [3.0, 4]]}),
        ("application/json; format=pandas-records", [{"a": 1.0, "b": 2}, {"a": 3.0, "b": 4}]),
        ("application/json", [{"a": 1.0, "b": 2}, {"a": 3.0, "b": 4}]),
        ("application/json-numpy-split", [[1.0, 2], [3.0, 4]]),
    ],
)
def test_bodies_of_mlflow_1_are_answered_with_bare_predictions(
    client: httpx.Client, content_type: str, body: object
) -> None:
    answer = client.post("/invocations", content=json.dumps(body), headers={"Content-Type": content_type})

    assert (answer.status_code, answer.json()) == (200, pytest.approx([3.0, 7.0]))


def test_a_format_that_never_was_is_refused(client: httpx.Client) -> None:
    answer = client.post("/invocations", content="[]", headers={"Content-Type": "application/json; format=pandas-x"})

    assert answer.status_code == 415
    assert "format=pandas-split or pandas-records of MLflow 1.x" in answer.json()["message"]


def _stream(frame: pd.DataFrame) -> bytes:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def test_arrow_goes_in_and_comes_out(client: httpx.Client) -> None:
    headers = {"Content-Type": ARROW, "Accept": ARROW}

    answer = client.post("/invocations", content=_stream(FRAME), headers=headers)

    assert answer.headers["content-type"] == ARROW
    assert pa.ipc.open_stream(answer.content).read_all().column("predictions").to_pylist() == pytest.approx([3.0, 7.0])


def test_parquet_gives_the_same_predictions(client: httpx.Client) -> None:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(FRAME, preserve_index=False), out)

    answer = client.post(
        "/invocations", content=out.getvalue(), headers={"Content-Type": "application/vnd.apache.parquet"}
    )

    assert answer.json()["predictions"] == pytest.approx([3.0, 7.0])


@pytest.mark.parametrize("kept", [0, 1, 40, 200, -1])
def test_arrow_that_was_cut_off_is_refused(client: httpx.Client, kept: int) -> None:
    cut = _stream(FRAME)[:kept] if kept >= 0 else b"\xff" * 64

    answer = client.post("/invocations", content=cut, headers={"Content-Type": ARROW})

    assert answer.status_code == 400
    assert "is not an Arrow IPC stream, or was cut off" in answer.json()["message"]


def test_a_missing_column_of_arrow_is_named(client: httpx.Client) -> None:
    answer = client.post("/invocations", content=_stream(FRAME[["a"]]), headers={"Content-Type": ARROW})

    assert answer.status_code == 400
    assert "'b'" in answer.json()["message"]


def test_nan_is_null_or_a_text_as_the_caller_asks() -> None:
    class Strange:
        def score(self, _: Payload) -> object:
            return [float("nan"), float("-inf"), np.float64(1.5)]

    with serving(scoring_app(Strange())) as client:
        plain, named, wrong = (
            client.post(f"/invocations{query}", json={"inputs": []}) for query in ("", "?nan=text", "?nan=token")
        )

    assert plain.json()["predictions"] == [None, None, 1.5]
    assert named.json()["predictions"] == ["NaN", "-Infinity", 1.5]
    assert (wrong.status_code, "expected null or text" in wrong.json()["message"]) == (400, True)


def test_each_model_has_a_path_of_its_own(client: httpx.Client) -> None:
    one = client.post("/models/images/invocations", json={"inputs": np.ones((2, 2, 3)).tolist()})
    none = client.post("/models/nobody/invocations", json={"inputs": [1]})

    assert one.json() == {"predictions": [1.0, 1.0]}
    assert none.status_code == 404
    assert none.json()["message"] == "no model 'nobody' is served here: there are 'sum', 'images'"


def test_the_inference_protocol_tells_what_there_is(client: httpx.Client) -> None:
    assert client.get("/v2").json()["name"] == "mlcore"
    assert client.get("/v2/health/live").status_code == client.get("/v2/health/ready").status_code == 200
    assert client.get("/v2/models/sum/ready").json() == {"name": "sum", "ready": True}
    assert client.get("/v2/models/sum/versions/7").json() == {
        "name": "sum",
        "versions": ["7"],
        "platform": "mlcore_python_function",
        "inputs": [
            {"name": "a", "datatype": "FP64", "shape": [-1]},
            {"name": "b", "datatype": "INT64", "shape": [-1]},
        ],
        "outputs": [{"name": "predictions", "datatype": "FP64", "shape": [-1]}],
    }
    assert client.get("/v2/models/images").json()["inputs"] == [
        {"name": "input", "datatype": "FP32", "shape": [-1, 2, 3]}
    ]


@pytest.mark.parametrize("path", ["/v2/models/nobody", "/v2/models/sum/versions/8", "/v2/models/sum/versions/8/ready"])
def test_the_inference_protocol_knows_no_other_model_or_version(client: httpx.Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert "served here" in answer.json()["error"]


def _tensor(name: str, shape: list[int], datatype: str, data: object) -> dict[str, object]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


@pytest.mark.parametrize(
    "inputs",
    [
        [_tensor("a", [2], "FP64", [1.0, 3.0]), _tensor("b", [2], "INT64", [2, 4])],
        [_tensor("a", [2, 1], "FP32", [1.0, 3.0]), _tensor("b", [2, 1], "INT32", [[2], [4]])],
        [_tensor("x", [2, 2], "FP64", [1.0, 2.0, 3.0, 4.0])],
    ],
)
def test_tensors_become_the_columns_of_a_model(client: httpx.Client, inputs: object) -> None:
    answer = client.post("/v2/models/sum/infer", json={"id": "q", "inputs": inputs})

    assert answer.status_code == 200, answer.text
    (output,) = answer.json().pop("outputs")
    assert (answer.json()["id"], answer.json()["model_name"], answer.json()["model_version"]) == ("q", "sum", "7")
    assert (output["name"], output["datatype"], output["shape"]) == ("predictions", "FP64", [2])
    assert output["data"] == pytest.approx([3.0, 7.0])


def test_tensors_go_as_they_are_to_a_model_of_tensors(client: httpx.Client) -> None:
    image = _tensor("anything", [1, 2, 3], "FP32", [[[1, 2, 3], [4, 5, 6]]])

    answer = client.post("/v2/models/images/infer", json={"inputs": [image]})

    assert answer.json()["outputs"] == [_tensor("predictions", [1], "FP32", [3.5])]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([], "at least one input"),
        ({}, "expected a JSON object with the list inputs"),
        ([_tensor("a", [3], "FP64", [1.0])], "input 'a' is no FP64 tensor of shape [3]"),
        ([_tensor("a", [1], "FLOAT", [1.0])], "input 'a' has the datatype 'FLOAT': expected one of BOOL"),
        ([_tensor("a", [-1], "FP64", [1.0])], "input 'a' has the shape [-1]"),
        ([_tensor("a", [1], "INT8", [1000])], "input 'a' is no INT8 tensor"),
        ([_tensor("a", [1], "FP64", "x")], "input 'a' has no data"),
        ([{"name": ""}], "inputs[0] has no name"),
        ([7], "inputs[0] must be an object"),
    ],
)
def test_tensors_that_are_none_are_named(client: httpx.Client, inputs: object, said: str) -> None:
    answer = client.post("/v2/models/sum/infer", json={"inputs": inputs})

    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_outputs_are_chosen_by_name(client: httpx.Client) -> None:
    tensor = _tensor("x", [1, 2], "FP64", [1.0, 2.0])

    answer = client.post("/v2/models/sum/infer", json={"inputs": [tensor], "outputs": [{"name": "classes"}]})

    assert answer.json()["error"] == "the model has no output 'classes': there are 'predictions'"


def test_answers_are_counted_by_model_status_and_time(model: PyFuncModel) -> None:
    with serving(create_app(model)) as client:
        client.post("/invocations", json={"instances": [[1.0, 2]]})
        client.post("/invocations", json={"instances": [["x", 2]]})
        text = client.get("/metrics").text

    assert 'mlcore_requests_total{model="model",status="2xx"} 1\n' in text
    assert 'mlcore_requests_total{model="model",status="4xx"} 1\n' in text
    assert 'mlcore_request_seconds_bucket{model="model",le="+Inf"} 2\n' in text
    assert 'mlcore_request_seconds_count{model="model"} 2\n' in text


def test_processes_of_one_server_count_together() -> None:
    import os

    metrics = Metrics(["m"], processes=3)
    for _ in range(5):  # those after the third take the place of one that has ended
        child = os.fork()
        if child == 0:
            metrics.observe(0, 200, 0.2)
            os._exit(0)
        os.waitpid(child, 0)

    assert 'mlcore_requests_total{model="m",status="2xx"} 5' in metrics.text()


def test_the_description_names_the_columns_and_has_an_example_that_works(client: httpx.Client) -> None:
    described = client.get("/openapi.json").json()

    body = described["paths"]["/models/sum/invocations"]["post"]["requestBody"]["content"]["application/json"]
    records = body["schema"]["oneOf"][1]["properties"]["dataframe_records"]["items"]
    assert records["required"] == ["a", "b"]
    assert records["properties"]["b"] == {"type": "integer", "format": "int64"}
    for name in ("sum", "images"):
        path = f"/models/{name}/invocations"
        example = described["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
        assert client.post(path, json=example).status_code == 200


def test_the_page_to_try_the_model_runs_nothing_but_its_own_script(client: httpx.Client) -> None:
    page = client.get("/docs")

    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; connect-src 'self'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http://" not in page.text
    assert "https://" not in page.text


def test_requests_that_wait_for_the_model_are_predicted_together(model: PyFuncModel) -> None:
    sizes: list[int] = []

    class Noting(BatchingScorer):
        pass

    scorer = Noting(model, Batching(most_rows=64, wait_s=0.05))
    inner = scorer._scorer
    predict = inner.predict

    def noted(data: object, params: dict[str, object]) -> object:
        sizes.append(len(data))  # type: ignore[arg-type]  # a frame
        return predict(data, params)

    inner.predict = noted  # type: ignore[method-assign]  # to see what the model is asked
    with ThreadPoolExecutor(16) as pool:
        requests = [Payload("instances", [[float(i), i]] * (1 + i % 3)) for i in range(48)]
        answers = list(pool.map(scorer.score, requests))

    for i, answer in enumerate(answers):
        assert np.asarray(answer) == pytest.approx([2.0 * i] * (1 + i % 3))
    assert sum(sizes) == sum(1 + i % 3 for i in range(48))
    assert len(sizes) < 48
    assert max(sizes) <= 64


def test_a_bad_request_of_a_batch_fails_alone(model: PyFuncModel, tmp_path: Path) -> None:
    from mlcore.models import pyfunc

    def picky(model_input: pd.DataFrame) -> object:
        if (model_input.a < 0).any():
            raise ValueError("negative")
        return model_input.a * 2

    pyfunc.save_model(tmp_path / "picky", python_model=picky, signature=infer_signature(FRAME))
    scorer = BatchingScorer(load_model(tmp_path / "picky", trust=True), Batching(wait_s=0.05))
    with serving(models_app([Served("picky", scorer, about(model))])) as client, ThreadPoolExecutor(8) as pool:
        values = [1.0, -1.0, 2.0, 3.0, -2.0, 4.0]
        answers = list(pool.map(lambda v: client.post("/invocations", json={"instances": [{"a": v, "b": 1}]}), values))

    assert [a.status_code for a in answers] == [200, 400, 200, 200, 400, 200]
    assert "ValueError: negative" in answers[1].json()["message"]
