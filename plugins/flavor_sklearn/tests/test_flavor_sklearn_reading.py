"""Skops files are read without all of scikit-learn, and nobody else who uses skops notices."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import mlcore
from mlcore import pyfunc

LISTS = """
import json, sys
if sys.argv[1:]:
    from mlcore import pyfunc
    pyfunc.load_model(sys.argv[1])
before = len([name for name in sys.modules if name.startswith("sklearn.")])
import skops.io
from skops.io import _general, _numpy
lists = {name: sorted(found) for one in (_general, _numpy) for name, found in vars(one).items() if name.endswith("_NAMES")}
print(json.dumps({"modules": before, "lists": lists}))
"""


def said(*arguments: str) -> dict[str, object]:
    done = subprocess.run([sys.executable, "-c", LISTS, *arguments], capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def ridge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "ridge"
    mlcore.sklearn.save_model(Ridge().fit([[1.0], [2.0]], [1.0, 2.0]), path)
    return path


def test_loading_a_model_imports_what_it_needs_and_leaves_skops_as_it_is_for_others(ridge: Path) -> None:
    ours, plain = said(str(ridge)), said()

    assert ours["lists"] == plain["lists"]
    assert len(ours["lists"]) > 5  # type: ignore[arg-type]  # a dict
    assert ours["modules"] < 300  # type: ignore[operator]  # of about 500


def test_a_function_that_skops_answers_for_needs_no_trust(tmp_path: Path) -> None:
    model = make_pipeline(FunctionTransformer(np.log1p), Ridge()).fit([[1.0], [2.0]], [1.0, 2.0])
    mlcore.sklearn.save_model(model, tmp_path / "logarithm")

    loaded = pyfunc.load_model(tmp_path / "logarithm")

    assert loaded.predict(np.array([[1.0]])) == pytest.approx(model.predict([[1.0]]))
