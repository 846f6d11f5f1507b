"""Stretches of journals as the JSON of the REST protocol, and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from mlcore.entities import (
    Batch,
    Dataset,
    DatasetInput,
    Entry,
    InputsUse,
    InputTag,
    Metric,
    Recorded,
    RunChange,
    TagRemoval,
)
from mlcore.errors import InvalidParameterError, MlcoreError, from_code
from mlcore.wire import limits
from mlcore.wire.messages import number_out
from mlcore.wire.requests_replay import ChangeFields, EntryFields, Replay
from mlcore.wire.requests_tracking import DatasetUse
from mlcore.wire.tracking_json import Json, dataset_input_out

WRITER_LENGTH = 250


def replay_out(run_id: str, writer: str, entries: Sequence[Entry]) -> Json:
    """Return entries as JSON values."""
    keys: dict[str, int] = {}
    points: list[Metric] = []
    counts: list[int] = []
    more: list[Json] = []
    for number, entry in enumerate(entries):
        recorded = entry.recorded
        measured = recorded.metrics if isinstance(recorded, Batch) else ()
        counts.append(len(measured))
        points += measured
        said = _more_out(recorded)
        if said:
            more.append({"entry": number, **said})
    out: Json = {
        "run_id": run_id,
        "writer": writer,
        "sequences": [entry.sequence for entry in entries],
        "at": [entry.at for entry in entries],
    }
    if points:
        out["counts"] = counts
        out["metrics"] = [keys.setdefault(point.key, len(keys)) for point in points]
        out["keys"] = list(keys)
        finite = math.isfinite
        out["values"] = [point.value if finite(point.value) else number_out(point.value) for point in points]
        out["timestamps"] = [point.timestamp for point in points]
        out["steps"] = [point.step for point in points]
    if more:
        out["more"] = more
    return out


def entries_in(request: Replay) -> tuple[list[Entry], list[tuple[int, MlcoreError]]]:
    """Return the entries of a request, and those that no store may be given, with the reason.

    Raises InvalidParameterError: the columns do not fit each other, or the sequences do not rise.
    """
    _check_columns(request)
    points = _points(request)
    more = {said.entry: said for said in request.more}
    entries: list[Entry] = []
    refused: list[tuple[int, MlcoreError]] = []
    counts = request.counts or (0,) * len(request.sequences)
    moments = request.at or (0,) * len(request.sequences)
    start = 0
    for number, (sequence, at, count) in enumerate(zip(request.sequences, moments, counts, strict=True)):
        measured = points[start : start + count]
        start += count
        said = more.get(number)
        try:
            recorded = Batch(_sound(measured)) if said is None else _recorded(said, measured)
        except InvalidParameterError as err:
            refused.append((sequence, err))
        else:
            entries.append(Entry(sequence, at, recorded))
    return entries, refused


def refusals_out(refused: Iterable[tuple[int, MlcoreError]]) -> list[Json]:
    """Return refusals as JSON values."""
    return [{"sequence": at, "error_code": err.code, "message": err.message} for at, err in refused]


def refusals_in(given: Iterable[Json] | None) -> list[tuple[int, MlcoreError]]:
    """Return the refusals that JSON values tell of."""
    return [(int(one["sequence"]), from_code(one["error_code"], one["message"])) for one in given or ()]


def _more_out(recorded: Recorded) -> Json:
    match recorded:
        case Batch():
            out: Json = {}
            if recorded.params:
                out["params"] = [{"key": param.key, "value": param.value} for param in recorded.params]
            if recorded.tags:
                out["tags"] = [{"key": tag.key, "value": tag.value} for tag in recorded.tags]
            return out
        case RunChange():
            said = {
                "status": recorded.status,
                "end_time": recorded.end_time,
                "run_name": recorded.run_name,
                "lifecycle_stage": recorded.lifecycle_stage,
            }
            return {"change": {name: value for name, value in said.items() if value is not None}}
        case TagRemoval():
            return {"untag": recorded.key}
        case InputsUse():
            return {"inputs": [dataset_input_out(used) for used in recorded.inputs]}
    raise TypeError(f"cannot replay {recorded!r}: expected a Batch, RunChange, TagRemoval or InputsUse")


def _check_columns(request: Replay) -> None:
    if len(request.writer) > WRITER_LENGTH or not request.writer.isprintable():
        raise InvalidParameterError(
            f"invalid writer {request.writer[:80]!r}: expected 1 to {WRITER_LENGTH} printable characters"
        )
    if min(request.counts, default=0) < 0 or min(request.sequences, default=0) < 0:
        raise InvalidParameterError("invalid counts or sequences: they may not be negative")
    entries, points = len(request.sequences), sum(request.counts)
    columns = [(name, points) for name in ("metrics", "values", "timestamps", "steps")]
    columns += [(name, entries) for name in ("counts", "at") if getattr(request, name)]
    for name, expected in columns:
        if len(getattr(request, name)) != expected:
            raise InvalidParameterError(
                f"invalid column {name!r}: it has {len(getattr(request, name))} values, expected {expected}"
            )
    if any(one >= other for one, other in zip(request.sequences, request.sequences[1:], strict=False)):
        raise InvalidParameterError("invalid sequences: each has to be greater than the one before")
    if request.metrics and not 0 <= min(request.metrics) <= max(request.metrics) < len(request.keys):
        raise InvalidParameterError(f"invalid column 'metrics': expected numbers from 0 to {len(request.keys) - 1}")
    if any(not 0 <= said.entry < entries for said in request.more):
        raise InvalidParameterError(f"invalid number of an entry: expected 0 to {entries - 1}")


def _points(request: Replay) -> tuple[Metric, ...]:
    keys = list(request.keys)
    names = [keys[number] for number in request.metrics]
    return tuple(map(Metric, names, request.values, request.timestamps, request.steps))


def _sound(points: tuple[Metric, ...]) -> tuple[Metric, ...]:
    """Return points whose names and times may be stored."""
    for point in points:
        limits.check_key(point.key)
        if point.timestamp < 0:
            limits.check_moment(f"timestamp of metric {point.key!r}", point.timestamp)
    return points


def _recorded(said: EntryFields, points: tuple[Metric, ...]) -> Recorded:
    if said.change is not None:
        return _change(said.change)
    if said.untag is not None:
        return TagRemoval(said.untag)
    if said.inputs is not None:
        limits.check_dataset_count(len(said.inputs))
        return InputsUse(tuple([limits.dataset_input(_input(used)) for used in said.inputs]))
    params = tuple([limits.param(one.key, one.value, truncate=True) for one in said.params])
    tags = tuple([limits.tag(one.key, one.value, truncate=True) for one in said.tags])
    return Batch(_sound(points), params, tags)


def _change(said: ChangeFields) -> RunChange:
    if said.end_time is not None:
        limits.check_moment("end_time", said.end_time)
    return RunChange(said.status, said.end_time, said.run_name, said.lifecycle_stage)


def _input(used: DatasetUse) -> DatasetInput:
    given = used.dataset
    if not given.name or not given.digest:
        raise InvalidParameterError("a dataset input needs a dataset with name and digest")
    dataset = Dataset(given.name, given.digest, given.source_type, given.source, given.schema, given.profile)
    return DatasetInput(dataset, tuple([InputTag(tag.key, tag.value) for tag in used.tags]))
