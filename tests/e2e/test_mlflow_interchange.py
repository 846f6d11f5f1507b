"""Models go both ways between mlcore and the real MLflow: what either saves, the other loads and predicts with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cloudpickle
import pytest

import mlcore
from mlcore import pyfunc
from mlcore.models import get_model_info, infer_signature

np = pytest.importorskip("numpy")
pytest.importorskip("sklearn")

ROOT = Path(__file__).resolve().parents[2]

PREDICT = """
import json, os, sys, mlflow

answers = {}
for name in os.listdir(sys.argv[1]):
    model = mlflow.pyfunc.load_model(os.path.join(sys.argv[1], name))
    predicted = list(map(float, model.predict(model.input_example)))
    parts = list(model.predict_stream(["abc"])) if model.metadata.flavors["python_function"].get("streamable") else None
    answers[name] = {"signature": model.metadata.signature.to_dict(), "predicted": predicted, "parts": parts}
print(json.dumps(answers))
"""
SAVE = """
import os, sys, mlflow
from mlflow.pyfunc import PythonModel
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier

os.chdir(sys.argv[1])
X, y = load_wine(return_X_y=True, as_frame=True)
forest = RandomForestClassifier(3, random_state=0).fit(X, y)
example = X.iloc[:3]

class Tripled(PythonModel):
    def load_context(self, context):
        self.factor = 3

    def predict(self, context, model_input, params=None):
        return model_input["alcohol"] * self.factor

def quintupled(model_input):
    return model_input["alcohol"] * 5

def shouted(model_input: list[str]) -> list[str]:
    return [text.upper() for text in model_input]

class Spelt(PythonModel):
    def predict(self, context, model_input: list[str], params=None) -> list[str]:
        return model_input

    def predict_stream(self, context, model_input, params=None):
        yield from model_input

