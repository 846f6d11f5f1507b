"""The part of the contract suite of tracking stores that is about thinned-out curves, counts, datasets and columns.

A store that has none of these abilities is asked through the kernel, which then reads and counts itself.
"""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import math
from uuid import uuid4

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mlcore.entities import (
    Batch,
    Dataset,
    DatasetInput,
    DatasetSummary,
    Facet,
    Field,
    InputTag,
    Metric,
    Param,
    Run,
    RunQuery,
    RunTag,
    SeriesQuery,
    ViewType,
)
from mlcore.entities.filters import Comparison, Filter
from mlcore.errors import InvalidParameterError
from mlcore.interfaces import TrackingStore
from mlcore.testing.filter_strategies import PARAM_KEYS, TAG_KEYS, RecordedRun, run_filters, run_lists
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.tracking_oracle import ORACLE_SETTINGS, record
from mlcore.testing.tracking_samples import DEFAULT, DELETE_RUN, new_run
from mlcore.tracking.counts import (
    count_runs,
    count_runs_by_search,
    run_facets,
    run_facets_by_search,
    search_datasets,
    search_datasets_by_search,
)
from mlcore.tracking.series import series, series_by_history

_FACETS = (
    *(Field("param", key) for key in PARAM_KEYS),
    *(Field("tag", key) for key in TAG_KEYS),
    *(Field("attribute", key) for key in ("status", "user_id", "run_name")),
)


def _log(store: TrackingStore, run_id: str, points: list[Metric]) -> None:
    for start in range(0, len(points), 1000):
        store.log_batch(run_id, Batch(tuple(points[start : start + 1000])))


