"""The part of the contract suite of tracking stores that is about many threads, processes, and their sudden end.

The tests of processes need `plugin_module` and a fixture `store_uri`, the place of the fixture `store`, which the
plugin's hook opens again elsewhere; without it they are skipped.
"""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import os
import time
from functools import partial
from uuid import uuid4

import pytest

from mlcore.entities import Batch, Experiment, Metric, NewRun, Run, RunQuery
from mlcore.errors import AlreadyExistsError
from mlcore.interfaces import TrackingStore
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.processes import Start, all_at_once, in_a_fork, kill_while_working, start_worker
from mlcore.testing.threads import race
from mlcore.testing.tracking_samples import DEFAULT, new_run
from mlcore.testing.tracking_workers import open_by_plugin, whole

_THREADS = 64
_PROCESSES = 8
_CRASHES = 6


class RaceContract(PluginModuleContract):
    """What is expected when many threads want the same at one moment."""

    def test_of_64_threads_that_create_one_experiment_one_succeeds_and_all_find_it(self, store: TrackingStore) -> None:
        def get_or_create(_: int) -> str:
            try:
                return "made " + store.create_experiment("race", artifact_location=None, tags={}).experiment_id
            except AlreadyExistsError:
                found = store.get_experiment_by_name("race")
                return "found " + (found.experiment_id if found else "nothing")

        answers = [str(each).split() for each in race(_THREADS, get_or_create)]

        assert [how for how, _ in answers].count("made") == 1
        assert len({experiment_id for _, experiment_id in answers}) == 1

    def test_64_threads_that_create_one_run_all_get_that_run(self, store: TrackingStore) -> None:
        new = new_run(a="1")

        found = race(_THREADS, lambda _: store.create_run(new))

        assert {each.info.run_id for each in found if isinstance(each, Run)} == {new.run_id}
        assert all(isinstance(each, Run) for each in found)
        assert len(store.search_runs(RunQuery((DEFAULT,))).items) == 1

    def test_experiments_made_at_one_moment_have_ids_of_their_own(self, store: TrackingStore) -> None:
        found = race(16, lambda n: store.create_experiment(f"e{n}", artifact_location=None, tags={}))

        assert len({each.experiment_id for each in found if isinstance(each, Experiment)}) == 16

    def test_a_batch_that_is_sent_again_changes_nothing(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        store.log_batch(run_id, whole(1))
        before = (store.get_run(run_id), _points(store, run_id))

        store.log_batch(run_id, whole(1))

        assert (store.get_run(run_id), _points(store, run_id)) == before

    def test_times_of_an_experiment_are_milliseconds_of_utc(self, store: TrackingStore) -> None:
        made = store.create_experiment("now", artifact_location=None, tags={})

        assert made.creation_time is not None
        assert abs(made.creation_time - time.time() * 1000) < 60_000

    def test_pages_of_runs_with_equal_times_hold_each_run_once(self, store: TrackingStore) -> None:
        made = sorted(store.create_run(new_run(start_time=7)).info.run_id for _ in range(11))

        found: list[str] = []
        token: str | None = None
        while True:
            page = store.search_runs(RunQuery((DEFAULT,), max_results=3, page_token=token))
            found += [run.info.run_id for run in page.items]
            token = page.next_token
            if token is None:
                break

        assert found == made

    def test_runs_that_come_later_in_the_order_do_not_disturb_the_pages(self, store: TrackingStore) -> None:
        made = [store.create_run(new_run(start_time=9 - number)).info.run_id for number in range(4)]
        first = store.search_runs(RunQuery((DEFAULT,), max_results=2))

        late = store.create_run(new_run(start_time=1)).info.run_id

        second = store.search_runs(RunQuery((DEFAULT,), max_results=9, page_token=first.next_token))
        assert [run.info.run_id for run in (*first.items, *second.items)] == [*made, late]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
class ForkContract(PluginModuleContract):
    """What is expected of a store that a fork took into another process."""

    def test_a_store_is_used_after_a_fork_on_both_sides(self, store: TrackingStore, store_uri: str | None) -> None:
        if store_uri is None:
            pytest.skip("no fixture `store_uri`: the store is of one process")
        run_id = store.create_run(new_run()).info.run_id

        def log() -> None:
            for step in range(10):
                store.log_batch(run_id, Batch(metrics=(Metric("child", 1.0, 1, step),)))

        wait = in_a_fork(log)
        store.log_batch(run_id, Batch(metrics=(Metric("parent", 1.0, 1),)))

        assert wait() == 0
        assert store.get_run(run_id).data.metrics == {"child": 1.0, "parent": 1.0}


class ProcessContract(PluginModuleContract):
    """What is expected when several processes use the store, and when one of them is killed."""

    @pytest.fixture
    def store_uri(self) -> str | None:
        """Return where the store is, for other processes; None: the tests of processes are skipped."""
        return None

    @pytest.fixture
    def start(self, store: TrackingStore, store_uri: str | None) -> Start:
        """Return a function that starts a process which works on the store."""
        module = self.plugin_module
        if store_uri is None or module is None:
            pytest.skip("no fixture `store_uri` or no plugin_module: the store is of one process")
        del store  # it is there before the others come

        return partial(start_worker, "mlcore.testing.tracking_workers", module, store_uri)

    def test_of_8_processes_that_create_one_experiment_one_succeeds(self, start: Start, store: TrackingStore) -> None:
        answers = all_at_once([start("experiment", "race") for _ in range(_PROCESSES)])

        assert sorted(answers) == ["created"] + ["taken"] * (_PROCESSES - 1)
        assert store.get_experiment_by_name("race") is not None

    def test_8_processes_that_create_one_run_share_it_and_lose_no_point(
        self, start: Start, store: TrackingStore
    ) -> None:
        run_id = uuid4().hex

        answers = all_at_once([start("run", run_id, str(number)) for number in range(_PROCESSES)])

        assert answers == ["done"] * _PROCESSES
        points = store.get_metric_history(run_id, "m", max_results=1000, page_token=None).items
        assert len(points) == _PROCESSES * 5

    def test_a_process_killed_between_any_two_writes_leaves_whole_batches(
        self, start: Start, store_uri: str, store: TrackingStore
    ) -> None:
        for crash in range(_CRASHES):
            run_id = uuid4().hex
            confirmed = kill_while_working(start("for ever", run_id), after=1 + crash * 3, delay_s=crash * 0.0004)

            store.close()
            again = open_by_plugin(self.plugin_module or "", store_uri)
            for seen in (store, again):
                kept = whole_batches(seen, run_id)
                assert kept in (confirmed, confirmed + 1), f"confirmed {confirmed} batches, found {kept}"
            again.close()

    def test_what_was_recorded_is_there_when_the_store_is_opened_again(
        self, start: Start, store_uri: str, store: TrackingStore
    ) -> None:
        del start  # it skips where there is no other way to the store
        made = store.create_experiment("kept", artifact_location=None, tags={"a": "ß"})
        run_id = store.create_run(NewRun(made.experiment_id, uuid4().hex, "näme", "u", 5, {"t": "1"})).info.run_id
        store.log_batch(run_id, whole(1))
        before = store.get_run(run_id)
        store.close()

        again = open_by_plugin(self.plugin_module or "", store_uri)

        assert again.get_experiment_by_name("kept") == made
        assert again.get_run(run_id) == before
        again.close()


def _points(store: TrackingStore, run_id: str) -> list[object]:
    return [store.get_metric_history(run_id, key, max_results=99, page_token=None).items for key in "abc"]


def whole_batches(store: TrackingStore, run_id: str) -> int:
    """Return how many batches are there; all of each has to be."""
    run = store.get_run(run_id)
    histories = [store.get_metric_history(run_id, key, max_results=100_000, page_token=None).items for key in "abc"]
    if store.get_run(run_id) != run:  # a server was still at work on what the killed process had sent
        return whole_batches(store, run_id)
    count = len(run.data.params)
    assert run.data.params == {f"p{n}": str(n) for n in range(count)}
    assert {key for key in run.data.tags if key.startswith("t")} == {f"t{n}" for n in range(count)}
    for history in histories:
        assert [point.step for point in history] == list(range(count))
    return count
