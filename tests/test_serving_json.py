from __future__ import annotations

import contextlib
import datetime as dt
import json
import math
from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcore.errors import BadRequestError, InvalidParameterError
from mlcore.serving import payload, strict_json
from mlcore.serving.payload import UnsupportedContentTypeError


def refuse(token: str) -> object:
    raise AssertionError(f"{token} is not JSON")


def strictly(text: bytes) -> object:
    return json.loads(text, parse_constant=refuse)


@pytest.fixture(params=["with orjson", "standard library"])
def _writer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "standard library":
        monkeypatch.setitem(__import__("sys").modules, "orjson", None)
    monkeypatch.setattr(strict_json, "_loads", strict_json._writers()[0])
    monkeypatch.setattr(strict_json, "_dumps", strict_json._writers()[1])
    return iter(())


pytestmark = pytest.mark.usefixtures("_writer")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([1.5, math.nan, math.inf, -math.inf], [1.5, None, None, None]),
        (np.array([1.0, np.nan, np.inf]), [1.0, None, None]),
        (np.array([[1, 2], [3, 4]], dtype=np.int32), [[1, 2], [3, 4]]),
        (np.arange(6).reshape(2, 3).T, [[0, 3], [1, 4], [2, 5]]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([None, "x", math.nan], dtype=object), [None, "x", None]),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.array(["2024-02-29T12:00:00"], dtype="datetime64[s]"), ["2024-02-29T12:00:00"]),
        (pd.DataFrame({"p": [0.5, np.nan], "c": ["a", None]}), [{"p": 0.5, "c": "a"}, {"p": None, "c": None}]),
        (pd.DataFrame({"n": pd.array([1, None], dtype="Int64")}), [{"n": 1}, {"n": None}]),
        (pd.Series([1, 2], name="y"), [{"y": 1}, {"y": 2}]),
        (pd.Series([1.0, np.nan]), [{"0": 1.0}, {"0": None}]),
        (pd.Timestamp("2024-02-29T12:00:00"), "2024-02-29T12:00:00"),
        (dt.date(2024, 2, 29), "2024-02-29"),
        (b"\x00\xff", "AP8="),
        (Decimal("1.5"), 1.5),
        (2**80, 2**80),
        ({1: "a", "b": {2.5}}, {"1": "a", "b": [2.5]}),
        ({"deep": [np.array([np.nan]), (pd.NA, pd.NaT)]}, {"deep": [[None], [None, None]]}),
        ("é\u2028\x00", "é\u2028\x00"),
        (None, None),
    ],
)
def test_whatever_models_return_is_strict_json(value: object, expected: object) -> None:
    assert strictly(strict_json.dumps(value)) == expected


def test_a_value_that_json_cannot_hold_is_named() -> None:
    with pytest.raises(TypeError, match="a prediction of type complex cannot be written as JSON"):
        strict_json.dumps({"predictions": [1j]})


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_any_plain_value_is_strict_json(value: object) -> None:
    strictly(strict_json.dumps(value))


def test_nan_that_clients_write_is_read() -> None:
    read = strict_json.loads(b'{"inputs": [1.0, NaN, Infinity]}')

    assert isinstance(read, dict)
    assert math.isnan(read["inputs"][1])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"inputs": [1,}', r"not valid JSON: .* at line 1, column 15, near"),
        (b"", r"not valid JSON: expecting value at line 1, column 1"),
        (b'{"inputs": "\xff"}', r"not UTF-8 text: byte 12 is 0xff"),
        (b"[" * 100_000, r"not usable JSON: it is nested too deeply"),
    ],
)
def test_what_is_not_json_is_told_with_its_place(body: bytes, message: str) -> None:
    with pytest.raises(BadRequestError, match=message):
        strict_json.loads(body)


@pytest.mark.parametrize(
    "header", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_is_recognised(header: str) -> None:
    assert payload.content_kind(header) == "json"


def test_csv_is_recognised() -> None:
    assert payload.content_kind("text/csv; charset=utf-8") == "csv"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "the request has no Content-Type: expected application/json, text/csv"),
        ("text/plain", "unsupported Content-Type 'text/plain': expected application/json, text/csv"),
        ("application/json; charset=latin-1", "unsupported charset in Content-Type"),
        ("application/json; format=pandas-x", "unsupported Content-Type parameter 'format'"),
    ],
)
def test_other_content_types_are_refused(header: str | None, message: str) -> None:
    with pytest.raises(UnsupportedContentTypeError, match=message) as caught:
        payload.content_kind(header)

    assert caught.value.status == 415


def test_rows_are_taken_apart() -> None:
    read = payload.read("json", b'{"dataframe_split": {"columns": ["a", "b"], "index": [5], "data": [[1, 2.5]]}}')

    assert (read.kind, read.columns, read.data) == ("dataframe_split", ["a", "b"], [[1, 2.5]])


def test_params_are_taken_apart() -> None:
    read = payload.read("json", b'{"inputs": [1], "params": {"top": 3}}')

    assert (read.kind, read.data, read.params) == ("inputs", [1], {"top": 3})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[]", "expected a JSON object with exactly one of dataframe_split, .*; got a list"),
        ("3", "got a number"),
        ("{}", "got the keys of an empty object"),
        ('{"inputs": [1], "instances": [1]}', "got the keys 'inputs', 'instances'"),
        ('{"inputs": [1], "parameters": {}}', "got the keys 'inputs', 'parameters'"),
        ('{"inputs": [1], "params": [1]}', "params must be a JSON object, got a list"),
        ('{"dataframe_split": [[1]]}', "dataframe_split must be a JSON object with columns and data, got a list"),
        ('{"dataframe_split": {"columns": ["a"]}}', "dataframe_split has no data"),
        ('{"dataframe_split": {"data": [[1]], "dtypes": []}}', "got also 'dtypes'"),
        ('{"dataframe_split": {"data": [1]}}', r"dataframe_split.data\[0\] is a number: expected a list of lists"),
        ('{"dataframe_split": {"columns": [1], "data": [[1]]}}', r"columns\[0\] is a number: expected a list of texts"),
        (
            '{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [3]]}}',
            r"dataframe_split.data\[1\] has 1 values, but there are 2 columns",
        ),
        ('{"dataframe_records": {"a": 1}}', "dataframe_records must be a list of objects, got an object"),
        ('{"dataframe_records": [{"a": 1}, null]}', r"dataframe_records\[1\] is null: expected a list of objects"),
    ],
)
def test_requests_of_another_shape_are_refused(body: str, message: str) -> None:
    with pytest.raises((BadRequestError, InvalidParameterError), match=message) as caught:
        payload.read("json", body.encode())

    assert caught.value.status == 400


@given(json_values)
def test_any_json_is_read_or_refused_cleanly(value: object) -> None:
    with contextlib.suppress(BadRequestError, InvalidParameterError):
        payload.read("json", json.dumps(value).encode())
