"""Artifacts of runs through the fluent API, in a real local repository."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from matplotlib.figure import Figure
from PIL import Image

import mlcore
from mlcore.entities import FileInfo
from mlcore.errors import ArtifactNotFoundError, InvalidParameterError, NotFoundError
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ArtifactRepo
from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.testing import MemoryRepo
from mlcore.tracking.session import Session, using


def paths(run: mlcore.RunHandle, path: str = "") -> list[str]:
    return [f.path for f in run.list_artifacts(path)]


def test_a_file_and_a_directory_are_stored_and_come_back(tmp_path: Path) -> None:
    (tmp_path / "d" / "inner").mkdir(parents=True)
    (tmp_path / "d" / "inner" / "b c.txt").write_text("b")
    (tmp_path / "a.txt").write_text("a")

    with mlcore.start_run() as run:
        mlcore.log_artifact(tmp_path / "a.txt", "files")
        mlcore.log_artifact(tmp_path / "d")
        mlcore.log_artifacts(tmp_path / "d", "copy")

    assert paths(run) == ["copy", "d", "files"]
    assert paths(run, "copy/inner") == ["copy/inner/b c.txt"]
    fetched = Path(mlcore.download_artifacts(run_id=run.run_id, artifact_path="d", dst_path=tmp_path / "out"))
    assert (fetched / "inner" / "b c.txt").read_text() == "b"


def test_what_is_on_this_machine_is_returned_in_place() -> None:
    with mlcore.start_run() as run:
        mlcore.log_text("hello", "greeting.txt")

    found = mlcore.download_artifacts(f"runs:/{run.run_id}/greeting.txt")

    assert Path(found).read_text() == "hello"
    assert Path(found).as_uri() == f"{run.artifact_uri}/greeting.txt"


def test_text_and_dicts_are_stored_as_their_names_say() -> None:
    value = {"a": [1, 2.5], "when": Path("x"), "n": np.float32(0.5), "nan": float("nan")}
    with mlcore.start_run() as run:
        mlcore.log_text("grüße\n", "notes/t.txt")
        mlcore.log_dict(value, "d.json")
        mlcore.log_dict(value, "d.yaml")
        mlcore.log_stream(io.BytesIO(b"\x00\x01"), "raw.bin")

    uri = f"runs:/{run.run_id}"
    assert mlcore.artifacts.load_text(f"{uri}/notes/t.txt") == "grüße\n"
    assert mlcore.artifacts.load_dict(f"{uri}/d.json") == {"a": [1, 2.5], "when": "x", "n": 0.5, "nan": "NaN"}
    assert yaml.safe_load(Path(mlcore.download_artifacts(f"{uri}/d.yaml")).read_text())["a"] == [1, 2.5]
    assert Path(mlcore.download_artifacts(f"{uri}/raw.bin")).read_bytes() == b"\x00\x01"


def test_figures_and_images_are_pictures() -> None:
    figure = Figure()
    figure.add_subplot().plot([1, 2])
    with mlcore.start_run() as run:
        mlcore.log_figure(figure, "plots/f.png")
        mlcore.log_image(np.zeros((4, 5), dtype="uint8"), "gray.png")
        mlcore.log_image(np.ones((4, 5, 3)), "white.png")
        mlcore.log_image(Image.new("RGB", (3, 2)), "pil.png")
        mlcore.log_image(np.zeros((2, 2, 3), dtype="uint8"), key="sample", step=7, timestamp=5)

    image = mlcore.artifacts.load_image(f"runs:/{run.run_id}/white.png")
    assert isinstance(image, Image.Image)
    assert image.size == (5, 4)
    assert image.getpixel((0, 0)) == (255, 255, 255)
    (series,) = paths(run, "images")
    assert series.startswith("images/sample+step+7+timestamp+5+")
    assert mlcore.get_run(run.run_id).data.tags["mlflow.loggedImages"] == "True"


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        (np.zeros((2, 2, 5)), r"shape \(2, 2, 5\)"),
        (np.full((2, 2), 2.0), "expected 0 to 1"),
        (np.full((2, 2), 300), "expected 0 to 255"),
        ([[1]], "type list"),
    ],
)
def test_an_array_that_is_no_image_is_refused(image: object, fault: str) -> None:
    with mlcore.start_run(), pytest.raises(InvalidParameterError, match=fault):
        mlcore.log_image(image, "x.png")


def test_something_that_is_no_figure_is_refused() -> None:
    with mlcore.start_run(), pytest.raises(InvalidParameterError, match=r"can't save a figure of type int as 'x\.png'"):
        mlcore.log_figure(1, "x.png")


@pytest.mark.parametrize("name", ["t.json", "t.parquet"])
def test_tables_grow_and_are_read_from_many_runs(name: str) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="parquet needs pyarrow: pip install pyarrow")
    for who in ("a", "b"):
        with mlcore.start_run(tags={"who": who}) as run:
            mlcore.log_table({"x": [1, 2], "y": ["p", "q"]}, name)
            mlcore.log_table(pd.DataFrame({"x": [3], "y": ["r"]}), name)

    found = mlcore.load_table(name, extra_columns=["run_id", "tags.who"])

    assert found["x"].tolist() == [1, 2, 3, 1, 2, 3]
    assert sorted(set(found["tags.who"])) == ["a", "b"]
    tag = mlcore.get_run(run.run_id).data.tags["mlflow.loggedArtifacts"]
    assert json.loads(tag) == [{"path": name, "type": "table"}]


def test_a_table_that_no_run_has_is_named() -> None:
    with mlcore.start_run():
        pass

    with pytest.raises(NotFoundError, match=r"no run among 1 has the table 'nope.json'"):
        mlcore.load_table("nope.json")


def test_the_artifact_uri_is_below_the_runs_root() -> None:
    with mlcore.start_run() as run:
        assert mlcore.get_artifact_uri("a/b") == f"{run.info.artifact_uri}/a/b"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", "%2e%2e/x", "a\\..\\b", "file:///x", "~/x"])
def test_a_path_out_of_the_root_is_refused_everywhere(path: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    with mlcore.start_run() as run:
        for attempt in (
            lambda: mlcore.log_text("x", path),
            lambda: mlcore.log_artifact(tmp_path / "f", path),
            lambda: run.list_artifacts(path),
            lambda: run.download_artifacts(path),
            lambda: mlcore.get_artifact_uri(path),
            lambda: mlcore.download_artifacts(run_id=run.run_id, artifact_path=path),
        ):
            with pytest.raises(InvalidParameterError, match="invalid artifact path"):
                attempt()


def test_a_missing_artifact_is_named() -> None:
    with mlcore.start_run() as run:
        pass

    with pytest.raises(ArtifactNotFoundError, match=r"'nope'|/nope"):
        run.download_artifacts("nope")
    with pytest.raises(ArtifactNotFoundError, match="nope"):
        mlcore.download_artifacts(f"runs:/{run.run_id}/nope")


def test_a_missing_local_file_is_named() -> None:
    with mlcore.start_run(), pytest.raises(InvalidParameterError, match=r"no local file or directory 'nope\.txt'"):
        mlcore.log_artifact("nope.txt")


def test_datasets_are_kept_with_their_digest_and_context() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", None], "c": [[1], [2]]})
    with mlcore.start_run() as run:
        mlcore.log_input(mlcore.data.from_pandas(frame, name="wine", source="wine.csv"), context="training")
        mlcore.log_input(mlcore.data.from_numpy(np.zeros((3, 2)), name="array"), context="eval", tags={"k": "v"})

    inputs = {i.dataset.name: i for i in mlcore.get_run(run.run_id).inputs.dataset_inputs}
    assert [(t.key, t.value) for t in inputs["wine"].tags] == [("mlflow.data.context", "training")]
    assert inputs["wine"].dataset.digest == mlcore.data.from_pandas(frame).digest
    assert json.loads(inputs["array"].dataset.schema or "")["mlflow_tensorspec"]
    assert len(mlcore.search_runs(filter_string="dataset.name = 'wine' AND dataset.context = 'training'")) == 1


def test_the_same_data_has_the_same_digest_and_other_data_another() -> None:
    frame = pd.DataFrame({"a": [1, 2]})

    assert mlcore.data.from_pandas(frame).digest == mlcore.data.from_pandas(frame.copy()).digest
    assert mlcore.data.from_pandas(frame).digest != mlcore.data.from_pandas(frame + 1).digest


def test_every_public_name_is_there() -> None:
    assert [name for name in mlcore.__all__ if getattr(mlcore, name, None) is None] == []


def test_a_file_of_a_remote_place_is_downloaded_by_its_own_uri_and_what_is_not_there_is_told() -> None:
    class Below(MemoryRepo):
        """What lies below a folder; every root is a folder, as in object stores."""

        def __init__(self, folder: str) -> None:
            super().__init__()
            if folder == "plots":
                self.write("roc.txt", io.BytesIO(b"curve"), 5)

        def stat(self, path: str) -> FileInfo | None:
            return super().stat(path) if path else FileInfo("", is_dir=True)

    class Remote:
        @hookimpl
        def artifact_repo(self, uri: str) -> ArtifactRepo | None:
            return Below(uri.removeprefix("memory://b/"))

    plugins = Plugins.discover()
    plugins.register(Remote())
    with using(Session(Settings.load({}), plugins)):
        assert Path(mlcore.download_artifacts("memory://b/plots/roc.txt")).read_text() == "curve"
        assert [path.name for path in Path(mlcore.download_artifacts("memory://b/plots")).iterdir()] == ["roc.txt"]
        with pytest.raises(ArtifactNotFoundError, match="nothing is at 'memory://b/plots/typo': expected a file"):
            mlcore.download_artifacts("memory://b/plots/typo")
