"""XGBoost models: saving, loading, trust, and what they predict for."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost
from mlcore_flavor_xgboost.flavor import XgboostFlavor
from mlcore_flavor_xgboost.predictor import XgboostPredictor
from mlcore_flavor_xgboost.ubjson import check_whole

import mlcore
from mlcore import pyfunc
from mlcore.errors import (
    InvalidParameterError,
    MissingDependencyError,
    ModelFormatError,
    SignatureError,
    UntrustedModelError,
)
from mlcore.models import MLModel
from mlcore.models.manifest import write_manifest

X = pd.DataFrame({"size": np.arange(40.0), "colour": pd.Categorical(["red", "blue"] * 20), "n": np.arange(40)})
Y = np.array([0, 1] * 20)


class Mine(xgboost.XGBClassifier):
    """A class of the user's own."""


@pytest.fixture(scope="module")
def booster() -> xgboost.Booster:
    return xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, Y, enable_categorical=True), 5)


@pytest.fixture(scope="module")
def expected(booster: xgboost.Booster) -> list[float]:
    return booster.predict(xgboost.DMatrix(X, enable_categorical=True)).tolist()


def test_the_flavor_is_found_without_being_named_and_wins_over_scikit_learns() -> None:
    with mlcore.start_run():
        info = mlcore.log_model(xgboost.XGBClassifier(n_estimators=2).fit(X[["size"]], Y))

    assert set(info.flavors) == {"python_function", "xgboost"}
    assert isinstance(mlcore.xgboost.load_model(info.model_uri), xgboost.XGBClassifier)


def test_the_file_says_what_mlflow_says(booster: xgboost.Booster) -> None:
    mlcore.xgboost.save_model(xgb_model=booster, path="m", model_format="json")

    model = MLModel.read(Path("m"))

    assert model.flavors["xgboost"] == {
        "code": None,
        "data": "model.json",
        "model_class": "xgboost.core.Booster",
        "model_format": "json",
        "xgb_version": xgboost.__version__,
    }
    assert {k: model.pyfunc[k] for k in ("loader_module", "data")} == {
        "loader_module": "mlflow.xgboost",
        "data": "model.json",
    }


def test_the_environment_names_the_distribution_that_is_installed(booster: xgboost.Booster) -> None:
    mlcore.xgboost.save_model(booster, "m", input_example=X.head(2))
    mlcore.xgboost.save_model(xgboost.XGBRegressor(n_estimators=1).fit(X[["n"]], Y), "e")

    def names(folder: str) -> list[str]:
        return [line.partition("==")[0] for line in Path(folder, "requirements.txt").read_text().split()]

    assert names("m") == ["mlcore-kernel", "mlcore-flavor-xgboost", "pandas", "xgboost-cpu"]
    assert names("e") == ["mlcore-kernel", "mlcore-flavor-xgboost", "scikit-learn", "xgboost-cpu"]


def test_a_booster_predicts_for_frames_rows_and_arrays_without_a_matrix(
    booster: xgboost.Booster, expected: list[float]
) -> None:
    mlcore.xgboost.save_model(booster, "m", input_example=X.head(3))

    loaded = pyfunc.load_model("m")

    assert loaded.predict(X).tolist() == expected
    plain = X.assign(colour=X["colour"].astype(str))
    assert loaded.predict(plain.iloc[:1]).tolist() == expected[:1]
    assert loaded.predict(plain.to_dict("records")[3:4]).tolist() == expected[3:4]
    codes = X.assign(colour=X["colour"].cat.codes).to_numpy(dtype="float64")
    assert XgboostPredictor(booster).predict(codes, {}).tolist() == expected


def test_categories_of_numbers_come_as_numbers() -> None:
    frame = pd.DataFrame({"zone": pd.Categorical([30, 10] * 20)})
    model = xgboost.XGBRegressor(n_estimators=3, enable_categorical=True).fit(frame, Y)
    mlcore.xgboost.save_model(model, "m", input_example=frame.head(2))

    assert pyfunc.load_model("m").predict([{"zone": 10}]).tolist() == model.predict(frame.iloc[1:2]).tolist()


def test_columns_are_found_by_their_names(booster: xgboost.Booster, expected: list[float]) -> None:
    predictor = XgboostPredictor(booster)

    assert predictor.predict(X[["n", "colour", "size"]].assign(more=1), {}).tolist() == expected
    with pytest.raises(SignatureError, match=r"columns are missing: 'colour', 'n'; the model was trained on 3 columns"):
        predictor.predict(X[["size"]], {})


@pytest.mark.parametrize("colour", ["green", "aqua", "violet"])
def test_a_category_that_the_model_never_saw_is_refused(booster: xgboost.Booster, colour: str) -> None:
    message = f"column 'colour' holds categories that the model never saw: '{colour}'; it knows 'blue', 'red'"
    with pytest.raises(InvalidParameterError, match=message):
        XgboostPredictor(booster).predict(X.head(2).assign(colour=["red", colour]), {})


