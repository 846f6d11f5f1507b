"""Input examples of a model: saved as MLflow saves them, with the request that sends them to a scoring server."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from attrs import frozen

from mlcore.errors import InvalidParameterError, ModelFormatError
from mlcore.models.enforce import compile_signature
from mlcore.models.infer import is_missing
from mlcore.models.schema import ModelSignature
from mlcore.uris import relative_path
from mlcore.wire.plain import to_plain

if TYPE_CHECKING:
    import pandas as pd

    class _Sparse(Protocol):
        """A scipy sparse matrix or array."""

        shape: tuple[int, ...]

        def toarray(self) -> object: ...


FILE = "input_example.json"
SERVING_FILE = "serving_input_example.json"


@frozen
class InputExample:
    """An example of a model's input, with the params that go with it."""

    data: object
    params: Mapping[str, object] | None = None

    @classmethod
    def of(cls, example: object) -> InputExample:
        """Take apart what users give: the data, or a tuple of data and params."""
        if isinstance(example, tuple) and len(example) == 2 and isinstance(example[1], Mapping):
            return cls(example[0], cast("Mapping[str, object]", example[1]))
        return cls(example)


def save_example(example: InputExample, directory: Path) -> dict[str, object]:
    """Write the example's two files; return what `MLmodel` says of them."""
    info, value, request = _described(example.data)
    params = {} if example.params is None else {"params": cast("dict[str, object]", _json_value(example.params))}
    stored = {"inputs": value, **params} if params else value
    _dump(stored, directory / FILE)
    _dump({**request, **params}, directory / SERVING_FILE)
    info |= {"artifact_path": FILE, "serving_input_path": SERVING_FILE}
    return info | ({"params": "true"} if params else {})


def load_example(
    directory: Path, info: Mapping[str, object] | None, signature: ModelSignature | None = None
) -> InputExample | None:
    """Read the example that `MLmodel` tells of; None when it tells of none.

    signature: restores types that JSON does not have.
    Raises ModelFormatError: its file is missing or not JSON; names it. InvalidParameterError: it leads out of the model.
    """
    if not info:
        return None
    path = directory / relative_path(str(info.get("artifact_path", FILE)))
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as err:
        raise ModelFormatError(f"the input example {str(path)!r} cannot be read: {err}") from err
    params = None
    if str(info.get("params", "")).lower() == "true" and isinstance(document, dict):
        params, document = document.get("params"), document.get("inputs")
    return InputExample(_restored(document, str(info.get("type")), signature), params)


def serving_request(directory: Path, info: Mapping[str, object] | None) -> str | None:
    """Return the body that sends the example to `/invocations`; None when there is no example."""
    if not info:
        return None
    path = directory / relative_path(str(info.get("serving_input_path") or SERVING_FILE))
    return path.read_text("utf-8") if path.is_file() else None


def _described(data: object) -> tuple[dict[str, object], object, dict[str, object]]:
    if type(data).__name__ == "Series" and hasattr(data, "to_frame"):
        data = data.to_frame()
    if type(data).__name__ == "DataFrame":
        return _frame(cast("pd.DataFrame", data))
    if hasattr(data, "tocsr") and hasattr(data, "nnz"):
        return _sparse(data)
    value = _json_value(data)
    kind = "ndarray" if hasattr(data, "dtype") and getattr(data, "ndim", 0) > 0 else "json_object"
    return {"type": kind}, value, {"inputs": value}


def _frame(frame: pd.DataFrame) -> tuple[dict[str, object], object, dict[str, object]]:
    rows = [[_json_value(v) for v in row] for row in frame.itertuples(index=False, name=None)]
    named = any(isinstance(c, str) for c in frame.columns)
    split = {"columns": [str(c) for c in frame.columns], "data": rows} if named else {"data": rows}
    return {"type": "dataframe", "pandas_orient": "split" if named else "values"}, split, {"dataframe_split": split}


def _sparse(matrix: object) -> tuple[dict[str, object], object, dict[str, object]]:
    found = getattr(matrix, "format", "csr")
    kind = found if found in ("csr", "csc") else "csr"
    kept = cast("_Sparse", matrix if kind == found else matrix.tocsr())  # type: ignore[attr-defined]  # a scipy matrix
    value: dict[str, object] = {part: _json_value(getattr(kept, part)) for part in ("data", "indices", "indptr")}
    value["shape"] = [int(n) for n in kept.shape]
    return {"type": f"sparse_matrix_{kind}"}, value, {"inputs": _json_value(kept.toarray())}


def _restored(document: object, kind: str, signature: ModelSignature | None) -> object:
    checks = compile_signature(signature)
    if kind == "dataframe" and isinstance(document, dict):
        return checks.split(document.get("columns"), document.get("data", []), document.get("index"))
    if kind.startswith("sparse_matrix_") and isinstance(document, dict):
        import scipy.sparse  # type: ignore[import-untyped]  # has no types

        make = scipy.sparse.csr_matrix if kind.endswith("csr") else scipy.sparse.csc_matrix
        return make((document["data"], document["indices"], document["indptr"]), shape=tuple(document["shape"]))
    if kind == "ndarray":
        if isinstance(document, dict) and set(document) == {"inputs"}:  # as MLflow 1.x wrote it
            document = document["inputs"]
        import numpy as np

        return checks.json(document) if checks.is_tensor else np.asarray(document)
    return document


def _json_value(value: object) -> object:
    """Strict JSON: missing values are null, bytes are base64, times are ISO 8601."""
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, float) and math.isinf(value):
        raise InvalidParameterError(
            "an input example can't hold infinities, which JSON does not have; use finite values"
        )
    if is_missing(value):
        return None
    if isinstance(value, Mapping):
        return {str(k): _json_value(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_value(v) for v in value]
    if hasattr(value, "tolist"):
        return _json_value(value.tolist()) if getattr(getattr(value, "dtype", None), "kind", "") != "M" else str(value)
    return to_plain(value)


def _dump(value: object, path: Path) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False), "utf-8")
