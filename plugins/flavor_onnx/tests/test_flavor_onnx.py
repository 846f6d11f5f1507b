"""ONNX models: saving, options, predictions, and what needs trust."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from mlcore_flavor_onnx.predictor import ProviderWarning
from onnx import TensorProto, helper, numpy_helper

import mlcore
from mlcore import pyfunc
from mlcore.errors import InvalidParameterError, ModelFormatError, SignatureError, UntrustedModelError
from mlcore.models import MLModel
from mlcore.models.manifest import write_manifest


@pytest.fixture
def linear() -> onnx.ModelProto:
    weights = numpy_helper.from_array(np.arange(1.0, 3.0, dtype=np.float32).reshape(2, 1), "weights")
    return _model(["MatMul", ["rows", "weights"], ["answer"]], {"rows": 2}, {"answer": 1}, [weights])


@pytest.fixture
def difference() -> onnx.ModelProto:
    return _model(["Sub", ["left", "right"], ["answer"]], {"left": 1, "right": 1}, {"answer": 1}, [])


def _model(
    node: list[object], inputs: dict[str, int], outputs: dict[str, int], tensors: list[TensorProto]
) -> onnx.ModelProto:
    def declared(names: dict[str, int]) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, width]) for n, width in names.items()]

    graph = helper.make_graph([helper.make_node(*node)], "graph", declared(inputs), declared(outputs), tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


ROWS = np.array([[0.0, 1.0], [1.0, 1.0]])


def test_log_model_finds_the_flavor_and_arrays_are_answered_by_output(linear: onnx.ModelProto) -> None:
    mlcore.log_model(linear, name="m", input_example=ROWS.astype(np.float32))

    loaded = pyfunc.load_model(f"runs:/{mlcore.active_run().info.run_id}/m")

    assert loaded.predict(ROWS.astype(np.float32))["answer"].tolist() == [[2.0], [3.0]]
    assert loaded.metadata.signature.outputs.input_names() == ["answer"]


def test_a_frame_is_answered_by_a_frame_with_its_index(linear: onnx.ModelProto) -> None:
    frame = pd.DataFrame(ROWS, columns=["a", "b"], index=["x", "y"])
    mlcore.onnx.save_model(linear, "m", input_example=frame)

    found = pyfunc.load_model("m").predict(frame)

    assert found.to_dict() == {"answer": {"x": 2.0, "y": 3.0}}


def test_columns_are_inputs_where_the_graph_has_several(difference: onnx.ModelProto) -> None:
    mlcore.onnx.save_model(onnx_model=difference, path="m")
    loaded = pyfunc.load_model("m")

    assert loaded.predict(pd.DataFrame({"right": [1, 2], "left": [5, 5]}))["answer"].tolist() == [4.0, 3.0]
    assert loaded.predict({"left": [[5.0]], "right": [[1.0]]})["answer"].tolist() == [[4.0]]
    with pytest.raises(SignatureError, match="inputs are missing: 'left'; the model takes 'left', 'right'"):
        loaded.predict({"right": [[1.0]]})
    with pytest.raises(SignatureError, match="the model takes 2 inputs: give a dict or frame of 'left', 'right'"):
        loaded.predict(ROWS)


def test_the_file_says_what_mlflow_says(linear: onnx.ModelProto) -> None:
    mlcore.onnx.save_model(linear, "m", onnx_session_options={"intra_op_num_threads": 1})

    model = MLModel.read(Path("m"))

    assert model.flavors["onnx"] == {
        "code": None,
        "data": "model.onnx",
        "onnx_session_options": {"intra_op_num_threads": 1},
        "onnx_version": onnx.__version__,
        "providers": ["CUDAExecutionProvider", "CPUExecutionProvider"],
    }
    assert {k: model.pyfunc[k] for k in ("loader_module", "data")} == {
        "loader_module": "mlflow.onnx",
        "data": "model.onnx",
    }
    names = [line.partition("==")[0] for line in Path("m/requirements.txt").read_text().split()]
    assert names == ["mlcore-kernel", "mlcore-flavor-onnx", "numpy", "onnx", "onnxruntime"]


def test_external_weights_leave_the_given_model_as_it_was(linear: onnx.ModelProto) -> None:
    before = linear.SerializeToString()

    mlcore.onnx.save_model(linear, "m", save_as_external_data=True)

    assert onnx.load_model("m/model.onnx") == onnx.ModelProto.FromString(before)
    assert pyfunc.load_model("m").predict(ROWS)["answer"].tolist() == [[2.0], [3.0]]


def test_session_options_reach_the_runtime(linear: onnx.ModelProto) -> None:
    options = {"intra_op_num_threads": 1, "execution_mode": "sequential", "graph_optimization_level": 99}
    mlcore.onnx.save_model(linear, "m", onnx_session_options=options)

    session = pyfunc.load_model("m").get_raw_model()

    assert isinstance(session, onnxruntime.InferenceSession)
    assert session.get_session_options().intra_op_num_threads == 1


def test_a_provider_that_is_not_there_is_told(linear: onnx.ModelProto) -> None:
    mlcore.onnx.save_model(linear, "m", onnx_execution_providers=["NoSuchProvider", "CPUExecutionProvider"])

    with pytest.warns(ProviderWarning, match="NoSuchProvider, which this onnxruntime lacks: it runs on CPUExecution"):
        pyfunc.load_model("m")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"onnx_execution_providers": [["CPUExecutionProvider", {"a": "b"}]]},
            "'CPUExecutionProvider' is given options",
        ),
        (
            {"onnx_session_options": {"extra_session_config": {"a": "b"}}},
            "extra_session_config of onnx_session_options",
        ),
    ],
)
def test_settings_that_may_name_libraries_need_trust(
    linear: onnx.ModelProto, options: dict[str, object], message: str
) -> None:
    mlcore.onnx.save_model(linear, "m", **options)

    with pytest.raises(UntrustedModelError, match=message):
        pyfunc.load_model("m")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"opset": 17}, "unknown option 'opset' of flavor onnx; known are onnx_execution_providers"),
        (
            {"onnx_session_options": {"threads": 1}},
            "invalid onnx_session_options {'threads': 1}: expected a mapping of",
        ),
        (
            {"onnx_execution_providers": [1]},
            "invalid execution provider 1: expected a name such as 'CPUExecutionProvider'",
        ),
    ],
)
def test_a_wrong_option_is_named(linear: onnx.ModelProto, options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        mlcore.onnx.save_model(linear, "m", **options)


def test_weights_outside_of_the_model_are_not_read(linear: onnx.ModelProto) -> None:
    mlcore.onnx.save_model(linear, "m")
    Path("secret.bin").write_bytes(np.ones(2, dtype=np.float32).tobytes())
    weights = linear.graph.initializer[0]
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "../secret.bin"
    Path("m/model.onnx").write_bytes(linear.SerializeToString())
    write_manifest(Path("m"))

    with pytest.raises(ModelFormatError, match=r"model.onnx can't be loaded: .*secret.bin"):
        pyfunc.load_model("m")
    with pytest.raises(ModelFormatError, match=r"model.onnx can't be loaded: .*secret.bin"):
        mlcore.onnx.load_model("m")


def test_params_are_refused(linear: onnx.ModelProto) -> None:
    flavor_input = {"rows": ROWS}
    mlcore.onnx.save_model(linear, "m")
    predictor = pyfunc.load_model("m")._predictor

    with pytest.raises(InvalidParameterError, match="an ONNX model takes no params, got 'depth'"):
        predictor.predict(flavor_input, {"depth": 1})


def test_without_the_library_the_pip_line_is_named_and_metadata_are_read(linear: onnx.ModelProto) -> None:
    mlcore.onnx.save_model(linear, "m", input_example=ROWS.astype(np.float32))
    code = (
        "import sys; sys.modules['onnx'] = sys.modules['onnxruntime'] = None\n"
        "from pathlib import Path\n"
        "from mlcore import pyfunc\n"
        "from mlcore.models import MLModel\n"
        "print(MLModel.read(Path('m')).signature.inputs)\n"
        "pyfunc.load_model('m')\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "float32" in done.stdout
    assert "models of flavor onnx need onnxruntime: pip install onnxruntime" in done.stderr
