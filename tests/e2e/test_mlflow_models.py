"""Models go both ways between mlcore and MLflow's three lines; `test_mlflow_interchange.py` asks the newest one for more.

MLflow 1.30 runs on Python 3.9, numpy 1 and an older scikit-learn: code comes from a module, because pickled bytecode is of one
Python, and it is given no signatures of ours, as it reads those of MLflow 2 as little (`required` is unknown to it).
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import httpx
import pytest
from attrs import frozen

import mlcore
from mlcore import pyfunc
from mlcore.models import get_model_info
from mlcore.serving.app import create_app

pytest.importorskip("sklearn")

HERE = Path(__file__).resolve().parent
PEERS = HERE.parents[1] / ".cache" / "peers"
TRIPLING = """
try:
    from mlflow.pyfunc import PythonModel
except ImportError:
    from mlcore.pyfunc import PythonModel


class Tripled(PythonModel):
    def load_context(self, context):
        with open(context.artifacts["factor"]) as file:
            self.factor = float(file.read())

    def predict(self, context, model_input, params=None):
        return model_input["alcohol"] * self.factor
"""


@frozen
class Exchange:
    """What a release of MLflow saved in *folder*, and what it said of its models and of ours."""

    release: str
    folder: Path
    theirs: dict[str, list[float]]
    ours: dict[str, list[float] | None]


@pytest.fixture(scope="module")
def wine():
    from sklearn.datasets import load_wine

    return load_wine(return_X_y=True, as_frame=True)


@pytest.fixture(scope="module")
def own_models(wine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from sklearn.linear_model import LogisticRegression

    folder = tmp_path_factory.mktemp("own_models")
    own = folder / "own"
    own.mkdir()
    (own / "tripling.py").write_text(TRIPLING)
    (own / "factor.txt").write_text("3")
    few = wine[0].iloc[::40]
    linear = LogisticRegression(max_iter=10_000).fit(*wine)
    same = {"input_example": few, "signature": False}
    mlcore.sklearn.save_model(linear, folder / "linear", serialization_format="cloudpickle", **same)
    sys.path.insert(0, str(own))
    try:
        from tripling import Tripled

        artifacts, code = {"factor": str(own / "factor.txt")}, [own / "tripling.py"]
        pyfunc.save_model(
            folder / "tripled",
            python_model=Tripled(),
            artifacts=artifacts,
            code_paths=code,
            pip_requirements=["pandas"],
            **same,
        )
    finally:
        sys.path.remove(str(own))
    return folder


@pytest.fixture(scope="module", params=["mlflow", "mlflow-2.22", "mlflow-1.30"])
def exchange(
    request: pytest.FixtureRequest, require, own_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Exchange:
    """Let MLflow do all of its part in one process, as it is slow to start."""
    python = PEERS / request.param / "bin" / "python"
    require(request.param, python.exists(), "make peer")
    folder = tmp_path_factory.mktemp("theirs")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MLCORE_", "MLFLOW_", "PYTHON"))}
    done = subprocess.run(
        [str(python), str(HERE / "mlflow_models.py"), str(folder), str(own_models)],
        env={**clean, "MLFLOW_DISABLE_TELEMETRY": "true", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return Exchange(request.param, folder, **json.loads(done.stdout.splitlines()[-1]))


def loaded(path: Path) -> pyfunc.PyFuncModel:
    with warnings.catch_warnings():
        # that the model was saved with an older scikit-learn is told, and has tests of its own
        warnings.filterwarnings("ignore", message="the model was saved with scikit-learn")
        return pyfunc.load_model(path, trust=True)


@pytest.mark.parametrize("name", ["linear", "tripled"])
def test_we_predict_with_models_of_every_line_and_read_their_examples(exchange: Exchange, name: str) -> None:
    model = loaded(exchange.folder / name)

    assert [float(value) for value in model.predict(model.input_example)] == exchange.theirs[name]


@pytest.mark.parametrize("name", ["linear", "tripled"])
def test_we_serve_models_of_every_line(exchange: Exchange, name: str) -> None:
    path = exchange.folder / name
    example = json.loads((path / "input_example.json").read_text())
    app = create_app(loaded(path))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://model") as client:
            return await client.post("/invocations", json={"dataframe_split": example})

    answer = asyncio.run(ask()).json()["predictions"]

    assert [float(value["alcohol"] if name == "tripled" else value) for value in answer] == exchange.theirs[name]


def test_what_every_line_says_of_a_model_is_read_without_loading_it(exchange: Exchange, wine) -> None:
    info = get_model_info(str(exchange.folder / "linear"))

    assert info.signature is not None
    assert info.signature.inputs.input_names() == wine[0].columns.tolist()
    assert str(info.mlflow_version).startswith(exchange.release.removeprefix("mlflow").removeprefix("-") or "3.17")


def test_every_line_predicts_with_a_python_model_of_ours(exchange: Exchange, wine) -> None:
    assert exchange.ours["tripled"] == (wine[0]["alcohol"].iloc[::40] * 3).tolist()


def test_every_line_predicts_with_a_scikit_learn_model_of_ours_where_its_numpy_is_known(
    exchange: Exchange, own_models: Path, wine
) -> None:
    expected = pyfunc.load_model(own_models / "linear", trust=True).predict(wine[0].iloc[::40])

    assert exchange.ours["linear"] == (None if exchange.release == "mlflow-1.30" else list(expected))
