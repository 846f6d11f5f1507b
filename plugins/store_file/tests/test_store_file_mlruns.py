"""MLflow's file trees as they are found: old, moved, broken, hostile; read in place, written only when asked."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mlcore_store_file.mlruns import is_mlruns, open_registry, open_tracking, place_of
from mlcore_store_file.mlruns_registry import MlrunsRegistryStore
from mlcore_store_file.mlruns_tracking import MlrunsTrackingStore
from mlcore_store_file.mlruns_yaml import read_meta
from mlcore_store_file.plugin import registry_store, tracking_store

from mlcore.entities import (
    Batch,
    Experiment,
    ExperimentChange,
    ExperimentQuery,
    LifecycleStage,
    LoggedModelChange,
    Metric,
    ModelMetric,
    ModelVersion,
    NewLoggedModel,
    NewRun,
    Page,
    Param,
    RegisteredModel,
    Run,
    RunChange,
    RunQuery,
    RunStatus,
    RunTag,
    ViewType,
)
from mlcore.errors import AlreadyExistsError, CorruptStoreError, InvalidParameterError, NotFoundError, UnsupportedError
from mlcore.interfaces import SupportsAdoption, SupportsModelAdoption, TrackingStore
from mlcore.wire.yaml_text import load_yaml

RUN = "a" * 32
DELETE = ExperimentChange(lifecycle_stage=LifecycleStage.DELETED)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with one run of the default experiment."""
    made = tmp_path / "mlruns"
    store = MlrunsTrackingStore(made)
    store.create_run(NewRun("0", RUN, "first", "ada", 5))
    store.log_batch(RUN, Batch((Metric("m", 0.5, 1, 1),), (Param("p", "1"),), (RunTag("t", "1"),)))
    return made


@pytest.fixture
def run_folder(root: Path) -> Path:
    return root / "0" / RUN


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def found(root: Path, view: ViewType = ViewType.ACTIVE_ONLY) -> tuple[Run, ...]:
    return open_tracking(root, None).search_runs(RunQuery(("0", "1"), view=view)).items


def history(store: TrackingStore, key: str) -> list[tuple[int, float, int]]:
    page = store.get_metric_history(RUN, key, max_results=100, page_token=None)
    return [(point.timestamp, point.value, point.step) for point in page.items]


class TestRecognised:
    def test_a_tree_is_known_by_its_content_and_opened_by_the_plugin(self, root: Path) -> None:
        named = root.rename(root.parent / "any name")

        assert is_mlruns(named)
        for uri in (str(named), named.as_uri()):
            store, registry = tracking_store(uri, None), registry_store(uri)
            assert store is not None
            assert store.get_run(RUN).data.params == {"p": "1"}
            assert registry is not None
            assert registry.search_models("", order_by=(), max_results=1, page_token=None) == Page(())

    def test_a_folder_of_something_else_is_no_tree(self, tmp_path: Path) -> None:
        write(tmp_path / "chart" / "meta.yaml", "title: a chart\n")
        write(tmp_path / "other" / "meta.yaml", "[")

        assert not is_mlruns(tmp_path)
        assert not is_mlruns(tmp_path / "not there")

    def test_registered_models_alone_make_a_tree(self, tmp_path: Path) -> None:
        MlrunsRegistryStore(tmp_path).create_model("net", description="", tags={})

        assert is_mlruns(tmp_path)

    @pytest.mark.parametrize("uri", ["file:///a/mlruns?layout=mlflow", "/a/mlruns?layout=mlflow"])
    def test_the_wish_to_write_is_part_of_the_uri(self, uri: str) -> None:
        assert place_of(uri) == (Path("/a/mlruns"), True)
        assert place_of("file:///a/mlruns%3Flayout%3Dmlflow") == (Path("/a/mlruns"), True)
        assert place_of("file:///a/mlruns") == (Path("/a/mlruns"), False)

    def test_another_wish_is_refused(self) -> None:
        with pytest.raises(InvalidParameterError, match="query"):
            place_of("file:///a/mlruns?layout=other")


