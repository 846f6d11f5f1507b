"""Records to plain values and back; strict JSON; YAML that cannot run code."""

import datetime as dt
import json
import math
from pathlib import Path

import numpy as np
import pytest

from mlcore.entities import (
    Batch,
    Dataset,
    DatasetInput,
    InputTag,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunStatus,
    RunTag,
)
from mlcore.errors import InvalidParameterError
from mlcore.wire.plain import dumps, structure, to_plain, unstructure
from mlcore.wire.yaml_text import dump_yaml, load_yaml

RUN = Run(
    RunInfo("a" * 32, "0", "calm-otter-1", "me", RunStatus.FINISHED, 1, 2, "file:///x"),
    RunData((Metric("m", math.inf, 5, -1),), {"p": "1"}, {"t": "2"}),
    RunInputs((DatasetInput(Dataset("d", "1234"), (InputTag("k", "v"),)),)),
)


def test_a_record_comes_back_from_json_as_it_was() -> None:
    text = json.dumps(unstructure(RUN), allow_nan=False)

    assert structure(json.loads(text), Run) == RUN


def test_nan_goes_over_the_wire_as_a_text() -> None:
    plain = unstructure(Batch((Metric("m", math.nan, 1),), (Param("p", "1"),), (RunTag("t", "2"),)))

    assert json.loads(json.dumps(plain))["metrics"][0]["value"] == "NaN"
    assert math.isnan(structure(plain, Batch).metrics[0].value)


def test_keys_that_are_not_known_are_passed_over() -> None:
    plain = {"key": "m", "value": "1.5", "timestamp": 7, "dataset_name": "from a newer client"}

    assert structure(plain, Metric) == Metric("m", 1.5, 7)


def test_every_fault_is_named_with_its_path() -> None:
    plain = {"metrics": [{"key": "m", "value": 1, "timestamp": 1}, {"key": "n", "value": [], "timestamp": "x"}]}

    with pytest.raises(InvalidParameterError, match=r"^invalid Batch: ") as caught:
        structure(plain, Batch)

    assert "$.metrics[1].value" in caught.value.message
    assert "$.metrics[1].timestamp" in caught.value.message


def test_of_many_faults_the_first_are_told_and_the_rest_counted() -> None:
    with pytest.raises(InvalidParameterError, match=r" and 3 more$"):
        structure({"metrics": [{"key": "m", "value": None, "timestamp": 1}] * 8}, Batch)


def test_whatever_people_log_becomes_plain() -> None:
    value = {
        1: {"b", "a"},
        "when": dt.date(2024, 2, 29),
        "path": Path("a/b"),
        "array": np.arange(3),
        "scalar": np.float32(0.5),
        "status": RunStatus.FAILED,
        "record": Param("p", "1"),
        "other": 1j,
        "nan": math.nan,
    }

    assert to_plain(value) == {
        "1": ["a", "b"],
        "when": "2024-02-29",
        "path": "a/b",
        "array": [0, 1, 2],
        "scalar": 0.5,
        "status": "FAILED",
        "record": {"key": "p", "value": "1"},
        "other": "1j",
        "nan": "NaN",
    }
    assert "NaN" in dumps(value)


def test_yaml_comes_back_as_it_was() -> None:
    value = {"b": [1, 2.5, None], "a": "grüße: #1"}

    assert load_yaml(dump_yaml(value), "x.yaml") == value


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [1", r"conda\.yaml is not valid YAML in line \d+, column \d+"),
        ("!!python/object/apply:os.system ['true']", "could not determine a constructor"),
    ],
)
def test_yaml_that_is_broken_or_would_run_code_is_refused(text: str, fault: str) -> None:
    with pytest.raises(InvalidParameterError, match=fault):
        load_yaml(text, "conda.yaml")
