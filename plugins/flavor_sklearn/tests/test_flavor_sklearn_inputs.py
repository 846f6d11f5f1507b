"""What scikit-learn models are fed with: texts, categories, missing values, and functions of all sorts inside them."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
from sklearn.tree import DecisionTreeClassifier

import mlcore
from mlcore import pyfunc
from mlcore.errors import InvalidParameterError, ModelFormatError, SignatureError, UntrustedModelError


@pytest.mark.parametrize(
    "texts", [pd.Series(["red wine", "blue wine", "blue sea"], name="text"), ["red wine", "blue wine", "blue sea"]]
)
@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(TfidfVectorizer(), LogisticRegression()),
        make_pipeline(make_pipeline(CountVectorizer(), TfidfTransformer()), LogisticRegression()),
    ],
)
def test_a_model_of_texts_reads_the_texts_and_not_the_name_of_their_column(model: object, texts: object) -> None:
    model.fit(texts, [0, 1, 1])
    mlcore.sklearn.save_model(model, "m", input_example=texts[:2])

    loaded = pyfunc.load_model("m")

    assert loaded.predict(texts).tolist() == model.predict(texts).tolist()
    assert loaded.predict(loaded.input_example).tolist() == model.predict(texts[:2]).tolist()


def test_a_model_that_learnt_categories_needs_no_trust() -> None:
    frame = pd.DataFrame({"colour": pd.Categorical(["red", "blue"] * 20), "size": np.arange(40.0)})
    model = HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype").fit(frame, [0, 1] * 20)
    mlcore.sklearn.save_model(model, "m", input_example=frame.head(2))

    assert pyfunc.load_model("m").predict(frame).tolist() == model.predict(frame).tolist()


def test_a_model_that_selects_columns_by_type_needs_no_trust() -> None:
    frame = pd.DataFrame({"colour": ["red", "blue"] * 20, "size": np.arange(40.0)})
    others = make_column_selector(dtype_exclude=[object, "str", "number"])
    columns = make_column_transformer((OneHotEncoder(), ["colour"]), ("drop", others), remainder="passthrough")
    model = make_pipeline(columns, DecisionTreeClassifier()).fit(frame, [0, 1] * 20)
    mlcore.sklearn.save_model(model, "m", input_example=frame.head(2))

    assert pyfunc.load_model("m").predict(frame).tolist() == model.predict(frame).tolist()


def test_a_partial_of_a_function_that_could_run_something_needs_trust() -> None:
    mlcore.sklearn.save_model(FunctionTransformer(partial(os.mkdir, mode=0)), "m", pyfunc_predict_fn="transform")

    with pytest.raises(UntrustedModelError, match=r"posix\.mkdir"):
        pyfunc.load_model("m")


def test_a_function_without_a_name_is_refused_by_skops_when_it_is_saved() -> None:
    model = FunctionTransformer(lambda features: features)

    with pytest.raises(
        InvalidParameterError, match=r"skops can't save '.*<lambda>'.*serialization_format='cloudpickle'"
    ):
        mlcore.sklearn.save_model(model, "m", pyfunc_predict_fn="transform")
    assert not Path("m").exists()


def test_missing_values_of_a_request_reach_a_model_of_arrays() -> None:
    data = np.array([[1.0, np.nan], [2.0, 3.0]] * 20)
    model = HistGradientBoostingClassifier(max_iter=3).fit(data, [0, 1] * 20)
    mlcore.sklearn.save_model(model, "m", input_example=data[:2])

    loaded = pyfunc.load_model("m")

    assert loaded.predict([[1, None], [2, 3]]).tolist() == [0, 1]
    assert loaded.predict(loaded.input_example).tolist() == [0, 1]
    with pytest.raises(SignatureError, match=r"expected float64 with shape \(-1, 2\), got object"):
        loaded.predict([[1, None], ["2", 3]])


@pytest.mark.parametrize("function", ["fit", "__class__", "[predict]"])
def test_a_file_cannot_choose_just_any_function_to_call(function: str) -> None:
    mlcore.sklearn.save_model(LogisticRegression().fit([[0], [1]], [0, 1]), "m")
    document = Path("m/MLmodel").read_text().replace("predict_fn: predict", f"predict_fn: {function}")
    Path("m/MLmodel").write_text(document)
    Path("m/mlcore_manifest.json").unlink()

    with pytest.raises(ModelFormatError, match=r"predict_fn` of .*MLmodel must be one of predict, .*, got "):
        pyfunc.load_model("m")


def test_a_skops_file_nested_without_end_is_told() -> None:
    mlcore.sklearn.save_model(LogisticRegression().fit([[0], [1]], [0, 1]), "m")
    with ZipFile("m/model.skops", "w") as archive:
        archive.writestr("schema.json", "[" * 100_000)
    Path("m/mlcore_manifest.json").unlink()

    with pytest.raises(ModelFormatError, match=r"model\.skops is not a skops file, or a broken one: RecursionError"):
        pyfunc.load_model("m")