class TestReadOnly:
    def test_nothing_is_written_and_the_error_says_how_it_can_be(self, root: Path) -> None:
        store = open_tracking(root, None)
        calls: list[Callable[[], object]] = [
            lambda: store.create_experiment("x", artifact_location=None, tags={}),
            lambda: store.update_experiment("0", DELETE),
            lambda: store.create_run(NewRun("0", "b" * 32, "n", "u", 1)),
            lambda: store.update_run(RUN, RunChange(status=RunStatus.FAILED)),
            lambda: store.log_batch(RUN, Batch()),
            lambda: store.log_inputs(RUN, ()),
            lambda: store.delete_tag(RUN, "t"),
        ]
        before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}

        for call in calls:
            with pytest.raises(
                UnsupportedError, match=r"\?layout=mlflow'.*mlcore --tracking-uri .* import --from file://"
            ):
                call()
        assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before

    def test_registered_models_are_not_written_either(self, root: Path) -> None:
        registry = open_registry(root)
        calls: list[Callable[[], object]] = [
            lambda: registry.create_model("x", description="", tags={}),
            lambda: registry.update_model("x", new_name=None, description="y"),
            lambda: registry.delete_model("x"),
            lambda: registry.create_version("x", "s", run_id=None, run_link=None, description="", tags={}),
            lambda: registry.update_version("x", "1", description="", stage=None, archive_existing=False),
            lambda: registry.delete_version("x", "1"),
            lambda: registry.set_alias("x", "a", "1"),
            lambda: registry.set_tag("x", None, "k", "v"),
        ]

        for call in calls:
            with pytest.raises(UnsupportedError, match="layout=mlflow"):
                call()

    def test_what_mlflow_writes_meanwhile_is_seen(self, root: Path, run_folder: Path) -> None:
        store = open_tracking(root, None)
        store.search_runs(RunQuery(("0",)))

        with (run_folder / "metrics" / "m").open("a") as file:
            file.write("2 0.25 2\n")
        write(run_folder / "metrics" / "n", "3 1.0 0\n")
        write(run_folder / "tags" / "t", "2")
        write(run_folder / "params" / "q", "x")
        run = store.search_runs(RunQuery(("0",))).items[0]

        assert (run.data.metrics, run.data.tags["t"]) == ({"m": 0.25, "n": 1.0}, "2")
        assert run.data.params == {"p": "1", "q": "x"}
        assert run == store.get_run(RUN)

    def test_a_tag_that_keeps_its_length_is_read_again(self, root: Path, run_folder: Path) -> None:
        store = open_tracking(root, None)
        seen = []
        for value in "234":
            write(run_folder / "tags" / "t", value)  # within one tick of the clock that stamps files
            seen.append(store.get_run(RUN).data.tags["t"])

        assert seen == ["2", "3", "4"]


