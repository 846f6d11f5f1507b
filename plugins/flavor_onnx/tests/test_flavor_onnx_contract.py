"""The flavor `onnx` keeps the contract."""

from __future__ import annotations

import numpy as np
import onnx
import pandas as pd
import pytest
from mlcore_flavor_onnx.plugin import flavor as hook
from onnx import TensorProto, helper, numpy_helper

from mlcore.interfaces import Flavor
from mlcore.testing import FlavorContract


class TestOnnxFlavor(FlavorContract):
    plugin_module = "mlcore_flavor_onnx.plugin"

    @pytest.fixture
    def flavor(self) -> Flavor | None:
        return hook("onnx")

    @pytest.fixture
    def data(self) -> object:
        return pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 1.0, 1.0]})

    @pytest.fixture
    def model(self) -> onnx.ModelProto:
        weights = numpy_helper.from_array(np.array([[1.0], [2.0]], dtype=np.float32), "weights")
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["rows", "weights"], ["answer"])],
            "linear",
            [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [None, 2])],
            [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [None, 1])],
            [weights],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)

    @pytest.fixture
    def expected(self) -> object:
        return [[2.0], [3.0], [4.0]]

    @pytest.fixture
    def save_options(self) -> tuple[dict[str, object], ...]:
        return (
            {"save_as_external_data": True},
            {"onnx_execution_providers": ["CPUExecutionProvider"], "onnx_session_options": {"intra_op_num_threads": 1}},
        )