class SeriesContract(PluginModuleContract):
    """What is expected of thinned-out curves."""

    def test_short_curves_come_whole_by_run_in_the_order_asked_then_by_key(self, store: TrackingStore) -> None:
        one, two = (store.create_run(new_run()).info.run_id for _ in range(2))
        points = [Metric("a", value, 9 - step, step - 2) for step, value in enumerate((3.0, math.inf, -1.0, 0.5))]
        _log(store, one, [*points, Metric("b", 1.0, 1)])
        _log(store, two, [Metric("b", 2.0, 1)])

        found = series(store, SeriesQuery((two, "nope", one, two), ("b", "a", "nope"), max_points=4))

        assert [(each.run_id, each.key, each.count) for each in found] == [(two, "b", 1), (one, "a", 4), (one, "b", 1)]
        assert found[1].points == tuple(points)

    def test_a_point_that_is_not_a_number_is_kept_in_a_short_curve(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        _log(store, run_id, [Metric("m", math.nan, 1, 1), Metric("m", -1.0, 1, 1), Metric("m", 1.0, 1)])

        (found,) = series(store, SeriesQuery((run_id,), ("m",)))

        assert [str(point.value) for point in found.points] == ["1.0", "nan", "-1.0"]

    @pytest.mark.parametrize("by_time", [False, True])
    def test_a_long_curve_keeps_its_ends_and_its_peaks(self, store: TrackingStore, by_time: bool) -> None:
        run_id = store.create_run(new_run()).info.run_id
        peaks = {7: 50.0, 444: -50.0, 999: 60.0, 1500: -math.inf, 1501: math.nan, 1993: -60.0}
        points = [
            Metric("m", peaks.get(number, math.sin(number)), 5 + number, 3 if by_time else 2 * number - 1000)
            for number in range(2000)
        ]
        _log(store, run_id, points)

        (found,) = series(store, SeriesQuery((run_id,), ("m",), max_points=100))

        assert (found.count, found.points[0], found.points[-1]) == (2000, points[0], points[-1])
        assert {points[number] for number in peaks if number != 1501} <= set(found.points) <= set(points)
        assert 60 <= len(found.points) <= 120
        assert list(found.points) == sorted(found.points, key=lambda point: (point.step, point.timestamp))

    def test_steps_outside_of_the_bounds_are_left_out(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        points = [Metric("m", float(step), 1, step) for step in range(-5, 300)]
        _log(store, run_id, points)

        (whole,) = series(store, SeriesQuery((run_id,), ("m",), min_step=-1, max_step=3))
        (thin,) = series(store, SeriesQuery((run_id,), ("m",), max_points=10, min_step=100))

        assert ([point.step for point in whole.points], whole.count) == ([-1, 0, 1, 2, 3], 5)
        assert (thin.points[0].step, thin.points[-1].step, thin.count) == (100, 299, 200)
        assert len(thin.points) < 30
        assert series(store, SeriesQuery((run_id,), ("m",), min_step=1000)) == ()

    def test_the_ends_of_the_range_of_steps_are_no_trouble(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run()).info.run_id
        _log(store, run_id, [Metric("m", float(n), n, step) for n, step in enumerate((-(2**63), -1, 0, 1, 2**63 - 1))])

        query = SeriesQuery((run_id,), ("m",), max_points=2)
        (found,) = series(store, query)

        assert (found.points[0].step, found.points[-1].step, found.count) == (-(2**63), 2**63 - 1, 5)
        assert {point.value for point in series_by_history(store, query)[0].points} >= {0.0, 4.0}


class CountContract(PluginModuleContract):
    """What is expected of counts, datasets and columns: what a look at every run says."""

    @ORACLE_SETTINGS
    @given(
        recorded=run_lists(), tree=st.none() | run_filters(), field=st.sampled_from(_FACETS), limit=st.integers(1, 4)
    )
    def test_counts_and_facets_are_those_of_the_runs_that_are_found(
        self, store: TrackingStore, recorded: list[RecordedRun], tree: Filter | None, field: Field, limit: int
    ) -> None:
        where = store.create_experiment(uuid4().hex, artifact_location=None, tags={}).experiment_id
        for run in recorded:
            record(store, evolve(run, new=evolve(run.new, run_id=uuid4().hex, experiment_id=where)))
        query = RunQuery((where,), tree, max_results=1)

        assert count_runs(store, query) == count_runs_by_search(store, query)
        assert run_facets(store, query, field, limit) == run_facets_by_search(store, query, field, limit)

    def test_counts_heed_experiments_and_view(self, store: TrackingStore) -> None:
        other = store.create_experiment("other", artifact_location=None, tags={}).experiment_id
        made = [store.create_run(new_run(where, team=where)).info.run_id for where in (DEFAULT, DEFAULT, other)]
        store.update_run(made[0], DELETE_RUN)
        team, asked = Field("tag", "team"), (DEFAULT, other, "99", "abc")

        counts = [count_runs(store, RunQuery(asked, view=view)) for view in ViewType]
        facets = run_facets(store, RunQuery(asked, view=ViewType.ALL), team, 10)

        assert counts == [{"ACTIVE_ONLY": 2, "DELETED_ONLY": 1, "ALL": 3}[view.name] for view in ViewType]
        assert facets == (Facet(DEFAULT, 2), Facet(other, 1))
        assert count_runs(store, RunQuery((DEFAULT,), Comparison(team, "=", other))) == 0
        assert (count_runs(store, RunQuery(())), run_facets(store, RunQuery(()), team, 10)) == (0, ())

    @pytest.mark.parametrize(
        "field", [Field("metric", "m"), Field("attribute", "start_time"), Field("dataset", "name")]
    )
    def test_what_has_no_text_has_no_facets(self, store: TrackingStore, field: Field) -> None:
        with pytest.raises(InvalidParameterError, match=f"no counted values of {field.entity} '{field.key}'"):
            run_facets(store, RunQuery((DEFAULT,)), field, 10)

    def test_datasets_are_listed_once_per_experiment_and_context(self, store: TrackingStore) -> None:
        other = store.create_experiment("other", artifact_location=None, tags={}).experiment_id
        train = DatasetInput(Dataset("iris", "d2"), (InputTag("mlflow.data.context", "train"), InputTag("x", "y")))
        plain = DatasetInput(Dataset("iris", "d2"))
        first = DatasetInput(Dataset("iris", "d1"), (InputTag("mlflow.data.context", "train"),))
        gone = DatasetInput(Dataset("gone", "d1"))
        for where, inputs in ((DEFAULT, (train, first)), (DEFAULT, (plain,)), (DEFAULT, (train,)), (other, (plain,))):
            store.log_inputs(store.create_run(new_run(where)).info.run_id, inputs)
        deleted = store.create_run(new_run()).info.run_id
        store.log_inputs(deleted, (gone,))
        store.update_run(deleted, DELETE_RUN)

        found = search_datasets(store, (other, DEFAULT, "99"), 100)

        assert found == (
            DatasetSummary(DEFAULT, "iris", "d1", "train"),
            DatasetSummary(DEFAULT, "iris", "d2", None),
            DatasetSummary(DEFAULT, "iris", "d2", "train"),
            DatasetSummary(other, "iris", "d2", None),
        )
        assert search_datasets(store, (DEFAULT,), 2) == found[:2] == search_datasets_by_search(store, (DEFAULT,), 2)
        assert search_datasets(store, (), 2) == ()

    def test_wanted_columns_come_with_the_info_of_the_runs(self, store: TrackingStore) -> None:
        run_id = store.create_run(new_run(t="1", u="1")).info.run_id
        batch = Batch(
            (Metric("m", 1.0, 1), Metric("n", 2.0, 1)), (Param("p", "1"), Param("q", "1")), (RunTag("v", "1"),)
        )
        store.log_batch(run_id, batch)
        wanted = (Field("metric", "m"), Field("param", "p"), Field("tag", "t"), Field("tag", "absent"))

        (found,) = store.search_runs(RunQuery((DEFAULT,), columns=wanted)).items
        (bare,) = store.search_runs(RunQuery((DEFAULT,), columns=())).items

        whole: Run = store.get_run(run_id)
        assert found.info == bare.info == whole.info
        assert (found.data.metrics["m"], found.data.params["p"], found.data.tags["t"]) == (1.0, "1", "1")
        assert "absent" not in found.data.tags
