"""The part of the contract suite of tracking stores that is about stretches of journals.

Its tests are skipped for a store that is no `SupportsReplay`.
"""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

from functools import partial
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlcore.entities import (
    Batch,
    Dataset,
    DatasetInput,
    Entry,
    InputsUse,
    LifecycleStage,
    Metric,
    Param,
    Recorded,
    RunChange,
    RunStatus,
    RunTag,
    TagRemoval,
)
from mlcore.errors import InvalidStateError, MlcoreError, NotFoundError, ParamConflictError
from mlcore.interfaces import SupportsReplay, TrackingStore
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.processes import kill_while_working, start_worker
from mlcore.testing.threads import race
from mlcore.testing.tracking_group import SETTINGS, known
from mlcore.testing.tracking_machine import BATCHES
from mlcore.testing.tracking_processes import whole_batches
from mlcore.testing.tracking_samples import DELETE_RUN, RESTORE_RUN, new_run
from mlcore.testing.tracking_workers import open_by_plugin, whole

_MANY = 100_000
_CRASHES = 6
_TAGS = st.sampled_from(("t", "u", "mlflow.runName"))
_CHANGES = st.builds(
    RunChange,
    status=st.sampled_from((None, RunStatus.RUNNING, RunStatus.FINISHED, RunStatus.FAILED)),
    end_time=st.sampled_from((None, 5, 6)),
    run_name=st.sampled_from((None, "calm-owl-2", "calm-owl-3")),
    lifecycle_stage=st.sampled_from((None, None, None, LifecycleStage.ACTIVE, LifecycleStage.DELETED)),
)
_RECORDED = st.one_of(
    BATCHES,
    _CHANGES,
    st.builds(TagRemoval, _TAGS),
    st.builds(lambda key, value: Batch(tags=(RunTag(key, value),)), _TAGS, st.sampled_from(("1", "2"))),
)


def replaying(store: TrackingStore) -> SupportsReplay:
    """Return the store if it takes journals; else skip the test."""
    if not isinstance(store, SupportsReplay):
        pytest.skip("the store takes no journals")
    return store


