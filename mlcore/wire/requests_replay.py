"""The request that brings a stretch of a journal: points in columns, since most entries are points."""

from __future__ import annotations

from attrs import frozen

from mlcore.entities import LifecycleStage, RunStatus
from mlcore.wire.messages import optional, required
from mlcore.wire.requests_tracking import DatasetUse, Tag


@frozen
class ChangeFields:
    """What changes of a run."""

    status: RunStatus | None = optional()
    end_time: int | None = optional()
    run_name: str | None = optional()
    lifecycle_stage: LifecycleStage | None = optional()


@frozen
class EntryFields:
    """What an entry holds besides points.

    entry: which one, counted from 0. untag: the tag that goes. It is a batch, or one of change, untag and inputs.
    """

    entry: int = required()
    params: tuple[Tag, ...] = optional(())
    tags: tuple[Tag, ...] = optional(())
    change: ChangeFields | None = optional()
    untag: str | None = optional()
    inputs: tuple[DatasetUse, ...] | None = optional()


@frozen
class Replay:
    """`POST runs/replay`: entries of one writer's journal; each is stored once, however often it comes.

    sequences: of the entries, rising. at: when they were recorded, ms since the epoch. counts: how many points each has.
    keys: names of metrics; metrics: the name of each point, as its number in keys. values, timestamps, steps: of the
    points, entry after entry.
    more: what entries hold besides points.
    """

    run_id: str = required()
    writer: str = required()
    sequences: tuple[int, ...] = optional(())
    at: tuple[int, ...] = optional(())
    counts: tuple[int, ...] = optional(())
    keys: tuple[str, ...] = optional(())
    metrics: tuple[int, ...] = optional(())
    values: tuple[float, ...] = optional(())
    timestamps: tuple[int, ...] = optional(())
    steps: tuple[int, ...] = optional(())
    more: tuple[EntryFields, ...] = optional(())
