"""Stores that are copied together: the union, the same in either order, and however often."""

from __future__ import annotations

import logging
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from mlcore_store_file.experiments import experiment_number
from mlcore_store_file.registry import FileRegistry
from mlcore_store_file.store import FileStore

from mlcore.entities import (
    Batch,
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    Metric,
    NewRun,
    Param,
    Run,
    RunChange,
    RunQuery,
    RunStatus,
    RunTag,
    ViewType,
)

SHARED = "c" * 32


def copy_into(source: Path, target: Path) -> None:
    """Copy as users do: with rsync where it is installed."""
    target.mkdir(exist_ok=True)
    rsync = shutil.which("rsync")
    command = [rsync, "-a", "--exclude=.index", f"{source}/", f"{target}/"] if rsync else ["cp", "-R", "-p"]
    if not rsync:
        command += [str(each) for each in source.iterdir() if each.name != ".index"] + [f"{target}/"]
    subprocess.run(command, check=True)


def let_the_clock_pass() -> None:
    """Wait until what happens next is later: a store's time is ahead by at most 1 ms for each entry."""
    time.sleep(0.1)


def content(path: Path) -> tuple[list[object], ...]:
    """Everything that a store shows, but for where its artifacts are."""
    store, registry = FileStore.open(path), FileRegistry.open(path)
    experiments = store.search_experiments(ExperimentQuery(view=ViewType.ALL, max_results=100)).items
    ids = tuple(each.experiment_id for each in experiments)
    runs = store.search_runs(RunQuery(ids, view=ViewType.ALL)).items
    assert runs == tuple(store.get_run(run.info.run_id) for run in runs)
    curves = [store.get_metric_history(run.info.run_id, "m", max_results=99, page_token=None).items for run in runs]
    models = registry.search_models("", order_by=(), max_results=99, page_token=None).items
    versions = registry.search_versions("", order_by=("name", "version_number"), max_results=99, page_token=None).items
    store.close()
    registry.close()
    here = str(path)
    shown: list[object] = [str(each).replace(here, "") for each in (*experiments, *runs)]
    return (shown, list(curves), list(models), list(versions))


