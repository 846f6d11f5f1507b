"""The part of the contract suite of tracking stores that is about logged models.

Its tests are skipped for a store that is no `SupportsLoggedModels`.
"""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import math
from collections.abc import Callable
from uuid import uuid4

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from mlcore.entities import (
    Field,
    LifecycleStage,
    LoggedModel,
    LoggedModelChange,
    LoggedModelQuery,
    LoggedModelStatus,
    Metric,
    ModelMetric,
    ModelOutput,
    NewLoggedModel,
    RunQuery,
)
from mlcore.entities.filters import Comparison, Filter, OrderBy
from mlcore.errors import AlreadyExistsError, BadRequestError, InvalidParameterError, InvalidStateError, NotFoundError
from mlcore.interfaces import SupportsLoggedModels, TrackingStore
from mlcore.testing.filter_strategies import METRIC_KEYS, PARAM_KEYS, TAG_KEYS, TEXTS, filters_of, orders_of
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.tracking_oracle import ORACLE_SETTINGS, shown
from mlcore.testing.tracking_samples import DEFAULT, DELETE, DELETE_RUN, new_run
from mlcore.tracking.evaluate_logged import logged_model_matches, sort_logged_models
from mlcore.wire.filter_model_fields import LOGGED_MODELS

_REMOVE = LoggedModelChange(lifecycle_stage=LifecycleStage.DELETED)
_DATASETS = (("iris", "d1"), ("iris", "d2"), ("wine", "d1"))


def new_model(experiment_id: str = DEFAULT, **tags: str) -> NewLoggedModel:
    """Describe a logged model with an id of its own."""
    return NewLoggedModel(f"m-{uuid4().hex}", experiment_id, "net", "ada", "agent", "", {"p": "1"}, tags)


def _names() -> st.SearchStrategy[Field]:
    return st.one_of(
        st.builds(Field, st.just("metric"), st.sampled_from((*METRIC_KEYS, "absent"))),
        st.builds(Field, st.just("param"), st.sampled_from((*PARAM_KEYS, "absent"))),
        st.builds(Field, st.just("tag"), st.sampled_from((*TAG_KEYS, "absent"))),
        st.builds(Field, st.just("attribute"), st.sampled_from(sorted(LOGGED_MODELS.attributes))),
    )


