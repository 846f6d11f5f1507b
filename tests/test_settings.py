"""Settings: order of origins, faults with their origin, masking."""

from pathlib import Path

import pytest

from mlcore.errors import SettingsError
from mlcore.settings import Settings


def load(tmp_path: Path, environ: dict[str, str] | None = None, **arguments: object) -> Settings:
    return Settings.load(arguments, environ=environ or {}, directory=tmp_path)


def test_without_any_source_the_default_counts_and_says_so(tmp_path: Path) -> None:
    settings = load(tmp_path)

    assert settings.tracking_uri == "sqlite:///mlcore.db"
    assert str(settings.origins["tracking_uri"]) == "default"


def test_an_argument_wins_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "mlcore.toml").write_text('tracking_uri = "sqlite:///file.db"\nport = 7000\nhost = "::1"\n')
    environ = {"MLCORE_TRACKING_URI": "sqlite:///env.db", "MLCORE_PORT": "7001"}

    settings = load(tmp_path, environ, tracking_uri="sqlite:///argument.db")

    assert (settings.tracking_uri, settings.port, settings.host) == ("sqlite:///argument.db", 7001, "::1")
    assert str(settings.origins["port"]) == "environment MLCORE_PORT"
    assert str(settings.origins["host"]) == f"file {tmp_path / 'mlcore.toml'}: host"


def test_the_mlflow_variable_counts_when_ours_is_not_set(tmp_path: Path) -> None:
    environ = {"MLFLOW_TRACKING_URI": "http://theirs", "MLFLOW_EXPERIMENT_NAME": "theirs"}

    settings = load(tmp_path, {**environ, "MLCORE_EXPERIMENT_NAME": "ours"})

    assert (settings.tracking_uri, settings.experiment_name) == ("http://theirs", "ours")


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    assert load(tmp_path, {"MLCORE_TRACKING_URI": ""}).tracking_uri == "sqlite:///mlcore.db"


def test_the_nearest_project_file_upwards_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.mlcore]\nexperiment_name = "from pyproject"\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)

    settings = Settings.load({}, environ={}, directory=inner)

    assert settings.experiment_name == "from pyproject"


def test_a_bad_value_names_setting_origin_value_and_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"setting 'port' \(environment MLFLOW_PORT\) has the value 'x', expected a port"
    ):
        load(tmp_path, {"MLFLOW_PORT": "x"})


def test_an_unknown_setting_in_a_file_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    (tmp_path / "mlcore.toml").write_text('traking_uri = "x"\n')

    with pytest.raises(SettingsError, match=r"unknown setting 'traking_uri' .*did you mean 'tracking_uri'"):
        load(tmp_path)


def test_a_broken_settings_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "mlcore.toml").write_text("= nonsense")

    with pytest.raises(SettingsError, match=r"mlcore.toml is not valid TOML"):
        load(tmp_path)


def test_trust_cannot_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "mlcore.toml").write_text('trust_models = ["/"]\n')

    with pytest.raises(
        SettingsError, match=r"'trust_models' cannot come from a file .* set MLCORE_TRUST_MODELS instead"
    ):
        load(tmp_path)


def test_passwords_are_masked_when_settings_are_shown(tmp_path: Path) -> None:
    settings = load(tmp_path, {"MLCORE_TRACKING_URI": "postgresql://me:secret@host/db"})

    shown = {e.name: e.value for e in settings.explain()}

    assert shown["tracking_uri"] == "postgresql://me:***@host/db"


def test_lists_and_tables_are_read_from_variables(tmp_path: Path) -> None:
    environ = {"MLCORE_DISABLE_PLUGINS": "a, b", "MLCORE_PREFER": "tracking_store:sqlite=mine,flavor:x=y"}

    settings = load(tmp_path, environ)

    assert settings.disable_plugins == ("a", "b")
    assert settings.prefer == {"tracking_store:sqlite": "mine", "flavor:x": "y"}


def test_the_run_to_resume_cannot_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "mlcore.toml").write_text('run_id = "abc"\n')

    with pytest.raises(SettingsError, match=r"'run_id' cannot come from a file .* set MLCORE_RUN_ID instead"):
        load(tmp_path)


def test_the_run_to_resume_that_is_given_as_an_argument_counts_once(tmp_path: Path) -> None:
    import mlcore
    from mlcore.tracking.session import Session, using

    with mlcore.start_run() as run:
        pass

    with using(Session(load(tmp_path, run_id=run.run_id))):
        with mlcore.start_run() as first:
            pass
        with mlcore.start_run() as second:
            pass

    assert first.run_id == run.run_id
    assert second.run_id != run.run_id


def test_a_session_with_settings_of_its_own_leaves_the_environment_alone(tmp_path: Path) -> None:
    import os

    import mlcore
    from mlcore.tracking.session import Session, using

    before = dict(os.environ)

    with using(Session(load(tmp_path))):
        mlcore.set_tracking_uri("sqlite:///own.db")
        mlcore.set_experiment("own")
        assert dict(os.environ) == before


def test_a_relative_path_in_a_file_is_seen_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "mlcore.toml").write_text('tracking_uri = "sqlite:///runs.db"\nartifact_root = "artifacts"\n')
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)

    settings = Settings.load({}, environ={}, directory=inner)

    assert settings.tracking_uri == f"sqlite:///{tmp_path}/runs.db"
    assert settings.artifact_root == f"file://{tmp_path}/artifacts"
