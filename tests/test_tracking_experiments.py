"""Experiments and searches through the fluent API and the client, on a real SQLite store."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import mlcore
from mlcore.errors import AlreadyExistsError, FilterError, InvalidParameterError, InvalidStateError, NotFoundError


def test_the_default_experiment_is_there_from_the_start() -> None:
    assert mlcore.get_experiment("0").name == "Default"


def test_set_experiment_makes_it_once() -> None:
    first = mlcore.set_experiment("wine")

    assert mlcore.set_experiment("wine") == first
    with mlcore.start_run() as run:
        assert run.info.experiment_id == first.experiment_id


def test_many_processes_that_set_one_experiment_get_the_same() -> None:
    script = "import mlcore; print(mlcore.set_experiment('race').experiment_id)"

    started = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(8)]
    answers = {p.communicate()[0].strip() for p in started}

    assert len(answers) == 1
    assert all(p.returncode == 0 for p in started)


def test_a_deleted_experiment_is_not_set() -> None:
    made = mlcore.create_experiment("gone")
    mlcore.delete_experiment(made)

    with pytest.raises(InvalidStateError, match=r"cannot set a deleted experiment 'gone'.*experiments restore -x"):
        mlcore.set_experiment("gone")
    mlcore.restore_experiment(made)
    assert mlcore.set_experiment("gone").experiment_id == made


def test_a_taken_name_is_refused() -> None:
    mlcore.create_experiment("twice")

    with pytest.raises(AlreadyExistsError, match="twice"):
        mlcore.create_experiment("twice")


def test_renaming_and_tagging() -> None:
    made = mlcore.create_experiment("old", tags={"a": 1})
    mlcore.rename_experiment(made, "new")
    mlcore.set_experiment(experiment_id=made)
    mlcore.set_experiment_tags({"b": "2"})
    mlcore.delete_experiment_tag("a")

    found = mlcore.get_experiment_by_name("new")
    assert found is not None
    assert dict(found.tags) == {"b": "2"}


def test_an_unknown_experiment_is_named() -> None:
    with pytest.raises(NotFoundError, match="999"):
        mlcore.get_experiment("999")


@pytest.mark.parametrize("name", ["", "  ", "x" * 501])
def test_a_bad_experiment_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameterError, match="invalid experiment name"):
        mlcore.create_experiment(name)


def test_the_setting_chooses_the_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "from the environment")

    with mlcore.start_run() as run:
        pass

    assert mlcore.get_experiment(run.info.experiment_id).name == "from the environment"


def test_experiments_are_searched() -> None:
    for name in ("apple", "pear", "apricot"):
        mlcore.create_experiment(name)

    found = mlcore.search_experiments(filter_string="name LIKE 'ap%'", order_by=["name"])

    assert [e.name for e in found] == ["apple", "apricot"]


def sweep() -> None:
    for i in range(5):
        with mlcore.start_run(tags={"odd": str(i % 2)}):
            mlcore.log_params({"i": i, "model": "tree" if i < 3 else "line"})
            mlcore.log_metric("rmse", 1 / (i + 1))
            if i == 4:
                mlcore.log_metric("extra", 1.0)


def test_runs_are_a_frame_in_mlflows_columns() -> None:
    sweep()

    frame = mlcore.search_runs(filter_string="metrics.rmse < 0.6", order_by=["metrics.rmse ASC"])

    assert isinstance(frame, pd.DataFrame)
    assert list(frame["params.i"]) == ["4", "3", "2", "1"]
    assert list(frame.columns[:6]) == ["run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time"]
    assert frame["metrics.extra"].isna().tolist() == [False, True, True, True]
    assert str(frame["start_time"].dt.tz) == "UTC"


def test_the_language_knows_or_not_and_numbers_in_params() -> None:
    sweep()

    text = "(params.i >= 1 AND params.i < 3) OR NOT metrics.rmse > 0.21"
    found = mlcore.search_runs(filter_string=text, output_format="list")

    assert sorted(r.data.params["i"] for r in found) == ["1", "2", "4"]


def test_a_search_goes_over_all_pages_and_stops_at_the_limit() -> None:
    sweep()
    client = mlcore.Client()

    first = client.search_runs(["0"], max_results=2)
    second = client.search_runs(["0"], max_results=2, page_token=first.token)

    assert len({r.info.run_id for r in [*first, *second]}) == 4
    assert len(mlcore.search_runs(max_results=3)) == 3


def test_a_bad_filter_points_at_the_column() -> None:
    with pytest.raises(FilterError, match=r"at column 15\n  metrics\.rmse == 1\n +\^|column"):
        mlcore.search_runs(filter_string="metrics.rmse == 1")


def test_experiments_are_searched_by_name_or_all() -> None:
    mlcore.set_experiment("one")
    sweep()
    mlcore.set_experiment("two")
    sweep()

    assert len(mlcore.search_runs(experiment_names=["one"])) == 5
    assert len(mlcore.search_runs(search_all_experiments=True)) == 10
    with pytest.raises(NotFoundError, match="no experiment is called 'three'"):
        mlcore.search_runs(experiment_names=["three"])


def test_an_unknown_tracking_scheme_says_what_to_install() -> None:
    mlcore.set_tracking_uri("postgres-xl://h/db")

    with pytest.raises(mlcore.MlcoreError, match=r"no installed plugin answers tracking_store scheme 'postgres-xl'"):
        mlcore.search_experiments()


def test_two_stores_can_be_used_at_once(tmp_path: Path) -> None:
    here, there = mlcore.Client(f"sqlite:///{tmp_path}/a.db"), mlcore.Client(f"sqlite:///{tmp_path}/b.db")
    here.create_experiment("only here")

    assert there.get_experiment_by_name("only here") is None


def test_deleted_runs_are_shown_only_when_asked_for() -> None:
    with mlcore.start_run() as run:
        pass
    mlcore.delete_run(run.run_id)

    assert mlcore.search_runs(output_format="list") == []
    assert len(mlcore.search_runs(run_view_type="DELETED_ONLY", output_format="list")) == 1
    with pytest.raises(InvalidStateError, match=run.run_id):
        mlcore.Client().log_metric(run.run_id, "m", 1.0)
    mlcore.restore_run(run.run_id)
    assert len(mlcore.search_runs(output_format="list")) == 1
