"""What flavors share: which of them saves an object, their options, their files, and data for them."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

from mlcore.errors import InvalidParameterError, MissingDependencyError, ModelFormatError, SignatureError
from mlcore.models import flavor_files
from mlcore.models.autolog import autolog
from mlcore.models.flavors import nearest_library


def _class(name: str, module: str, *bases: type) -> type:
    return type(name, bases, {"__module__": module})


ESTIMATOR = _class("BaseEstimator", "sklearn.base")
BOOSTED = _class("BoostedModel", "boosted.sklearn", ESTIMATOR)


@pytest.mark.parametrize(
    ("cls", "nearest"),
    [
        (ESTIMATOR, "sklearn"),
        (BOOSTED, "boosted"),
        (_class("Mine", "__main__", BOOSTED), "boosted"),
        (_class("Mine", "__main__", ESTIMATOR), "sklearn"),
        (object, None),
    ],
)
def test_the_flavor_nearest_to_the_class_of_a_model_saves_it(cls: type, nearest: str | None) -> None:
    assert nearest_library(cls, ["sklearn", "boosted"]) == nearest


def test_classes_are_known_without_an_import() -> None:
    assert flavor_files.is_a(Path(), "no_such_library.Model", "pathlib.Path")
    assert not flavor_files.is_a(Path(), "no_such_library.Model", "pathlib.NoSuchClass", "pathlib.os")


def test_an_unknown_option_is_told_with_those_that_are_known() -> None:
    assert flavor_files.known_options({"a": 1, "b": None, "c": None}, ("a", "b"), "x") == {"a": 1}
    with pytest.raises(InvalidParameterError, match=r"unknown option 'c' of flavor x; known are a, b"):
        flavor_files.known_options({"c": 1}, ("a", "b"), "x")
    with pytest.raises(InvalidParameterError, match=r"unknown form 'c': expected one of a, b"):
        flavor_files.one_of({"form": "c"}, "form", ("a", "b"))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "field `flavors.x.data` of .*MLmodel must be a string, got None"),
        ({"data": "../m"}, "leads out of the model: '../m'"),
        ({"data": "model.x"}, "the model file 'model.x' is missing in "),
    ],
)
def test_a_model_file_that_is_not_there_is_told(config: Mapping[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ModelFormatError, match=message):
        flavor_files.model_file(tmp_path, config, "data", "x")


def test_a_missing_library_is_told_with_the_line_for_pip() -> None:
    with pytest.raises(MissingDependencyError, match="models of flavor x need no_such_library: pip install nothing"):
        flavor_files.library("no_such_library.models", "x", "nothing")


def test_what_a_library_raises_over_a_file_names_the_file() -> None:
    with (
        pytest.raises(ModelFormatError, match=r"model.x can't be loaded: KeyError: 'k'\. .* saved with x 1\.2"),
        flavor_files.reading(Path("model.x"), "x 1.2"),
    ):
        raise KeyError("k")
    with (
        pytest.raises(
            MissingDependencyError, match=r"model.x needs a module that can't be imported: No module named 'a'"
        ),
        flavor_files.reading(Path("model.x"), "x 1.2"),
    ):
        raise ModuleNotFoundError("No module named 'a'")


def test_a_pickle_cut_short_is_told() -> None:
    Path("m.pkl").write_bytes(pickle.dumps([1, 2])[:-2])

    with pytest.raises(ModelFormatError, match=r"m\.pkl can't be loaded"), flavor_files.reading(Path("m.pkl"), "x 1"):
        flavor_files.load_pickle(Path("m.pkl"))


@pytest.mark.parametrize(("saved", "warned"), [("1.2.9", 0), ("1.3.0", 1), (None, 0)])
def test_another_version_of_the_library_is_told(saved: object, warned: int) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        flavor_files.warn_of_other_version("x", saved, "1.2.3")

    assert [w.category for w in seen] == [flavor_files.LibraryVersionWarning] * warned


def test_columns_come_in_the_order_of_the_training_and_missing_ones_are_named() -> None:
    frame = pd.DataFrame({"b": [1], "a": [2], "more": [3]})

    assert list(flavor_files.in_order(frame, ["a", "b"]).columns) == ["a", "b"]
    with pytest.raises(SignatureError, match=re.escape("columns are missing: 'c'; the model was trained on 2 columns")):
        flavor_files.in_order(frame, ["a", "c"])


def test_columns_go_by_their_texts_and_by_what_the_library_makes_of_blanks() -> None:
    frame = pd.DataFrame({1: [1], "a b": [2]})

    assert flavor_files.in_order(frame, ["1", "a_b"], blank="_") is frame
    assert list(flavor_files.in_order(frame, ["a b", "1"]).columns) == ["a b", 1]


def test_texts_become_categories_where_the_model_learnt_categories() -> None:
    frame = pd.DataFrame({"t": ["x", None], "n": [1, 2], "o": pd.Categorical(["x", "y"]), "m": ["x", "y"]})

    found = flavor_files.with_categories(frame, [0, 1, 2])

    assert [str(found[name].dtype) == "category" for name in "tnom"] == [True, True, True, False]
    assert flavor_files.with_categories(frame, [2]) is frame


def test_the_class_of_a_model_is_imported_by_name() -> None:
    assert flavor_files.class_called("pathlib.Path") is Path
    with pytest.raises(ModelFormatError, match=r"the model's class 'os\.system' is no class"):
        flavor_files.class_called("os.system")


def test_arguments_of_one_flavor_are_refused_by_all_at_once() -> None:
    with pytest.raises(InvalidParameterError, match="unknown argument 'model_format' of autolog"):
        autolog(model_format="json")
