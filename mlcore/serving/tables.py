"""Large batches as columns: Arrow IPC streams and parquet in, Arrow IPC streams out."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mlcore.errors import BadRequestError, MissingDependencyError
from mlcore.serving.payload import ARROW

if TYPE_CHECKING:
    from types import ModuleType

    import pandas as pd
    import pyarrow as pa


def frame(kind: str, body: bytes) -> pd.DataFrame:
    """Return the table of a body, `arrow` or `parquet`, as a frame; columns without missing values are not copied.

    Raises BadRequestError: it is cut off or damaged. MissingDependencyError: pyarrow is not installed here.
    """
    pa = _pyarrow()
    try:
        if kind == ARROW:
            with pa.ipc.open_stream(body) as stream:
                table = stream.read_all()
        else:
            import pyarrow.parquet as pq

            table = pq.read_table(io.BytesIO(body), use_threads=False)
        table.validate()
        found: pd.DataFrame = table.to_pandas(ignore_metadata=True, split_blocks=False)
    except (pa.ArrowException, OSError, ValueError) as err:
        name = "an Arrow IPC stream" if kind == ARROW else "a parquet file"
        raise BadRequestError(f"the request is not {name}, or was cut off: {err}") from err
    return found


def stream(predictions: object) -> bytes:
    """Return predictions as an Arrow IPC stream: a frame's own columns, or one column `predictions`.

    Raises BadRequestError: they are no columns of equal length, such as texts of a language model.
    """
    table = _table(predictions, "ask for JSON with the header Accept: application/json")
    out = io.BytesIO()
    with _pyarrow().ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def parquet(predictions: object) -> bytes:
    """Return predictions as a parquet file, with the columns of `stream`. Raises BadRequestError: as `stream`."""
    table = _table(predictions, "ask for JSON")
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def _table(predictions: object, instead: str) -> pa.Table:
    pa = _pyarrow()
    try:
        return pa.table(columns(predictions))
    except (pa.ArrowException, TypeError, ValueError) as err:
        raise BadRequestError(
            f"the predictions, of type {type(predictions).__name__}, make no Arrow table: {err}; {instead}"
        ) from err


def columns(predictions: object) -> dict[str, object]:
    """Return predictions by column: those of a frame or mapping, or one, `predictions`."""
    if hasattr(predictions, "columns") and hasattr(predictions, "iloc"):  # a frame
        return {str(name): predictions.iloc[:, i].to_numpy() for i, name in enumerate(predictions.columns)}
    if isinstance(predictions, Mapping):
        return {str(name): _plain(values) for name, values in predictions.items()}
    return {"predictions": _plain(predictions)}


def _plain(values: object) -> object:
    if hasattr(values, "to_numpy"):  # a series
        return values.to_numpy()
    if getattr(values, "ndim", 1) > 1:
        return values.tolist()  # type: ignore[attr-defined]  # an array: each row becomes a list
    return values


def _pyarrow() -> ModuleType:
    try:
        import pyarrow as pa
    except ImportError as err:
        raise MissingDependencyError(
            "Arrow and parquet are read and written by pyarrow, which is not installed here: pip install pyarrow"
        ) from err
    found: ModuleType = pa
    return found
