"""Runs that were recorded without a server, delivered to servers of MLflow, which give them ids of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlcore_store_rest.opening import open_tracking_store
from mlflow_servers import MlflowServer

import mlcore
from mlcore.delivery import Policy, Spool, spools
from mlcore.delivery.sync import Synced, sync
from mlcore.entities import Run, RunCreation, RunQuery
from mlcore.journal import read_journal
from mlcore.settings import Settings
from mlcore.tracking import tags
from mlcore.tracking.client import Client
from mlcore.tracking.session import Session, using

pytestmark = [
    pytest.mark.filterwarnings("ignore::mlcore_store_rest.peers.MissingAbilityWarning"),
]


@pytest.fixture(params=["mlflow_3", "mlflow_2"])
def server(request: pytest.FixtureRequest) -> MlflowServer:
    started: MlflowServer = request.getfixturevalue(request.param)
    started.empty()
    return started


@pytest.fixture
def spool_dir(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def online(server: MlflowServer, spool_dir: Path) -> Iterator[Session]:
    session = Session(Settings.load({"tracking_uri": server.uri, "spool_dir": str(spool_dir)}))
    yield session
    session.close()


@pytest.fixture
def recorded(server: MlflowServer, spool_dir: Path) -> tuple[str, str]:
    """The ids of a run and of one nested in it, recorded offline."""
    settings = Settings.load({"tracking_uri": server.uri, "spool_dir": str(spool_dir), "offline": True})
    with using(Session(settings)):
        mlcore.set_experiment("afterwards")
        with mlcore.start_run(run_name="outer") as outer:
            mlcore.log_param("p", 1)
            for step in range(5):
                mlcore.log_metric("m", step, step=step, timestamp=1_700_000_000_000 + step)
            mlcore.log_text("hello", "a/b.txt")
            with mlcore.start_run(run_name="inner", nested=True) as inner:
                mlcore.log_metric("n", 1.5)
    return outer.info.run_id, inner.info.run_id


def _spool(spool_dir: Path) -> Spool:
    (found,) = spools(spool_dir)
    return found


def _deliver(session: Session, spool_dir: Path) -> list[Synced]:
    return sync(_spool(spool_dir), session.store, Policy(patience_s=30), session.repo)


def _runs(session: Session) -> dict[str, Run]:
    experiment = session.store().get_experiment_by_name("afterwards")
    assert experiment is not None
    found = session.store().search_runs(RunQuery((experiment.experiment_id,), max_results=100)).items
    assert len({run.info.run_name for run in found}) == len(found)
    return {run.info.run_name: run for run in found}


def test_runs_arrive_with_all_they_hold_under_ids_of_the_server(
    recorded: tuple[str, str], online: Session, spool_dir: Path
) -> None:
    done = _deliver(online, spool_dir)

    assert [(each.waiting_bytes, each.refused, each.error) for each in done] == [(0, 0, None)] * 2
    runs = _runs(online)
    outer, inner = runs["outer"], runs["inner"]
    assert {outer.info.run_id, inner.info.run_id}.isdisjoint(recorded)
    assert inner.data.tags[tags.PARENT_RUN_ID] == outer.info.run_id
    assert (outer.data.params, inner.data.metrics) == ({"p": "1"}, {"n": 1.5})
    assert (outer.info.status, inner.info.status) == ("FINISHED", "FINISHED")
    client = Client(session=online)
    curve = client.get_metric_history(outer.info.run_id, "m")
    assert [(point.timestamp - 1_700_000_000_000, point.step, point.value) for point in curve] == [
        (step, step, float(step)) for step in range(5)
    ]
    assert [file.path for file in client.list_artifacts(outer.info.run_id, "a")] == ["a/b.txt"]


def test_the_first_id_still_means_the_run_here_and_is_told_to_others(
    recorded: tuple[str, str], online: Session, spool_dir: Path, server: MlflowServer
) -> None:
    _deliver(online, spool_dir)

    outer = _runs(online)["outer"].info.run_id
    client = Client(session=online)
    assert client.get_run(recorded[0]).info.run_id == outer
    assert [point.step for point in client.get_metric_history(recorded[0], "m")] == [0, 1, 2, 3, 4]
    assert [file.path for file in client.list_artifacts(recorded[0])] == ["a"]
    facts = json.loads((_spool(spool_dir).run(recorded[0]).path / "run.json").read_bytes())
    assert facts["server_run_id"] == outer
    found = client.search_runs(
        [client.get_run(outer).info.experiment_id], f"tags.`mlcore.clientRunId` = '{recorded[0]}'"
    )
    assert [run.info.run_id for run in found] == [outer]


def test_a_run_whose_creation_was_never_confirmed_is_not_made_twice(
    recorded: tuple[str, str], online: Session, spool_dir: Path, server: MlflowServer
) -> None:
    folder = _spool(spool_dir).run(recorded[0])
    creation = next(
        entry.recorded
        for path in folder.journals()
        for entry in read_journal(path)[1]
        if isinstance(entry.recorded, RunCreation)
    )
    before = open_tracking_store(server.uri)
    experiment = before.create_experiment("afterwards", artifact_location=None, tags={})
    from attrs import evolve

    folder.note(is_tried=True)
    made = before.create_run(evolve(creation.new, experiment_id=experiment.experiment_id))
    before.close()

    _deliver(online, spool_dir)

    assert _runs(online)["outer"].info.run_id == made.info.run_id
    assert len(_runs(online)) == 2
