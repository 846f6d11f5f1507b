"""Models that leave a trace when any of their code runs, brought in every way: without trust none does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import mlcore
from mlcore.cli import main
from mlcore.errors import MlcoreError
from mlcore.models import pyfunc
from mlcore.models.manifest import write_manifest
from mlcore.models.proving import prove
from mlcore.serving.loading import Wanted, load
from mlcore.testing.flavor import canary
from mlcore.tracking.client import Client

# as MLflow writes them: 1.30, 3.17, Python models, models with a loader of their own, models from code
MLFLOW_1 = """\
flavors:
  python_function: {env: conda.yaml, loader_module: mlflow.sklearn, model_path: model.pkl, predict_fn: predict}
  sklearn: {code: null, pickled_model: model.pkl, serialization_format: cloudpickle, sklearn_version: 1.0.2}
mlflow_version: 1.30.1
"""
MLFLOW_3 = """\
flavors:
  python_function: {loader_module: mlflow.sklearn, model_path: model.skops, predict_fn: predict}
  sklearn: {code: null, pickled_model: model.skops, serialization_format: skops, skops_trusted_types: [os.mkdir]}
mlflow_version: 3.17.2
"""
SAYS_NOTHING = """\
flavors:
  python_function: {loader_module: mlflow.sklearn, model_path: model.pkl}
  sklearn: {pickled_model: model.pkl}
"""
PYTHON_MODEL = """\
flavors:
  python_function: {loader_module: mlflow.pyfunc.model, python_model: python_model.pkl, cloudpickle_version: 3.0.0}
"""
LOADER = """\
flavors:
  python_function: {loader_module: evil, data: model.pkl, code: code}
"""
CODE_BESIDE = """\
flavors:
  python_function: {loader_module: mlflow.sklearn, model_path: model.pkl, code: code}
  sklearn: {code: code, pickled_model: model.pkl, serialization_format: skops}
"""
FROM_CODE = """\
flavors:
  python_function: {loader_module: mlflow.pyfunc.model, model_code_path: evil.py}
"""
COMPRESSED = """\
flavors:
  python_function:
    {loader_module: mlflow.pyfunc.model, python_model: python_model.pkl, python_model_compression: lzma}
"""
YAML = """\
flavors:
  python_function: !!python/object/apply:os.mkdir [CAGE]
"""
MODELS = {
    "MLflow 1": MLFLOW_1,
    "MLflow 3": MLFLOW_3,
    "no format told": SAYS_NOTHING,
    "Python model": PYTHON_MODEL,
    "loader module": LOADER,
    "code beside": CODE_BESIDE,
    "from code": FROM_CODE,
    "compressed": COMPRESSED,
    "YAML": YAML,
}


def logged(directory: Path) -> str:
    with mlcore.start_run() as run:
        mlcore.log_artifacts(str(directory), "m")
    return f"runs:/{run.info.run_id}/m"


def registered(directory: Path) -> str:
    client = Client()
    client.create_registered_model("evil")
    version = client.create_model_version("evil", logged(directory))
    client.set_registered_model_alias("evil", "champion", version.version)
    return "models:/evil@champion"


def downloaded(directory: Path) -> str:
    return mlcore.artifacts.download_artifacts(registered(directory), dst_path=str(directory.parent / "here"))


def predict_command(uri: str) -> None:
    Path("rows.json").write_text('{"inputs": [1.0]}')
    if main(["models", "predict", "-m", uri, "-i", "rows.json"]):
        raise MlcoreError("the program said no")


def prove_command(uri: str) -> None:
    if main(["models", "prove", uri]):
        raise MlcoreError("the program said no")


PLACES = {"path": str, "run": logged, "registered model": registered, "download": downloaded}
LOADERS: dict[str, Callable[[str], object]] = {
    "pyfunc": pyfunc.load_model,
    "native": lambda uri: mlcore.sklearn.load_model(uri),
    "predict": predict_command,
    "prove": prove,
    "prove command": prove_command,
    "serve": lambda uri: load(Wanted("m", uri, place=uri), None),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("described", MODELS)
def test_nothing_of_a_model_runs_unless_somebody_trusts_it(described: str, place: str, tmp_path: Path) -> None:
    directory, cage = tmp_path / "m", tmp_path / "canary-was-here"
    (directory / "code").mkdir(parents=True)
    (directory / "MLmodel").write_text(MODELS[described].replace("CAGE", str(cage)))
    for name in ("model.pkl", "model.skops", "python_model.pkl"):
        (directory / name).write_bytes(canary(cage))
    for name in ("evil.py", "code/evil.py", "code/skops.py", "code/sitecustomize.py"):
        (directory / name).write_text(f"import os\nos.mkdir({str(cage)!r})\n")
    (directory / "requirements.txt").write_text("cloudpickle\n")
    write_manifest(directory)
    uri = PLACES[place](directory)

    for way, loading in LOADERS.items():
        with pytest.raises(MlcoreError):
            loading(uri)

        assert not cage.exists(), way


def test_the_canary_sings_when_its_model_is_trusted(tmp_path: Path) -> None:
    directory, cage = tmp_path / "m", tmp_path / "canary-was-here"
    directory.mkdir()
    (directory / "MLmodel").write_text(PYTHON_MODEL)
    (directory / "python_model.pkl").write_bytes(canary(cage))

    with pytest.raises(MlcoreError, match="has no predict"):
        pyfunc.load_model(directory, trust=True)

    assert cage.exists()
