"""MLflow's own databases: what is read of them is what MLflow's client reads, and nothing is ever written."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlcore_store_sql.mlflow_registry import MlflowRegistryStore
from mlcore_store_sql.mlflow_store import MlflowTrackingStore
from mlcore_store_sql.plugin import registry_store, tracking_store

from mlcore.entities import (
    Batch,
    Comparison,
    ExperimentChange,
    ExperimentQuery,
    Field,
    LifecycleStage,
    LoggedModelQuery,
    Metric,
    NewRun,
    OrderBy,
    Run,
    RunChange,
    RunQuery,
    ViewType,
)
from mlcore.errors import InvalidStateError, NotFoundError, UnsupportedError
from mlcore.interfaces import RegistryStore, SupportsLoggedModels, SupportsSummary, TrackingStore

ROOT = Path(__file__).resolve().parents[3]
RELEASES = ("mlflow-1.30", "mlflow-2.22", "mlflow")
SCRIPT = Path(__file__).with_name("mlflow_writing.py")
_START_S = 400  # three imports of MLflow at once on a busy machine


@pytest.fixture(scope="session")
def databases(
    tmp_path_factory: pytest.TempPathFactory, require: Callable[..., None], peer_mlflow: Path
) -> dict[str, Path]:
    """Fill one database with each release, at once: their imports take long."""
    pythons = {name: ROOT / ".cache" / "peers" / name / "bin" / "python" for name in RELEASES[:2]}
    for name, python in pythons.items():
        require(name, python.exists(), "make peer")
    pythons["mlflow"] = peer_mlflow
    made = {name: tmp_path_factory.mktemp(name) for name in RELEASES}
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "PYTHON"))}
    running = {
        name: subprocess.Popen(
            [pythons[name], SCRIPT, made[name]], env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name in RELEASES
    }
    for name, process in running.items():
        said, _ = process.communicate(timeout=_START_S)
        assert process.returncode == 0, f"{name}: {said}"
    return made


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest, databases: dict[str, Path]) -> Path:
    return databases[request.param]


@pytest.fixture
def old(databases: dict[str, Path], tmp_path: Path) -> Path:
    """Return a copy of a database, of 2.22, that a test may do anything to."""
    copy = tmp_path / "theirs" / "mlflow.db"
    copy.parent.mkdir()
    shutil.copyfile(databases["mlflow-2.22"] / "mlflow.db", copy)
    return copy


def opened(path: Path) -> MlflowTrackingStore:
    store = tracking_store(f"sqlite:///{path}", None)
    assert isinstance(store, MlflowTrackingStore)
    return store


def all_runs(store: TrackingStore) -> list[Run]:
    ids = tuple(e.experiment_id for e in store.search_experiments(ExperimentQuery(view=ViewType.ALL)).items)
    return list(store.search_runs(RunQuery(ids, view=ViewType.ALL)).items)


def placed(release: Path, uri: str) -> str:
    """Return a place as MLflow 1.30 writes it: relative."""
    return uri.replace(f"file://{release}/", "./")


def shown(store: MlflowTrackingStore, run: Run, release: Path) -> dict[str, Any]:
    info = run.info
    fields = (info.run_id, info.experiment_id, info.run_name, info.user_id, info.status, info.start_time, info.end_time)
    curves = {
        key: store.get_metric_history(info.run_id, key, max_results=1000, page_token=None).items
        for key in run.data.metrics
    }
    return {
        "info": [*fields, placed(release, info.artifact_uri), info.lifecycle_stage],
        "metrics": {key: repr(value) for key, value in run.data.metrics.items()},
        "params": dict(run.data.params),
        "tags": dict(run.data.tags),
        "curves": {key: sorted([p.timestamp, p.step, repr(p.value)] for p in points) for key, points in curves.items()},
        "datasets": sorted(
            [
                [
                    *(used.dataset.name, used.dataset.digest, used.dataset.source_type, used.dataset.source),
                    *(used.dataset.schema, used.dataset.profile, sorted([tag.key, tag.value] for tag in used.tags)),
                ]
                for used in run.inputs.dataset_inputs
            ],
            key=str,
        ),
        "read": list(run.inputs.model_inputs),
        "made": [[made.model_id, made.step] for made in run.outputs],
    }


def told(release: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((release / "told.json").read_text(encoding="utf-8"))
    return found


def test_experiments_are_what_mlflows_client_reads(release: Path) -> None:
    store = opened(release / "mlflow.db")

    found = store.search_experiments(ExperimentQuery(view=ViewType.ALL)).items

    seen = [
        [
            *(e.experiment_id, e.name, placed(release, e.artifact_location), e.lifecycle_stage),
            *(e.creation_time, e.last_update_time, dict(e.tags)),
        ]
        for e in found
    ]
    assert sorted(seen) == sorted(told(release)["experiments"])
    assert [store.get_experiment(e.experiment_id) for e in found] == list(found)
    gone = store.get_experiment_by_name("gone")
    assert gone is not None
    assert gone.lifecycle_stage == LifecycleStage.DELETED
    store.close()


def test_runs_are_what_mlflows_client_reads_whole_histories_included(release: Path) -> None:
    store = opened(release / "mlflow.db")

    found = [shown(store, run, release) for run in all_runs(store)]

    assert len(found) == 4
    for one, other in zip(
        sorted(found, key=lambda run: run["info"]),
        sorted(told(release)["runs"], key=lambda run: run["info"]),
        strict=True,
    ):
        assert one == other
    store.close()


def test_the_registry_is_what_mlflows_client_reads(release: Path) -> None:
    registry = registry_store(f"sqlite:///{release}/mlflow.db")
    assert isinstance(registry, MlflowRegistryStore)
    expected = told(release)

    models = registry.search_models("", order_by=(), max_results=9, page_token=None).items
    versions = registry.search_versions("", order_by=(), max_results=9, page_token=None).items

    assert sorted(
        [m.name, m.creation_timestamp, m.last_updated_timestamp, m.description, dict(m.tags), dict(m.aliases)]
        for m in models
    ) == sorted(expected["models"])
    assert {m.name: sorted([v.current_stage, v.version] for v in m.latest_versions) for m in models} == expected[
        "latest"
    ]
    assert sorted(
        [
            *(v.name, v.version, v.source, v.creation_timestamp, v.last_updated_timestamp, v.run_id, v.run_link or ""),
            *(v.current_stage, v.status, v.status_message, v.description, dict(v.tags), sorted(v.aliases)),
        ]
        for v in versions
    ) == sorted(expected["versions"])
    with pytest.raises(NotFoundError):
        registry.get_version("model a", "2")
    registry.close()


def test_logged_models_are_what_mlflows_client_reads(release: Path) -> None:
    store = opened(release / "mlflow.db")
    assert isinstance(store, SupportsLoggedModels)

    found = store.search_logged_models(LoggedModelQuery(("1", "0"))).items

    seen = [
        [
            *(m.model_id, m.experiment_id, m.name, m.artifact_uri, m.creation_timestamp, m.last_updated_timestamp),
            *(m.status.value.replace("LOGGED_MODEL_", ""), m.model_type, m.source_run_id, dict(m.params), dict(m.tags)),
        ]
        for m in found
    ]
    assert seen == [model[:-1] for model in told(release)["logged"]]
    for model in found:
        (measured,) = model.metrics
        assert (measured.point.key, measured.point.value, measured.point.step) == ("acc", 0.7, 2)
        assert store.get_logged_model(model.model_id) == model
    store.close()


def test_searches_filter_sort_and_page(release: Path) -> None:
    store = opened(release / "mlflow.db")
    runs = sorted(all_runs(store), key=lambda run: run.info.start_time)
    ids = tuple({run.info.experiment_id for run in runs})
    by_start = (OrderBy(Field("attribute", "start_time")),)

    first = store.search_runs(RunQuery(ids, None, by_start, ViewType.ALL, 3))
    rest = store.search_runs(RunQuery(ids, None, by_start, ViewType.ALL, 3, first.next_token))
    logged = store.search_runs(RunQuery(ids, Comparison(Field("param", "lr"), "=", "0.1")))
    lowest = store.search_runs(RunQuery(ids, Comparison(Field("metric", "loss", "min"), "<", 0.03)))

    assert repr([*first.items, *rest.items]) == repr(runs)  # by text: NaN is unequal to itself
    assert rest.next_token is None
    assert [run.data.params["lr"] for run in logged.items] == ["0.1"]
    assert repr(lowest) == repr(logged)
    pages = store.get_metric_history(logged.items[0].info.run_id, "loss", max_results=30, page_token=None)
    more = store.get_metric_history(logged.items[0].info.run_id, "loss", max_results=30, page_token=pages.next_token)
    assert [point.step for point in (*pages.items, *more.items)] == list(range(-5, 45))
    store.close()


def test_summaries_leave_out_nan(release: Path) -> None:
    store = opened(release / "mlflow.db")
    assert isinstance(store, SupportsSummary)
    (run,) = store.search_runs(RunQuery(("1",), Comparison(Field("param", "lr"), "=", "0.1"))).items

    found = {each.key: each for each in store.metric_summaries(run.info.run_id)}

    assert (found["loss"].count, found["loss"].max, found["odd"].count, found["odd"].min) == (50, 1.0, 4, -1.5)
    assert (found["only nan"].count, found["only nan"].min, found["only nan"].max) == (1, None, None)
    assert found["loss"].last.step == 44
    store.close()


def test_every_change_is_refused_and_says_how_to_go_on(old: Path) -> None:
    store, registry = opened(old), registry_store(f"sqlite:///{old}")
    assert isinstance(registry, RegistryStore)
    calls: list[Callable[[], object]] = [
        lambda: store.create_experiment("x", artifact_location=None, tags={}),
        lambda: store.update_experiment("0", ExperimentChange(name="x")),
        lambda: store.create_run(NewRun("0", "r", "n", "u", 1)),
        lambda: store.update_run("r", RunChange(end_time=1)),
        lambda: store.log_batch("r", Batch((Metric("m", 1.0, 1),))),
        lambda: store.delete_tag("r", "t"),
        lambda: store.log_inputs("r", ()),
        lambda: registry.create_model("m", description="", tags={}),
        lambda: registry.update_model("m", new_name="n", description=None),
        lambda: registry.delete_model("m"),
        lambda: registry.create_version("m", "s", run_id=None, run_link=None, description="", tags={}),
        lambda: registry.update_version("m", "1", description="", stage=None, archive_existing=False),
        lambda: registry.delete_version("m", "1"),
        lambda: registry.set_alias("m", "a", "1"),
        lambda: registry.set_tag("m", None, "k", "v"),
    ]
    for call in calls:
        with pytest.raises(
            UnsupportedError, match=r"database of MLflow, which mlcore only reads.*mlcore import --from"
        ):
            call()
    store.close()
    registry.close()


def test_what_is_not_there_is_not_found(old: Path) -> None:
    store, registry = opened(old), registry_store(f"sqlite:///{old}")
    assert isinstance(registry, RegistryStore)
    calls: list[Callable[[], object]] = [
        lambda: store.get_run("nope"),
        lambda: store.get_experiment("77"),
        lambda: store.get_experiment("x"),
        lambda: store.get_metric_history("nope", "m", max_results=1, page_token=None),
        lambda: store.metric_summaries("nope"),
        lambda: store.get_logged_model("nope"),
        lambda: registry.get_model("nope"),
        lambda: registry.get_version("nope", "1"),
        lambda: registry.get_version_by_alias("model a", "nope"),
    ]
    for call in calls:
        with pytest.raises(NotFoundError):
            call()
    store.close()


def test_reading_leaves_file_and_directory_as_they_are(old: Path) -> None:
    before = (old.read_bytes(), old.stat().st_mtime_ns, sorted(old.parent.iterdir()))
    old.chmod(0o400)
    old.parent.chmod(0o500)

    try:
        store = opened(old)
        runs = all_runs(store)
        store.close()
        after = (old.read_bytes(), old.stat().st_mtime_ns, sorted(old.parent.iterdir()))
    finally:
        old.parent.chmod(0o700)

    assert len(runs) == 4
    assert after == before


def in_the_log(path: Path) -> None:
    """Change the database so that its last transaction is in a write-ahead log beside it."""
    copy = path.with_name("writing.db")
    shutil.copyfile(path, copy)
    writer = sqlite3.connect(copy)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("PRAGMA wal_autocheckpoint=0")
    writer.execute("UPDATE experiments SET name = 'from the log' WHERE name = 'first'")
    writer.commit()
    shutil.copyfile(copy, path)
    shutil.copyfile(f"{copy}-wal", f"{path}-wal")
    writer.close()
    copy.unlink()


@pytest.mark.parametrize("mode", [0o700, 0o500])
def test_a_log_that_was_left_behind_is_read_and_left(old: Path, mode: int) -> None:
    in_the_log(old)
    before = {each.name: each.read_bytes() for each in old.parent.iterdir()}
    old.parent.chmod(mode)

    try:
        store = opened(old)
        found = store.get_experiment_by_name("from the log")
        store.close()
        after = {each.name: each.read_bytes() for each in old.parent.iterdir()}
    finally:
        old.parent.chmod(0o700)

    assert found is not None
    assert after == before


def test_a_database_in_write_ahead_mode_without_a_log_is_read_on_read_only_media(old: Path) -> None:
    with sqlite3.connect(old) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
    writer.close()
    old.parent.chmod(0o500)

    try:
        assert len(all_runs(opened(old))) == 4
        names = sorted(each.name for each in old.parent.iterdir())
    finally:
        old.parent.chmod(0o700)

    assert names == ["mlflow.db"]


def test_a_run_that_somebody_records_meanwhile_is_seen(old: Path) -> None:
    store = opened(old)
    before = len(all_runs(store))

    with sqlite3.connect(old) as writer:
        writer.execute("UPDATE runs SET experiment_id = 0 WHERE lifecycle_stage = 'deleted'")
        writer.execute("DELETE FROM runs WHERE experiment_id = 0")
    writer.close()

    assert len(all_runs(store)) < before
    store.close()


FIRST_RELEASES = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256) UNIQUE NOT NULL,
    artifact_location VARCHAR(256), lifecycle_stage VARCHAR(32));
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), source_type VARCHAR(20), source_name VARCHAR(500),
    entry_point_name VARCHAR(50), user_id VARCHAR(256), status VARCHAR(20), start_time BIGINT, end_time BIGINT,
    source_version VARCHAR(50), lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200), experiment_id INTEGER);
CREATE TABLE tags (key VARCHAR(250), value VARCHAR(250), run_uuid VARCHAR(32), PRIMARY KEY (key, run_uuid));
CREATE TABLE metrics (key VARCHAR(250), value FLOAT NOT NULL, timestamp BIGINT, run_uuid VARCHAR(32),
    PRIMARY KEY (key, value, timestamp, run_uuid));
CREATE TABLE params (key VARCHAR(250), value VARCHAR(250) NOT NULL, run_uuid VARCHAR(32), PRIMARY KEY (key, run_uuid));
INSERT INTO experiments VALUES (0, 'Default', './mlruns/0', 'active');
INSERT INTO runs VALUES ('r1', '', 'LOCAL', 'train.py', 'main', 'ada', 'FINISHED', 5, 9, 'c0ffee', 'active', NULL, 0);
INSERT INTO tags VALUES ('mlflow.runName', 'the name', 'r1'), ('mlflow.source.name', 'mine.py', 'r1'), ('empty', NULL, 'r1');
INSERT INTO metrics VALUES ('m', 2.0, 10, 'r1'), ('m', 1.0, 11, 'r1');
INSERT INTO params VALUES ('p', '1', 'r1');
"""


