"""The contract over HTTP, at real servers of MLflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest
from mlcore_store_rest.opening import open_tracking_store
from mlcore_store_rest.registry import RestRegistryStore
from mlflow_servers import MlflowServer

from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.testing import RegistryStoreContract, TrackingStoreContract

pytestmark = [
    pytest.mark.filterwarnings("ignore::mlcore_store_rest.peers.MissingAbilityWarning"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


_CHOOSES = "MLflow's server chooses the ids of runs"
_RESTORES = "MLflow restores all runs of an experiment, those that were deleted before it included"
_ENDS = "MLflow keeps the end of a run that runs again"
_INFINITE = "MLflow keeps infinities as the largest finite numbers"
_DOUBLES = "test_every_double_is_read_back_as_it_was_logged"
_DIFFERENT = {
    "test_8_processes_that_create_one_run_share_it_and_lose_no_point": _CHOOSES,
    "test_a_process_killed_between_any_two_writes_leaves_whole_batches": _CHOOSES,
    "test_64_threads_that_create_one_run_all_get_that_run": _CHOOSES,
    "test_any_series_of_calls_has_the_outcome_that_it_has_in_memory": _CHOOSES,
    "test_searches_find_the_runs_that_the_reference_finds_in_its_order": _CHOOSES,
    "test_whatever_was_recorded_is_read_back": _CHOOSES,
    "test_a_created_run_is_running_and_read_back_as_it_was_made": _CHOOSES,
    "test_creating_the_same_run_again_returns_it_as_it_is": _CHOOSES,
    "test_a_run_id_of_another_experiment_is_refused": _CHOOSES,
    "test_a_run_that_was_deleted_before_its_experiment_stays_deleted": _RESTORES,
    "test_a_run_deleted_after_its_experiment_came_back_stays_deleted_the_next_time": _RESTORES,
    "test_a_run_that_runs_again_has_no_end": _ENDS,
    "test_counts_and_facets_are_those_of_the_runs_that_are_found": _CHOOSES,
    "test_short_curves_come_whole_by_run_in_the_order_asked_then_by_key": _INFINITE,
    "test_a_long_curve_keeps_its_ends_and_its_peaks[False]": _INFINITE,
    "test_a_long_curve_keeps_its_ends_and_its_peaks[True]": _INFINITE,
    "test_what_is_not_finite_is_told_by_its_position[0]": _INFINITE,
    "test_what_is_not_finite_is_told_by_its_position[400]": _INFINITE,
    f"{_DOUBLES}[inf]": _INFINITE,
    f"{_DOUBLES}[-inf]": _INFINITE,
}


_RACES = "MLflow's store loses this race now and then"
_UNSTEADY = {
    "test_of_many_racing_deletions_of_a_tag_one_succeeds": _RACES,
    "test_of_many_racing_creators_of_one_name_exactly_one_succeeds": _RACES,
    "test_of_many_racing_values_of_a_param_exactly_one_is_kept": _RACES,
    "test_setting_an_experiment_tag_leaves_the_others_and_tells_the_time": "MLflow does not note when it was",
}


class MlflowTracking(TrackingStoreContract):
    __test__ = False
    unsteady_cases: ClassVar[Mapping[str, str]] = _UNSTEADY
    plugin_module = "mlcore_store_rest.plugin"
    expected_cases: ClassVar[Mapping[str, str]] = _DIFFERENT

    @pytest.fixture
    def store_uri(self, server: MlflowServer) -> str:
        return server.uri

    @pytest.fixture
    def store(self, server: MlflowServer, store_uri: str) -> Iterator[TrackingStore]:
        server.empty()
        opened = open_tracking_store(store_uri)
        yield opened
        opened.close()


class TestMlflow3Tracking(MlflowTracking):
    __test__ = True

    @pytest.fixture
    def server(self, mlflow_3: MlflowServer) -> MlflowServer:
        return mlflow_3


class TestMlflow2Tracking(MlflowTracking):
    __test__ = True
    expected_cases: ClassVar[Mapping[str, str]] = {
        **_DIFFERENT,
        "test_a_point_that_is_there_already_is_kept_once": "MLflow 2 refuses a batch that holds NaN twice",
        "test_experiment_tags_are_set_overwritten_and_deleted": "MLflow 2 deletes no tags of experiments",
    }

    @pytest.fixture
    def server(self, mlflow_2: MlflowServer) -> MlflowServer:
        return mlflow_2


_LESS = "MLflow's filters of models and versions know no OR and no NOT"
_NAMED = "MLflow's message does not name the attribute"
_TOKENS = "MLflow takes page tokens that it has not made, or answers 500"
_PAGE = "test_a_bad_page_token_of_models_is_refused"
_FOUND = "test_versions_are_found_by_run_source_and_tag_and_what_is_missing_is_not_unequal"
_DIFFERENT_MODELS = {
    f"{_FOUND}[run_id != 'r1'-expected1]": "in MLflow no run is unequal to every run",
    "test_a_filter_that_makes_no_sense_is_named_for_versions[name == 'a']": _NAMED,
    "test_a_filter_that_makes_no_sense_is_refused[name == 'a']": _NAMED,
    f"{_PAGE}[eyJvZmZzZXQiOiAiMSJ9]": _TOKENS,
    f"{_PAGE}[eyJvZmZzZXQiOiAxLjV9]": _TOKENS,
    f"{_PAGE}[!eyJvZmZzZXQiOiAxfQ==]": _TOKENS,
    f"{_PAGE}[WzFd]": _TOKENS,
    "test_searches_find_the_models_that_the_reference_finds_in_its_order": _LESS,
    "test_searches_find_the_versions_that_the_reference_finds_in_its_order": _LESS,
    "test_a_change_of_a_version_is_a_change_of_its_model": "MLflow does not note it",
    "test_a_bad_page_token_of_models_is_refused[eyJvZmZzZXQiOiAtMX0=]": "MLflow takes offsets below 0",
}


class MlflowRegistry(RegistryStoreContract):
    __test__ = False
    plugin_module = "mlcore_store_rest.plugin"
    expected_cases: ClassVar[Mapping[str, str]] = _DIFFERENT_MODELS
    unsteady_cases: ClassVar[Mapping[str, str]] = {
        "test_of_many_racing_renames_one_succeeds": _RACES,
        "test_of_many_racing_deletions_one_succeeds": _RACES,
        "test_of_many_racing_promotions_one_stays_in_the_stage": _RACES,
        "test_of_many_racing_creators_each_gets_a_number_of_its_own": _RACES,
        "test_of_many_racing_creators_of_one_model_exactly_one_succeeds": _RACES,
    }

    @pytest.fixture
    def registry(self, server: MlflowServer) -> Iterator[RegistryStore]:
        server.empty()
        opened = RestRegistryStore.open(server.uri)
        yield opened
        opened.close()


class TestMlflow3Registry(MlflowRegistry):
    __test__ = True
    expected_cases: ClassVar[Mapping[str, str]] = {
        **_DIFFERENT_MODELS,
        "test_a_created_model_is_read_back": "MLflow 3 refuses ':' in names of registered models",
    }

    @pytest.fixture
    def server(self, mlflow_3: MlflowServer) -> MlflowServer:
        return mlflow_3


class TestMlflow2Registry(MlflowRegistry):
    __test__ = True
    expected_cases: ClassVar[Mapping[str, str]] = {
        **_DIFFERENT_MODELS,
        "test_a_deleted_version_takes_its_aliases_along": "MLflow 2 keeps aliases of deleted versions",
    }

    @pytest.fixture
    def server(self, mlflow_2: MlflowServer) -> MlflowServer:
        return mlflow_2
