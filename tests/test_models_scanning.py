"""What loading a model would run, without running it."""

from __future__ import annotations

import bz2
import gzip
import os
import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from mlcore.errors import MissingDependencyError, MlcoreError
from mlcore.models import pyfunc
from mlcore.models.saving import save_model
from mlcore.models.scanning import Find, scan
from mlcore.testing.flavor import canary


@pytest.fixture
def fitted() -> LinearRegression:
    return LinearRegression().fit(np.array([[0.0], [1.0]]), [1.0, 3.0])


def test_a_model_without_code_is_innocuous(fitted: LinearRegression, tmp_path: Path) -> None:
    save_model(fitted, tmp_path / "m")

    report = scan(tmp_path / "m")

    assert (report.level, report.runs) == ("innocuous", ())
    assert Find("model.skops", "sklearn.linear_model._base.LinearRegression", "innocuous") in report.finds


def test_the_globals_and_opcodes_of_a_pickle_are_listed(fitted: LinearRegression, tmp_path: Path) -> None:
    save_model(fitted, tmp_path / "m", serialization_format="cloudpickle")

    report = scan(tmp_path / "m")

    assert report.level == "suspicious"
    assert report.runs == ("model.pkl is a pickle",)
    assert Find("model.pkl", "sklearn.linear_model._base.LinearRegression", "suspicious") in report.finds
    assert [(file.path, file.opcodes["STACK_GLOBAL"] > 1) for file in report.files] == [("model.pkl", True)]


def test_a_python_model_is_dangerous(tmp_path: Path) -> None:
    pyfunc.save_model(tmp_path / "m", python_model=lambda model_input: model_input)

    report = scan(tmp_path / "m")

    assert report.level == "dangerous"
    assert report.finds[0].file == "python_model.pkl"


def plant(directory: Path, name: str, packed: str) -> None:
    evil = canary(directory.parent / "canary-was-here")
    path = directory / name
    if packed == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", evil)
    else:
        path.write_bytes({"plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress}[packed](evil))


@pytest.mark.parametrize("packed", ["plain", "zip", "gzip", "bzip2"])
@pytest.mark.parametrize("name", ["data.pkl", "model.pth", "weights.json", "notes"])
def test_a_pickle_that_runs_commands_is_found_under_any_name_and_not_run(
    fitted: LinearRegression, tmp_path: Path, name: str, packed: str
) -> None:
    save_model(fitted, tmp_path / "m")
    plant(tmp_path / "m", name, packed)

    report = scan(tmp_path / "m")

    assert report.level == "dangerous"
    assert report.finds[0] == Find(name, "os.mkdir", "dangerous")
    assert not (tmp_path / "canary-was-here").exists()


def test_a_planted_text_file_is_scanned_when_a_flavor_would_load_it(fitted: LinearRegression, tmp_path: Path) -> None:
    save_model(fitted, tmp_path / "m", serialization_format="cloudpickle")
    described = tmp_path / "m" / "MLmodel"
    described.write_text(described.read_text().replace("model.pkl", "requirements.txt"))
    plant(tmp_path / "m", "requirements.txt", "plain")

    assert scan(tmp_path / "m").finds[0] == Find("requirements.txt", "os.mkdir", "dangerous")


def test_a_pickle_that_breaks_off_is_read_up_to_there(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(canary(tmp_path / "x")[:-1] + b"\xff\xff")

    assert scan(tmp_path / "m.pkl").finds == (Find("m.pkl", "os.mkdir", "dangerous"),)


def test_what_the_scanner_cannot_read_is_not_called_innocuous(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(b"\x80\x04\x93.")
    (tmp_path / "b.bin").write_bytes(b"7z\xbc\xaf\x27\x1c" + b"0" * 40)
    (tmp_path / "c.joblib").write_bytes(b"\x78\x9c" + b"0" * 40)

    levels = {find.file: find.level for find in scan(tmp_path).finds}

    assert levels == {"a.pkl": "dangerous", "b.bin": "suspicious", "c.joblib": "suspicious"}


def test_code_that_comes_along_is_listed(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("VALUE = 1\n")
    pyfunc.save_model(tmp_path / "m", python_model=lambda model_input: model_input, code_paths=[tmp_path / "mine.py"])

    report = scan(tmp_path / "m")

    assert Find("code/mine.py", "Python source, run when something imports it", "suspicious") in report.finds
    assert "the directory 'code' is put on sys.path" in report.runs


def test_a_model_whose_flavor_is_not_installed_is_scanned(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "MLmodel").write_text(
        "flavors:\n  python_function: {loader_module: mlflow.prophet, data: model.pr}\n  prophet: {data: model.pr}\n"
    )
    (tmp_path / "m" / "model.pr").write_bytes(pickle.dumps(os.getcwd))

    report = scan(tmp_path / "m")

    assert report.finds == (Find("model.pr", "posix.getcwd", "dangerous"),)
    assert "flavor 'prophet' can't be asked" in report.runs[-1]


def test_an_empty_file_and_a_picture_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))

    assert scan(tmp_path).finds == ()


def test_without_the_library_the_error_names_the_pip_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picklescan", None)
    monkeypatch.setitem(sys.modules, "picklescan.scanner", None)

    with pytest.raises(MissingDependencyError, match=r"pip install 'mlcore-kernel\[scan\]'"):
        scan(tmp_path)


def test_a_place_where_nothing_is_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MlcoreError, match="nowhere"):
        scan(tmp_path / "nowhere")