class TestMetricFiles:
    def test_lines_of_two_three_and_five_fields_are_points(self, root: Path, run_folder: Path) -> None:
        write(run_folder / "metrics" / "old", "5 0.5\n6 nan\n7 -inf 3\n8 1e-3 4 iris d1\n")
        store = open_tracking(root, None)

        old = history(store, "old")

        assert [(time, step) for time, _, step in old] == [(5, 0), (6, 0), (7, 3), (8, 4)]
        assert [repr(value) for _, value, _ in old] == ["0.5", "nan", "-inf", "0.001"]
        assert store.get_run(RUN).data.metrics["old"] == 0.001

    def test_a_half_written_line_does_not_count_and_is_reported_once(
        self, root: Path, run_folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with (run_folder / "metrics" / "m").open("a") as file:
            file.write("2 0.2")
        store = open_tracking(root, None)

        for _ in range(3):
            assert history(store, "m") == [(1, 0.5, 1)]
            assert store.get_run(RUN).data.metrics == {"m": 0.5}

        assert [text for text in caplog.messages if "cut off" in text and "'2 0.2'" in text] == caplog.messages

    def test_the_next_point_takes_the_place_of_a_half_written_line(
        self, root: Path, run_folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with (run_folder / "metrics" / "m").open("a") as file:
            file.write("2 0.2")

        MlrunsTrackingStore(root).log_batch(RUN, Batch((Metric("m", 0.75, 3, 3),)))

        assert (run_folder / "metrics" / "m").read_text() == "1 0.5 1\n3 0.75 3\n"
        assert "2 0.2" in caplog.text

    def test_lines_that_are_no_points_are_left_out_and_named(
        self, root: Path, run_folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        write(run_folder / "metrics" / "odd", f"1 0.5 1\nx y z\n1 2 3 4\n\n2 0.7 {10**30}\n3 0.8 2\n")

        assert history(open_tracking(root, None), "odd") == [(1, 0.5, 1), (3, 0.8, 2)]
        assert [f"line {number}" in caplog.text for number in (2, 3, 5)] == [True] * 3

    def test_an_empty_metric_file_is_a_metric_without_points(self, root: Path, run_folder: Path) -> None:
        write(run_folder / "metrics" / "empty", "")

        run = found(root)[0]

        assert run.data.metrics == {"m": 0.5}
        assert history(open_tracking(root, None), "empty") == []

    def test_names_with_slashes_are_folders(self, root: Path, run_folder: Path) -> None:
        write(run_folder / "metrics" / "val" / "loss" / "x", "1 2.0 0\n")
        write(run_folder / "params" / "net" / "depth", "3\n")

        data = found(root)[0].data

        assert (data.metrics["val/loss/x"], data.params["net/depth"]) == (2.0, "3\n")
        assert history(open_tracking(root, None), "val/loss/x") == [(1, 2.0, 0)]

    def test_a_point_that_is_sent_again_is_not_written_again(self, root: Path, run_folder: Path) -> None:
        for store in (MlrunsTrackingStore(root), MlrunsTrackingStore(root)):
            store.log_batch(RUN, Batch((Metric("m", 0.5, 1, 1), Metric("m", 0.6, 1, 1))))

        assert (run_folder / "metrics" / "m").read_text() == "1 0.5 1\n1 0.6 1\n"


class TestBroken:
    @pytest.mark.parametrize(
        "meta",
        ["", "[1, 2]", "a: b: c\n", "run_id: " + "c" * 32 + "\nexperiment_id: '7'\n", "!!python/name:os.system ''\n"],
    )
    def test_a_run_that_cannot_be_read_hides_no_other_and_is_reported_once(
        self, root: Path, caplog: pytest.LogCaptureFixture, meta: str
    ) -> None:
        write(root / "0" / ("c" * 32) / "meta.yaml", meta)
        store = open_tracking(root, None)

        for _ in range(2):
            assert [run.info.run_id for run in store.search_runs(RunQuery(("0",))).items] == [RUN]

        assert len(caplog.messages) == 1
        assert "c" * 32 in caplog.text
        with pytest.raises(CorruptStoreError, match="c" * 32):
            store.get_run("c" * 32)

    def test_a_run_without_meta_yaml_is_reported(self, root: Path, caplog: pytest.LogCaptureFixture) -> None:
        write(root / "0" / ("c" * 32) / "params" / "p", "1")
        write(root / "0" / "artifacts of somebody" / "model.bin", "x")

        assert len(found(root)) == 1
        assert len(caplog.messages) == 1
        assert "no meta.yaml" in caplog.text

    def test_an_experiment_without_meta_yaml_is_reported_if_it_has_runs(
        self, root: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        write(root / "7" / ("c" * 32) / "meta.yaml", f"run_id: {'c' * 32}\nexperiment_id: '7'\n")
        write(root / "8" / ("d" * 32) / "artifacts" / "a", "kept here by a database of MLflow")
        store = open_tracking(root, None)

        for _ in range(2):
            assert [e.experiment_id for e in store.search_experiments(ExperimentQuery()).items] == ["0"]

        assert caplog.messages == [f"{root / '7'} holds runs and has no meta.yaml: all of them are left out"]

    @pytest.mark.parametrize("meta", ["", "name: x\n", "experiment_id: '8'\nname: x\n", "{"])
    def test_an_experiment_that_cannot_be_read_hides_no_other(
        self, root: Path, caplog: pytest.LogCaptureFixture, meta: str
    ) -> None:
        write(root / "7" / "meta.yaml", meta)
        store = open_tracking(root, None)

        assert [each.name for each in store.search_experiments(ExperimentQuery()).items] == ["Default"]
        with pytest.raises(NotFoundError, match="no experiment with id='7'"):
            store.get_experiment("7")
        assert len(caplog.messages) == 1

    def test_a_status_that_is_none_is_reported(
        self, root: Path, run_folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        write(run_folder / "meta.yaml", f"run_id: {RUN}\nexperiment_id: '0'\nstatus: 77\n")

        assert found(root) == ()
        assert "status 77: expected 1 to 5" in caplog.text

    def test_lists_that_grow_without_end_and_pipes_hurt_nobody(self, root: Path, run_folder: Path) -> None:
        lists = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 40))
        write(root / "0" / ("c" * 32) / "meta.yaml", f"l0: &l0 [x]\n{lists}run_id: *l39\nexperiment_id: '0'\n")
        os.mkfifo(run_folder / "params" / "pipe")
        (root / "0" / ("d" * 32)).mkdir()
        os.mkfifo(root / "0" / ("d" * 32) / "meta.yaml")

        (run,) = found(root)

        assert run.data.params == {"p": "1"}

    def test_a_dataset_that_is_not_there_is_reported_and_the_run_stays(
        self, root: Path, run_folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        write(run_folder / "inputs" / "x" / "meta.yaml", "source_type: DATASET\nsource_id: abc\ntags: {}\n")

        assert found(root)[0].inputs.dataset_inputs == ()
        assert "'abc'" in caplog.text

    def test_text_that_is_no_utf8_is_shown_and_reported(
        self, root: Path, run_folder: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (run_folder / "params" / "latin").write_bytes("ü".encode("latin-1"))

        assert found(root)[0].data.params["latin"] == "\ufffd"
        assert "not UTF-8" in caplog.text

    def test_a_broken_registered_model_hides_no_other(self, root: Path, caplog: pytest.LogCaptureFixture) -> None:
        MlrunsRegistryStore(root).create_model("net", description="", tags={})
        write(root / "models" / "bad" / "meta.yaml", "[")

        page = open_registry(root).search_models("", order_by=(), max_results=10, page_token=None)

        assert [each.name for each in page.items] == ["net"]
        assert "bad" in caplog.text


class TestLinks:
    def test_links_out_of_the_tree_are_not_followed(
        self, root: Path, run_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        secret = tmp_path / "secret"
        write(secret, "top")
        outside = shutil.copytree(root, tmp_path / "outside")
        (run_folder / "params" / "stolen").symlink_to(secret)
        (run_folder / "tags" / "folder").symlink_to(tmp_path)
        (root / "1").symlink_to(outside / "0")
        (root / "0" / ("d" * 32)).symlink_to(outside / "0" / RUN)

        (run,) = found(root)

        assert "stolen" not in run.data.params
        assert all("secret" not in key for key in run.data.tags)
        assert caplog.text.count("leads out of the tree") == 4
        with pytest.raises(NotFoundError):
            open_tracking(root, None).get_run("d" * 32)

    def test_nothing_is_written_through_a_link(self, root: Path, run_folder: Path, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (run_folder / "params" / "net").symlink_to(tmp_path / "outside")
        store = MlrunsTrackingStore(root)

        with pytest.raises(InvalidParameterError, match="link"):
            store.log_batch(RUN, Batch(params=(Param("net/depth", "1"),)))

        assert list((tmp_path / "outside").iterdir()) == []

    @pytest.mark.parametrize("run_id", ["..", ".", "", "../0", "a/b", "\0", "tags", "meta.yaml"])
    def test_ids_are_no_paths(self, root: Path, run_id: str) -> None:
        for call in (
            lambda: open_tracking(root, None).get_run(run_id),
            lambda: open_tracking(root, None).get_experiment(run_id),
            lambda: open_registry(root).get_model(run_id),
        ):
            with pytest.raises(NotFoundError):
                call()

    def test_an_unfinished_change_that_leads_out_of_its_folder_is_not_done(
        self, root: Path, run_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        steps = '[["write", "../../../escaped", "x"], ["drop", ".."], ["append", "metrics/m", ["2 2.0 2\\n"]], 7]'
        write(run_folder / ".mlcore-change", steps)

        assert history(MlrunsTrackingStore(root), "m") == [(1, 0.5, 1), (2, 2.0, 2)]
        assert not (tmp_path / "escaped").exists()
        assert caplog.text.count("is left out") == 3


class TestMoved:
    def test_artifacts_of_a_moved_tree_are_found_in_it(self, root: Path) -> None:
        write(root / "0" / RUN / "artifacts" / "model" / "x", "1")
        registry = MlrunsRegistryStore(root)
        registry.create_model("net", description="", tags={})
        source = (root / "0" / RUN / "artifacts" / "model").as_uri()
        registry.create_version("net", source, run_id=RUN, run_link=None, description="", tags={})
        moved = root.rename(root.parent / "moved here")
        store = open_tracking(moved, None)

        assert store.get_experiment("0").artifact_location == (moved / "0").as_uri()
        assert store.get_run(RUN).info.artifact_uri == (moved / "0" / RUN / "artifacts").as_uri()
        version = open_registry(moved).get_version("net", "1")
        assert version.source == (moved / "0" / RUN / "artifacts" / "model").as_uri()

    def test_a_copy_beside_the_original_uses_its_own_artifacts(self, root: Path) -> None:
        copy = shutil.copytree(root, root.parent / "copy")

        assert found(copy)[0].info.artifact_uri == (copy / "0" / RUN / "artifacts").as_uri()
        assert found(root)[0].info.artifact_uri == (root / "0" / RUN / "artifacts").as_uri()

    @pytest.mark.parametrize("form", ["./mlruns/0", "mlruns/0", "/not/there/0", "file:///C:/Users/ada/mlruns/0"])
    def test_places_of_other_machines_are_found_in_the_tree(self, root: Path, run_folder: Path, form: str) -> None:
        for path in (root / "0" / "meta.yaml", run_folder / "meta.yaml"):
            write(path, path.read_text().replace((root / "0").as_uri(), form))

        store = open_tracking(root, None)

        assert store.get_experiment("0").artifact_location == (root / "0").as_uri()
        assert store.get_run(RUN).info.artifact_uri == (run_folder / "artifacts").as_uri()

    @pytest.mark.parametrize(
        "form", ["s3://bucket/0", "file:///srv/artifacts/of/team", "mlflow-artifacts:/0", "dbfs:/x/0"]
    )
    def test_places_of_another_form_stay_as_they_are(self, root: Path, run_folder: Path, form: str) -> None:
        for path in (root / "0" / "meta.yaml", run_folder / "meta.yaml"):
            write(path, path.read_text().replace((root / "0").as_uri(), form))

        assert open_tracking(root, None).get_experiment("0").artifact_location == form
        assert found(root)[0].info.artifact_uri == f"{form}/{RUN}/artifacts"

    def test_a_separate_artifact_root_that_is_there_stays(self, tmp_path: Path) -> None:
        store = MlrunsTrackingStore(tmp_path / "mlruns", (tmp_path / "artifacts").as_uri())
        store.create_run(NewRun("0", RUN, "n", "u", 1))
        (tmp_path / "artifacts" / "0").mkdir(parents=True)

        assert (
            found(tmp_path / "mlruns")[0].info.artifact_uri == (tmp_path / "artifacts/0" / RUN / "artifacts").as_uri()
        )

    def test_artifacts_of_a_deleted_experiment_are_in_the_bin(self, root: Path) -> None:
        MlrunsTrackingStore(root).update_experiment("0", DELETE)

        (run,) = found(root, ViewType.DELETED_ONLY)

        assert Path(run.info.artifact_uri.removeprefix("file://")).is_dir()


class TestOldReleases:
    def test_a_run_of_the_first_releases_is_read(self, tmp_path: Path) -> None:
        write(tmp_path / "0" / "meta.yaml", "artifact_location: /old/mlruns/0\nexperiment_id: 0\nname: Default\n")
        write(
            tmp_path / "0" / RUN / "meta.yaml",
            f"artifact_uri: /old/mlruns/0/{RUN}/artifacts\nend_time: ''\nentry_point_name: main\nexperiment_id: 0\n"
            f"name: an old name\nrun_uuid: {RUN}\nsource_name: git@x:y\nsource_type: 3\nsource_version: abc\n"
            "start_time: 1530000000000\nstatus: 3\ntags: []\nuser_id: ada\n",
        )
        write(tmp_path / "0" / RUN / "metrics" / "m", "1530000000 0.5\n")

        (run,) = found(tmp_path)

        assert (run.info.run_name, run.info.status, run.info.end_time) == ("an old name", RunStatus.FINISHED, None)
        assert run.info.artifact_uri == (tmp_path / "0" / RUN / "artifacts").as_uri()
        assert run.data.tags == {
            "mlflow.source.name": "git@x:y",
            "mlflow.source.git.commit": "abc",
            "mlflow.project.entryPoint": "main",
            "mlflow.runName": "an old name",
            "mlflow.source.type": "PROJECT",
        }
        assert run.data.metrics == {"m": 0.5}

    @pytest.mark.parametrize(
        ("status", "read"), [("4", "FAILED"), ("KILLED", "KILLED"), ("'2'", "SCHEDULED"), ("null", "RUNNING")]
    )
    def test_a_status_is_a_number_or_a_word(self, root: Path, run_folder: Path, status: str, read: str) -> None:
        write(run_folder / "meta.yaml", f"run_id: {RUN}\nexperiment_id: '0'\nstatus: {status}\nstart_time: null\n")

        (run,) = found(root)

        assert (run.info.status, run.info.start_time, run.info.user_id) == (read, 0, "")
        assert run.info.artifact_uri == (run_folder / "artifacts").as_uri()

    def test_an_experiment_without_location_times_or_tags_is_read(self, tmp_path: Path) -> None:
        write(tmp_path / "3" / "meta.yaml", "experiment_id: '3'\nname: bare\n")

        assert open_tracking(tmp_path, None).get_experiment("3") == Experiment("3", "bare", (tmp_path / "3").as_uri())

    def test_runs_of_an_experiment_that_mlflow_1_deleted_are_deleted(self, root: Path) -> None:
        (root / ".trash").mkdir(exist_ok=True)
        (root / "0").rename(root / ".trash" / "0")  # all that it did

        assert found(root) == ()
        (run,) = found(root, ViewType.DELETED_ONLY)
        assert run.info.lifecycle_stage == "deleted"
        assert open_tracking(root, None).get_run(RUN) == run
        with pytest.raises(NotFoundError, match="is 'deleted' already"):
            MlrunsTrackingStore(root).update_experiment("0", DELETE)

    def test_fields_that_a_later_release_wrote_survive_a_change(self, root: Path, run_folder: Path) -> None:
        for path in (root / "0" / "meta.yaml", run_folder / "meta.yaml"):
            write(path, path.read_text() + "workspace: default\n")
        store = MlrunsTrackingStore(root)

        store.update_run(RUN, RunChange(status=RunStatus.FINISHED))
        store.update_experiment("0", ExperimentChange(name="new"))

        assert "workspace: default" in (run_folder / "meta.yaml").read_text()
        assert "workspace: default" in (root / "0" / "meta.yaml").read_text()


class TestLayoutLimits:
    def test_a_name_cannot_be_a_file_and_a_folder(self, root: Path) -> None:
        store = MlrunsTrackingStore(root)
        batches = [
            Batch((Metric("new", 1.0, 1), Metric("m/x", 1.0, 1))),
            Batch(params=(Param("p/q", "1"), Param("new", "1"))),
            Batch(tags=(RunTag("u", "1"), RunTag("u/v", "1"))),
            Batch(tags=(RunTag("x" * 256, "1"),)),
        ]
        before = store.get_run(RUN)

        for batch in batches:
            with pytest.raises(InvalidParameterError, match="MLflow's file layout cannot keep"):
                store.log_batch(RUN, batch)
        assert store.get_run(RUN) == before

    def test_a_dataset_name_with_spaces_does_not_fit_into_a_line(self, root: Path) -> None:
        store = MlrunsTrackingStore(root)
        store.create_logged_model(NewLoggedModel("m-1", "0", "net"))

        for name, digest in (("two words", "d"), ("iris", ""), ("iris", "a b")):
            with pytest.raises(InvalidParameterError, match="no spaces"):
                store.log_model_metrics(RUN, (ModelMetric("m-1", RUN, Metric("acc", 1.0, 1), name, digest),))
        assert store.get_logged_model("m-1").metrics == ()

    @pytest.mark.parametrize("name", ["a/b", "a%b", "a:b", "..", ".", "a\\b", "ü" * 128])
    def test_a_registered_model_whose_name_mlflow_refuses_is_refused(self, root: Path, name: str) -> None:
        with pytest.raises(InvalidParameterError, match="cannot keep"):
            MlrunsRegistryStore(root).create_model(name, description="", tags={})

    @pytest.mark.parametrize("taken", ["models", "tags", "datasets", "traces", "a b"])
    def test_ids_that_are_folders_of_the_layout_are_refused(self, root: Path, taken: str) -> None:
        store = MlrunsTrackingStore(root)

        with pytest.raises(InvalidParameterError, match=taken):
            store.create_run(NewRun("0", taken, "n", "u", 1))
        with pytest.raises(InvalidParameterError, match=taken):
            store.adopt_experiment(Experiment(taken, "x", ""))


class TestTakenOver:
    def test_an_experiment_keeps_its_id_and_times(self, root: Path) -> None:
        store = MlrunsTrackingStore(root)
        assert isinstance(store, SupportsAdoption)
        there = Experiment("77", "théirs", "s3://b/77", LifecycleStage.DELETED, 5, 6, {"a": "1"})

        made = store.adopt_experiment(there)

        assert made == there == store.get_experiment("77") == store.adopt_experiment(there)
        assert (root / ".trash" / "77" / "meta.yaml").is_file()
        with pytest.raises(AlreadyExistsError, match="'77' already exists"):
            store.adopt_experiment(Experiment("77", "other", ""))
        with pytest.raises(AlreadyExistsError, match="already exists"):
            store.adopt_experiment(Experiment("78", "théirs", ""))

    def test_a_registered_model_keeps_numbers_times_and_aliases(self, root: Path) -> None:
        registry = MlrunsRegistryStore(root)
        assert isinstance(registry, SupportsModelAdoption)
        version = ModelVersion("net", "7", "s3://b/7", 5, 6, RUN, None, "Staging", tags={"k": "v"}, aliases=("best",))
        model = RegisteredModel("net", 1, 2, "text", tags={"a": "1"})

        registry.adopt_model(model)
        made = registry.adopt_version(version)

        assert made == version == registry.adopt_version(version)
        told = registry.adopt_model(model)
        assert (told.creation_timestamp, told.last_updated_timestamp, told.aliases) == (1, 2, {"best": "7"})
        new = registry.create_version("net", "s", run_id=None, run_link=None, description="", tags={})
        assert new.version == "8"


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: 'x'\nc: null\nd: []\ne: file:///a/b-c.d_e\nf: ''\n",
        "a: yes\n",
        "a: n\nb: Y\nc: NO\n",
        "a: 007\n",
        "a: 1e5\n",
        "a: 12345678901234567890\n",
        f"a: {'0' * 31}b\nb: {'1' * 32}\nc: 0b{'1' * 30}\nd: {'f' * 32}\n",
        "a: 'it''s'\n",
        "a: x # no\nb: x#y\n",
        "a: b:c\nd: ~\ne:\n",
        "a: 2020-01-01\nb: 1:30\n",
        "a: two words\nb: a\n  b\n",
        "a: 1\na: 2\n",
        "name: 'x: y'\nother: \"q\\n\"\n",
        "tags: {}\nlist:\n- a\n",
    ],
)
def test_flat_files_are_read_as_a_yaml_parser_reads_them(text: str) -> None:
    assert read_meta(text, "here") == load_yaml(text, "here")


def test_a_process_killed_in_a_change_leaves_it_to_the_next(root: Path, run_folder: Path) -> None:
    """Kill a process right after it wrote down what it was about to do."""
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom mlcore.entities import Batch, Metric, Param\n"
        "from mlcore_store_file import mlruns_change\nfrom mlcore_store_file.mlruns import open_tracking\n"
        "def die(self, step, *, again): os.kill(os.getpid(), 9)\n"
        "store = open_tracking(Path(sys.argv[1]), None, writing=True)\nmlruns_change._Place.do = die\n"
        f"store.log_batch('{RUN}', Batch((Metric('m', 9.0, 9, 9),), (Param('late', '1'),)))\n"
    )

    done = subprocess.run([sys.executable, "-c", program, str(root)], check=False, timeout=60)

    assert done.returncode == -9
    assert (run_folder / ".mlcore-change").exists()
    assert open_tracking(root, None).get_run(RUN).data.metrics == {"m": 0.5}
    run = MlrunsTrackingStore(root).get_run(RUN)
    assert (run.data.metrics, run.data.params) == ({"m": 9.0}, {"p": "1", "late": "1"})
    assert not (run_folder / ".mlcore-change").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_tree_without_the_right_to_write_is_read(root: Path) -> None:
    for path in root.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)

    assert len(found(root)) == 1


def test_reports_go_to_the_logger_of_the_plugin(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(root / "7" / "meta.yaml", "")

    open_tracking(root, None).search_experiments(ExperimentQuery())

    assert [(record.name, record.levelno) for record in caplog.records] == [("mlcore.store_file", logging.WARNING)]


def test_a_logged_model_that_was_deleted_is_marked_as_in_mlflow(root: Path) -> None:
    store = MlrunsTrackingStore(root)
    store.create_logged_model(NewLoggedModel("m-1", "0", "net"))

    store.update_logged_model("m-1", LoggedModelChange(lifecycle_stage=LifecycleStage.DELETED))

    assert "lifecycle_stage: deleted" in (root / "0" / "models" / "m-1" / "meta.yaml").read_text()
