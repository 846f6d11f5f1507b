"""Whatever a client sends is answered, or refused with a status and a message that say what is wrong with it."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from mlcore.models.infer import infer_signature
from mlcore.models.pyfunc import load_model
from mlcore.models.saving import save_model
from mlcore.serving.app import create_app

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

JSON, CSV = "application/json", "text/csv"
ARROW, PARQUET = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"
DEEP = b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
TABLE = pa.table({"a": [1.0, 2.0], "b": [3, 4]})

Post = Callable[..., httpx.Response]


def added(model_input):
    return (model_input["a"] + model_input["b"]).to_numpy()


def summed(model_input):
    return model_input.sum(axis=(1, 2))


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Starlette]:
    folder = tmp_path_factory.mktemp("models")
    frame = pd.DataFrame({"a": [0.0, 1.5], "b": [1, 0]})
    save_model(added, folder / "columns", signature=infer_signature(frame))
    save_model(summed, folder / "tensor", signature=infer_signature(np.zeros((2, 2, 2), "float32")))
    return {name: create_app(load_model(folder / name, trust=True)) for name in ("columns", "tensor")}


@pytest.fixture(scope="module")
def post(apps: dict[str, Starlette]) -> Post:
    def send(body: bytes, kind: str = JSON, *, model: str = "columns", path: str = "/invocations") -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(apps[model])
            async with httpx.AsyncClient(transport=transport, base_url="http://model") as client:
                return await client.post(path, content=body, headers={"Content-Type": kind})

        return asyncio.run(ask())

    return send


def arrow(table: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def split(*rows: object, columns: tuple[str, ...] = ("a", "b")) -> bytes:
    return json.dumps({"dataframe_split": {"columns": columns, "data": rows}}).encode()


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"", JSON, "not valid JSON"),
        (DEEP, JSON, "nested too deeply"),
        (b'{"inputs": ' + b"9" * 5000 + b"}", JSON, "not valid JSON"),
        (b"\xff\xfe{}", JSON, "not UTF-8"),
        (b"null", JSON, "got null"),
        (b'{"inputs": [[1, 2]], "params": []}', JSON, "params must be a JSON object"),
        (b'{"inputs": [[1, 2]], "instances": []}', JSON, "exactly one of"),
        (b'{"dataframe_split": []}', JSON, "must be a JSON object with columns and data"),
        (b'{"dataframe_split": {"columns": ["a"], "rows": []}}', JSON, "got also 'rows'"),
        (b'{"dataframe_records": {"a": 1}}', JSON, "must be a list of objects"),
        (split([1.0, 2], [1.0]), JSON, "data[1] has 1 values, but there are 2 columns"),
        (split([1.0], columns=("a",)), JSON, "column 'b' is missing"),
        (split([1, 2, 3], columns=("a", "b", "a")), JSON, "column 'a' is there more than once"),
        (split([True, 2]), JSON, "column 'a'"),
        (split([1.0, 2.5]), JSON, "column 'b'"),
        (split([1.0, 10**20]), JSON, "column 'b'"),
        (split([1.0, {"x": 1}]), JSON, "column 'b'"),
        (b'{"inputs": {"a": [1, 2], "b": [1]}}', JSON, "differ in length"),
        (b'{"inputs": [[[1, 2]]]}', JSON, "expected"),
        (b'{"inputs": "x"}', JSON, "expected"),
        (b"", CSV, "not CSV"),
        (b"\x00\xff", CSV, "not CSV"),
        (b"a,b\nx,1\n", CSV, "column 'a'"),
        (b"a\n1\n", CSV, "column 'b' is missing"),
        (arrow(TABLE)[:100], ARROW, "cut off"),
        (arrow(TABLE)[:-40], ARROW, "cut off"),
        (b"PAR1 is no stream", ARROW, "not an Arrow IPC stream"),
        (arrow(pa.table({"a": ["x"], "b": [1]})), ARROW, "column 'a'"),
        (parquet(TABLE)[:-5], PARQUET, "cut off"),
        (b"", PARQUET, "not a parquet file"),
        (parquet(pa.table({"a": [1.0]})), PARQUET, "column 'b' is missing"),
    ],
)
def test_bad_requests_to_a_model_of_columns_are_told_what_is_wrong(
    post: Post, body: bytes, kind: str, said: str
) -> None:
    answer = post(body, kind)

    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert "the model failed" not in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"inputs": [[[1, 2]]]}', "expected shape (-1, 2, 2), got (1, 1, 2)"),
        (b'{"inputs": [[[1, 2], [3]]]}', "lists that make no array"),
        (b'{"inputs": [[["a", "b"], ["c", "d"]]]}', "expected float32"),
        (b'{"inputs": {"x": [1], "y": [2]}}', "expected"),
        (b'{"inputs": [[[1' + b"0" * 400 + b", 2], [3, 4]]]}", "that no float can hold"),
    ],
)
def test_bad_requests_to_a_model_of_tensors_are_told_what_is_wrong(post: Post, body: bytes, said: str) -> None:
    answer = post(body, model="tensor")

    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert "the model failed" not in answer.json()["message"]


@pytest.mark.parametrize(
    "tensor",
    [
        {"name": "a", "shape": [1, 2], "datatype": ["FP64"], "data": [1, 2]},
        {"name": ["a"], "shape": [1, 2], "datatype": "FP64", "data": [1, 2]},
        {"name": "a", "shape": [2**70, 2], "datatype": "FP64", "data": [1, 2]},
        {"name": "a", "shape": [1, 2], "datatype": "FP64", "data": [1, "x"]},
        {"name": "a", "shape": [1, 2], "datatype": "INT8", "data": [1, 1000]},
        7,
    ],
)
def test_tensors_of_no_known_form_are_told_what_is_wrong(post: Post, tensor: object) -> None:
    answer = post(json.dumps({"inputs": [tensor]}).encode(), path="/v2/models/model/infer")

    assert answer.status_code == 400
    assert "the model failed" not in answer.json()["error"]


def test_outputs_that_are_no_names_are_refused(post: Post) -> None:
    inputs = [{"name": "a", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}]

    answer = post(json.dumps({"inputs": inputs, "outputs": [[]]}).encode(), path="/v2/models/model/infer")

    assert answer.status_code == 400
    assert "the model has no output []" in answer.json()["error"]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.sampled_from([JSON, CSV, ARROW, PARQUET]), st.integers(0, 400))
def test_no_body_at_all_makes_the_server_fail(post: Post, noise: bytes, kind: str, at: int) -> None:
    whole = {JSON: split([1.0, 2]), CSV: b"a,b\n1,2\n", ARROW: arrow(TABLE), PARQUET: parquet(TABLE)}[kind]

    answer = post(whole[:at] + noise + whole[at + len(noise) :], kind)

    assert answer.status_code in (200, 400)


def test_columns_that_the_model_does_not_know_are_left_out_and_the_order_does_not_matter(post: Post) -> None:
    answer = post(split(["?", 2, 1.0], columns=("x", "b", "a")))

    assert answer.json() == {"predictions": [3.0]}


PLAIN = """
import asyncio, sys
import httpx, numpy
from mlcore.models.pyfunc import load_model
from mlcore.serving.app import create_app

