"""Requests of the REST protocol, as clients of thirteen years' releases write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcore.entities import RunStatus, ViewType
from mlcore.errors import InvalidParameterError
from mlcore.wire.messages import int64, read, read_query, write
from mlcore.wire.requests_tracking import (
    BatchMetric,
    CreateRun,
    LogBatch,
    LogMetric,
    RunId,
    SearchExperiments,
    SearchRuns,
    Tag,
    UpdateRun,
)

POINT = {"run_id": "r", "key": "k", "value": 1.5, "timestamp": 5}


def test_numbers_may_come_as_texts() -> None:
    request = read(LogMetric, POINT | {"value": "0.25", "timestamp": "1700000000000", "step": "-3"})

    assert (request.value, request.timestamp, request.step) == (0.25, 1_700_000_000_000, -3)


@pytest.mark.parametrize(("text", "value"), [("Infinity", math.inf), ("-Infinity", -math.inf)])
def test_infinities_come_as_texts(text: str, value: float) -> None:
    assert read(LogMetric, POINT | {"value": text}).value == value


def test_nan_comes_as_a_text_or_as_a_token() -> None:
    assert math.isnan(read(LogMetric, POINT | {"value": "NaN"}).value)
    assert math.isnan(read(LogMetric, POINT | {"value": math.nan}).value)


def test_a_run_may_be_named_by_its_old_field() -> None:
    assert read(RunId, {"run_uuid": "abc"}).run_id == "abc"
    assert read(RunId, {"run_id": "abc", "run_uuid": "abc"}).run_id == "abc"


def test_fields_may_be_written_in_camel_case() -> None:
    assert read(SearchRuns, {"experimentIds": ["1"], "maxResults": 5}) == SearchRuns(
        experiment_ids=("1",), max_results=5
    )


def test_both_spellings_of_one_field_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="specifies both 'max_results' and 'maxResults'"):
        read(SearchRuns, {"max_results": 1, "maxResults": 2})


def test_unknown_fields_are_ignored() -> None:
    assert read(RunId, {"run_id": "r", "color": "blue"}) == RunId(run_id="r")


def test_null_is_as_good_as_absent() -> None:
    assert read(UpdateRun, {"run_id": "r", "status": None, "end_time": None}) == UpdateRun(run_id="r")


@pytest.mark.parametrize("status", ["KILLED", 5, "5"])
def test_an_enum_comes_by_name_or_number(status: object) -> None:
    assert read(UpdateRun, {"run_id": "r", "status": status}).status is RunStatus.KILLED


@pytest.mark.parametrize("status", ["killed", "GONE", 0, 17, True, 2.5, ["KILLED"]])
def test_an_unknown_word_is_refused_with_those_that_are_known(status: object) -> None:
    with pytest.raises(InvalidParameterError, match=r"parameter 'status' supplied.*one of RUNNING, SCHEDULED"):
        read(UpdateRun, {"run_id": "r", "status": status})


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_text_is_missing(value: object) -> None:
    with pytest.raises(InvalidParameterError, match="Missing value for required parameter 'run_id'"):
        read(RunId, {"run_id": value})


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"metrics": [{"key": "a", "timestamp": 1}]}, r"metrics\[0\].value"),
        ({"metrics": [{"key": "a", "value": 1, "timestamp": 1}, {"value": 1, "timestamp": 1}]}, r"metrics\[1\].key"),
        ({"metrics": [{"key": "a", "value": True, "timestamp": 1}]}, r"metrics\[0\].value"),
        ({"metrics": [{"key": "a", "value": 1, "timestamp": 1.5}]}, r"metrics\[0\].timestamp"),
        ({"metrics": [{"key": "a", "value": 1, "timestamp": 2**63}]}, r"metrics\[0\].timestamp"),
        ({"metrics": {"key": "a"}}, "metrics"),
        ({"metrics": ["a"]}, r"metrics\[0\]"),
        ({"params": [{"value": "1"}]}, r"params\[0\].key"),
        ({"params": [{"key": "a", "value": 1}]}, r"params\[0\].value"),
    ],
)
def test_a_fault_is_named_with_its_path(given: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"parameter '{path}'"):
        read(LogBatch, {"run_id": "r", **given})


def test_a_body_that_is_no_object_counts_as_empty() -> None:
    with pytest.raises(InvalidParameterError, match="Missing value for required parameter 'run_id'"):
        read(RunId, ["run_id"])


def test_a_repeated_name_of_a_query_is_a_list() -> None:
    request = read_query(SearchExperiments, [("order_by", "name"), ("max_results", "5"), ("order_by", "creation_time")])

    assert (request.order_by, request.max_results) == (("name", "creation_time"), 5)


def test_a_query_knows_enums_by_number() -> None:
    assert read_query(SearchExperiments, [("view_type", "3")]).view_type is ViewType.ALL


def test_what_has_its_default_is_not_written() -> None:
    request = CreateRun(experiment_id="1", tags=(Tag(key="a", value="b"),))

    assert write(request) == {"experiment_id": "1", "tags": [{"key": "a", "value": "b"}]}


@given(
    st.floats(),
    st.integers(0, 2**63 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.text(min_size=1),
)
def test_what_is_written_is_read_again(value: float, timestamp: int, step: int, key: str) -> None:
    request = LogBatch(run_id="r", metrics=(BatchMetric(key=key, value=value, timestamp=timestamp, step=step),))

    found = read(LogBatch, write(request))

    assert repr(found) == repr(request)


@pytest.mark.parametrize("text", ["\uff11\uff12", "1_0", " 1", "+1", "1.0"])
def test_a_whole_number_as_text_has_the_digits_of_ascii_and_nothing_else(text: str) -> None:
    with pytest.raises(InvalidParameterError, match="expected a 64-bit integer"):
        int64(text, "timestamp")
