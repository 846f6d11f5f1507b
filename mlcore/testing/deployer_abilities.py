"""What deployers have to do that have more than the required methods; skipped by isinstance for the others."""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlcore.errors import AlreadyExistsError, InvalidParameterError, NotFoundError
from mlcore.interfaces import Deployer, SupportsBatchPlan, SupportsBatchPredict, SupportsEndpoints
from mlcore.testing.plugin_module import PluginModuleContract

BATCH_STATES = ("running", "succeeded", "failed", "stopping", "stopped")
Config = Mapping[str, object]
Places = tuple[str, str]


class BatchPredictContract(PluginModuleContract):
    """Predictions for whole files."""

    @pytest.fixture
    def batch_places(self, tmp_path: Path) -> Places:
        """Return where the files for a batch prediction are, and where its predictions shall go."""
        (tmp_path / "batch").mkdir()
        (tmp_path / "batch" / "rows.json").write_text('{"inputs": [1.0, 2.0]}', encoding="utf-8")
        return (tmp_path / "batch").as_uri(), (tmp_path / "predictions").as_uri()

    @pytest.fixture
    def batches(self, deployer: Deployer) -> SupportsBatchPredict:
        """Return the deployer, or skip."""
        if not isinstance(deployer, SupportsBatchPredict):
            pytest.skip("the deployer has no batch predictions")
        return deployer

    def test_a_batch_prediction_runs_and_is_got_and_listed(
        self, batches: SupportsBatchPredict, model_uri: str, batch_places: Places, deploy_config: Config
    ) -> None:
        done = batches.batch_predict("nightly", model_uri, None, *batch_places, deploy_config)

        assert (done.name, done.state, done.model_uri) == ("nightly", "succeeded", model_uri)
        assert (done.input_uri, done.output_uri) == batch_places
        assert batches.get_batch("nightly") == done
        assert [(each.name, each.state) for each in batches.list_batches()] == [("nightly", "succeeded")]

    def test_what_is_told_of_a_batch_prediction_is_plain_json(
        self, batches: SupportsBatchPredict, model_uri: str, batch_places: Places, deploy_config: Config
    ) -> None:
        done = batches.batch_predict("nightly", model_uri, None, *batch_places, deploy_config)

        assert done.state in BATCH_STATES
        assert json.loads(json.dumps(done.detail)) == done.detail

    def test_the_same_batch_prediction_started_twice_runs_once(
        self, batches: SupportsBatchPredict, model_uri: str, batch_places: Places, deploy_config: Config
    ) -> None:
        first = batches.batch_predict("nightly", model_uri, None, *batch_places, deploy_config)

        again = batches.batch_predict("nightly", model_uri, None, *batch_places, deploy_config)

        assert again == first
        assert len(batches.list_batches()) == 1

    def test_batch_predictions_are_listed_by_name(
        self, batches: SupportsBatchPredict, model_uri: str, batch_places: Places, deploy_config: Config
    ) -> None:
        for name in ("b", "c", "a"):
            batches.batch_predict(name, model_uri, None, *batch_places, deploy_config)

        assert [each.name for each in batches.list_batches()] == ["a", "b", "c"]

    def test_the_name_of_a_batch_prediction_is_not_used_for_another_model(
        self,
        batches: SupportsBatchPredict,
        model_uri: str,
        other_model_uri: str,
        batch_places: Places,
        deploy_config: Config,
    ) -> None:
        batches.batch_predict("nightly", model_uri, None, *batch_places, deploy_config)

        with pytest.raises(AlreadyExistsError, match="'nightly'"):
            batches.batch_predict("nightly", other_model_uri, None, *batch_places, deploy_config)

        assert batches.get_batch("nightly").model_uri == model_uri

    def test_stopping_a_batch_prediction_that_has_ended_or_never_was_does_nothing(
        self, batches: SupportsBatchPredict, model_uri: str, batch_places: Places, deploy_config: Config
    ) -> None:
        batches.batch_predict("nightly", model_uri, None, *batch_places, deploy_config)

        batches.stop_batch("nightly")
        batches.stop_batch("never")

        assert batches.get_batch("nightly").state == "succeeded"

    def test_an_unknown_batch_prediction_is_named_in_the_error(self, batches: SupportsBatchPredict) -> None:
        with pytest.raises(NotFoundError, match="'never'"):
            batches.get_batch("never")

    def test_names_of_batch_predictions_that_the_target_refuses_are_told(
        self,
        batches: SupportsBatchPredict,
        model_uri: str,
        batch_places: Places,
        deploy_config: Config,
        refused_names: tuple[str, ...],
    ) -> None:
        for name in refused_names:
            with pytest.raises(InvalidParameterError):
                batches.batch_predict(name, model_uri, None, *batch_places, deploy_config)

        assert batches.list_batches() == ()

    def test_planning_a_batch_prediction_starts_nothing(
        self, batches: SupportsBatchPredict, model_uri: str, batch_places: Places, deploy_config: Config
    ) -> None:
        if not isinstance(batches, SupportsBatchPlan):
            pytest.skip("the deployer cannot tell the calls of a batch prediction in advance")

        planned = batches.plan_batch_predict("nightly", model_uri, None, *batch_places, deploy_config)

        assert any(not call.reads for call in planned)
        assert batches.list_batches() == ()