from sklearn.linear_model import LogisticRegression
linear = LogisticRegression(max_iter=10_000).fit(X, y)
mlflow.sklearn.save_model(linear, "linear", input_example=example)
mlflow.sklearn.save_model(forest, "pickled", serialization_format="cloudpickle", input_example=example)
mlflow.pyfunc.save_model("tripled", python_model=Tripled(), input_example=example)
mlflow.pyfunc.save_model("quintupled", python_model=quintupled, input_example=example)
mlflow.pyfunc.save_model("shouted", python_model=shouted, pip_requirements=[])
mlflow.pyfunc.save_model("spelt", python_model=Spelt(), pip_requirements=[])
"""


@pytest.fixture(scope="session")
def wine():
    from sklearn.datasets import load_wine

    return load_wine(return_X_y=True, as_frame=True)


Peer = Callable[..., str]


@pytest.fixture(scope="session")
def peer(peer_mlflow: Path) -> Peer:
    """Run a script by the Python of the peer, which can import the kernel's own source."""

    def run(script: str, *args: str) -> str:
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "MLCORE_"))}
        done = subprocess.run(
            [str(peer_mlflow), "-c", script, *args],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={**keep, "PYTHONPATH": str(ROOT), "MLFLOW_DISABLE_TELEMETRY": "true"},
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    return run


@pytest.fixture(scope="session")
def saved_by_mlflow(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mlflow")
    peer(SAVE, str(folder))
    return folder


class Scaled(pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["alcohol"] * params["k"]


class Measured(pyfunc.PythonModel):
    def predict(self, model_input: list[str]) -> list[int]:
        return [len(text) for text in model_input]

    def predict_stream(self, model_input):
        yield from model_input


@pytest.fixture(scope="session")
def answers(peer: Peer, wine, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """What MLflow says of models that were saved here, by name; one process of it for all, as it is slow to start."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    folder = tmp_path_factory.mktemp("mlcore")
    data, target = wine
    few = data.iloc[::20]
    model = HistGradientBoostingClassifier(max_iter=5, random_state=0).fit(data, target)
    for form in ("skops", "cloudpickle"):
        mlcore.sklearn.save_model(model, folder / form, input_example=few, serialization_format=form)
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    pyfunc.save_model(folder / "scaled", python_model=Scaled(), input_example=(few, {"k": 2.0}))
    pyfunc.save_model(
        folder / "function", python_model=lambda model_input: model_input["alcohol"] + 1, input_example=few
    )
    pyfunc.save_model(folder / "measured", python_model=Measured(), input_example=["a", "bcd"])
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    answers = json.loads(peer(PREDICT, str(folder)))
    return {**answers, "expected": model.predict(few).tolist(), "alcohol": few["alcohol"]}


@pytest.mark.parametrize("form", ["skops", "cloudpickle"])
def test_mlflow_predicts_with_a_scikit_learn_model_of_ours(answers, wine, form: str) -> None:
    assert answers[form]["predicted"] == answers["expected"]


def test_mlflow_reads_our_signatures(answers, wine) -> None:
    signature = infer_signature(wine[0], np.array([0, 1]))

    assert json.loads(answers["skops"]["signature"]["inputs"]) == signature.inputs.to_dict()
    assert json.loads(answers["skops"]["signature"]["outputs"]) == signature.outputs.to_dict()


def test_mlflow_predicts_with_a_python_model_of_ours(answers) -> None:
    assert answers["scaled"]["predicted"] == (answers["alcohol"] * 2).tolist()


def test_mlflow_predicts_with_a_function_of_ours(answers) -> None:
    assert answers["function"]["predicted"] == (answers["alcohol"] + 1).tolist()


def test_mlflow_predicts_and_streams_with_a_model_of_ours_that_has_type_hints(answers) -> None:
    assert answers["measured"]["predicted"] == [1.0, 3.0]
    assert answers["measured"]["parts"] == ["a", "b", "c"]
    assert json.loads(answers["measured"]["signature"]["inputs"]) == [{"type": "string", "required": True}]


def test_we_stream_with_a_model_of_mlflow(saved_by_mlflow: Path) -> None:
    model = pyfunc.load_model(saved_by_mlflow / "spelt", trust=True)

    assert list(model.predict_stream(["abc"])) == ["a", "b", "c"]
    assert model.predict(["abc"]) == ["abc"]


def test_we_predict_with_a_skops_model_of_mlflow_and_need_no_trust(saved_by_mlflow: Path, wine) -> None:
    data, _ = wine
    model = pyfunc.load_model(saved_by_mlflow / "linear")

    assert model.predict(data).tolist() == model.raw.predict(data).tolist()
    assert model.input_example.columns.tolist() == data.columns.tolist()
    assert type(mlcore.sklearn.load_model(saved_by_mlflow / "linear")).__name__ == "LogisticRegression"


def test_we_predict_with_a_pickled_model_of_mlflow_once_it_is_trusted(saved_by_mlflow: Path, wine) -> None:
    with pytest.raises(mlcore.MlcoreError, match=r"model.pkl is a pickle"):
        pyfunc.load_model(saved_by_mlflow / "pickled")

    model = pyfunc.load_model(saved_by_mlflow / "pickled", trust=True)

    assert model.predict(wine[0]).shape == (178,)


@pytest.mark.parametrize(("name", "factor"), [("tripled", 3), ("quintupled", 5)])
def test_we_predict_with_python_models_of_mlflow_without_mlflow(
    saved_by_mlflow: Path, wine, name: str, factor: int
) -> None:
    model = pyfunc.load_model(saved_by_mlflow / name, trust=True)

    assert model.predict(wine[0].iloc[:2]).tolist() == (wine[0]["alcohol"].iloc[:2] * factor).tolist()


def test_we_predict_with_a_function_of_mlflow_that_has_type_hints(saved_by_mlflow: Path) -> None:
    assert pyfunc.load_model(saved_by_mlflow / "shouted", trust=True).predict(["a", "b"]) == ["A", "B"]


def test_we_read_what_a_model_of_mlflow_says_of_itself(saved_by_mlflow: Path, wine) -> None:
    info = get_model_info(str(saved_by_mlflow / "linear"))

    assert info.signature.inputs.input_names() == wine[0].columns.tolist()
    assert set(info.flavors) == {"python_function", "sklearn"}
    assert info.mlflow_version is not None
