"""ONNX models go both ways between mlcore and the real MLflow."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

import mlcore
from mlcore import pyfunc

ROWS = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]], dtype=np.float32)

# MLflow's environment borrows what it lacks from this one
PEER = """
import json, sys
sys.path.append(sys.argv[1])
import mlflow, numpy, onnx, pandas

rows = numpy.array(json.loads(sys.argv[2]), dtype="float32")
loaded = mlflow.pyfunc.load_model("ours")
told = {
    "array": loaded.predict(rows)["answer"].tolist(),
    "frame": mlflow.pyfunc.load_model("ours_of_frames").predict(pandas.DataFrame(rows, columns=["a", "b"])).to_dict("list"),
    "ir": mlflow.onnx.load_model("ours").ir_version,
}
mlflow.onnx.save_model(onnx.load_model("ours/model.onnx"), "theirs", pip_requirements=["onnx"])
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(peer_mlflow: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """Return where models of both are, and what MLflow says of ours."""
    weights = numpy_helper.from_array(np.array([[1.0], [2.0]], dtype=np.float32), "weights")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["rows", "weights"], ["answer"])],
        "linear",
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [None, 1])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    where = tmp_path_factory.mktemp("interchange")
    mlcore.onnx.save_model(model, where / "ours", input_example=ROWS)
    frame = pd.DataFrame(ROWS, columns=["a", "b"])
    mlcore.onnx.save_model(model, where / "ours_of_frames", input_example=frame, save_as_external_data=True)
    environ = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "HOME": str(where)}
    command = [str(peer_mlflow), "-c", PEER, sysconfig.get_path("purelib"), json.dumps(ROWS.tolist())]
    done = subprocess.run(command, cwd=where, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return where, json.loads(done.stdout.splitlines()[-1])


def test_mlflow_predicts_with_our_model(told: tuple[Path, dict[str, object]]) -> None:
    assert told[1] == {"array": [[2.0], [3.0], [4.0]], "frame": {"answer": [2.0, 3.0, 4.0]}, "ir": 10}


def test_mlflows_model_predicts_here(told: tuple[Path, dict[str, object]]) -> None:
    assert pyfunc.load_model(told[0] / "theirs").predict(ROWS)["answer"].tolist() == [[2.0], [3.0], [4.0]]
    assert isinstance(mlcore.onnx.load_model(told[0] / "theirs"), onnx.ModelProto)