class LoggedModelContract(PluginModuleContract):
    """What is expected of logged models."""

    @pytest.fixture
    def logging(self, store: TrackingStore) -> SupportsLoggedModels:
        """Return the store, if it keeps logged models."""
        if not isinstance(store, SupportsLoggedModels):
            pytest.skip("the store keeps no logged models")
        return store

    def test_a_created_logged_model_is_pending_and_read_back(
        self, store: TrackingStore, logging: SupportsLoggedModels
    ) -> None:
        new = NewLoggedModel("m-1", DEFAULT, "nët", "ada", "agent", "r1", {"p": "ß"}, {"t": "", "a": "1"})

        made = logging.create_logged_model(new)

        assert logging.get_logged_model("m-1") == made
        assert (made.name, made.creator_id, made.model_type, made.source_run_id) == ("nët", "ada", "agent", "r1")
        assert (made.params, made.tags, made.metrics) == ({"p": "ß"}, {"t": "", "a": "1"}, ())
        assert (made.status, made.lifecycle_stage) == (LoggedModelStatus.PENDING, LifecycleStage.ACTIVE)
        assert made.artifact_uri == f"{store.get_experiment(DEFAULT).artifact_location}/models/m-1/artifacts"

    def test_creating_the_same_logged_model_again_returns_it_as_it_is(
        self, store: TrackingStore, logging: SupportsLoggedModels
    ) -> None:
        new = new_model()
        logging.create_logged_model(new)
        changed = logging.update_logged_model(new.model_id, LoggedModelChange(status=LoggedModelStatus.READY))
        other = store.create_experiment("other", artifact_location=None, tags={}).experiment_id

        assert logging.create_logged_model(new) == changed
        with pytest.raises(AlreadyExistsError, match=f"{new.model_id}' already exists in experiment '0'"):
            logging.create_logged_model(evolve(new, experiment_id=other))

    def test_a_logged_model_needs_an_active_experiment(
        self, store: TrackingStore, logging: SupportsLoggedModels
    ) -> None:
        gone = store.create_experiment("gone", artifact_location=None, tags={}).experiment_id
        store.update_experiment(gone, DELETE)

        with pytest.raises(NotFoundError, match="no experiment with id='77'"):
            logging.create_logged_model(new_model("77"))
        with pytest.raises(InvalidStateError, match=f"experiment '{gone}' must be in the 'active' state"):
            logging.create_logged_model(new_model(gone))

    def test_an_unknown_logged_model_is_not_found(self, logging: SupportsLoggedModels) -> None:
        calls: list[Callable[[], object]] = [
            lambda: logging.get_logged_model("m-x"),
            lambda: logging.get_logged_model("m-x", allow_deleted=True),
            lambda: logging.update_logged_model("m-x", _REMOVE),
        ]
        for call in calls:
            with pytest.raises(NotFoundError, match="logged model with id='m-x' not found"):
                call()

    def test_a_deleted_logged_model_is_hidden_and_can_be_deleted_again_and_restored(
        self, logging: SupportsLoggedModels
    ) -> None:
        made = logging.create_logged_model(new_model())

        for _ in range(2):
            logging.update_logged_model(made.model_id, _REMOVE)

        assert logging.get_logged_model(made.model_id, allow_deleted=True).lifecycle_stage is LifecycleStage.DELETED
        assert logging.search_logged_models(LoggedModelQuery((DEFAULT,))).items == ()
        calls: list[Callable[[], object]] = [
            lambda: logging.get_logged_model(made.model_id),
            lambda: logging.update_logged_model(made.model_id, LoggedModelChange(set_tags={"a": "1"})),
        ]
        for call in calls:
            with pytest.raises(NotFoundError, match=f"logged model with id='{made.model_id}' not found"):
                call()
        logging.update_logged_model(made.model_id, LoggedModelChange(lifecycle_stage=LifecycleStage.ACTIVE))
        assert logging.get_logged_model(made.model_id).tags == {}

    def test_a_change_of_a_logged_model_leaves_the_rest(self, logging: SupportsLoggedModels) -> None:
        made = logging.create_logged_model(new_model(a="1", b="2"))

        change = LoggedModelChange(LoggedModelStatus.READY, None, {"q": "2"}, {"b": "3", "c": "4"}, ("a",))
        changed = logging.update_logged_model(made.model_id, change)

        assert logging.get_logged_model(made.model_id) == changed
        assert (changed.status, changed.params) == (LoggedModelStatus.READY, {"p": "1", "q": "2"})
        assert (changed.tags, changed.name) == ({"b": "3", "c": "4"}, "net")
        assert changed.last_updated_timestamp >= made.last_updated_timestamp

    @pytest.mark.parametrize(
        ("change", "error", "message"),
        [
            (LoggedModelChange(add_params={"q": "1", "p": "1"}), BadRequestError, "param 'p'.*already"),
            (LoggedModelChange(add_params={"q": "1"}, delete_tags=("x",)), NotFoundError, "no tag with key 'x'"),
        ],
    )
    def test_a_refused_change_of_a_logged_model_changes_nothing(
        self, logging: SupportsLoggedModels, change: LoggedModelChange, error: type[Exception], message: str
    ) -> None:
        made = logging.create_logged_model(new_model())

        with pytest.raises(error, match=message):
            logging.update_logged_model(made.model_id, change)

        assert logging.get_logged_model(made.model_id) == made

    def test_the_latest_point_of_each_key_run_and_dataset_is_kept(
        self, store: TrackingStore, logging: SupportsLoggedModels
    ) -> None:
        model = logging.create_logged_model(new_model()).model_id
        one, two = sorted(store.create_run(new_run()).info.run_id for _ in range(2))
        on_iris = ModelMetric(model, one, Metric("acc", 0.5, 10, 2), "iris", "d1")
        points = (
            on_iris,
            evolve(on_iris, point=Metric("acc", 0.9, 99, 1)),
            evolve(on_iris, dataset_digest="d2"),
            ModelMetric(model, one, Metric("acc", math.inf, 1)),
        )

        logging.log_model_metrics(one, points)
        logging.log_model_metrics(two, (evolve(on_iris, run_id=two),))
        logging.log_model_metrics(two, (evolve(on_iris, run_id=two),))

        kept = logging.get_logged_model(model).metrics
        assert kept == (points[3], on_iris, points[2], evolve(on_iris, run_id=two))

    def test_a_metric_of_an_unknown_logged_model_is_refused_and_nothing_is_kept(
        self, store: TrackingStore, logging: SupportsLoggedModels
    ) -> None:
        model = logging.create_logged_model(new_model()).model_id
        run_id = store.create_run(new_run()).info.run_id
        metric = ModelMetric(model, run_id, Metric("acc", 0.5, 1))

        with pytest.raises(BadRequestError, match="m-x"):
            logging.log_model_metrics(run_id, (metric, evolve(metric, model_id="m-x")))

        assert logging.get_logged_model(model).metrics == ()

    def test_models_that_a_run_read_and_made_come_with_the_run(
        self, store: TrackingStore, logging: SupportsLoggedModels
    ) -> None:
        run_id = store.create_run(new_run()).info.run_id
        logging.link_models(run_id, inputs=("m-2",), outputs=(ModelOutput("m-3", 5), ModelOutput("m-3", 6)))

        logging.link_models(run_id, inputs=("m-1", "m-2"), outputs=(ModelOutput("m-3", 5), ModelOutput("m-0")))

        run = store.get_run(run_id)
        assert run.inputs.model_inputs == ("m-2", "m-1")
        assert run.outputs == (ModelOutput("m-3", 5), ModelOutput("m-3", 6), ModelOutput("m-0"))
        assert store.search_runs(RunQuery((DEFAULT,))).items == (run,)

    def test_unknown_and_deleted_runs_have_nothing_to_do_with_models(
        self, store: TrackingStore, logging: SupportsLoggedModels
    ) -> None:
        gone = store.create_run(new_run()).info.run_id
        store.update_run(gone, DELETE_RUN)

        for run_id, error in (("nope", NotFoundError), (gone, InvalidStateError)):
            with pytest.raises(error, match=run_id):
                logging.link_models(run_id, inputs=("m-1",))
            with pytest.raises(error, match=run_id):
                logging.log_model_metrics(run_id, ())

    def test_logged_models_are_found_in_the_given_experiments_newest_first(
        self, store: TrackingStore, logging: SupportsLoggedModels
    ) -> None:
        other = store.create_experiment("other", artifact_location=None, tags={}).experiment_id
        for where in (DEFAULT, other, DEFAULT):
            logging.create_logged_model(new_model(where))

        found = logging.search_logged_models(LoggedModelQuery((DEFAULT, "99", "abc"))).items
        everywhere = logging.search_logged_models(LoggedModelQuery((DEFAULT, other))).items

        assert [each.experiment_id for each in found] == [DEFAULT, DEFAULT]
        assert everywhere == tuple(sort_logged_models(everywhere))
        assert len(everywhere) == 3
        assert logging.search_logged_models(LoggedModelQuery(())).items == ()

    def test_a_bad_page_token_of_logged_models_is_refused(self, logging: SupportsLoggedModels) -> None:
        with pytest.raises(InvalidParameterError, match="invalid page token"):
            logging.search_logged_models(LoggedModelQuery((DEFAULT,), page_token="?"))  # noqa: S106 - no secret

    @ORACLE_SETTINGS
    @given(
        tree=st.none() | filters_of(_names(), LOGGED_MODELS, 3),
        order=orders_of(_names(), 3),
        datasets=st.lists(st.sampled_from((*_DATASETS, ("iris", ""), ("absent", ""))), max_size=2).map(tuple),
        page_size=st.integers(1, 7),
    )
    @example(
        tree=Comparison(Field("metric", "m"), ">", -0.5),
        order=(OrderBy(Field("metric", "m")),),
        datasets=(("iris", "d2"),),
        page_size=2,
    )
    def test_searches_find_the_logged_models_that_the_reference_finds_in_its_order(
        self,
        store: TrackingStore,
        logging: SupportsLoggedModels,
        tree: Filter | None,
        order: tuple[OrderBy, ...],
        datasets: tuple[tuple[str, str], ...],
        page_size: int,
    ) -> None:
        if not logging.search_logged_models(LoggedModelQuery((DEFAULT,))).items:
            _fill(store, logging)
        everything = logging.search_logged_models(LoggedModelQuery((DEFAULT,), max_results=100)).items
        fitting = [each for each in everything if logged_model_matches(tree, each, datasets)]

        found: list[LoggedModel] = []
        query = LoggedModelQuery((DEFAULT,), tree, order, datasets, page_size)
        while True:
            page = logging.search_logged_models(query)
            assert len(page.items) <= page_size, "a page holds more than was asked for"
            found += page.items
            if page.next_token is None:
                break
            query = evolve(query, page_token=page.next_token)

        assert list(map(shown, found)) == list(map(shown, sort_logged_models(fitting, order, datasets)))


