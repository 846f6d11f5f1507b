"""Heartbeats, and what becomes of runs without them: on a real SQLite store, and on one that nobody may write."""

import threading
import time
from collections.abc import Callable

import pytest
from attrs import evolve

import mlcore
from mlcore.entities import Batch, Heartbeat, Run, RunChange, RunInfo, RunState, RunStatus
from mlcore.errors import InvalidStateError
from mlcore.testing import MemoryTrackingStore
from mlcore.testing.tracking_samples import new_run
from mlcore.tracking import tags
from mlcore.tracking.client import Client
from mlcore.tracking.lost import as_seen, mark
from mlcore.tracking.names import now_ms
from mlcore.wire.filter_parser import parse_run_filter

LONG_AGO_S = 3600


def silent(seconds: int = LONG_AGO_S) -> str:
    """Return the id of a run of some other process, whose last heartbeat was so long ago."""
    beat = Heartbeat(now_ms() - seconds * 1000, 30)
    return Client().create_run("0", start_time=beat.at_ms - 1000, tags={tags.HEARTBEAT: str(beat)}).info.run_id


def ids(text: str) -> set[str]:
    found = Client().search_runs(["0"], text)
    return {run.info.run_id for run in found}


def wait_for(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not what() and time.monotonic() < deadline:
        time.sleep(0.02)
    return what()


def test_a_run_is_lost_after_five_periods_and_at_least_a_minute() -> None:
    assert [Heartbeat(0, period).window_ms for period in (30, 60, 5, 1)] == [150_000, 300_000, 60_000, 60_000]
    assert not Heartbeat(0, 30).is_stale(150_000)
    assert Heartbeat(0, 30).is_stale(150_001)


@pytest.mark.parametrize("text", ["", "now", "1", "1 x", "1 0", "1 -1", "1 inf", "1 nan"])
def test_a_tag_that_is_no_heartbeat_means_nothing(text: str) -> None:
    assert Heartbeat.parse(text) is None


def test_who_reads_a_lost_run_finds_it_marked() -> None:
    run_id = silent()

    run = mlcore.get_run(run_id)

    beat = Heartbeat.parse(run.data.tags[tags.HEARTBEAT])
    assert beat is not None
    assert run.state == RunState.LOST
    assert (run.info.status, run.info.end_time) == (RunStatus.FAILED, beat.at_ms)
    assert run.data.tags[tags.LOST] == str(beat)


def test_searches_find_runs_by_what_they_really_are() -> None:
    lost, alive = silent(), silent(0)
    Client().set_terminated(ended := silent(0), "FAILED")

    assert ids("attributes.status = 'RUNNING'") == {alive}
    assert ids("attributes.status = 'LOST'") == {lost}
    assert ids("status != 'LOST'") == {alive, ended}
    assert ids("attributes.status = 'FAILED'") == {lost, ended}


def test_a_run_without_heartbeats_is_never_lost() -> None:
    run_id = Client().create_run("0", start_time=1).info.run_id

    assert mlcore.get_run(run_id).state == RunState.RUNNING
    assert ids("status = 'RUNNING'") == {run_id}


def test_a_late_heartbeat_brings_a_lost_run_back() -> None:
    run_id = silent()
    assert mlcore.get_run(run_id).state == RunState.LOST
    Client().set_tag(run_id, tags.HEARTBEAT, str(Heartbeat(now_ms(), 30)), synchronous=True)

    run = mlcore.get_run(run_id)

    assert (run.state, run.info.status, run.info.end_time) == (RunState.RUNNING, RunStatus.RUNNING, None)
    assert tags.LOST not in run.data.tags


def test_a_lost_run_can_be_resumed() -> None:
    run_id = silent()
    assert mlcore.get_run(run_id).state == RunState.LOST

    with mlcore.start_run(run_id=run_id):
        during = mlcore.get_run(run_id)
    after = mlcore.get_run(run_id)

    assert (during.state, during.info.end_time, tags.LOST in during.data.tags) == (RunState.RUNNING, None, False)
    assert after.state == RunState.FINISHED
    assert not {tags.LOST, tags.HEARTBEAT} & set(after.data.tags)


def test_a_run_that_ends_after_it_was_marked_has_its_own_end() -> None:
    run_id = silent()
    assert mlcore.get_run(run_id).state == RunState.LOST
    Client().delete_tag(run_id, tags.HEARTBEAT)  # as the end does
    Client().set_terminated(run_id, "KILLED")

    run = mlcore.get_run(run_id)

    assert run.state == RunState.KILLED
    assert tags.LOST not in run.data.tags


@pytest.mark.parametrize("strict", ["0", "1"])
def test_an_open_run_gives_heartbeats_until_it_ends(strict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_HEARTBEAT_S", "0.05")
    monkeypatch.setenv("MLCORE_STRICT", strict)
    with mlcore.start_run() as run:
        first = mlcore.get_run(run.run_id).data.tags[tags.HEARTBEAT]

        assert wait_for(lambda: mlcore.get_run(run.run_id).data.tags[tags.HEARTBEAT] > first)

    assert tags.HEARTBEAT not in mlcore.get_run(run.run_id).data.tags


def test_one_thread_gives_the_heartbeats_of_all_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_HEARTBEAT_S", "0.05")
    with mlcore.start_run(), mlcore.start_run(nested=True), mlcore.start_run(nested=True):
        assert [t.name for t in threading.enumerate()].count("mlcore-heartbeat") == 1


def test_heartbeats_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_HEARTBEAT_S", "0")

    with mlcore.start_run() as run:
        assert tags.HEARTBEAT not in mlcore.get_run(run.run_id).data.tags


class ReadOnlyStore(MemoryTrackingStore):
    """A store whose media, or permissions, allow reading only; what is there was put there before."""

    is_open = True

    def log_batch(self, run_id: str, batch: Batch) -> None:
        if not self.is_open:
            raise InvalidStateError("read-only")
        super().log_batch(run_id, batch)

    def update_run(self, run_id: str, change: RunChange) -> RunInfo:
        if not self.is_open:
            raise InvalidStateError("read-only")
        return super().update_run(run_id, change)


def test_lost_runs_are_told_of_where_they_cannot_be_marked() -> None:
    store = ReadOnlyStore()
    beat = Heartbeat(now_ms() - LONG_AGO_S * 1000, 30)
    lost = store.create_run(evolve(new_run(), tags={tags.HEARTBEAT: str(beat)})).info.run_id
    alive = store.create_run(evolve(new_run(), tags={tags.HEARTBEAT: str(Heartbeat(now_ms(), 30))})).info.run_id
    store.is_open = False

    left = mark(store, ("0",))

    def found(text: str) -> list[Run]:
        from mlcore.entities import RunQuery

        return list(store.search_runs(RunQuery(("0",), as_seen(parse_run_filter(text), left))).items)

    assert left == (lost,)
    assert store.get_run(lost).state == RunState.LOST
    assert [run.info.run_id for run in found("status = 'LOST'")] == [lost]
    assert [run.info.run_id for run in found("status = 'RUNNING'")] == [alive]
