"""Models of XGBoost, LightGBM and statsmodels go both ways between mlcore and the real MLflow 3.17 and 2.22."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import xgboost
from attrs import frozen

import mlcore
from mlcore import pyfunc
from mlcore.errors import UntrustedModelError
from mlcore.models import MLModel, infer_signature

ROOT = Path(__file__).resolve().parents[2]
RELEASES = {"3.17": "mlflow", "2.22": "mlflow-2.22"}
LENT = ("xgboost-cpu", "lightgbm", "statsmodels", "patsy", "formulaic", "interface-meta", "narwhals")
NAMES = ("xgb_booster", "xgb_estimator", "lgb_booster", "lgb_estimator", "sm")
SMALL = {"min_child_samples": 2, "verbose": -1}
X = pd.DataFrame({"size": np.arange(40.0), "n": np.arange(40) % 7})
Y = np.array([0, 1] * 20)

WORK = """
import json, os, sys
import lightgbm, mlflow, numpy as np, pandas as pd, statsmodels.api as sm, xgboost
from mlflow.models import infer_signature

ours, theirs = sys.argv[1:]
X = pd.DataFrame({"size": np.arange(40.0), "n": np.arange(40) % 7})
Y = np.array([0, 1] * 20)
small = {"min_child_samples": 2, "verbose": -1}
given = {"signature": infer_signature(X), "pip_requirements": []}

mlflow.xgboost.save_model(xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, Y), 4), f"{theirs}/xgb_booster", **given)
mlflow.xgboost.save_model(
    xgboost.XGBClassifier(n_estimators=4).fit(X, Y), f"{theirs}/xgb_estimator", model_format="json", **given
)
mlflow.lightgbm.save_model(lightgbm.train(small, lightgbm.Dataset(X, Y), 4), f"{theirs}/lgb_booster", **given)
mlflow.lightgbm.save_model(
    lightgbm.LGBMClassifier(n_estimators=4, **small).fit(X, Y), f"{theirs}/lgb_estimator", **given
)
mlflow.statsmodels.save_model(sm.OLS(Y, X.to_numpy(dtype=float)).fit(), f"{theirs}/sm", **given)

answers = {}
for place in (ours, theirs):
    for name in sorted(os.listdir(place)):
        path = os.path.join(place, name)
        library = {"x": mlflow.xgboost, "l": mlflow.lightgbm, "s": mlflow.statsmodels}[name[0]]
        predicted = np.asarray(mlflow.pyfunc.load_model(path).predict(X)).tolist()
        answers[f"{os.path.basename(place)}/{name}"] = [type(library.load_model(path)).__name__, predicted]
print(json.dumps(answers))
"""


@frozen
class Exchange:
    """What both sides saved, and what MLflow says of it: class and predictions, by side and name."""

    release: str
    folder: Path
    models: dict[str, object]
    answers: dict[str, tuple[str, list[float]]]


def lend(folder: Path) -> Path:
    """Lend libraries of this environment to another one of the same Python: both sides have the same release."""
    site = Path(sysconfig.get_path("purelib"))
    folder.mkdir()
    for name in LENT:
        try:
            parts = {file.parts[0] for file in files(name) or ()} - {".."}
        except PackageNotFoundError:
            continue  # another release of its user needs it no more
        for part in parts:
            (folder / part).symlink_to(site / part)
    return folder


def trained() -> dict[str, object]:
    return {
        "xgb_booster": xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, Y), 4),
        "xgb_estimator": xgboost.XGBClassifier(n_estimators=4).fit(X, Y),
        "lgb_booster": lightgbm.train(SMALL, lightgbm.Dataset(X, Y), 4),
        "lgb_estimator": lightgbm.LGBMClassifier(n_estimators=4, **SMALL).fit(X, Y),
        "sm": sm.OLS(Y, X.to_numpy(dtype=float)).fit(),
    }


@pytest.fixture(scope="module", params=RELEASES)
def exchange(
    request: pytest.FixtureRequest,
    require: Callable[[str, bool, str], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Exchange:
    """One process of each MLflow does all, as it is slow to start."""
    peer = ROOT / ".cache" / "peers" / RELEASES[request.param]
    same = peer / "lib" / f"python3.{sys.version_info.minor}"
    require(f"mlflow {request.param}", same.is_dir(), "make peer, with the Python that runs this")
    folder = tmp_path_factory.mktemp("flavors")
    models = trained()
    for name, model in models.items():
        # MLflow 2 knows no files of skops in this flavor
        older = {"serialization_format": "cloudpickle"} if (name, request.param) == ("lgb_estimator", "2.22") else {}
        mlcore.models.save_model(model, folder / "ours" / name, signature=infer_signature(X), **older)
    (folder / "theirs").mkdir()
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "MLCORE_"))}
    done = subprocess.run(
        [str(peer / "bin" / "python"), "-W", "ignore", "-c", WORK, str(folder / "ours"), str(folder / "theirs")],
        cwd=folder,  # where MLflow makes a folder of runs
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={
            **keep,
            "PYTHONPATH": str(lend(folder / "lent")),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "true",
        },
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answers = {key: tuple(value) for key, value in json.loads(done.stdout.splitlines()[-1]).items()}
    return Exchange(request.param, folder, models, answers)


def expected(model: object) -> list[float]:
    data = xgboost.DMatrix(X) if isinstance(model, xgboost.Booster) else X
    return np.asarray(model.predict(data)).tolist()


@pytest.mark.parametrize("name", NAMES)
def test_mlflow_loads_and_predicts_with_our_model(exchange: Exchange, name: str) -> None:
    cls, predicted = exchange.answers[f"ours/{name}"]

    model = exchange.models[name]
    assert cls == type(model).__name__
    assert predicted == pytest.approx(expected(model))


@pytest.mark.parametrize("name", NAMES)
def test_we_load_and_predict_with_a_model_of_mlflow(exchange: Exchange, name: str) -> None:
    cls, predicted = exchange.answers[f"theirs/{name}"]
    path = exchange.folder / "theirs" / name
    pickled = name == "sm" or (name, exchange.release) == ("lgb_estimator", "2.22")

    if pickled:
        with pytest.raises(UntrustedModelError, match="is a pickle"):
            pyfunc.load_model(path)

    assert np.asarray(pyfunc.load_model(path, trust=pickled).predict(X)).tolist() == pytest.approx(predicted)
    flavor = {"x": mlcore.xgboost, "l": mlcore.lightgbm, "s": mlcore.statsmodels}[name[0]]
    assert type(flavor.load_model(path, trust=pickled)).__name__ == cls


@pytest.mark.parametrize("name", NAMES)
def test_both_say_the_same_of_a_model(exchange: Exchange, name: str) -> None:
    ours, theirs = (MLModel.read(exchange.folder / side / name).flavors for side in ("ours", "theirs"))

    (flavor,) = set(ours) - {"python_function"}
    # MLflow 3 names a format for boosters that it does not use, and repeats types that it trusts anyway
    apart = (
        {"serialization_format", "skops_trusted_types", "data", "model_format"} if flavor != "statsmodels" else set()
    )
    assert {k: v for k, v in ours[flavor].items() if k not in apart} == {
        k: v for k, v in theirs[flavor].items() if k not in apart
    }
    assert ours["python_function"]["loader_module"] == theirs["python_function"]["loader_module"]
    assert set(ours["python_function"]) - {"code"} == set(theirs["python_function"]) - {"code"}