def _fill(store: TrackingStore, logging: SupportsLoggedModels) -> None:
    """Make eight models, each with a little of everything that filters ask for."""
    runs = [store.create_run(new_run()).info.run_id for _ in range(2)]
    values = (0.0, 1.0, -1.0, math.nan, math.inf, -math.inf, 0.5, 1000.0)
    for index, value in enumerate(values):
        text = TEXTS[index * 3]
        params = dict(zip(PARAM_KEYS, TEXTS[index * 2 :], strict=False)) if index % 3 else {}
        tags = dict(zip(TAG_KEYS[: index % 4], TEXTS[index + 5 :], strict=False))
        model = f"m-{'09af7c3e'[index]}{'0' * 30}{'09af7c3e'[index]}"
        logging.create_logged_model(NewLoggedModel(model, DEFAULT, text, "", text, runs[0], params, tags))
        if index % 2:
            logging.update_logged_model(model, LoggedModelChange(LoggedModelStatus.READY))
        for number, (name, digest) in enumerate(_DATASETS[: index % 4]):
            for key in METRIC_KEYS[: 1 + index % 3]:
                point = Metric(key, values[(index + number) % 8], 5 - number, number)
                logging.log_model_metrics(runs[number % 2], (ModelMetric(model, "", point, name, digest),))
        if index > 4:
            logging.log_model_metrics(runs[1], (ModelMetric(model, "", Metric("m", value, index, 1)),))
