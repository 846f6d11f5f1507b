"""The part of the contract suite of tracking stores that compares their searches with the reference evaluator."""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import uuid4

from attrs import evolve
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from mlcore.entities import (
    And,
    Batch,
    Comparison,
    Experiment,
    ExperimentQuery,
    Field,
    Filter,
    Metric,
    MetricSummary,
    NewRun,
    Not,
    Or,
    OrderBy,
    Page,
    Run,
    RunChange,
    RunQuery,
)
from mlcore.interfaces import SupportsSummary, TrackingStore
from mlcore.testing.filter_strategies import (
    RUN_IDS,
    RecordedRun,
    experiment_filters,
    experiment_orders,
    run_filters,
    run_lists,
    run_orders,
)
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.tracking.evaluate import experiment_matches, run_matches, sort_experiments, sort_runs

# One store serves all examples, each in an experiment of its own; a suite is run by many classes.
ORACLE_SETTINGS = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,  # a suite says the same today and tomorrow
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.differing_executors,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)


def record(store: TrackingStore, recorded: RecordedRun) -> Run:
    """Tell *store* everything of a run; return what it then has."""
    run_id = recorded.new.run_id
    store.create_run(recorded.new)
    store.log_batch(run_id, recorded.batch)
    store.log_inputs(run_id, recorded.inputs)
    store.update_run(run_id, recorded.change)
    return store.get_run(run_id)


def shown(value: object) -> str:
    """Return *value* as text, in which NaN equals NaN and 0 equals -0, which not every database keeps apart."""
    return repr(value).replace("-0.0", "0.0")


def all_runs(store: TrackingStore, query: RunQuery) -> Iterator[Run]:
    """Yield the runs of all pages."""
    while True:
        page: Page[Run] = store.search_runs(query)
        assert len(page.items) <= query.max_results, "a page holds more than was asked for"
        yield from page.items
        if page.next_token is None:
            return
        query = evolve(query, page_token=page.next_token)


def _moved(recorded: list[RecordedRun], experiment_id: str) -> tuple[list[RecordedRun], dict[str, str]]:
    """Give the runs ids that no example before had, in the same order."""
    suffix = uuid4().hex
    ids = {run.new.run_id: run.new.run_id[0] + suffix[1:] for run in recorded}
    moved = [
        evolve(run, new=evolve(run.new, run_id=ids[run.new.run_id], experiment_id=experiment_id)) for run in recorded
    ]
    return moved, ids


def _asking(tree: Filter | None, ids: Mapping[str, str]) -> Filter | None:
    """Return the filter with the run ids exchanged."""
    if isinstance(tree, And | Or):
        return type(tree)(tuple(part for each in tree.parts if (part := _asking(each, ids)) is not None))
    if isinstance(tree, Not):
        inner = _asking(tree.part, ids)
        return Not(inner) if inner is not None else None
    if not isinstance(tree, Comparison) or tree.field != Field("attribute", "run_id"):
        return tree
    if isinstance(tree.value, tuple):
        return evolve(tree, value=tuple(ids.get(each, each) for each in tree.value))
    return evolve(tree, value=ids.get(tree.value, tree.value)) if isinstance(tree.value, str) else tree


# What a small number of random examples may miss.
_THREE_RUNS = [
    RecordedRun(NewRun("1", run_id, "n", "u", 1), Batch((Metric("m", value, 1),)), (), RunChange())
    for run_id, value in zip(RUN_IDS, (1.0, 3.0, 2.0), strict=False)
]


class OracleContract(PluginModuleContract):
    """What is expected of filters and orders: exactly what `mlcore.tracking.evaluate` says."""

    @ORACLE_SETTINGS
    @given(recorded=run_lists(), tree=st.none() | run_filters(), order=run_orders(), page_size=st.integers(1, 7))
    @example(recorded=_THREE_RUNS, tree=None, order=(OrderBy(Field("metric", "m")),), page_size=2)
    @example(recorded=_THREE_RUNS, tree=Comparison(Field("metric", "m"), ">", 1.0), order=(), page_size=2)
    def test_searches_find_the_runs_that_the_reference_finds_in_its_order(
        self,
        store: TrackingStore,
        recorded: list[RecordedRun],
        tree: Filter | None,
        order: tuple[OrderBy, ...],
        page_size: int,
    ) -> None:
        where = store.create_experiment(uuid4().hex, artifact_location=None, tags={}).experiment_id
        moved, ids = _moved(recorded, where)
        asked = _asking(tree, ids)
        stored = [record(store, run) for run in moved]
        summaries = {run.new.run_id: run.summaries() for run in moved}
        expected = [run for run in stored if run_matches(asked, run, summaries[run.info.run_id])]

        found = list(all_runs(store, RunQuery((where,), asked, order, max_results=page_size)))

        assert list(map(shown, found)) == list(map(shown, sort_runs(expected, order, summaries)))

    @ORACLE_SETTINGS
    @given(recorded=run_lists(max_size=3))
    def test_whatever_was_recorded_is_read_back(self, store: TrackingStore, recorded: list[RecordedRun]) -> None:
        where = store.create_experiment(uuid4().hex, artifact_location=None, tags={}).experiment_id
        for run in _moved(recorded, where)[0]:
            stored = record(store, run)

            expected = run.run(stored.info.artifact_uri)
            assert (stored.info, stored.data.params) == (expected.info, expected.data.params)
            assert stored.data.tags == {**run.new.tags, **expected.data.tags}
            assert shown(stored.data.latest) == shown(expected.data.latest)
            assert stored.inputs == expected.inputs
            if isinstance(store, SupportsSummary):
                kept: dict[str, MetricSummary] = {each.key: each for each in store.metric_summaries(run.new.run_id)}
                assert shown(kept) == shown(run.summaries())

    @ORACLE_SETTINGS
    @given(tree=st.none() | experiment_filters(), order=experiment_orders(), page_size=st.integers(1, 4))
    def test_searches_find_the_experiments_that_the_reference_finds_in_its_order(
        self, store: TrackingStore, tree: Filter | None, order: tuple[OrderBy, ...], page_size: int
    ) -> None:
        if store.get_experiment_by_name("tree") is None:
            for name, team in (("tree", "a"), ("Tree", "A"), ("a%b", "it's"), ("é 日本", ""), ("1000", "1e3")):
                store.create_experiment(name, artifact_location=None, tags={"t": team, "a:b": name})
        everything = store.search_experiments(ExperimentQuery(max_results=1000)).items
        expected = sort_experiments([each for each in everything if experiment_matches(tree, each)], order)

        found: list[Experiment] = []
        token: str | None = None
        while True:
            page = store.search_experiments(ExperimentQuery(tree, order, max_results=page_size, page_token=token))
            found += page.items
            token = page.next_token
            if token is None:
                break

        assert found == expected