app = create_app(load_model(sys.argv[1], trust=True))

async def ask(path, body):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://model") as client:
        answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
        print(answer.status_code, answer.text)

asyncio.run(ask("/invocations", '{"inputs": [[[1, 2], [3, 4]]]}'))
asyncio.run(ask("/invocations", '{"instances": [[[1, 2], [3, 4]], [[0, 0], [0, 1]]]}'))
tensor = '{"name": "x", "shape": [1, 2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]}'
asyncio.run(ask("/v2/models/model/infer", '{"id": "1", "inputs": [' + tensor + "]}"))
print(sorted({"pandas", "pyarrow"} & set(sys.modules)))
"""


def test_arrays_reach_a_model_of_tensors_without_pandas(tmp_path: Path) -> None:
    # by value, so that the other process needs no module of this one
    model = eval("lambda model_input: model_input.sum(axis=(1, 2))")  # of __main__, in a way
    save_model(model, tmp_path / "tensor", signature=infer_signature(np.zeros((2, 2, 2), "float32")))

    done = subprocess.run(
        [sys.executable, "-c", PLAIN, str(tmp_path / "tensor")], capture_output=True, text=True, check=True
    )

    first, second, third, modules = done.stdout.splitlines()
    assert first == '200 {"predictions":[10.0]}'
    assert second == '200 {"predictions":[10.0,1.0]}'
    assert '"data":[10.0]' in third
    assert modules == "[]"
