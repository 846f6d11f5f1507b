"""PyTorch models go both ways between mlcore and the real MLflow."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import mlcore
from mlcore import pyfunc
from mlcore.errors import UntrustedModelError

HAS_TORCH = importlib.util.find_spec("torch") is not None
Require = Callable[[str, bool, str], None]
ROWS = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]], dtype=np.float32)

# PyTorch is large: MLflow's environment borrows what it lacks from this one
PEER = """
import json, sys
sys.path.append(sys.argv[1])
import mlflow, numpy, torch
from mlflow.models import infer_signature

rows = numpy.array(json.loads(sys.argv[2]), dtype="float32")
told = {"program": mlflow.pyfunc.load_model("ours").predict(rows).tolist()}
module = mlflow.pytorch.load_model("ours")
told["module"] = module(torch.tensor(rows)).tolist()
told["pickled"] = mlflow.pyfunc.load_model("ours_pickled").predict(rows).tolist()
told["inputs"] = str(mlflow.models.get_model_info("ours").signature.inputs)
net = torch.nn.Linear(2, 1, bias=False)
net.weight.data = torch.tensor([[1.0, 2.0]])
known = {"input_example": rows, "signature": infer_signature(rows, rows[:, :1]), "pip_requirements": ["torch"]}
mlflow.pytorch.save_model(net, "theirs", serialization_format="pt2", **known)
mlflow.pytorch.save_model(net, "theirs_pickled", serialization_format="pickle", **known)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(
    require: Require, peer_mlflow: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, object]]:
    """Return where models of both are, and what MLflow says of ours."""
    require("torch", HAS_TORCH, "make torch")
    import torch

    where = tmp_path_factory.mktemp("interchange")
    net = torch.nn.Linear(2, 1, bias=False)
    net.weight.data = torch.tensor([[1.0, 2.0]])
    mlcore.pytorch.save_model(net, where / "ours", input_example=ROWS)
    mlcore.pytorch.save_model(net, where / "ours_pickled", serialization_format="pickle")
    environ = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "HOME": str(where)}
    command = [str(peer_mlflow), "-c", PEER, sysconfig.get_path("purelib"), json.dumps(ROWS.tolist())]
    done = subprocess.run(command, cwd=where, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return where, json.loads(done.stdout.splitlines()[-1])


def test_mlflow_predicts_with_our_program_and_our_pickle(told: tuple[Path, dict[str, object]]) -> None:
    found = told[1]

    assert found["program"] == [[2.0], [3.0], [4.0]]
    assert found["module"] == [[2.0], [3.0], [4.0]]
    assert found["pickled"] == [[2.0], [3.0], [4.0]]
    assert "float32" in str(found["inputs"])


def test_mlflows_program_predicts_here_without_trust(told: tuple[Path, dict[str, object]]) -> None:
    loaded = pyfunc.load_model(told[0] / "theirs")

    assert loaded.predict(ROWS).tolist() == [[2.0], [3.0], [4.0]]


def test_mlflows_pickle_predicts_here_once_it_is_trusted(told: tuple[Path, dict[str, object]]) -> None:
    with pytest.raises(UntrustedModelError, match=r"data/model.pth is a pickle"):
        pyfunc.load_model(told[0] / "theirs_pickled")

    assert pyfunc.load_model(told[0] / "theirs_pickled", trust=True).predict(ROWS).tolist() == [[2.0], [3.0], [4.0]]
