from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import rich_store
import whole_store
from rich_store import BINNED, CHILD, GOING, PARENT, T0

from mlcore.delivery.spool import Spool
from mlcore.entities import (
    Batch,
    ExperimentChange,
    LifecycleStage,
    Metric,
    NewRun,
    Param,
    RunChange,
    RunStatus,
    RunTag,
)
from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.moving import Choice, Report, copy_store
from mlcore.plugins import current

TIMES = ("experiments/Default/times", "experiments/gone/times", "logged/*/times")
SOURCES = "models/*/versions/*/source"


@pytest.fixture
def source(tmp_path: Path) -> str:
    uri = f"sqlite:///{tmp_path}/a/mlcore.db"
    rich_store.fill(uri)
    return uri


@pytest.fixture
def target(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/b/mlcore.db"


def tracking(uri: str) -> TrackingStore:
    return current().first(HookSpecs.tracking_store, uri=uri, artifact_root=None)


def registry(uri: str) -> RegistryStore:
    return current().first(HookSpecs.registry_store, uri=uri)


def differences(source: str, target: str, *ignored: str) -> list[str]:
    return whole_store.differences(
        whole_store.read_all(source), whole_store.read_all(target), *TIMES, SOURCES, *ignored
    )


def shortfalls(report: Report) -> dict[str, int]:
    return {each.what: each.count for each in report.shortfalls}


def dump(uri: str) -> list[str]:
    with sqlite3.connect(uri.removeprefix("sqlite:///")) as database:
        return list(database.iterdump())


def test_everything_in_a_store_arrives_in_the_other_field_by_field(source: str, target: str) -> None:
    report = copy_store(source, target)

    assert differences(source, target) == []
    assert report.failures == ()


def test_the_report_counts_what_was_copied(source: str, target: str) -> None:
    report = copy_store(source, target)

    counts = report.counts
    assert (counts.experiments, counts.runs, counts.runs_changed) == (2, 6, 0)
    assert (counts.artifact_files, counts.artifact_bytes) == (6, 2 * (5000 + 12))
    assert (counts.models, counts.versions, counts.logged_models, counts.datasets) == (2, 3, 1, 2)
    assert counts.points == 7 + 4 + 4 + 1500 + 1 + 1 + 1 + 1  # the last one was measured on the logged model
    assert report.running == (GOING,)


def test_a_second_copy_writes_nothing(source: str, target: str) -> None:
    copy_store(source, target)
    before = dump(target)

    report = copy_store(source, target)

    assert report.counts.writes == 0
    assert (report.counts.runs, report.counts.runs_changed, report.counts.runs_unchanged) == (0, 0, 6)
    assert dump(target) == before


def test_a_copy_of_the_copy_into_the_source_writes_nothing(source: str, target: str) -> None:
    copy_store(source, target)
    before = dump(source)

    report = copy_store(target, source)

    assert report.counts.writes == 0
    assert dump(source) == before


def test_what_was_added_since_is_all_that_the_next_copy_writes(source: str, target: str) -> None:
    copy_store(source, target)
    store = tracking(source)
    store.log_batch(PARENT, Batch((Metric("loss", 9.0, T0 + 9000, 1500), Metric("new", 1.0, T0, 0))))
    store.log_batch(PARENT, Batch(metrics=(Metric("loss", -1.0, T0 + 3, 3),)))  # in the middle of the curve
    store.log_batch(CHILD, Batch(params=(Param("late", "1"),), tags=(RunTag("mlflow.note.content", "changed"),)))
    store.update_run(GOING, RunChange(status=RunStatus.FINISHED, end_time=T0 + 50))
    rich_store.put(store.get_run(PARENT), source, {"later.txt": b"l"})
    store.close()

    report = copy_store(source, target)

    assert differences(source, target) == []
    assert (report.counts.points, report.counts.values, report.counts.artifact_files) == (3, 2, 1)
    assert (report.counts.runs, report.counts.runs_changed) == (0, 3)


def test_a_long_curve_is_completed_in_its_middle(tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlcore.moving.points._PAGE", 1000)
    source = f"sqlite:///{tmp_path}/a/mlcore.db"
    store = tracking(source)
    store.create_run(NewRun("0", PARENT, "n", "u", 1, {}))
    points = [Metric("m", float(i), i, i) for i in range(4000)]
    store.log_batch(PARENT, Batch(metrics=tuple(points[::2])))
    copy_store(source, target)
    store.log_batch(PARENT, Batch(metrics=tuple(points[1::2])))
    store.close()

    copy_store(source, target)
    again = copy_store(source, target)

    assert differences(source, target) == []
    assert again.counts.writes == 0


def test_sources_of_model_versions_point_to_where_the_files_have_moved(source: str, target: str) -> None:
    copy_store(source, target)

    moved = tracking(target).get_run(PARENT).info.artifact_uri
    versions = {number: registry(target).get_version("forest", number).source for number in ("1", "3", "4")}
    assert versions == {"1": f"{moved}/model", "3": f"{moved}/model", "4": f"runs:/{CHILD}/model"}
    assert moved != tracking(source).get_run(PARENT).info.artifact_uri


def test_a_dry_run_counts_and_writes_nothing(source: str, target: str) -> None:
    planned = copy_store(source, target, choice=Choice(dry_run=True))
    tables = dump(target)
    done = copy_store(source, target)

    assert not any("'wine'" in line or "forest" in line for line in tables)
    for name in ("experiments", "runs", "values", "datasets", "artifact_files", "artifact_bytes", "models", "versions"):
        assert getattr(planned.counts, name) == getattr(done.counts, name), name
    assert planned.dry_run


@pytest.mark.parametrize("named", ["wine", "1"])
def test_experiments_are_chosen_by_name_or_id(source: str, target: str, named: str) -> None:
    copy_store(source, target, choice=Choice(experiments=(named,)))

    found = whole_store.read_all(target)
    assert set(found["experiments"]) == {"Default", "wine"}
    assert set(found["runs"]) == {PARENT, CHILD, "c" * 32, BINNED}
    assert set(found["models"]) == {"forest"}, "the model without versions belongs to no experiment"


def test_single_runs_are_chosen_with_the_versions_that_they_made(source: str, target: str) -> None:
    copy_store(source, target, choice=Choice(run_ids=(CHILD,)))

    found = whole_store.read_all(target)
    assert set(found["runs"]) == {CHILD}
    assert (found["models"], found["logged"]) == ({}, {})


def test_an_experiment_that_is_not_there_is_named_before_anything_is_copied(source: str, target: str) -> None:
    with pytest.raises(NotFoundError, match=r"no experiment 'nowhere' in 'sqlite:.*'wine'"):
        copy_store(source, target, choice=Choice(experiments=("wine", "nowhere")))

    assert set(whole_store.read_all(target)["experiments"]) == {"Default"}


def test_a_source_that_is_not_there_is_not_made(tmp_path: Path, target: str) -> None:
    with pytest.raises(NotFoundError, match="there is no store at"):
        copy_store(f"sqlite:///{tmp_path}/typo.db", target)

    assert not (tmp_path / "typo.db").exists()


def test_a_store_is_not_copied_onto_itself(source: str) -> None:
    with pytest.raises(InvalidParameterError, match="are the same store"):
        copy_store(source, source)


def test_files_that_stay_where_they_are_are_found_from_the_target(source: str, target: str) -> None:
    report = copy_store(source, target, choice=Choice(artifacts=False))

    assert tracking(target).get_run(PARENT).info.artifact_uri == tracking(source).get_run(PARENT).info.artifact_uri
    assert report.counts.artifact_files == 0
    assert shortfalls(report)["runs whose artifacts stay where they are, unknown to the target"] == 1  # in Default


def test_an_experiment_of_the_same_name_takes_the_runs_whatever_its_id(source: str, target: str) -> None:
    store = tracking(target)
    store.create_experiment("mine", artifact_location=None, tags={})
    there = store.create_experiment("wine", artifact_location=None, tags={"kept": "1"}).experiment_id

    report = copy_store(source, target)

    assert [(each.name, each.source_id, each.target_id) for each in report.renumbered if each.name == "wine"] == [
        ("wine", "1", there)
    ]
    assert store.get_run(PARENT).info.experiment_id == there
    assert store.get_experiment(there).tags == {"kept": "1", "team": "ü", "mlflow.note.content": "x\ny"}


def test_what_the_target_has_besides_stays(source: str, target: str) -> None:
    copy_store(source, target)
    store = tracking(target)
    store.log_batch(CHILD, Batch((Metric("own", 1.0, 1, 1),), (Param("own", "1"),), (RunTag("own", "1"),)))
    rich_store.put(store.get_run(CHILD), target, {"own.txt": b"o"})

    report = copy_store(source, target)

    run = store.get_run(CHILD)
    assert (run.data.metrics["own"], run.data.params["own"], run.data.tags["own"]) == (1.0, "1", "1")
    assert "own.txt" in whole_store.artifacts(run.info.artifact_uri, target)
    assert report.counts.writes == 0


def test_a_param_with_another_value_stays_and_is_told(source: str, target: str) -> None:
    store = tracking(target)
    there = store.create_experiment("wine", artifact_location=None, tags={}).experiment_id
    store.create_run(NewRun(there, PARENT, "parent", "ann", T0, {}))
    store.log_batch(PARENT, Batch(params=(Param("p7", "other"),)))

    report = copy_store(source, target)

    assert shortfalls(report)["params that have another value in the target"] == 1
    assert differences(source, target, f"runs/{PARENT}/params/p7", "*/id", "experiments/wine/times") == []


def test_a_run_that_was_deleted_in_the_target_stays_so_and_is_told(source: str, target: str) -> None:
    copy_store(source, target)
    store = tracking(target)
    store.update_run(CHILD, RunChange(lifecycle_stage=LifecycleStage.DELETED))

    report = copy_store(source, target)

    assert store.get_run(CHILD).info.lifecycle_stage == LifecycleStage.DELETED
    assert shortfalls(report)["runs that are deleted in the target only"] == 1
    assert report.counts.writes == 0


def test_a_run_that_is_deleted_later_is_deleted_in_the_target_too(source: str, target: str) -> None:
    copy_store(source, target)
    tracking(source).update_run(CHILD, RunChange(lifecycle_stage=LifecycleStage.DELETED))

    copy_store(source, target)

    assert differences(source, target) == []


def test_a_deleted_run_that_has_more_than_its_copy_is_completed_and_stays_deleted(source: str, target: str) -> None:
    copy_store(source, target)
    store = tracking(source)
    store.update_run(BINNED, RunChange(lifecycle_stage=LifecycleStage.ACTIVE))
    store.log_batch(BINNED, Batch(metrics=(Metric("m", 7.0, T0 + 1, 2),)))
    store.update_run(BINNED, RunChange(lifecycle_stage=LifecycleStage.DELETED))

    copy_store(source, target)

    assert differences(source, target) == []


def test_runs_of_a_deleted_experiment_are_completed_and_it_stays_deleted(source: str, target: str) -> None:
    copy_store(source, target)
    store = tracking(source)
    gone = store.get_experiment_by_name("gone")
    assert gone is not None
    store.update_experiment(gone.experiment_id, ExperimentChange(lifecycle_stage=LifecycleStage.ACTIVE))
    store.log_batch(rich_store.GONE, Batch(metrics=(Metric("m", 7.0, T0 + 1, 2),)))
    store.update_experiment(gone.experiment_id, ExperimentChange(set_tags={"new": "1"}))
    store.update_experiment(gone.experiment_id, ExperimentChange(lifecycle_stage=LifecycleStage.DELETED))

    copy_store(source, target)

    assert differences(source, target) == []
    assert copy_store(source, target).counts.writes == 0


def test_runs_of_an_experiment_that_is_deleted_in_the_target_only_are_told(source: str, target: str) -> None:
    store = tracking(target)
    there = store.create_experiment("wine", artifact_location=None, tags={}).experiment_id
    store.update_experiment(there, ExperimentChange(lifecycle_stage=LifecycleStage.DELETED))

    report = copy_store(source, target)

    assert shortfalls(report)["runs of experiments that are deleted in the target"] == 4
    assert store.get_experiment(there).lifecycle_stage == LifecycleStage.DELETED


def test_a_run_taken_for_lost_in_the_target_is_brought_back_by_what_came_later(source: str, target: str) -> None:
    tracking(source).log_batch(GOING, Batch(tags=(RunTag("mlcore.heartbeat", "1000 30"),)))
    copy_store(source, target)
    store = tracking(target)
    store.log_batch(GOING, Batch(tags=(RunTag("mlcore.lost", "1000 30"),)))
    store.update_run(GOING, RunChange(status=RunStatus.FAILED, end_time=2000))

    same = copy_store(source, target)
    tracking(source).log_batch(GOING, Batch(tags=(RunTag("mlcore.heartbeat", "9000 30"),)))
    copy_store(source, target)

    assert same.counts.writes == 0, "there is no later sign of life"
    run = store.get_run(GOING)
    assert (run.info.status, "mlcore.lost" in run.data.tags) == (RunStatus.RUNNING, False)


def test_a_file_of_another_content_is_sent_again(source: str, target: str) -> None:
    copy_store(source, target)
    store = tracking(target)
    rich_store.put(store.get_run(PARENT), target, {"model/data/w.bin": bytes(4999) + b"x"})

    report = copy_store(source, target)

    assert report.counts.artifact_files == 1
    assert differences(source, target) == []


def test_a_large_tree_goes_file_by_file(source: str, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlcore.moving.trees._WHOLE_BYTES", 100)

    copy_store(source, target)

    assert differences(source, target) == []


def test_files_that_cannot_be_read_are_told_and_the_rest_arrives(source: str, target: str) -> None:
    store = tracking(source)
    store.create_experiment("far", artifact_location="nosuchscheme://host/place", tags={})
    far = store.get_experiment_by_name("far")
    assert far is not None
    store.create_run(NewRun(far.experiment_id, "9" * 32, "n", "u", 1, {}))

    report = copy_store(source, target)

    assert [each.what for each in report.failures] == [f"artifacts of run {'9' * 32}"]
    assert "no installed plugin answers artifact_repo scheme 'nosuchscheme'" in report.failures[0].why
    assert tracking(target).get_run("9" * 32).info.run_name == "n"


@pytest.mark.parametrize("jobs", [1, 8])
def test_the_number_of_jobs_changes_nothing(source: str, target: str, jobs: int) -> None:
    steps: list[int] = []

    copy_store(source, target, choice=Choice(jobs=jobs), progress=lambda step: steps.append(step.runs))

    assert differences(source, target) == []
    assert steps == sorted(steps)
    assert steps[-1] == 6


def test_pages_of_runs_are_followed(tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlcore.moving.runs.PAGE", 7)
    source = f"sqlite:///{tmp_path}/a/mlcore.db"
    store = tracking(source)
    for i in range(40):
        store.create_run(NewRun("0", f"{i:032x}", f"n{i}", "u", T0 + i // 3, {}))

    report = copy_store(source, target)

    assert report.counts.runs == 40
    assert differences(source, target) == []


def test_a_database_of_the_first_version_is_copied(tmp_path: Path, target: str) -> None:
    source = f"sqlite:///{tmp_path}/a/mlcore.db"
    _old_database(tmp_path / "a" / "mlcore.db")

    copy_store(source, target)

    assert tracking(target).get_run("r" * 32).data.params == {"p": "1"}
    assert differences(source, target, "experiments/Default/id") == []


def _old_database(path: Path) -> None:
    """Make a database with the tables of version 1 of the schema, as the first release left it."""
    migrations = pytest.importorskip("mlcore_store_sql.migrations")
    from mlcore_store_sql.database import Database
    from mlcore_store_sql.dialects import Cursor, SqliteDialect
    from mlcore_store_sql.sqlite_file import SqliteFile

    def default(cursor: Cursor) -> None:
        cursor.execute(
            "INSERT INTO mlcore_experiments (name, lifecycle_stage, creation_time, last_update_time) "
            "VALUES ('Default', 'active', 5, 6)"
        )

    opened = Database(SqliteDialect(SqliteFile(path)))
    opened.set_up_with(lambda: None)
    migrations.migrate(opened, default, migrations.MIGRATIONS[:1])
    with opened.write() as cursor:
        cursor.execute(opened.texts.insert_run, ("r" * 32, 1, "", "u", 1, None))
        cursor.execute("INSERT INTO mlcore_params (run, key, value) SELECT id, 'p', '1' FROM mlcore_runs")
    opened.close()


def test_what_waits_in_the_spool_for_the_source_is_told(
    source: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLCORE_SPOOL_DIR", str(tmp_path / "spool"))
    folder = Spool(tmp_path / "spool", source).run("7" * 32)
    folder.note(is_pending=True)

    report = copy_store(source, target)

    assert [each.what for each in report.failures] == [f"run {'7' * 32}"]
    assert "mlcore sync" in report.failures[0].why
