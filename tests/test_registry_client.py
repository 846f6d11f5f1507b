"""The registry through the client, the fluent API and model URIs, on a real SQLite store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import mlcore
from mlcore import Client
from mlcore.errors import (
    AlreadyExistsError,
    ArtifactNotFoundError,
    InvalidParameterError,
    InvalidStateError,
    NotFoundError,
)
from mlcore.settings import Settings
from mlcore.tracking.session import Session, using


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    settings = Settings.load({"tracking_uri": f"sqlite:///{tmp_path}/mlcore.db"}, environ={}, directory=tmp_path)
    with using(Session(settings)):
        yield Client()


class _Doubles(mlcore.pyfunc.PythonModel):  # type: ignore[misc]  # the module is found at run time
    def predict(self, context: object, model_input: object, params: object = None) -> object:
        return model_input


def _logged(text: str = "model") -> tuple[str, str]:
    with mlcore.start_run() as run:
        mlcore.log_text(text, "model/MLmodel")
    return run.run_id, f"runs:/{run.run_id}/model"


def test_a_model_of_a_run_is_registered_with_its_files_and_its_run(client: Client) -> None:
    run_id, uri = _logged()

    version = mlcore.register_model(uri, "wine", tags={"team": "a"})

    assert (version.name, version.version, version.run_id) == ("wine", "1", run_id)
    assert version.source.endswith(f"{run_id}/artifacts/model")
    assert client.get_model_version("wine", 1).tags == {"team": "a"}


def test_what_is_not_there_is_not_registered(client: Client) -> None:
    run_id, _ = _logged()

    with pytest.raises(ArtifactNotFoundError, match=r"nothing is at 'runs:/.*/other'.*log the model first"):
        mlcore.register_model(f"runs:/{run_id}/other", "wine")

    assert client.search_registered_models() == []


def test_racing_registrations_of_a_new_model_get_a_version_each(client: Client) -> None:
    _, uri = _logged()

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: mlcore.register_model(uri, "wine").version, range(16)))

    assert sorted(made, key=int) == [str(number) for number in range(1, 17)]


@pytest.mark.parametrize(
    ("uri", "version"),
    [
        ("models:/wine/1", "1"),
        ("models:/wine/2", "2"),
        ("models:/wine/production", "1"),
        ("models:/wine@champion", "2"),
        ("models:/wine/latest", "3"),
    ],
)
def test_every_form_of_a_models_uri_finds_its_files(client: Client, tmp_path: Path, uri: str, version: str) -> None:
    for number in "123":
        mlcore.register_model(_logged(f"text of {number}")[1], "wine")
    client.transition_model_version_stage("wine", 1, "production")
    client.set_registered_model_alias("wine", "champion", 2)

    local = mlcore.download_artifacts(uri, dst_path=tmp_path / "got")

    assert (Path(local) / "MLmodel").read_text() == f"text of {version}"


def test_an_unknown_alias_is_answered_with_those_that_exist(client: Client) -> None:
    mlcore.register_model(_logged()[1], "wine")
    client.set_registered_model_alias("wine", "champion", 1)

    with pytest.raises(NotFoundError, match=r"alias champoin not found, did you mean 'champion'\?.*has champion"):
        mlcore.download_artifacts("models:/wine@champoin")


def test_an_unknown_stage_is_answered_with_those_that_exist(client: Client) -> None:
    mlcore.register_model(_logged()[1], "wine")

    with pytest.raises(NotFoundError, match=r"no version in stage 'Staging'; it has None \(version 1\)"):
        mlcore.download_artifacts("models:/wine/staging")
    with pytest.raises(InvalidParameterError, match=r"invalid model version stage: 'best'; value must be one of None"):
        client.transition_model_version_stage("wine", 1, "best")


def test_an_unknown_version_is_answered_with_those_that_exist(client: Client) -> None:
    for _ in range(2):
        mlcore.register_model(_logged()[1], "wine")

    with pytest.raises(NotFoundError, match=r"\(registered model 'wine' has 1, 2\)$"):
        client.get_model_version("wine", 7)


def test_moving_to_production_archives_what_was_there_when_asked_to(client: Client) -> None:
    for _ in range(2):
        mlcore.register_model(_logged()[1], "wine")
    client.transition_model_version_stage("wine", 1, "Production")

    client.transition_model_version_stage("wine", 2, "Production", archive_existing_versions=True)

    assert {v.version: v.current_stage for v in client.search_model_versions("name = 'wine'")} == {
        "1": "Archived",
        "2": "Production",
    }
    assert [v.version for v in client.get_latest_versions("wine", ["production"])] == ["2"]


def test_a_version_in_production_is_deleted_only_by_force(client: Client) -> None:
    mlcore.register_model(_logged()[1], "wine")
    client.transition_model_version_stage("wine", 1, "Production")

    with pytest.raises(InvalidStateError, match=r"version 1 of registered model 'wine' is in Production"):
        client.delete_model_version("wine", 1)
    with pytest.raises(InvalidStateError, match="is in Production"):
        client.delete_registered_model("wine")
    client.delete_model_version("wine", 1, force=True)

    assert client.search_model_versions("name = 'wine'") == []


def test_a_version_is_copied_with_its_files_description_and_tags(client: Client) -> None:
    version = mlcore.register_model(_logged()[1], "wine", tags={"a": "b"})
    client.update_model_version("wine", 1, "**good**")

    copy = client.copy_model_version("models:/wine/1", "prod.wine")

    assert (copy.name, copy.version, copy.source, copy.description) == ("prod.wine", "1", version.source, "**good**")
    assert copy.tags == {"a": "b", "mlcore.copied_from": "models:/wine/1"}


def test_models_are_renamed_described_tagged_and_searched(client: Client) -> None:
    client.create_registered_model("wine", tags={"team": "a"}, description="of Italy")
    with pytest.raises(AlreadyExistsError, match="wine"):
        client.create_registered_model("wine")

    client.rename_registered_model("wine", "barolo")
    client.set_registered_model_tag("barolo", "team", "b")
    client.delete_registered_model_tag("barolo", "nothing")
    client.update_registered_model("barolo", "of Piemont")

    (found,) = mlcore.search_registered_models(filter_string="tags.team = 'b'")
    assert (found.name, found.description) == ("barolo", "of Piemont")


@pytest.mark.parametrize("name", ["", " ", "a/b", "a:b", "..", "x" * 300, "a\nb"])
def test_names_that_no_uri_can_hold_are_refused(client: Client, name: str) -> None:
    with pytest.raises(InvalidParameterError, match="Invalid model name"):
        client.create_registered_model(name)


@pytest.mark.parametrize("alias", ["latest", "v1", "a b", "", "x" * 256])
def test_reserved_and_odd_aliases_are_refused(client: Client, alias: str) -> None:
    client.create_registered_model("wine")

    with pytest.raises(InvalidParameterError, match="alias"):
        client.set_registered_model_alias("wine", alias, 1)


def test_tags_of_a_version_are_set_by_number_or_by_stage(client: Client) -> None:
    mlcore.register_model(_logged()[1], "wine")
    client.transition_model_version_stage("wine", 1, "Staging")

    client.set_model_version_tag("wine", key="checked", value=True, stage="staging")
    mlcore.set_model_version_tag("wine", 1, "by", "me")

    assert client.get_model_version("wine", "1").tags == {"checked": "True", "by": "me"}
    client.delete_model_version_tag("wine", 1, "checked")
    assert client.get_model_version("wine", "1").tags == {"by": "me"}


def test_a_logged_model_is_registered_in_the_same_call_and_loads_by_its_alias(client: Client) -> None:
    with mlcore.start_run():
        info = mlcore.pyfunc.log_model(python_model=_Doubles(), name="model", registered_model_name="doubles")
    client.set_registered_model_alias("doubles", "champion", str(info.registered_model_version))

    loaded = mlcore.pyfunc.load_model("models:/doubles@champion", trust=True)

    assert info.registered_model_version == "1"
    assert loaded.predict([1, 2]) == [1, 2]
    assert mlcore.models.get_model_info("models:/doubles/1").flavors.keys() == info.flavors.keys()


def test_a_registered_model_without_a_version_is_told_how_to_name_one(client: Client) -> None:
    mlcore.register_model(_logged()[1], "wine")

    with pytest.raises(
        NotFoundError, match=r"registered model, say which version: models:/wine/VERSION, models:/wine/S"
    ):
        mlcore.download_artifacts("models:/wine")
