"""LightGBM models: saving, loading, trust, and what they predict for."""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
from mlcore_flavor_lightgbm.predictor import LightgbmPredictor

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

X = pd.DataFrame({"size": np.arange(40.0), "colour of it": pd.Categorical(["red", "blue"] * 20), "n": np.arange(40)})
Y = np.array([0, 1] * 20)
SMALL = {"min_child_samples": 2, "verbose": -1}


class Canary:
    """Unpickling it leaves a trace."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("canary-was-here",)


def squared(target: object, predicted: object) -> tuple[object, object]:
    """An objective of the user's own."""
    return predicted - target, np.ones(len(target))  # type: ignore[operator,arg-type]  # arrays


@pytest.fixture(scope="module")
def booster() -> lightgbm.Booster:
    return lightgbm.train(SMALL, lightgbm.Dataset(X, Y), 5)


@pytest.fixture(scope="module")
def classifier() -> lightgbm.LGBMClassifier:
    return lightgbm.LGBMClassifier(n_estimators=4, **SMALL).fit(X, Y)


def test_the_flavor_is_found_without_being_named_and_wins_over_scikit_learns(
    classifier: lightgbm.LGBMClassifier,
) -> None:
    with mlcore.start_run():
        info = mlcore.log_model(classifier)

    assert set(info.flavors) == {"python_function", "lightgbm"}
    assert isinstance(mlcore.lightgbm.load_model(info.model_uri), lightgbm.LGBMClassifier)


def test_the_file_says_what_mlflow_says(booster: lightgbm.Booster, classifier: lightgbm.LGBMClassifier) -> None:
    mlcore.lightgbm.save_model(lgb_model=booster, path="b")
    mlcore.lightgbm.save_model(classifier, "c")

    sections = [MLModel.read(Path(name)).flavors["lightgbm"] for name in "bc"]

    assert sections[0] == {
        "code": None,
        "data": "model.lgb",
        "lgb_version": lightgbm.__version__,
        "model_class": "lightgbm.basic.Booster",
    }
    assert sections[1] == {
        "code": None,
        "data": "model.skops",
        "lgb_version": lightgbm.__version__,
        "model_class": "lightgbm.sklearn.LGBMClassifier",
        "serialization_format": "skops",
        "skops_trusted_types": [
            "collections.OrderedDict",
            "lightgbm.basic.Booster",
            "lightgbm.sklearn.LGBMClassifier",
        ],
    }
    assert MLModel.read(Path("c")).pyfunc["loader_module"] == "mlflow.lightgbm"


def test_the_environment_is_what_loads_the_model(
    booster: lightgbm.Booster, classifier: lightgbm.LGBMClassifier
) -> None:
    mlcore.lightgbm.save_model(booster, "b")
    mlcore.lightgbm.save_model(classifier, "c")

    def names(folder: str) -> list[str]:
        lines = Path(folder, "requirements.txt").read_text().split()
        return [line.partition("==")[0] for line in lines if "mlcore" not in line]

    assert names("b") == ["lightgbm"]
    assert names("c") == ["lightgbm", "scikit-learn", "skops"]


