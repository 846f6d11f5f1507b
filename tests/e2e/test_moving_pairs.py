"""Copies between stores of different kinds, field by field: what arrives, and what is told not to have."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import own_server
import pytest
import rich_store
import whole_store
from mlflow_servers import MlflowServer, mlflow_server
from own_server import OwnServer

from mlcore.entities import ExperimentQuery, ViewType
from mlcore.interfaces import ChoosesRunIds
from mlcore.moving import Report, copy_store
from mlcore.settings import Settings
from mlcore.tracking.session import Session, using

TIMES = ("experiments/Default/times", "experiments/gone/times", "logged/*/times")
SOURCES = "models/*/versions/*/source"


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    with own_server.own_server() as running:
        yield running


@pytest.fixture
def own(server: OwnServer) -> str:
    server.empty()
    return server.uri


@pytest.fixture(scope="module")
def mlflow_process(peer_mlflow: Path) -> Iterator[MlflowServer]:
    with mlflow_server(peer_mlflow) as running:
        yield running


@pytest.fixture
def sql(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/sql/mlcore.db"


@pytest.fixture
def filled(tmp_path: Path) -> str:
    uri = f"sqlite:///{tmp_path}/filled/mlcore.db"
    rich_store.fill(uri)
    return uri


def differences(source: str, target: str, *ignored: str) -> list[str]:
    return whole_store.differences(
        whole_store.read_all(source), whole_store.read_all(target), *TIMES, SOURCES, *ignored
    )


def shortfalls(report: Report) -> dict[str, int]:
    return {each.what: each.count for each in report.shortfalls}


def test_a_database_goes_to_a_server_and_back(filled: str, own: str, sql: str) -> None:
    there = copy_store(filled, own)
    again = copy_store(filled, own)
    back = copy_store(own, sql)

    assert differences(filled, own) == []
    assert differences(filled, sql) == []
    assert (there.failures, back.failures) == ((), ())
    assert again.counts.writes == 0
    assert copy_store(own, sql).counts.writes == 0


def test_a_database_goes_into_a_directory_and_back(filled: str, tmp_path: Path, sql: str) -> None:
    folder = (tmp_path / "store").as_uri()

    there = copy_store(filled, folder)
    again = copy_store(filled, folder)
    back = copy_store(folder, sql)

    assert differences(filled, folder) == []
    assert differences(filled, sql) == []
    assert (there.failures, back.failures) == ((), ())
    assert (again.counts.writes, copy_store(folder, sql).counts.writes) == (0, 0)


def test_experiments_that_began_in_a_directory_keep_their_ids_and_times(tmp_path: Path, sql: str, own: str) -> None:
    folder = (tmp_path / "store").as_uri()
    rich_store.fill(folder)

    there = copy_store(folder, sql)
    copy_store(sql, own)

    assert there.renumbered == ()
    with using(Session(Settings.load({"tracking_uri": sql}, environ={}))) as session:
        found = session.store().search_experiments(ExperimentQuery(view=ViewType.ALL)).items
    assert any(len(each.experiment_id) == 19 for each in found)
    assert differences(folder, sql) == []
    assert differences(folder, own) == []


def test_a_directory_goes_to_a_server(filled: str, tmp_path: Path, own: str) -> None:
    folder = (tmp_path / "store").as_uri()
    copy_store(filled, folder)

    copy_store(folder, own)

    assert differences(filled, own) == []


def test_a_database_goes_into_a_directory_in_the_layout_of_mlflow(filled: str, tmp_path: Path, sql: str) -> None:
    folder = f"{(tmp_path / 'mlruns').as_uri()}?layout=mlflow"

    there = copy_store(filled, folder)
    again = copy_store(filled, folder)
    copy_store(folder, sql)

    assert there.failures == ()
    assert again.counts.writes == 0
    assert differences(filled, sql) == []


@pytest.mark.slow
def test_a_server_of_mlflow_keeps_all_but_what_is_told(filled: str, mlflow_process: MlflowServer, sql: str) -> None:
    there = copy_store(filled, mlflow_process.uri)
    again = copy_store(filled, mlflow_process.uri)
    back = copy_store(mlflow_process.uri, sql)

    assert there.failures == back.failures == ()
    assert again.counts.writes == 0
    assert shortfalls(there) == {
        "histories of registered models": 2,
        "infinities, which the target keeps as the greatest number": 2,
        "links of runs to logged models": 2,
        "logged models": 1,
        "model versions that the target refuses": 1,  # its run is not the one that its source names
        "times of experiments": 2,
        "times of model versions": 2,
        "times of registered models": 2,
    }
    kept = whole_store.read_all(filled)
    arrived = _under_first_ids(
        whole_store.read_all(sql), mlflow_process.uri, list(cast("dict[str, object]", kept["runs"]))
    )
    assert whole_store.differences(_as_mlflow_keeps_it(kept), arrived) == []


def _under_first_ids(store: dict[str, object], mlflow: str, first_ids: list[str]) -> dict[str, object]:
    """Give runs the ids again that they had before MLflow's server chose others."""
    text = json.dumps(store["runs"])
    with using(Session(Settings.load({"tracking_uri": mlflow}, environ={}))) as session:
        there = session.store()
        assert isinstance(there, ChoosesRunIds)
        query = ExperimentQuery(view=ViewType.ALL)
        for experiment in there.search_experiments(query).items:
            for run_id in first_ids:
                made = there.created_as(experiment.experiment_id, run_id)
                text = text if made is None else text.replace(made.info.run_id, run_id)
    return _sorted(json.loads(text))


def _sorted(runs: dict[str, dict[str, object]]) -> dict[str, object]:
    for run in runs.values():
        run["histories"] = {key: sorted(points) for key, points in run["histories"].items()}
    return runs


def _as_mlflow_keeps_it(store: dict[str, object]) -> dict[str, object]:
    """Change what MLflow's server does not keep: infinities and logged models."""
    greatest = repr(sys.float_info.max)
    runs = json.loads(json.dumps(store["runs"]).replace("inf)", f"{greatest})").replace("inf'", f"{greatest}'"))
    for run in runs.values():
        run["models made"], run["models read"] = [], []
    return _sorted(runs)
