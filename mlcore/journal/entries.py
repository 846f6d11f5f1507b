"""Entries of a journal as payloads, and back."""

from __future__ import annotations

import json
from typing import Any

from attrs import asdict

from mlcore.entities import (
    Batch,
    Dataset,
    DatasetInput,
    Entry,
    InputsUse,
    InputTag,
    LifecycleStage,
    Metric,
    NewRun,
    Note,
    Param,
    Recorded,
    RunChange,
    RunCreation,
    RunStatus,
    RunTag,
    SpooledArtifact,
    TagRemoval,
)
from mlcore.journal.format import BOTH, JSON, JSON_LENGTH, POINT, POINTS, points

Json = dict[str, Any]  # Any: what JSON holds


def encode(recorded: Recorded, at: int) -> bytes:
    """Return the payload for an entry that is recorded at *at*, ms since the epoch."""
    if not isinstance(recorded, Batch):
        return bytes((JSON,)) + _dump({**_plain(recorded), "at": at})
    packed = b"".join([_packed(point) for point in recorded.metrics])
    if not (recorded.params or recorded.tags) and packed:
        return bytes((POINTS,)) + packed
    text = _dump({"batch": _names(recorded), "at": at})
    return JSON_LENGTH.pack(BOTH, len(text)) + text + packed


def decode(payload: bytes | memoryview, sequence: int, at: int) -> Entry:
    """Return the entry of a payload; *at* is that of the entry before, for entries that hold only points.

    Raises ValueError: the payload is sound, but says nothing that this version understands.
    """
    kind = payload[0]
    if kind == POINTS:
        return Entry(sequence, at, Batch(tuple([Metric(*point) for point in points(payload, 1)])))
    if kind == JSON:
        said = json.loads(bytes(payload[1:]))
        return Entry(sequence, int(said.pop("at", at)), _recorded(said))
    if kind == BOTH:
        _, length = JSON_LENGTH.unpack_from(payload)
        end = JSON_LENGTH.size + length
        said = json.loads(bytes(payload[JSON_LENGTH.size : end]))
        batch = said["batch"]
        names = [Param(key, value) for key, value in batch.get("params", ())]
        tags = [RunTag(key, value) for key, value in batch.get("tags", ())]
        measured = tuple([Metric(*point) for point in points(payload, end)])
        return Entry(sequence, int(said.get("at", at)), Batch(measured, tuple(names), tuple(tags)))
    raise ValueError(f"unknown kind of entry {kind}")


def _packed(point: Metric) -> bytes:
    key = point.key.encode()
    return POINT.pack(point.timestamp, point.step, point.value, len(key)) + key


def _dump(said: Json) -> bytes:
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _names(batch: Batch) -> Json:
    out: Json = {}
    if batch.params:
        out["params"] = [[param.key, param.value] for param in batch.params]
    if batch.tags:
        out["tags"] = [[tag.key, tag.value] for tag in batch.tags]
    return out


def _plain(recorded: Recorded) -> Json:
    match recorded:
        case RunCreation():
            out = {**asdict(recorded.new), "tags": dict(recorded.new.tags)}
            return {"run": out, "experiment_name": recorded.experiment_name}
        case RunChange():
            return {"change": {name: value for name, value in asdict(recorded).items() if value is not None}}
        case TagRemoval():
            return {"untag": recorded.key}
        case InputsUse():
            return {"inputs": [asdict(used) for used in recorded.inputs]}
        case SpooledArtifact():
            return {"artifact": asdict(recorded)}
        case Note():
            return {"note": recorded.name, "data": dict(recorded.data)}
    raise TypeError(f"a journal cannot hold {recorded!r}")


def _recorded(said: Json) -> Recorded:
    if "run" in said:
        return RunCreation(NewRun(**said["run"]), said.get("experiment_name"))
    if "change" in said:
        change = dict(said["change"])
        status, stage = change.pop("status", None), change.pop("lifecycle_stage", None)
        return RunChange(RunStatus(status) if status else None, lifecycle_stage=_stage(stage), **change)
    if "untag" in said:
        return TagRemoval(said["untag"])
    if "inputs" in said:
        return InputsUse(tuple([_input(used) for used in said["inputs"]]))
    if "artifact" in said:
        return SpooledArtifact(**said["artifact"])
    if "note" in said:
        return Note(said["note"], said.get("data", {}))
    return Note("unknown", said)


def _stage(given: str | None) -> LifecycleStage | None:
    return LifecycleStage(given) if given else None


def _input(given: Json) -> DatasetInput:
    return DatasetInput(Dataset(**given["dataset"]), tuple([InputTag(**tag) for tag in given["tags"]]))