class ReplayContract(PluginModuleContract):
    """What is expected of `replay`: each entry of a journal counts once, however often it comes."""

    def test_entries_of_all_kinds_are_read_back(self, store: TrackingStore) -> None:
        journals = replaying(store)
        run_id = store.create_run(new_run()).info.run_id
        used = DatasetInput(Dataset("d", "1", "local", "{}"))
        point = Metric("m", float("nan"), 3, -1)

        refused = journals.replay(
            run_id,
            "w",
            _entries(
                Batch((point,), (Param("p", "ß\n1"),), (RunTag("t", "1"),)),
                InputsUse((used,)),
                RunChange(status=RunStatus.FAILED, end_time=9, run_name="other"),
            ),
        )

        run = store.get_run(run_id)
        assert list(refused) == []
        assert (run.info.status, run.info.end_time, run.info.run_name) == (RunStatus.FAILED, 9, "other")
        assert (run.data.params, run.data.tags) == ({"p": "ß\n1"}, {"t": "1", "mlflow.runName": "other"})
        assert repr(run.data.latest) == repr((point,))
        assert run.inputs.dataset_inputs == (used,)

    @SETTINGS
    @given(recorded=st.lists(_RECORDED, max_size=9))
    def test_a_journal_has_the_outcome_of_the_single_calls(
        self, store: TrackingStore, recorded: list[Recorded]
    ) -> None:
        journals = replaying(store)
        together, apart = (store.create_run(new_run()).info.run_id for _ in range(2))

        found = journals.replay(together, "w", _entries(*recorded))
        expected = [_outcome(store, apart, each) for each in recorded]

        told = {at // 7: type(error) for at, error in found}
        assert told == {at: type(error) for at, error in enumerate(expected) if error is not None}
        assert known(store, together) == known(store, apart)

    def test_a_repeated_call_changes_nothing(self, store: TrackingStore) -> None:
        journals = replaying(store)
        run_id = store.create_run(new_run()).info.run_id
        entries = _entries(
            Batch(tags=(RunTag("t", "1"),)), RunChange(status=RunStatus.FINISHED, end_time=5), TagRemoval("t")
        )
        journals.replay(run_id, "w", entries)
        store.log_batch(run_id, Batch(tags=(RunTag("t", "later"),)))
        store.update_run(run_id, RunChange(status=RunStatus.RUNNING))
        before = store.get_run(run_id)

        for again in (entries, entries[:1], entries[1:], []):
            assert list(journals.replay(run_id, "w", again)) == []

        assert store.get_run(run_id) == before

    def test_of_overlapping_calls_only_what_is_new_is_stored(self, store: TrackingStore) -> None:
        journals = replaying(store)
        run_id = store.create_run(new_run()).info.run_id
        entries = _entries(
            *(Batch((Metric("m", float(n), n, n),), tags=(RunTag(f"t{n}", "1"), RunTag("n", str(n)))) for n in range(5))
        )
        journals.replay(run_id, "w", entries[:3])
        store.log_batch(run_id, Batch(tags=(RunTag("n", "mine"),)))
        store.delete_tag(run_id, "t2")

        journals.replay(run_id, "w", entries[1:3])
        between = store.get_run(run_id).data.tags["n"]
        journals.replay(run_id, "w", entries[2:])

        points = store.get_metric_history(run_id, "m", max_results=99, page_token=None).items
        assert between == "mine"
        tags = store.get_run(run_id).data.tags
        assert (tags["n"], "t2" in tags) == ("4", False)
        assert [point.step for point in points] == [0, 1, 2, 3, 4]

    def test_a_call_that_comes_too_late_stores_nothing(self, store: TrackingStore) -> None:
        journals = replaying(store)
        run_id = store.create_run(new_run()).info.run_id
        late, last = _entries(*(Batch(tags=(RunTag("t", value),)) for value in ("old", "new")))

        journals.replay(run_id, "w", [last])
        journals.replay(run_id, "w", [late])

        assert store.get_run(run_id).data.tags["t"] == "new"

    def test_each_writer_and_each_run_has_a_position_of_its_own(self, store: TrackingStore) -> None:
        journals = replaying(store)
        runs = [store.create_run(new_run()).info.run_id for _ in range(2)]

        for run_id in runs:
            for writer in ("host-1", "host-2", "HOST-1"):
                journals.replay(run_id, writer, _entries(Batch(tags=(RunTag(writer, writer),))))

        for run_id in runs:
            assert {"host-1", "host-2", "HOST-1"} <= set(store.get_run(run_id).data.tags)

    def test_a_refused_entry_leaves_the_others_and_is_refused_again_when_it_comes_again(
        self, store: TrackingStore
    ) -> None:
        journals = replaying(store)
        run_id = store.create_run(new_run()).info.run_id
        store.log_batch(run_id, Batch(params=(Param("p", "1"),)))
        bad = Batch((Metric("bad", 1.0, 1),), (Param("q", "1"), Param("p", "2")), (RunTag("bad", "1"),))
        entries = _entries(Batch((Metric("m", 1.0, 1),)), bad, Batch(params=(Param("q", "2"),)))

        refused = list(journals.replay(run_id, "w", entries))
        again = list(journals.replay(run_id, "w", entries))

        for found in (refused, again):
            assert [(at, type(error)) for at, error in found] == [(7, ParamConflictError)]
            assert "'p' has the value '1' already, got '2'" in str(found[0][1])
        data = store.get_run(run_id).data
        assert (data.params, data.metrics, "bad" in data.tags) == ({"p": "1", "q": "2"}, {"m": 1.0}, False)

    def test_tags_and_status_are_what_the_last_entry_says(self, store: TrackingStore) -> None:
        journals = replaying(store)
        run_id = store.create_run(new_run()).info.run_id
        store.log_batch(run_id, Batch(tags=(RunTag("there", "1"), RunTag("back", "1"))))

        refused = journals.replay(
            run_id,
            "w",
            _entries(
                Batch(tags=(RunTag("short", "1"), RunTag("back", "2"))),
                RunChange(status=RunStatus.FAILED, end_time=1),
                TagRemoval("short"),
                TagRemoval("there"),
                TagRemoval("never"),
                TagRemoval("back"),
                Batch(tags=(RunTag("back", "3"),)),
                RunChange(status=RunStatus.FINISHED, end_time=2),
            ),
        )

        run = store.get_run(run_id)
        assert list(refused) == []
        assert run.data.tags == {"back": "3", "mlflow.runName": run.info.run_name}
        assert (run.info.status, run.info.end_time) == (RunStatus.FINISHED, 2)

    def test_a_hundred_thousand_points_come_in_one_call(self, store: TrackingStore) -> None:
        journals = replaying(store)
        run_id = store.create_run(new_run()).info.run_id
        half = _MANY // 2
        points = [Metric("ab"[n % 2], n / 8, 1000 + n, n // 2) for n in range(_MANY)]
        entries = _entries(*(Batch(tuple(points[n : n + 10])) for n in range(0, half, 10)), Batch(tuple(points[half:])))

        assert list(journals.replay(run_id, "w", entries)) == []

        assert store.get_run(run_id).data.latest == tuple(points[-2:])
        found: list[Metric] = []
        token: str | None = None
        while True:
            page = store.get_metric_history(run_id, "a", max_results=20_000, page_token=token)
            found += page.items
            token = page.next_token
            if token is None:
                break
        assert found == points[::2]

    def test_a_journal_of_an_unknown_run_is_not_found(self, store: TrackingStore) -> None:
        for entries in ([], _entries(Batch(tags=(RunTag("t", "1"),)))):
            with pytest.raises(NotFoundError, match="run with id='nope' not found"):
                replaying(store).replay("nope", "w", entries)

    def test_entries_of_a_deleted_run_are_refused_until_one_restores_it(self, store: TrackingStore) -> None:
        journals = replaying(store)
        run_id = store.create_run(new_run()).info.run_id
        tag = Batch(tags=(RunTag("t", "1"),))
        store.update_run(run_id, DELETE_RUN)

        refused = journals.replay(
            run_id, "w", _entries(tag, TagRemoval("t"), InputsUse(()), RunChange(end_time=1), RESTORE_RUN, tag)
        )

        assert [(at, type(error)) for at, error in refused] == [(n * 7, InvalidStateError) for n in range(4)]
        run = store.get_run(run_id)
        assert (run.info.lifecycle_stage, run.data.tags["t"]) == (LifecycleStage.ACTIVE, "1")

    def test_of_many_that_deliver_one_journal_at_one_moment_one_does(self, store: TrackingStore) -> None:
        journals = replaying(store)
        run_id = store.create_run(new_run()).info.run_id
        entries = _entries(
            Batch(params=(Param("p", "1"),)), Batch((Metric("m", 1.0, 1),)), Batch(params=(Param("p", "2"),))
        )

        told = race(8, lambda _: [(at, type(error)) for at, error in journals.replay(run_id, "w", entries)])

        assert told == [[(14, ParamConflictError)]] * 8
        assert len(store.get_metric_history(run_id, "m", max_results=9, page_token=None).items) == 1


class ReplayProcessContract(PluginModuleContract):
    """What is expected of `replay` when the process that delivers is killed."""

    def test_a_process_killed_between_any_two_deliveries_has_delivered_whole_entries_once(
        self, store_uri: str | None, store: TrackingStore
    ) -> None:
        replaying(store)
        if store_uri is None or self.plugin_module is None:
            pytest.skip("no fixture `store_uri` or no plugin_module: the store is of one process")
        start = partial(start_worker, "mlcore.testing.tracking_workers", self.plugin_module, store_uri)
        for crash in range(_CRASHES):
            run_id = uuid4().hex
            confirmed = kill_while_working(start("replay", run_id), after=1 + crash * 3, delay_s=crash * 0.0004)

            store.close()
            kept = whole_batches(store, run_id)
            assert kept in (confirmed, confirmed + 1), f"confirmed {confirmed} entries, found {kept}"
            again = open_by_plugin(self.plugin_module, store_uri)
            entries = [Entry(number, number, whole(number)) for number in range(kept + 2)]
            assert list(replaying(again).replay(run_id, "w", entries)) == []
            assert whole_batches(again, run_id) == kept + 2
            again.close()


def _entries(*recorded: Recorded) -> list[Entry]:
    """Return entries as one journal has them: sequences with gaps."""
    return [Entry(number * 7, 1000 + number, each) for number, each in enumerate(recorded)]


def _outcome(store: TrackingStore, run_id: str, recorded: Recorded) -> MlcoreError | None:
    try:
        match recorded:
            case Batch():
                store.log_batch(run_id, recorded)
            case RunChange():
                store.update_run(run_id, recorded)
            case TagRemoval():
                store.delete_tag(run_id, recorded.key)
    except NotFoundError:
        return None
    except MlcoreError as error:
        return error
    return None
