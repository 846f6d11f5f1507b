"""Files of skops are read and written without all of scikit-learn, judged as skops judges them; nobody else notices."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import mlcore
from mlcore import pyfunc
from mlcore.errors import ModelFormatError
from mlcore.models.skops_files import load_skops, names_in, unlisted_types

# What skops says when nobody else uses it: its lists, and its judgement of files.
PLAIN = """
import json, sys
import skops.io
from skops.io import _general, _numpy
lists = {name: sorted(found) for one in (_general, _numpy) for name, found in vars(one).items() if name.endswith("_NAMES")}
print(json.dumps({"lists": lists, "judged": {path: skops.io.get_untrusted_types(file=path) for path in sys.argv[1:]}}))
"""

# The same lists behind a model that was loaded, and our answers for all names in them and all classes of estimators.
OURS = """
import json, sys
from mlcore import pyfunc
from mlcore.models.skops_lists import trusting_of
pyfunc.load_model(sys.argv[1])
modules = len([name for name in sys.modules if name.startswith("sklearn.")])
from skops.io import _general, _numpy
kept = {name: found for one in (_general, _numpy) for name, found in vars(one).items() if name.endswith("_NAMES")}
lists = {name: sorted(found) for name, found in kept.items()}
from sklearn.base import BaseEstimator
waiting, classes = [BaseEstimator], {BaseEstimator}
while waiting:
    found = waiting.pop().__subclasses__()
    waiting += [each for each in found if each not in classes]
    classes.update(found)
beside = {f"{each.__module__}.{each.__name__}" for each in classes} | {"posix.mkdir", "numpy.load", "sklearn.show_versions"}
asked = {*beside, *(each for found in lists.values() for each in found)}
with trusting_of(asked):
    answers = {name: sorted(found) for name, found in kept.items()}
beside -= {*lists["SKLEARN_ESTIMATOR_TYPE_NAMES"]}
print(json.dumps({"modules": modules, "lists": lists, "answers": answers, "beside": len(beside)}))
"""

ESTIMATOR, UFUNC = "sklearn.linear_model._ridge.Ridge", "numpy.log1p"


def said(script: str, *arguments: str | Path) -> dict[str, object]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def node(loader: str, name: str, **more: object) -> dict[str, object]:
    module, _, attribute = name.rpartition(".")
    return {"__class__": attribute, "__module__": module, "__loader__": loader, "__id__": 0, **more}


def file_with(path: Path, top: dict[str, object], *, protocol: int = 2) -> Path:
    with ZipFile(path, "w") as archive:
        archive.writestr("schema.json", json.dumps({**top, "protocol": protocol, "_skops_version": "0.16"}))
    return path


HARMLESS = {
    "estimator": node("ObjectNode", ESTIMATOR),
    "ufunc": node("FunctionNode", UFUNC),
    "dtype as type": node("TypeNode", "numpy.float64"),
}
OTHERS = {
    "estimator as function": node("FunctionNode", ESTIMATOR),
    "estimator as type": node("TypeNode", ESTIMATOR),
    "ufunc as object": node("ObjectNode", UFUNC),
    "private": node("ObjectNode", "sklearn.linear_model._ridge._BaseRidge"),
    "by another name": node("ObjectNode", "sklearn.linear_model.Ridge"),
    "no estimator": node("ObjectNode", "sklearn.linear_model._ridge.os"),
    "no such class": node("ObjectNode", "sklearn.linear_model._ridge.Rigid"),
    "no such module": node("ObjectNode", "sklearn.linear_models.Ridge"),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("files")
    early = {"content": {"module_path": "scipy.special._special_ufuncs", "function": "expit"}}
    first = file_with(folder / "by the first protocol.skops", node("FunctionNode", "a.b", **early), protocol=0)
    return [first, *(file_with(folder / f"{name}.skops", top) for name, top in (HARMLESS | OTHERS).items())]


@pytest.fixture(scope="module")
def plain(files: list[Path]) -> dict[str, object]:
    return said(PLAIN, *files)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    path = tmp_path_factory.mktemp("models") / "ridge"
    mlcore.sklearn.save_model(Ridge().fit([[1.0], [2.0]], [1.0, 2.0]), path)
    return said(OURS, path)


def test_a_model_is_loaded_without_most_of_scikit_learn(ours: dict[str, object]) -> None:
    assert ours["modules"] < 300  # type: ignore[operator]  # of about 500


def test_others_find_the_lists_of_skops_as_they_are(ours: dict[str, object], plain: dict[str, object]) -> None:
    assert ours["lists"] == plain["lists"]
    assert len(plain["lists"]["SKLEARN_ESTIMATOR_TYPE_NAMES"]) > 150  # type: ignore[index]  # a dict


def test_the_answers_for_single_names_are_those_of_the_full_lists(ours: dict[str, object]) -> None:
    assert ours["answers"] == ours["lists"]
    assert ours["beside"] > 30  # type: ignore[operator]  # private, abstract and experimental ones


def test_what_a_name_stands_for_counts_as_it_does_for_skops(plain: dict[str, object], files: list[Path]) -> None:
    judged: dict[str, object] = {str(path): unlisted_types(path) for path in files}

    assert judged == plain["judged"]
    assert [path.stem for path in files if not judged[str(path)]] == ["by the first protocol", *HARMLESS]


def test_a_file_that_holds_what_nobody_listed_is_not_loaded_by_its_name_alone(tmp_path: Path) -> None:
    path = file_with(tmp_path / "model.skops", node("FunctionNode", "posix.mkdir"))

    assert (names_in(path), unlisted_types(path)) == ({"posix.mkdir"}, ["posix.mkdir"])
    assert load_skops(path).__name__ == "mkdir"  # type: ignore[attr-defined]  # who calls it has settled trust


@pytest.mark.parametrize("schema", ["[]", "{", "[" * 100_000, '{"protocol": 2}', '{"protocol": "2"}', "null"])
def test_a_file_with_a_crafted_schema_is_told(schema: str, tmp_path: Path) -> None:
    with ZipFile(tmp_path / "model.skops", "w") as archive:
        archive.writestr("schema.json", schema)

    with pytest.raises(ModelFormatError, match=r"model\.skops is not a skops file, or a broken one: \w+Error"):
        load_skops(tmp_path / "model.skops")


def test_a_function_that_skops_answers_for_needs_no_trust(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(np.log1p), Ridge()).fit([[1.0], [2.0]], [1.0, 2.0])
    mlcore.sklearn.save_model(model, tmp_path / "logarithm")

    loaded = pyfunc.load_model(tmp_path / "logarithm")

    assert loaded.predict(np.array([[1.0]])) == pytest.approx(model.predict([[1.0]]))
