"""Stretches of journals as JSON."""

from __future__ import annotations

import json
import math

import pytest

from mlcore.entities import (
    Batch,
    Dataset,
    DatasetInput,
    Entry,
    InputsUse,
    InputTag,
    LifecycleStage,
    Metric,
    Note,
    Param,
    RunChange,
    RunStatus,
    RunTag,
    TagRemoval,
)
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.wire.messages import read
from mlcore.wire.replay_json import entries_in, refusals_in, refusals_out, replay_out
from mlcore.wire.requests_replay import Replay

USED = DatasetInput(Dataset("d", "1", "local", "{}", None, "p"), (InputTag("context", "train"),))
ENTRIES = [
    Entry(0, 5, Batch((Metric("a", 1.5, 1, -(2**63)), Metric("b", -math.inf, 2**63 - 1, 2**63 - 1)))),
    Entry(7, 5, Batch()),
    Entry(8, 6, Batch((Metric("a", 3.0, 0),), (Param("p", "ß\n"),), (RunTag("t", ""),))),
    Entry(30, 6, RunChange(RunStatus.FAILED, 9, "näme", LifecycleStage.DELETED)),
    Entry(31, 6, RunChange()),
    Entry(32, 7, TagRemoval("t")),
    Entry(2**60, 7, InputsUse((USED,))),
]


def request(**fields: object) -> Replay:
    return read(Replay, {"run_id": "r", "writer": "w", **fields})


def sent(entries: list[Entry]) -> Replay:
    return read(Replay, json.loads(json.dumps(replay_out("r", "w", entries), allow_nan=False)))


def test_entries_of_all_kinds_come_back() -> None:
    found = sent(ENTRIES)

    assert (found.run_id, found.writer) == ("r", "w")
    assert entries_in(found) == (ENTRIES, [])
    assert entries_in(sent([])) == ([], [])


def test_nan_comes_back() -> None:
    (found,), _ = entries_in(sent([Entry(1, 1, Batch((Metric("a", math.nan, 1),)))]))

    assert isinstance(found.recorded, Batch)
    assert math.isnan(found.recorded.metrics[0].value)


def test_a_thousand_points_of_one_metric_take_less_than_forty_bytes_each() -> None:
    points = [Entry(n, 0, Batch((Metric("loss", n / 8, 1_700_000_000_000 + n, n),))) for n in range(1000)]
    merged = Entry(1, 0, Batch(tuple(point for entry in points for point in entry.recorded.metrics)))  # type: ignore[union-attr]  # they are batches

    text = json.dumps(replay_out("r", "w", [merged]), separators=(",", ":"))

    assert len(text) < 40_000


def test_what_no_store_may_be_given_is_refused_alone() -> None:
    bad = [Entry(1, 1, Batch((Metric("..", 1.0, 1),))), Entry(2, 1, Batch((Metric("a", 1.0, -1),)))]

    entries, refused = entries_in(sent([*bad, Entry(3, 1, Batch((Metric("a", 1.0, 1),)))]))

    assert [entry.sequence for entry in entries] == [3]
    assert [(at, type(error)) for at, error in refused] == [(1, InvalidParameterError), (2, InvalidParameterError)]
    assert "timestamp of metric 'a'" in str(refused[1][1])


def test_refusals_come_back() -> None:
    ((at, error),) = refusals_in(refusals_out([(7, NotFoundError("no such thing"))]))

    assert (at, type(error), str(error)) == (7, NotFoundError, "no such thing")


def test_a_kind_that_stores_do_not_take_is_refused_here() -> None:
    with pytest.raises(TypeError, match="cannot replay Note"):
        replay_out("r", "w", [Entry(1, 1, Note("n"))])


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"sequences": [1], "counts": [2], "keys": ["a"], "metrics": [0]},
            "column 'metrics': it has 1 values, expected 2",
        ),
        ({"sequences": [1, 2], "counts": [1]}, "column 'metrics': it has 0 values, expected 1"),
        ({"sequences": [1, 2], "counts": [0]}, "column 'counts': it has 1 values, expected 2"),
        ({"sequences": [1, 2], "at": [0]}, "column 'at': it has 1 values, expected 2"),
        ({"sequences": [2, 2]}, "each has to be greater"),
        ({"sequences": [-1]}, "may not be negative"),
        ({"sequences": [1], "more": [{"entry": 1, "untag": "t"}]}, "number of an entry: expected 0 to 0"),
        (
            {
                "sequences": [1],
                "counts": [1],
                "metrics": [1],
                "values": [1],
                "timestamps": [1],
                "steps": [1],
                "keys": ["a"],
            },
            "expected numbers from 0 to 0",
        ),
        ({"writer": "w" * 251}, "invalid writer"),
        ({"writer": "a\nb"}, "invalid writer"),
    ],
)
def test_columns_that_do_not_fit_are_refused(fields: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidParameterError, match=told):
        entries_in(request(**fields))
