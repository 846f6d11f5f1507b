"""The tensors of the Open Inference Protocol: names, shapes and types, to what models take and from what they return."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlcore.errors import BadRequestError
from mlcore.models.data_types import DataType
from mlcore.models.schema import ColSpec, Schema

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Json = dict[str, object]

_NUMPY = {
    "BOOL": "bool",
    "UINT8": "uint8",
    "UINT16": "uint16",
    "UINT32": "uint32",
    "UINT64": "uint64",
    "INT8": "int8",
    "INT16": "int16",
    "INT32": "int32",
    "INT64": "int64",
    "FP16": "float16",
    "FP32": "float32",
    "FP64": "float64",
    "BYTES": "object",
}
_OF_NUMPY = {name: kind for kind, name in _NUMPY.items()}
_OF_COLUMN = {
    DataType.boolean: "BOOL",
    DataType.integer: "INT32",
    DataType.long: "INT64",
    DataType.float: "FP32",
    DataType.double: "FP64",
}


def specs_of(schema: Schema | None, unnamed: str = "input") -> list[Json]:
    """Return the metadata of inputs or outputs; -1 stands for a size that may vary."""
    found: list[Json] = []
    for place, spec in enumerate(schema or ()):
        name = spec.name or (unnamed if schema is not None and len(schema) == 1 else f"{unnamed}-{place}")
        if isinstance(spec, ColSpec):
            kind = _OF_COLUMN.get(spec.type, "BYTES") if isinstance(spec.type, DataType) else "BYTES"
            found.append({"name": name, "datatype": kind, "shape": [-1]})
        else:
            found.append({"name": name, "datatype": _OF_NUMPY.get(spec.type, "BYTES"), "shape": list(spec.shape)})
    return found


def inputs_of(tensors: Sequence[object], schema: Schema | None) -> object:
    """Return the data that a model takes: an array, a dict of arrays, or a dict of columns.

    Raises BadRequestError: a tensor of another form; names it.
    """
    arrays = dict([_array(tensor, place) for place, tensor in enumerate(tensors)])
    if len(arrays) != len(tensors) or not arrays:
        raise BadRequestError("expected at least one input, each with a name of its own")
    is_columns = schema is not None and not schema.is_tensor_spec()
    if is_columns:
        named = schema is not None and schema.has_input_names()
        (first, *others) = arrays.values()
        if others or (named and first.ndim < 2):
            return {name: _column(name, array) for name, array in arrays.items()}
        return first  # one tensor whose columns stand in the model's order
    if len(arrays) == 1 and (schema is None or not schema.has_input_names()):
        return next(iter(arrays.values()))
    return arrays


def outputs_of(predictions: object) -> list[Json]:
    """Return predictions as output tensors: one for each column of a frame or key of a dict, else `predictions`."""
    import numpy as np

    if hasattr(predictions, "columns") and hasattr(predictions, "iloc"):  # a frame
        columns = [(str(name), predictions.iloc[:, i].to_numpy()) for i, name in enumerate(predictions.columns)]
    elif isinstance(predictions, Mapping):
        columns = [(str(name), np.asarray(values)) for name, values in predictions.items()]
    elif hasattr(predictions, "to_numpy"):
        columns = [("predictions", predictions.to_numpy())]
    else:
        columns = [("predictions", np.asarray(predictions))]
    return [_tensor(name, np.atleast_1d(array)) for name, array in columns]


def _tensor(name: str, array: NDArray[np.generic]) -> Json:
    kind = _OF_NUMPY.get(array.dtype.name, "BYTES")
    flat = array.reshape(-1)
    data: list[object] = flat.tolist()
    if kind == "BYTES":
        data = [base64.b64encode(v).decode() if isinstance(v, bytes) else None if v is None else str(v) for v in data]
    return {"name": name, "datatype": kind, "shape": list(array.shape), "data": data}


def _array(tensor: object, place: int) -> tuple[str, NDArray[np.generic]]:
    import numpy as np

    where = f"inputs[{place}]"
    if not isinstance(tensor, dict):
        raise BadRequestError(f"{where} must be an object with name, shape, datatype and data")
    name, shape, kind, data = (tensor.get(key) for key in ("name", "shape", "datatype", "data"))
    if not isinstance(name, str) or not name:
        raise BadRequestError(f"{where} has no name: expected a text under the key 'name'")
    if not isinstance(kind, str) or kind not in _NUMPY:
        raise BadRequestError(f"input {name!r} has the datatype {kind!r}: expected one of {', '.join(_NUMPY)}")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise BadRequestError(f"input {name!r} has the shape {shape!r}: expected a list of sizes")
    if not isinstance(data, list):
        raise BadRequestError(f"input {name!r} has no data: expected a list of values, flat or nested")
    parameters = tensor.get("parameters")
    if kind == "BYTES" and isinstance(parameters, dict) and parameters.get("content_type") == "base64":
        data = [_bytes(name, value) for value in data]
    try:
        array = np.asarray(data, dtype=_NUMPY[kind])
        return name, array.reshape(shape)
    except (ValueError, TypeError, OverflowError) as err:
        raise BadRequestError(f"input {name!r} is no {kind} tensor of shape {shape}: {err}") from err


def _bytes(name: str, value: object) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error as err:
        raise BadRequestError(f"input {name!r} holds {str(value)[:40]!r}, which is not base64: {err}") from err


def _column(name: str, array: NDArray[np.generic]) -> NDArray[np.generic]:
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0]
    if array.ndim != 1:
        raise BadRequestError(f"input {name!r} is a column: expected the shape [n] or [n, 1], got {list(array.shape)}")
    return array