class EndpointsContract(PluginModuleContract):
    """Endpoints that hold several deployments."""

    @pytest.fixture
    def endpoint_config(self) -> Config:
        """Return what the target needs to make an endpoint."""
        return {}

    @pytest.fixture
    def endpoints(self, deployer: Deployer) -> SupportsEndpoints:
        """Return the deployer, or skip."""
        if not isinstance(deployer, SupportsEndpoints):
            pytest.skip("the deployer has no endpoints apart from deployments")
        return deployer

    @pytest.fixture
    def shared(
        self, endpoints: SupportsEndpoints, model_uri: str, other_model_uri: str, deploy_config: Config
    ) -> Deployer:
        """Return the deployer of an endpoint with two deployments."""
        inside = endpoints.at_endpoint("shared")
        inside.create("first", model_uri, None, deploy_config)
        inside.create("second", other_model_uri, None, deploy_config)
        return inside

    def test_an_endpoint_holds_several_deployments(
        self, endpoints: SupportsEndpoints, shared: Deployer, model_uri: str, other_model_uri: str
    ) -> None:
        found = shared.list()

        assert [(each.name, each.model_uri) for each in found] == [("first", model_uri), ("second", other_model_uri)]
        assert found == (shared.get("first"), shared.get("second"))
        assert [(each.name, each.state) for each in endpoints.list_endpoints()] == [("shared", "ready")]
        assert endpoints.get_endpoint("shared") == endpoints.list_endpoints()[0]

    def test_a_deployment_in_an_endpoint_is_made_once_and_for_one_model(
        self, shared: Deployer, model_uri: str, other_model_uri: str, deploy_config: Config
    ) -> None:
        again = shared.create("second", other_model_uri, None, deploy_config)

        assert again == shared.get("second")
        with pytest.raises(AlreadyExistsError, match="'second'"):
            shared.create("second", model_uri, None, deploy_config)
        assert [each.name for each in shared.list()] == ["first", "second"]

    def test_each_deployment_of_an_endpoint_can_be_asked_and_so_can_the_endpoint(
        self, endpoints: SupportsEndpoints, shared: Deployer, scoring_request: tuple[bytes, str]
    ) -> None:
        answers = [shared.predict(name, *scoring_request) for name in ("first", "second")]

        assert answers[0] != answers[1], "the models differ"
        assert endpoints.predict_at("shared", *scoring_request) in answers

    def test_updating_a_deployment_leaves_the_others_in_its_endpoint(
        self, shared: Deployer, other_model_uri: str, deploy_config: Config
    ) -> None:
        before = shared.get("second").model_uri

        updated = shared.update("first", other_model_uri, None, deploy_config)

        assert (updated.name, updated.model_uri) == ("first", other_model_uri)
        assert shared.get("second").model_uri == before
        assert [each.name for each in shared.list()] == ["first", "second"]

    def test_deleting_a_deployment_leaves_the_others_in_its_endpoint(
        self, shared: Deployer, deploy_config: Config, scoring_request: tuple[bytes, str]
    ) -> None:
        before = shared.predict("second", *scoring_request)

        shared.delete("first", deploy_config)
        shared.delete("first", deploy_config)

        assert [each.name for each in shared.list()] == ["second"]
        assert shared.predict("second", *scoring_request) == before
        with pytest.raises(NotFoundError, match="'first'"):
            shared.get("first")
        with pytest.raises(NotFoundError, match="'first'"):
            shared.predict("first", *scoring_request)

    def test_deleting_an_endpoint_deletes_its_deployments(self, endpoints: SupportsEndpoints, shared: Deployer) -> None:
        endpoints.delete_endpoint("shared")
        endpoints.delete_endpoint("shared")

        assert endpoints.list_endpoints() == ()
        assert shared.list() == ()

    def test_an_endpoint_that_is_made_again_is_the_same(
        self, endpoints: SupportsEndpoints, endpoint_config: Config
    ) -> None:
        made = endpoints.create_endpoint("shared", endpoint_config)

        again = endpoints.create_endpoint("shared", endpoint_config)

        assert again == made == endpoints.get_endpoint("shared")
        assert endpoints.list_endpoints() == (made,)

    def test_an_unknown_endpoint_is_named_in_the_error(
        self, endpoints: SupportsEndpoints, scoring_request: tuple[bytes, str]
    ) -> None:
        with pytest.raises(NotFoundError, match="'nope'"):
            endpoints.get_endpoint("nope")
        with pytest.raises(NotFoundError, match="'nope'"):
            endpoints.update_endpoint("nope", {})
        with pytest.raises(NotFoundError, match="'nope'"):
            endpoints.predict_at("nope", *scoring_request)

    def test_names_of_endpoints_that_the_target_refuses_are_told(
        self, endpoints: SupportsEndpoints, refused_names: tuple[str, ...]
    ) -> None:
        for name in refused_names:
            with pytest.raises(InvalidParameterError):
                endpoints.at_endpoint(name)
