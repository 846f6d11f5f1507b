"""The part of the contract suite of tracking stores that is about points, params, tags and inputs."""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import math

import pytest

from mlcore.entities import (
    Batch,
    Dataset,
    DatasetInput,
    InputTag,
    Metric,
    Param,
    RunChange,
    RunStatus,
    RunTag,
)
from mlcore.errors import (
    NotFoundError,
    ParamConflictError,
)
from mlcore.interfaces import SupportsSummary, TrackingStore
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.tracking_samples import in_threads, new_run


class RecordingContract(PluginModuleContract):
    """What is expected of points, params, tags and inputs."""

    def test_a_batch_is_read_back(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        points = (Metric("b", 2.5, 10, 1), Metric("a", -1.0, 11, -3))

        store.log_batch(run_id, Batch(points, (Param("p", "ß\n1"),), (RunTag("t", ""),)))

        data = store.get_run(run_id).data
        assert data.latest == (Metric("a", -1.0, 11, -3), Metric("b", 2.5, 10, 1))
        assert data.params == {"p": "ß\n1"}
        assert data.tags["t"] == ""

    def test_the_latest_point_is_the_greatest_by_step_then_timestamp_then_value(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        points = (Metric("m", 9.0, 99, 1), Metric("m", 1.0, 5, 2), Metric("m", 3.0, 4, 2), Metric("m", 2.0, 5, 2))

        for point in points:
            store.log_batch(run_id, Batch(metrics=(point,)))
        store.log_batch(run_id, Batch(metrics=tuple(Metric("n", p.value, p.timestamp, p.step) for p in points)))
        for p in reversed(points):
            store.log_batch(run_id, Batch(metrics=(Metric("o", p.value, p.timestamp, p.step),)))

        assert store.get_run(run_id).data.metrics == {"m": 2.0, "n": 2.0, "o": 2.0}

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308])
    def test_every_double_is_read_back_as_it_was_logged(self, store: TrackingStore, value: float) -> None:
        run_id = store.create_run(new_run()).info.run_id

        store.log_batch(run_id, Batch(metrics=(Metric("m", value, 1),)))

        history = store.get_metric_history(run_id, "m", max_results=10, page_token=None)
        for found in (store.get_run(run_id).data.metrics["m"], history.items[0].value):
            assert found == value or (math.isnan(found) and math.isnan(value))

    def test_the_largest_and_smallest_steps_and_timestamps_are_kept(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        points = (Metric("m", 1.0, 2**63 - 1, -(2**63)), Metric("m", 2.0, 0, 2**63 - 1))

        store.log_batch(run_id, Batch(metrics=points))

        assert store.get_metric_history(run_id, "m", max_results=10, page_token=None).items == points[::-1]

    def test_a_point_that_is_there_already_is_kept_once(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        same = Metric("m", math.nan, 1, 1)

        store.log_batch(run_id, Batch(metrics=(same, same, Metric("m", 1.0, 1, 1))))
        store.log_batch(run_id, Batch(metrics=(same, Metric("m", 1.0, 1, 1), Metric("m", 1.0, 1, 2))))

        assert len(store.get_metric_history(run_id, "m", max_results=10, page_token=None).items) == 3

    def test_history_is_ordered_by_timestamp_then_step_then_value(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        ordered = (Metric("m", 5.0, 1, 9), Metric("m", 1.0, 2, 1), Metric("m", 0.0, 2, 3), Metric("m", 1.0, 2, 3))

        store.log_batch(run_id, Batch(metrics=(ordered[3], ordered[0], ordered[2], ordered[1])))

        assert store.get_metric_history(run_id, "m", max_results=10, page_token=None).items == ordered

    def test_history_comes_in_pages_that_follow_each_other(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        points = tuple(Metric("m", float(step), step, step) for step in range(7))
        store.log_batch(run_id, Batch(metrics=points))

        found: list[Metric] = []
        token: str | None = None
        sizes: list[int] = []
        while True:
            page = store.get_metric_history(run_id, "m", max_results=3, page_token=token)
            found += page.items
            sizes.append(len(page.items))
            token = page.next_token
            if token is None:
                break

        assert tuple(found) == points
        assert sizes == [3, 3, 1]

    def test_the_history_of_an_unknown_metric_is_empty(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id

        page = store.get_metric_history(run_id, "nope", max_results=3, page_token=None)

        assert (page.items, page.next_token) == ((), None)

    def test_a_param_may_be_logged_again_with_the_same_value(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id

        store.log_batch(run_id, Batch(params=(Param("p", "1"),)))
        store.log_batch(run_id, Batch(params=(Param("p", "1"), Param("q", "2"))))

        assert store.get_run(run_id).data.params == {"p": "1", "q": "2"}

    def test_a_param_with_another_value_is_refused_and_nothing_of_the_batch_is_kept(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        store.log_batch(run_id, Batch(params=(Param("p", "1"),)))

        batch = Batch((Metric("m", 1.0, 1),), (Param("q", "1"), Param("p", "2")), (RunTag("t", "1"),))
        with pytest.raises(ParamConflictError, match=r"'p' has the value '1' already, got '2'"):
            store.log_batch(run_id, batch)

        data = store.get_run(run_id).data
        assert (data.params, data.latest, "t" in data.tags) == ({"p": "1"}, (), False)

    def test_one_batch_cannot_give_a_param_two_values(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id

        with pytest.raises(ParamConflictError, match="'p'"):
            store.log_batch(run_id, Batch(params=(Param("p", "1"), Param("p", "2"))))

        assert store.get_run(run_id).data.params == {}

    def test_of_many_racing_values_of_a_param_exactly_one_is_kept(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id

        found = in_threads(8, lambda number: store.log_batch(run_id, Batch(params=(Param("p", str(number)),))))

        kept = store.get_run(run_id).data.params["p"]
        assert [number for number, each in enumerate(found) if each is None] == [int(kept)]

    def test_the_last_of_several_tags_with_one_key_wins(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id

        store.log_batch(run_id, Batch(tags=(RunTag("t", "1"), RunTag("t", "2"))))
        first = store.get_run(run_id).data.tags["t"]
        store.log_batch(run_id, Batch(tags=(RunTag("t", "3"),)))

        assert first == "2"
        assert store.get_run(run_id).data.tags["t"] == "3"

    def test_a_deleted_tag_is_gone_and_cannot_be_deleted_again(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run(t="1")).info.run_id

        store.delete_tag(run_id, "t")

        assert "t" not in store.get_run(run_id).data.tags
        with pytest.raises(NotFoundError, match=f"no tag with name 't' in run with id='{run_id}'"):
            store.delete_tag(run_id, "t")

    def test_an_empty_batch_is_fine(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id

        store.log_batch(run_id, Batch())

        assert store.get_run(run_id).data.latest == ()

    def test_an_ended_run_still_records(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        store.update_run(run_id, RunChange(status=RunStatus.FINISHED, end_time=5))

        store.log_batch(run_id, Batch(metrics=(Metric("m", 1.0, 1),)))

        assert store.get_run(run_id).data.metrics == {"m": 1.0}

    def test_no_point_is_lost_when_many_threads_log_to_one_run(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id

        def work(number: int) -> None:
            for step in range(20):
                points = (Metric("same", number + step / 100, step, step), Metric(f"own{number}", 1.0, step, step))
                store.log_batch(run_id, Batch(metrics=points))

        in_threads(6, work)

        assert len(store.get_metric_history(run_id, "same", max_results=500, page_token=None).items) == 120
        assert store.get_run(run_id).data.metrics["same"] == 5.19

    def test_inputs_are_read_back_and_the_same_dataset_is_kept_once(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        iris = Dataset("iris", "d1", "local", '{"uri": "x"}', '{"s": 1}', '{"rows": 150}')
        train = DatasetInput(iris, (InputTag("mlflow.data.context", "train"),))
        other = DatasetInput(Dataset("wine", "d2"))

        store.log_inputs(run_id, (train, other))
        store.log_inputs(run_id, (train,))

        assert store.get_run(run_id).inputs.dataset_inputs == (train, other)

    def test_summaries_hold_last_min_max_and_count_of_each_curve(self, store: TrackingStore) -> None:
        if not isinstance(store, SupportsSummary):
            pytest.skip("the store keeps no summaries")
        run_id = store.create_run(new_run()).info.run_id
        points = [Metric("m", value, step, step) for step, value in enumerate((3.0, math.nan, -1.0, math.inf, 2.0))]
        store.log_batch(run_id, Batch(metrics=(*points[1:4], Metric("n", math.nan, 1))))
        store.log_batch(run_id, Batch(metrics=(points[0], points[4], points[2])))

        m, n = store.metric_summaries(run_id)

        assert (m.key, m.last, m.min, m.max, m.count) == ("m", points[4], -1.0, math.inf, 5)
        assert (n.key, n.min, n.max, n.count) == ("n", None, None, 1)

    def test_a_closed_store_opens_again_by_itself(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id

        store.close()

        assert store.get_run(run_id).info.run_id == run_id