@pytest.mark.parametrize("kind", ["gbtree", "dart"])
@pytest.mark.parametrize("values", [["blue", "green", "red"], [10, 20, 30]])
def test_categories_are_known_without_pyarrow(values: list[object], kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "c": pd.Categorical(values)})
    model = xgboost.train({"booster": kind}, xgboost.DMatrix(frame, [1, 2, 3], enable_categorical=True), 1)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    predictor = XgboostPredictor(model)

    assert len(predictor.predict(frame, {})) == 3
    with pytest.raises(InvalidParameterError, match="column 'c' holds categories that the model never saw: "):
        predictor.predict(frame.assign(c=[values[0], values[1], "?"]), {})


def test_a_category_may_be_missing(booster: xgboost.Booster) -> None:
    unused = X.head(1).assign(colour=pd.Categorical([None], categories=["green"]))

    assert len(XgboostPredictor(booster).predict(unused, {})) == 1


def test_data_is_checked_against_the_signature(booster: xgboost.Booster) -> None:
    mlcore.xgboost.save_model(booster, "m", input_example=X.head(3))

    with pytest.raises(SignatureError, match=r"column 'size' is missing \(expected double\)"):
        pyfunc.load_model("m").predict(X[["colour", "n"]])
    with pytest.raises(SignatureError, match="column 'n'"):
        pyfunc.load_model("m").predict(X.assign(n="many"))


def test_params_reach_the_model(booster: xgboost.Booster) -> None:
    signature = mlcore.models.infer_signature(X, params={"output_margin": False})
    mlcore.xgboost.save_model(booster, "m", signature=signature)

    loaded = pyfunc.load_model("m")

    margin = booster.predict(xgboost.DMatrix(X, enable_categorical=True), output_margin=True)
    assert loaded.predict(X, params={"output_margin": True}).tolist() == margin.tolist()


def test_a_class_of_the_users_own_needs_trust() -> None:
    mlcore.xgboost.save_model(Mine(n_estimators=2).fit(X[["n"]], Y), "m")

    with pytest.raises(UntrustedModelError, match=r"its class '.*\.Mine' is imported, which is none of XGBoost's own"):
        pyfunc.load_model("m")


def test_a_model_of_an_old_mlflow_is_a_booster(booster: xgboost.Booster, expected: list[float]) -> None:
    Path("m").mkdir()
    Path("m/model.xgb").write_bytes(booster.save_raw())
    Path("m/MLmodel").write_text(
        "flavors:\n  python_function: {data: model.xgb, loader_module: mlflow.xgboost}\n"
        "  xgboost: {data: model.xgb, xgb_version: 1.1.1}\n"
    )

    assert pyfunc.load_model("m").predict(X).tolist() == expected


@pytest.mark.parametrize("content", [b"", b"{}", b"text", b"\x80\x04.", b"{L"])
def test_a_file_that_is_no_model_is_told(booster: xgboost.Booster, content: bytes) -> None:
    mlcore.xgboost.save_model(booster, "m")
    Path("m/model.ubj").write_bytes(content)
    write_manifest(Path("m"))

    with pytest.raises(ModelFormatError, match=r"model\.ubj can't be loaded: .* it was saved with xgboost 3"):
        pyfunc.load_model("m")


def test_a_file_cut_short_anywhere_is_not_given_to_xgboost(booster: xgboost.Booster) -> None:
    whole = bytes(booster.save_raw("ubj"))
    check_whole(whole)

    for end in range(len(whole)):
        with pytest.raises(ValueError, match=r"UBJSON|no length at byte"):
            check_whole(whole[:end])


def test_a_wrong_option_and_a_model_without_training_are_told() -> None:
    with pytest.raises(
        InvalidParameterError, match=r"unknown option 'format' of flavor xgboost; known are model_format"
    ):
        mlcore.xgboost.save_model(xgboost.Booster(), "m", format="json")
    with pytest.raises(InvalidParameterError, match=r"unknown model_format 'xgb': expected one of ubj, json"):
        mlcore.xgboost.save_model(xgboost.Booster(), "m", model_format="xgb")
    with pytest.raises(InvalidParameterError, match=r"XGBoost can't save this XGBClassifier: need to call fit"):
        mlcore.xgboost.save_model(xgboost.XGBClassifier(), "m")


def test_without_the_library_the_line_for_pip_is_named(
    booster: xgboost.Booster, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlcore.xgboost.save_model(booster, "m")
    monkeypatch.setitem(sys.modules, "xgboost", None)
    monkeypatch.delitem(sys.modules, "mlcore_flavor_xgboost.predictor", raising=False)  # as in a new process

    with pytest.raises(
        MissingDependencyError, match=r"flavor xgboost need xgboost: pip install xgboost \(or xgboost-cpu"
    ):
        pyfunc.load_model("m")
    assert XgboostFlavor().can_save(booster) is True  # its class is known by the module that it is in
    assert mlcore.models.get_model_info("m").flavors["xgboost"]["data"] == "model.ubj"
