"""The contract suite of deployers.

To use it, inherit in a test module and give a fixture `deployer` on an empty target:

    class TestMyDeployer(DeployerContract):
        plugin_module = "mlcore_deploy_mine.plugin"

        @pytest.fixture
        def deployer(self) -> Deployer: ...

Further fixtures have defaults: `model_uri` and `other_model_uri` (two model directories), `deploy_config`,
`refused_names`, `scoring_request`, `batch_places`, `endpoint_config`, and `faults`, without which the tests of failures
are skipped.
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest

from mlcore.errors import AlreadyExistsError, InvalidParameterError, LimitExceededError, MlcoreError, NotFoundError
from mlcore.interfaces import Deployer, Deployment
from mlcore.testing.deployer_abilities import BatchPredictContract, EndpointsContract
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.threads import race

STATES = ("creating", "ready", "updating", "failed", "deleting")
_MLMODEL = "flavors:\n  python_function:\n    loader_module: mlcore.testing.memory_flavor\n    data: model.json\n"


class Faults(Protocol):
    """What makes the target fail once; a fixture `faults` of this kind switches the tests of failures on."""

    def fail_next(self, kind: str) -> None:
        """Let the next creation or update fail.

        kind: `step`, something in the middle of it; `quota`, the target allows no more; `interrupt`, Control-C while
        waiting, as a KeyboardInterrupt.
        """
        ...


def names(deployer: Deployer) -> list[str]:
    """Return the names at the target, in its order."""
    return [found.name for found in deployer.list()]


class DeployerFixtures(PluginModuleContract):
    """What the tests of deployers stand on; each may be replaced."""

    @pytest.fixture
    def model_uri(self, tmp_path: Path) -> str:
        """Return a model that the target takes."""
        return _model(tmp_path / "model", 2.0)

    @pytest.fixture
    def other_model_uri(self, tmp_path: Path) -> str:
        """Return another model that the target takes."""
        return _model(tmp_path / "other", 3.0)

    @pytest.fixture
    def deploy_config(self) -> Mapping[str, object]:
        """Return what every call needs as its configuration."""
        return {}

    @pytest.fixture
    def refused_names(self) -> tuple[str, ...]:
        """Return names that the target does not take."""
        return ("", "with space", "a/b", "../up", "x" * 300)

    @pytest.fixture
    def scoring_request(self) -> tuple[bytes, str]:
        """Return body and content type of a request that the model answers."""
        return b'{"inputs": [1.0, 2.0]}', "application/json"

    @pytest.fixture
    def scoring_answer(self) -> object | None:
        """Return what `model_uri` answers to `scoring_request`, read from JSON; None: any body will do."""
        return None

    @pytest.fixture
    def faults(self) -> Faults | None:
        """Return what makes the target fail; None: the tests of failures are skipped."""
        return None

    @pytest.fixture
    def failing(self, faults: Faults | None) -> Faults:
        """Return what makes the target fail, or skip."""
        if faults is None:
            pytest.skip("no fixture `faults` makes the target fail")
        return faults


def _model(directory: Path, slope: float) -> str:
    directory.mkdir()
    (directory / "MLmodel").write_text(_MLMODEL, encoding="utf-8")
    (directory / "model.json").write_text(json.dumps({"slope": slope, "intercept": 0.0}), encoding="utf-8")
    return directory.as_uri()


Config = Mapping[str, object]


class DeploymentsContract(DeployerFixtures):
    """What creation, update, deletion and listing have to do."""

    def test_a_created_deployment_is_got_and_listed(
        self, deployer: Deployer, model_uri: str, deploy_config: Config
    ) -> None:
        made = deployer.create("first", model_uri, None, deploy_config)

        assert (made.name, made.state, made.model_uri) == ("first", "ready", model_uri)
        assert deployer.get("first") == made
        assert deployer.list() == (made,)

    def test_what_is_told_of_a_deployment_is_plain_json(
        self, deployer: Deployer, model_uri: str, deploy_config: Config
    ) -> None:
        made = deployer.create("first", model_uri, None, deploy_config)

        assert isinstance(made, Deployment)
        assert made.state in STATES
        assert json.loads(json.dumps(made.detail)) == made.detail

    def test_an_empty_target_lists_nothing(self, deployer: Deployer) -> None:
        assert deployer.list() == ()

    def test_deployments_are_listed_by_name(self, deployer: Deployer, model_uri: str, deploy_config: Config) -> None:
        for name in ("b", "c", "a"):
            deployer.create(name, model_uri, None, deploy_config)

        assert names(deployer) == ["a", "b", "c"]

    def test_creating_the_same_again_makes_nothing_more(
        self, deployer: Deployer, model_uri: str, deploy_config: Config
    ) -> None:
        made = deployer.create("first", model_uri, None, deploy_config)

        again = deployer.create("first", model_uri, None, deploy_config)

        assert (again.name, again.state, again.model_uri) == (made.name, made.state, made.model_uri)
        assert names(deployer) == ["first"]

    def test_a_name_in_use_for_another_model_is_refused(
        self, deployer: Deployer, model_uri: str, other_model_uri: str, deploy_config: Config
    ) -> None:
        deployer.create("first", model_uri, None, deploy_config)

        with pytest.raises(AlreadyExistsError, match="'first'"):
            deployer.create("first", other_model_uri, None, deploy_config)

        assert deployer.get("first").model_uri == model_uri

    def test_an_update_replaces_the_model(
        self, deployer: Deployer, model_uri: str, other_model_uri: str, deploy_config: Config
    ) -> None:
        deployer.create("first", model_uri, None, deploy_config)

        updated = deployer.update("first", other_model_uri, None, deploy_config)

        assert (updated.state, updated.model_uri) == ("ready", other_model_uri)
        assert deployer.get("first").model_uri == other_model_uri
        assert names(deployer) == ["first"]

    def test_an_update_without_a_model_keeps_it(
        self, deployer: Deployer, model_uri: str, deploy_config: Config
    ) -> None:
        deployer.create("first", model_uri, None, deploy_config)

        deployer.update("first", None, None, deploy_config)

        assert deployer.get("first").model_uri == model_uri

    def test_an_update_without_a_flavor_keeps_it(
        self, deployer: Deployer, model_uri: str, other_model_uri: str, deploy_config: Config
    ) -> None:
        made = deployer.create("first", model_uri, "python_function", deploy_config)

        updated = deployer.update("first", other_model_uri, None, deploy_config)

        assert updated.flavor == made.flavor
        assert deployer.get("first").flavor == made.flavor

    def test_a_deleted_deployment_is_gone_and_its_name_is_free(
        self, deployer: Deployer, model_uri: str, other_model_uri: str, deploy_config: Config
    ) -> None:
        deployer.create("first", model_uri, None, deploy_config)
        deployer.create("second", model_uri, None, deploy_config)

        deployer.delete("first", deploy_config)

        assert names(deployer) == ["second"]
        assert deployer.create("first", other_model_uri, None, deploy_config).model_uri == other_model_uri

    def test_deleting_what_is_not_there_does_nothing(self, deployer: Deployer, deploy_config: Config) -> None:
        deployer.delete("nope", deploy_config)

        assert deployer.list() == ()

    def test_an_unknown_deployment_is_named_in_the_error(
        self, deployer: Deployer, model_uri: str, deploy_config: Config, scoring_request: tuple[bytes, str]
    ) -> None:
        with pytest.raises(NotFoundError, match="'nope'"):
            deployer.get("nope")
        with pytest.raises(NotFoundError, match="'nope'"):
            deployer.update("nope", model_uri, None, deploy_config)
        with pytest.raises(NotFoundError, match="'nope'"):
            deployer.predict("nope", *scoring_request)

    def test_a_request_is_answered_with_body_and_content_type(
        self,
        deployer: Deployer,
        model_uri: str,
        deploy_config: Config,
        scoring_request: tuple[bytes, str],
        scoring_answer: object | None,
    ) -> None:
        deployer.create("first", model_uri, None, deploy_config)

        body, content_type = deployer.predict("first", *scoring_request)

        assert isinstance(body, bytes)
        assert "/" in content_type
        if scoring_answer is not None:
            assert (json.loads(body), content_type) == (scoring_answer, "application/json")

    def test_a_request_that_the_model_cannot_read_is_an_error_that_says_so(
        self, deployer: Deployer, model_uri: str, deploy_config: Config, scoring_answer: object | None
    ) -> None:
        if scoring_answer is None:
            pytest.skip("no fixture `scoring_answer`: the target does not run the model")
        deployer.create("first", model_uri, None, deploy_config)

        with pytest.raises(InvalidParameterError, match="no/such"):
            deployer.predict("first", b"x", "no/such")

    def test_a_key_of_the_configuration_that_is_not_known_is_named_and_makes_nothing(
        self, deployer: Deployer, model_uri: str, deploy_config: Config
    ) -> None:
        unknown = {**deploy_config, "no_such_key": "1"}

        with pytest.raises(InvalidParameterError, match="'no_such_key'"):
            deployer.create("first", model_uri, None, unknown)

        assert deployer.list() == ()
        deployer.create("first", model_uri, None, deploy_config)
        with pytest.raises(InvalidParameterError, match="'no_such_key'"):
            deployer.update("first", None, None, unknown)

    def test_names_that_the_target_refuses_are_told_before_anything_is_made(
        self, deployer: Deployer, model_uri: str, deploy_config: Config, refused_names: tuple[str, ...]
    ) -> None:
        for name in refused_names:
            with pytest.raises(InvalidParameterError) as caught:
                deployer.create(name, model_uri, None, deploy_config)

            assert repr(name)[:40] in str(caught.value), "the error names the name"
        assert deployer.list() == ()

    def test_a_model_that_is_not_there_is_named_and_leaves_nothing(
        self, deployer: Deployer, tmp_path: Path, deploy_config: Config
    ) -> None:
        with pytest.raises(MlcoreError, match="no-such-model"):
            deployer.create("first", (tmp_path / "no-such-model").as_uri(), None, deploy_config)

        assert deployer.list() == ()


class DeployerRacesContract(DeployerFixtures):
    """What happens to deployers that meet at one name."""

    def test_of_two_models_racing_for_a_name_one_wins_and_the_other_is_told(
        self, deployer: Deployer, model_uri: str, other_model_uri: str, deploy_config: Config
    ) -> None:
        models = [model_uri, other_model_uri] * 4

        found = race(8, lambda n: deployer.create("first", models[n], None, deploy_config))

        won = deployer.get("first").model_uri
        for model, answer in zip(models, found, strict=True):
            assert isinstance(answer, Deployment if model == won else AlreadyExistsError), answer
        assert names(deployer) == ["first"]

    def test_racing_creators_of_the_same_all_get_it(
        self, deployer: Deployer, model_uri: str, deploy_config: Config
    ) -> None:
        found = race(8, lambda _: deployer.create("first", model_uri, None, deploy_config))

        assert [each.name for each in found if isinstance(each, Deployment)] == ["first"] * 8
        assert names(deployer) == ["first"]

    def test_racing_deletions_do_no_harm(self, deployer: Deployer, model_uri: str, deploy_config: Config) -> None:
        deployer.create("first", model_uri, None, deploy_config)

        found = race(8, lambda _: deployer.delete("first", deploy_config))

        assert found == [None] * 8
        assert deployer.list() == ()


class DeployerFailuresContract(DeployerFixtures):
    """What a failure on the way has to leave; skipped without the fixture `faults`."""

    def test_a_creation_that_fails_half_way_leaves_nothing_and_can_be_repeated(
        self, deployer: Deployer, failing: Faults, model_uri: str, deploy_config: Config
    ) -> None:
        failing.fail_next("step")

        with pytest.raises(MlcoreError, match="first"):
            deployer.create("first", model_uri, None, deploy_config)

        assert deployer.list() == ()
        assert deployer.create("first", model_uri, None, deploy_config).state == "ready"

    def test_an_update_that_fails_leaves_the_old_deployment_serving(
        self,
        deployer: Deployer,
        failing: Faults,
        model_uri: str,
        other_model_uri: str,
        deploy_config: Config,
        scoring_request: tuple[bytes, str],
    ) -> None:
        deployer.create("first", model_uri, None, deploy_config)
        before = deployer.predict("first", *scoring_request)
        failing.fail_next("step")

        with pytest.raises(MlcoreError, match="first"):
            deployer.update("first", other_model_uri, None, deploy_config)

        found = deployer.get("first")
        assert (found.state, found.model_uri) == ("ready", model_uri)
        assert deployer.predict("first", *scoring_request) == before

    def test_an_exhausted_quota_is_an_error_of_its_own_and_leaves_nothing(
        self, deployer: Deployer, failing: Faults, model_uri: str, deploy_config: Config
    ) -> None:
        failing.fail_next("quota")

        with pytest.raises(LimitExceededError, match="first"):
            deployer.create("first", model_uri, None, deploy_config)

        assert deployer.list() == ()

    def test_an_interrupted_wait_leaves_nothing_that_is_in_the_way(
        self, deployer: Deployer, failing: Faults, model_uri: str, other_model_uri: str, deploy_config: Config
    ) -> None:
        failing.fail_next("interrupt")

        with pytest.raises(KeyboardInterrupt):
            deployer.create("first", model_uri, None, deploy_config)

        deployer.delete("first", deploy_config)
        assert deployer.create("first", other_model_uri, None, deploy_config).model_uri == other_model_uri


class DeployerContract(
    DeploymentsContract, DeployerRacesContract, DeployerFailuresContract, BatchPredictContract, EndpointsContract
):
    """Everything that the kernel relies on in a deployer."""

    def test_the_deployer_has_the_methods_of_the_contract(self, deployer: Deployer) -> None:
        assert isinstance(deployer, Deployer)