def fill(path: Path, name: str, run_id: str) -> FileStore:
    """Make a store in which somebody worked on wine."""
    store = FileStore.open(path)
    wine = store.create_experiment("wine", artifact_location=None, tags={name: "was here", "both": name})
    for each in (run_id, SHARED):
        store.create_run(NewRun(wine.experiment_id, each, name, name, 1, {"by": name}))
        store.log_batch(each, Batch((Metric("m", 1.0, 1, len(name)),), (Param("p", name),), (RunTag("t", name),)))
    return store


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Two stores of machines that never met."""
    for name, run_id in (("anna", "a" * 32), ("bo", "b" * 32)):
        fill(tmp_path / name, name, run_id).close()
        registry = FileRegistry.open(tmp_path / name)
        registry.create_model("iris", description=name, tags={name: "1"})
        for number in range(2):
            registry.create_version(
                "iris", f"s3://{name}/{number}", run_id=None, run_link=None, description="", tags={"by": name}
            )
        registry.set_alias("iris", name, "2")
        registry.close()
        let_the_clock_pass()
    return tmp_path / "anna", tmp_path / "bo"


def test_two_stores_become_their_union_in_either_order(two: tuple[Path, Path], tmp_path: Path) -> None:
    anna, bo = two
    for target, order in (("one", (anna, bo)), ("other", (bo, anna)), ("more", (anna, bo, anna, bo, anna))):
        for source in order:
            copy_into(source, tmp_path / target)

    one = content(tmp_path / "one")

    assert len(one[0]) == 2 + 3, "two experiments and three runs"
    assert content(tmp_path / "other") == one
    assert content(tmp_path / "more") == one


def test_copying_a_store_into_the_other_and_back_makes_both_the_same(two: tuple[Path, Path]) -> None:
    anna, bo = two
    copy_into(anna, bo)
    copy_into(bo, anna)

    assert content(anna) == content(bo)


def test_an_experiment_that_both_created_is_one_with_the_tags_of_both(two: tuple[Path, Path]) -> None:
    anna, bo = two
    copy_into(anna, bo)

    found = FileStore.open(bo).get_experiment_by_name("wine")

    assert isinstance(found, Experiment)
    assert found.experiment_id == experiment_number("wine")
    assert {"anna", "bo"} <= found.tags.keys()


def test_a_run_that_both_recorded_has_the_points_of_both_and_shows_the_clash(two: tuple[Path, Path]) -> None:
    anna, bo = two
    copy_into(anna, bo)
    store = FileStore.open(bo)

    run = store.get_run(SHARED)

    assert run.data.params == {"p": "anna"}, "the first value counts"
    assert run.data.tags["t"] == "bo", "the last value counts"
    assert '"refused": "bo"' in run.data.tags["mlcore.refused"]
    assert len(store.get_metric_history(SHARED, "m", max_results=9, page_token=None).items) == 2


def test_versions_with_one_number_are_both_kept_and_the_first_keeps_it(two: tuple[Path, Path]) -> None:
    anna, bo = two
    copy_into(anna, bo)
    registry = FileRegistry.open(bo)

    versions = {str(n): registry.get_version("iris", str(n)) for n in range(1, 5)}

    assert {number: each.source for number, each in versions.items()} == {
        "1": "s3://anna/0",
        "2": "s3://anna/1",
        "3": "s3://bo/0",
        "4": "s3://bo/1",
    }
    assert registry.get_model("iris").aliases == {"anna": "2", "bo": "4"}, "an alias stays with its version"
    made = registry.create_version("iris", "s3://new", run_id=None, run_link=None, description="", tags={})
    assert made.version == "5"
    assert [registry.get_version("iris", number).source for number in versions] == [
        each.source for each in versions.values()
    ]


def test_two_experiments_that_got_one_name_are_told_apart(tmp_path: Path) -> None:
    one, two = FileStore.open(tmp_path / "one"), FileStore.open(tmp_path / "two")
    renamed = one.create_experiment("first", artifact_location=None, tags={}).experiment_id
    one.update_experiment(renamed, ExperimentChange(name="same"))
    let_the_clock_pass()
    made = two.create_experiment("same", artifact_location=None, tags={}).experiment_id
    copy_into(tmp_path / "one", tmp_path / "two")

    names = {each.experiment_id: each.name for each in two.search_experiments(ExperimentQuery()).items}

    assert names[renamed] == "same"
    assert names[made] == f"same ({made})"


def test_an_id_that_a_renamed_experiment_has_is_not_given_again(tmp_path: Path) -> None:
    store = FileStore.open(tmp_path / "s")
    old = store.create_experiment("wine", artifact_location=None, tags={})
    store.update_experiment(old.experiment_id, ExperimentChange(name="grape"))

    new = store.create_experiment("wine", artifact_location=None, tags={})

    assert (old.experiment_id, new.experiment_id) == (experiment_number("wine"), experiment_number("wine", 1))
    assert int(new.experiment_id) < 2**63


def test_a_moved_store_finds_its_artifacts(tmp_path: Path) -> None:
    fill(tmp_path / "here", "anna", "a" * 32).close()
    (tmp_path / "here").rename(tmp_path / "there")

    store = FileStore.open(tmp_path / "there")
    run = store.get_run(SHARED)

    where = f"file://{tmp_path}/there/artifacts/{run.info.experiment_id}"
    assert run.info.artifact_uri == f"{where}/{SHARED}/artifacts"
    assert store.search_runs(RunQuery((run.info.experiment_id,))).items[0].info.artifact_uri.startswith(where)
    named = [path for path in (tmp_path / "there").rglob("*") if path.is_file() and b"/here" in path.read_bytes()]
    assert named == []


def test_a_given_artifact_root_is_kept_as_it_was_given(tmp_path: Path) -> None:
    store = FileStore.open(tmp_path / "s", "s3://bucket/root")
    made = store.create_experiment("wine", artifact_location=None, tags={})

    assert store.get_experiment("0").artifact_location == "s3://bucket/root/0"
    assert made.artifact_location == f"s3://bucket/root/{made.experiment_id}"
    assert FileStore.open(tmp_path / "s").get_experiment(made.experiment_id) == made


def test_what_is_copied_in_while_a_store_is_open_is_found(two: tuple[Path, Path]) -> None:
    anna, bo = two
    store = FileStore.open(bo)
    wine = experiment_number("wine")
    before = len(store.search_runs(RunQuery((wine,))).items)

    copy_into(anna, bo)

    assert (before, len(store.search_runs(RunQuery((wine,))).items)) == (2, 3)


def test_a_writer_whose_clock_is_behind_still_has_the_last_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ahead = FileStore.open(tmp_path / "s")
    ahead.create_run(NewRun("0", SHARED, "n", "u", 1))
    journal = ahead.journal(SHARED)
    journal.write(Batch(tags=(RunTag("t", "from a clock that is a day ahead"),)), at=4_000_000_000_000)

    behind = FileStore.open(tmp_path / "s")
    behind.log_batch(SHARED, Batch(tags=(RunTag("t", "later"),)))
    behind.update_run(SHARED, RunChange(status=RunStatus.FINISHED))

    with caplog.at_level(logging.WARNING):
        runs: list[Run] = [each.get_run(SHARED) for each in (ahead, behind, FileStore.open(tmp_path / "s"))]
    assert [(run.data.tags["t"], run.info.status) for run in runs] == [("later", RunStatus.FINISHED)] * 3
    assert caplog.records == []
