"""Models of numbers are loaded and asked without pandas, and answer as they do for frames."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlcore
from mlcore import pyfunc
from mlcore.errors import SignatureError
from mlcore.models import infer_signature
from mlcore.serving.payload import Payload
from mlcore.serving.scorer import ModelScorer

FRAME = pd.DataFrame({"size": [1.0, 2.0, 4.0], "age": [3.0, 1.0, 2.0]})
TARGET = [1.0, 2.0, 3.0]
ROWS = [[1.5, 2.5], [3.0, 1.0]]

SERVED = """
import json, sys
from mlcore.serving.loading import load, wanted
from mlcore.serving.payload import Payload
served = load(wanted("m", several=False).at("m", trust=False), None)
answers = [served.scorer.score(Payload("dataframe_split", [[1.5, 2.5], [3, 1]], ["size", "age"])).tolist()]
answers.append(served.scorer.score(Payload("inputs", [[1.5, 2.5], [3, 1]])).tolist())
without = "pandas" not in sys.modules
answers.append(served.scorer.score(Payload("csv", b"age,size\\n2.5,1.5\\n1,3\\n")).tolist())
from sklearn.utils import fixes
print(json.dumps({"answers": answers, "without": without, "used": fixes.pd.DataFrame is sys.modules["pandas"].DataFrame}))
"""


def saved(model: object, example: object = FRAME) -> pyfunc.PyFuncModel:
    mlcore.sklearn.save_model(model, "m", signature=infer_signature(example, TARGET))
    return pyfunc.load_model("m")


def test_a_server_of_a_model_of_numbers_imports_pandas_when_a_request_needs_it() -> None:
    model = Ridge().fit(FRAME, TARGET)
    saved(model)

    done = subprocess.run([sys.executable, "-W", "error", "-c", SERVED], capture_output=True, text=True, check=True)

    found = json.loads(done.stdout)
    expected = model.predict(pd.DataFrame(ROWS, columns=FRAME.columns)).tolist()
    assert (found["without"], found["used"]) == (True, True)
    assert found["answers"] == [pytest.approx(expected)] * 3


@pytest.mark.parametrize(
    "model", [Ridge(), make_pipeline(StandardScaler(), Ridge()), HistGradientBoostingRegressor(max_iter=3)]
)
@pytest.mark.parametrize("train", [FRAME, FRAME.to_numpy()])
@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "int32"])
def test_rows_in_any_order_of_columns_are_answered_as_frames_are(model: object, train: object, kind: str) -> None:
    loaded = saved(model.fit(train, TARGET), FRAME.astype(kind))  # type: ignore[attr-defined]  # an estimator
    rows = [[3, 1], [1, 3]]

    answer = ModelScorer(loaded).score(Payload("dataframe_split", rows, ["age", "size"]))

    assert loaded.takes_arrays
    frame = pd.DataFrame(rows, columns=["age", "size"])[["size", "age"]].astype(kind)
    assert np.array_equal(answer, loaded.predict(frame))  # type: ignore[arg-type]  # an array


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (Ridge().fit(FRAME, TARGET), FRAME[["age", "size"]]),
        (Ridge().fit(FRAME, TARGET), FRAME.assign(age=FRAME["age"].astype("int64"))),
        (
            make_pipeline(CountVectorizer(), LogisticRegression()).fit(["red", "blue", "red"], [0, 1, 0]),
            pd.DataFrame({"text": ["red", "blue", "red"]}),
        ),
    ],
    ids=["columns in another order", "numbers of two types", "texts"],
)
def test_others_take_frames(model: object, example: object) -> None:
    assert not saved(model, example).takes_arrays


@pytest.mark.parametrize(
    ("rows", "columns", "told"),
    [
        ([[1.0, "x"]], ["size", "age"], "column 'age': expected double, got string 'x'"),
        ([[1.0]], ["size"], "column 'age' is missing"),
        ([[1.0, 2.0], [1.0]], ["size", "age"], "row 1 has 1 values, expected 2"),
    ],
)
def test_rows_that_do_not_fit_are_told_as_for_frames(rows: list[list[object]], columns: list[str], told: str) -> None:
    scorer = ModelScorer(saved(Ridge().fit(FRAME, TARGET)))

    with pytest.raises(SignatureError, match=told):
        scorer.score(Payload("dataframe_split", rows, columns))