def test_a_database_of_the_first_releases_is_read_by_the_columns_that_it_has(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as writer:
        writer.executescript(FIRST_RELEASES)
    writer.close()

    store, registry = opened(path), registry_store(f"sqlite:///{path}")
    run = store.get_run("r1")

    assert (run.info.run_name, run.info.user_id, run.info.end_time, run.info.artifact_uri) == ("the name", "ada", 9, "")
    assert run.data.latest == (Metric("m", 1.0, 11, 0),)
    assert run.data.params == {"p": "1"}
    assert run.data.tags == {
        "empty": "",
        "mlflow.project.entryPoint": "main",
        "mlflow.runName": "the name",
        "mlflow.source.git.commit": "c0ffee",
        "mlflow.source.name": "mine.py",
    }
    assert store.get_metric_history("r1", "m", max_results=9, page_token=None).items == (
        Metric("m", 2.0, 10, 0),
        Metric("m", 1.0, 11, 0),
    )
    assert [each.max for each in store.metric_summaries("r1")] == [2.0]
    experiment = store.get_experiment("0")
    assert (experiment.creation_time, experiment.artifact_location) == (None, f"file://{tmp_path}/mlruns/0")
    assert registry is not None
    assert registry.search_models("", order_by=(), max_results=9, page_token=None).items == ()
    store.close()
    registry.close()


def test_a_database_of_another_program_is_not_taken_for_mlflows(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as writer:
        writer.execute("CREATE TABLE experiments (id INTEGER)")
    writer.close()

    with pytest.raises(InvalidStateError, match="belongs to another program"):
        tracking_store(f"sqlite:///{path}", None)


_OTHER = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM mlcore_runs').fetchall(); c.close()"


def test_looking_whose_database_it_is_leaves_the_locks_of_this_process_alone(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlcore.db"
    store = tracking_store(uri, None)
    assert store is not None
    store.create_run(NewRun("0", "r", "n", "u", 1))

    registry_store(uri)
    subprocess.run([sys.executable, "-c", _OTHER, str(tmp_path / "mlcore.db")], check=True)

    # Whoever closes a database last removes the log, and this process is still there.
    assert (tmp_path / "mlcore.db-wal").exists()
    store.close()
