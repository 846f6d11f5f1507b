"""An ONNX model behind `python_function`, in a session of ONNX Runtime."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from mlcore.errors import InvalidParameterError, SignatureError
from mlcore.models.flavor_files import as_frame, is_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TYPES = {
    "tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16, "tensor(bool)": np.bool_,
    "tensor(int8)": np.int8, "tensor(int16)": np.int16, "tensor(int32)": np.int32, "tensor(int64)": np.int64,
    "tensor(uint8)": np.uint8, "tensor(uint16)": np.uint16, "tensor(uint32)": np.uint32, "tensor(uint64)": np.uint64,
    "tensor(string)": np.object_,
}  # fmt: skip


class ProviderWarning(UserWarning):
    """An execution provider that a model asks for is not there; it runs elsewhere, perhaps slower."""


class OnnxPredictor:
    """Run a graph."""

    def __init__(self, path: Path, providers: Sequence[str | Sequence[object]], options: Mapping[str, object]) -> None:
        """Load the graph at *path*.

        providers: names, or lists of a name and its options; those that this machine lacks are left out with a warning.
        """
        self.model: onnxruntime.InferenceSession = onnxruntime.InferenceSession(
            path, sess_options=_session_options(options), providers=_available(providers)
        )
        self._inputs = {each.name: each for each in self.model.get_inputs()}
        self._outputs = [each.name for each in self.model.get_outputs()]

    def predict(self, data: object, params: Mapping[str, object]) -> object:
        """Predict for a frame, an array of shape (rows, ...), or a dict of arrays by the names of the graph's inputs.

        params: none; a graph has inputs only.
        Returns a dict of arrays by the names of the graph's outputs; a frame of them for a frame.
        Raises SignatureError: inputs are missing; lists them.
        """
        if params:
            raise InvalidParameterError(f"an ONNX model takes no params, got {', '.join(map(repr, params))}")
        feed = {name: self._cast(name, value) for name, value in self._feed(data).items()}
        found = dict(zip(self._outputs, self.model.run(self._outputs, feed), strict=True))
        if not is_frame(data):
            return found
        import pandas as pd

        return pd.DataFrame({name: _column(value) for name, value in found.items()}, index=as_frame(data).index)

    def _feed(self, data: object) -> Mapping[str, object]:
        names = ", ".join(map(repr, self._inputs))
        if isinstance(data, Mapping) or (is_frame(data) and len(self._inputs) > 1):
            columns = dict(data) if isinstance(data, Mapping) else dict(as_frame(data).items())
            missing = [name for name in self._inputs if name not in columns]
            if missing:
                raise SignatureError(f"inputs are missing: {', '.join(map(repr, missing))}; the model takes {names}")
            return {name: columns[name] for name in self._inputs}
        if len(self._inputs) != 1:
            raise SignatureError(f"the model takes {len(self._inputs)} inputs: give a dict or frame of {names}")
        return {next(iter(self._inputs)): data}

    def _cast(self, name: str, value: object) -> NDArray[np.generic]:
        wanted = self._inputs[name]
        array: NDArray[np.generic] = np.asarray(value, dtype=_TYPES.get(wanted.type))
        # a column of a frame, where the graph wants a table of one column
        return array.reshape(-1, 1) if array.ndim == 1 and len(wanted.shape) == 2 else array


def _available(providers: Sequence[str | Sequence[object]]) -> list[str | tuple[object, ...]]:
    there = onnxruntime.get_available_providers()
    named = {(one if isinstance(one, str) else str(one[0])): one for one in providers}
    missing = [name for name in named if name not in there]
    usable = [one if isinstance(one, str) else tuple(one) for name, one in named.items() if name in there]
    # CUDA first is what MLflow and this flavor write for every model; a machine without it is no news
    if [name for name in missing if name != "CUDAExecutionProvider"]:
        warnings.warn(
            f"the model asks for the execution providers {', '.join(missing)}, which this onnxruntime lacks: it runs on "
            f"{', '.join(name for name in named if name in there) or 'the CPU'}",
            ProviderWarning,
            stacklevel=5,
        )
    return usable or ["CPUExecutionProvider"]


def _session_options(options: Mapping[str, object]) -> onnxruntime.SessionOptions:
    made = onnxruntime.SessionOptions()
    for name, value in options.items():
        if name == "execution_mode":
            value = getattr(onnxruntime.ExecutionMode, f"ORT_{str(value).upper()}")
        elif name == "graph_optimization_level":
            value = onnxruntime.GraphOptimizationLevel(value)
        if isinstance(value, Mapping):
            for key, entry in value.items():
                made.add_session_config_entry(str(key), str(entry))
        else:
            setattr(made, name, value)
    return made


def _column(value: object) -> object:
    """Return an output as a column: numbers where there is one for each row, else a list for each row."""
    array = np.asarray(value)
    if array.ndim == 2 and array.shape[1] == 1:
        return array.reshape(-1)
    return array if array.ndim == 1 else array.tolist()