@pytest.mark.parametrize("kind", ["booster", "classifier"])
def test_a_model_predicts_for_frames_rows_and_arrays(kind: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(kind)
    expected = model.predict(X).tolist()
    mlcore.lightgbm.save_model(model, "m", input_example=X.head(3))

    loaded = pyfunc.load_model("m")

    assert loaded.predict(X).tolist() == expected
    plain = X.astype({"colour of it": str})
    assert loaded.predict(plain).tolist() == expected
    assert loaded.predict(plain.to_dict("records")[3:4]).tolist() == expected[3:4]


def test_models_of_arrays_and_of_frames_predict_for_either_without_complaint() -> None:
    numbers = X[["size", "n"]]
    on_frame = lightgbm.LGBMRegressor(n_estimators=2, **SMALL).fit(numbers, Y)
    on_array = lightgbm.LGBMRegressor(n_estimators=2, **SMALL).fit(numbers.to_numpy(), Y)

    for model in (on_frame, on_array, on_frame.booster_):
        found = [LightgbmPredictor(model).predict(data, {}).tolist() for data in (numbers, numbers.to_numpy())]
        assert found[0] == found[1]


def test_categories_of_numbers_come_as_numbers() -> None:
    frame = pd.DataFrame({"zone": pd.Categorical([30, 10] * 20)})
    model = lightgbm.train({**SMALL, "min_data_per_group": 1, "cat_smooth": 1}, lightgbm.Dataset(frame, Y), 3)
    mlcore.lightgbm.save_model(model, "m", input_example=frame.head(2))

    assert pyfunc.load_model("m").predict([{"zone": 10}]).tolist() == model.predict(frame.iloc[1:2]).tolist()


def test_columns_are_found_by_their_names_where_lightgbm_counts_them(booster: lightgbm.Booster) -> None:
    predictor = LightgbmPredictor(booster)

    mixed = predictor.predict(X[["n", "colour of it", "size"]].assign(more=1), {})

    assert mixed.tolist() == booster.predict(X).tolist()
    with pytest.raises(SignatureError, match=r"columns are missing: 'colour_of_it', 'n'; the model was trained on 3"):
        predictor.predict(X[["size"]], {})


def test_data_that_lightgbm_refuses_is_told(booster: lightgbm.Booster) -> None:
    with pytest.raises(
        InvalidParameterError, match=r"LightGBM can't predict for the data: The number of features in data"
    ):
        LightgbmPredictor(booster).predict(np.ones((1, 2)), {})


def test_params_reach_the_model(booster: lightgbm.Booster) -> None:
    signature = mlcore.models.infer_signature(X, params={"num_iteration": 5})
    mlcore.lightgbm.save_model(booster, "m", signature=signature)

    found = pyfunc.load_model("m").predict(X, params={"num_iteration": 1})

    assert found.tolist() == booster.predict(X, num_iteration=1).tolist()


def test_an_objective_of_the_users_own_needs_trust_and_is_named() -> None:
    model = lightgbm.LGBMRegressor(n_estimators=2, objective=squared, **SMALL).fit(X[["n"]], Y)
    mlcore.lightgbm.save_model(model, "m")

    with pytest.raises(
        UntrustedModelError, match=r"model\.skops holds types and functions that LightGBM .*\.squared\."
    ):
        pyfunc.load_model("m")


@pytest.mark.parametrize("form", ["cloudpickle", "pickle", "skops", None])
def test_no_pickle_is_read_unless_it_is_trusted(classifier: lightgbm.LGBMClassifier, form: str | None) -> None:
    mlcore.lightgbm.save_model(classifier, "m", serialization_format="cloudpickle")
    assert pyfunc.load_model("m", trust=True).predict(X).tolist() == classifier.predict(X).tolist()
    Path("m/model.pkl").write_bytes(pickle.dumps(Canary()))
    text = Path("m/MLmodel").read_text().replace("serialization_format: cloudpickle", f"serialization_format: {form}")
    Path("m/MLmodel").write_text(text)
    write_manifest(Path("m"))

    with pytest.raises((UntrustedModelError, ModelFormatError)):
        pyfunc.load_model("m")
    with pytest.raises((UntrustedModelError, ModelFormatError)):
        mlcore.lightgbm.load_model("m")

    assert not Path("canary-was-here").exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.7, 0.9])
def test_a_text_cut_short_anywhere_is_told_and_not_read(booster: lightgbm.Booster, share: float) -> None:
    mlcore.lightgbm.save_model(booster, "m")
    path = Path("m/model.lgb")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    write_manifest(Path("m"))

    with pytest.raises(ModelFormatError, match=r"model\.lgb is no whole model of LightGBM; save or fetch it again"):
        pyfunc.load_model("m")


def test_a_model_of_an_old_mlflow_is_a_booster(booster: lightgbm.Booster) -> None:
    Path("m").mkdir()
    booster.save_model("m/model.lgb")
    Path("m/MLmodel").write_text(
        "flavors:\n  python_function: {data: model.lgb, loader_module: mlflow.lightgbm}\n"
        "  lightgbm: {data: model.lgb, lgb_version: 2.3.1}\n"
    )

    assert pyfunc.load_model("m").predict(X).tolist() == booster.predict(X).tolist()


def test_a_wrong_option_is_told(booster: lightgbm.Booster) -> None:
    with pytest.raises(InvalidParameterError, match=r"unknown serialization_format 'pickle': expected one of skops, "):
        mlcore.lightgbm.save_model(booster, "m", serialization_format="pickle")


def test_without_the_library_the_line_for_pip_is_named(
    booster: lightgbm.Booster, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlcore.lightgbm.save_model(booster, "m")
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    monkeypatch.delitem(sys.modules, "mlcore_flavor_lightgbm.predictor", raising=False)  # as in a new process

    with pytest.raises(MissingDependencyError, match="models of flavor lightgbm need lightgbm: pip install lightgbm"):
        pyfunc.load_model("m")
