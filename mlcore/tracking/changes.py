"""Which runs have changed since somebody looked: by the store itself, or by comparing what all runs look like.

Without the store's help nothing is remembered anywhere: the cursor itself holds a digest of each of 64 groups of runs,
and all runs of a group in which one has changed are named.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence

from mlcore.entities import Changes, LifecycleStage, Metric, Run, RunQuery, RunStatus, ViewType
from mlcore.interfaces import SupportsChanges, TrackingStore
from mlcore.tracking.table_search import all_runs

_GROUPS = 64
_DIGEST_BYTES = 6


def changes(store: TrackingStore, experiment_ids: tuple[str, ...], since: str | None, limit: int = 1000) -> Changes:
    """Return what has happened to the runs of some experiments since a cursor.

    since: the cursor of an earlier answer for the same experiments; None for where things stand, with no runs. A cursor
    of another kind counts as one before everything.
    limit: how many runs to name at most. Without the store's help it may be a group of runs more.
    """
    if isinstance(store, SupportsChanges):
        return store.changes(experiment_ids, since, limit)
    return changes_by_search(store, experiment_ids, since, limit)


def changes_by_search(
    store: TrackingStore, experiment_ids: tuple[str, ...], since: str | None, limit: int = 1000
) -> Changes:
    """Return what `changes` does, by fetching the runs."""
    groups: list[dict[str, bytes]] = [{} for _ in range(_GROUPS)]
    running = 0
    for run in all_runs(store, RunQuery(experiment_ids, view=ViewType.ALL)):
        seen = _digest(_traits(run))
        groups[_digest([run.info.run_id])[0] % _GROUPS][run.info.run_id] = seen
        running += run.info.status is RunStatus.RUNNING and run.info.lifecycle_stage is LifecycleStage.ACTIVE
    now = [_digest(f"{run_id} {group[run_id].hex()}" for run_id in sorted(group)) for group in groups]
    before = now if since is None else _digests(since)
    told = list(now)
    run_ids: list[str] = []
    more = False
    for number, group in enumerate(groups):
        if now[number] == before[number]:
            continue
        if run_ids and len(run_ids) + len(group) > limit:
            told[number], more = before[number], True
        else:
            run_ids += sorted(group)
    return Changes(_cursor(told), tuple(run_ids), more, running)


def _traits(run: Run) -> Iterable[str]:
    """Yield everything of a run that pages show, as text in which NaN equals NaN."""
    yield repr(run.info)
    for point in sorted(run.data.latest, key=_key):
        yield f"m {point.key!r} {point.step} {point.timestamp} {point.value!r}"
    for kind, texts in (("p", run.data.params), ("t", run.data.tags)):
        for key in sorted(texts):
            yield f"{kind} {key!r} {texts[key]!r}"
    yield repr((run.inputs, run.outputs))


def _key(point: Metric) -> str:
    return point.key


def _digest(lines: Iterable[str]) -> bytes:
    text = "\n".join(lines).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=_DIGEST_BYTES).digest()


def _cursor(digests: Sequence[bytes]) -> str:
    return base64.urlsafe_b64encode(b"".join(digests)).decode("ascii")


def _digests(cursor: str) -> list[bytes]:
    """Return what a cursor remembers of each group; of one that is none, nothing."""
    try:
        held = base64.b64decode(cursor, b"-_", validate=True)
    except (ValueError, binascii.Error):
        held = b""
    if len(held) != _GROUPS * _DIGEST_BYTES:
        return [b""] * _GROUPS
    return [held[start : start + _DIGEST_BYTES] for start in range(0, len(held), _DIGEST_BYTES)]
