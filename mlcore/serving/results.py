"""Predictions as the content of a file: JSON, CSV or parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from mlcore.errors import InvalidParameterError
from mlcore.serving import strict_json
from mlcore.serving.payload import CSV, JSON, PARQUET

KINDS = (JSON, CSV, PARQUET)


def written(kind: str, predictions: object) -> bytes:
    """Return *predictions* as the bytes of a file.

    kind: `json`, the object that the server answers with; `csv` or `parquet`, a frame's columns, or one column named
    `predictions`.
    Raises InvalidParameterError: they are no columns of equal length. MissingDependencyError: parquet without pyarrow.
    """
    if kind == JSON:
        return strict_json.dumps({"predictions": predictions}) + b"\n"
    from mlcore.serving import tables

    return tables.parquet(predictions) if kind == PARQUET else _csv(tables.columns(predictions))


def _csv(columns: dict[str, object]) -> bytes:
    lists = [strict_json.plain(values) for values in columns.values()]
    rows: list[Sequence[object]] = []
    lengths = {len(each) if isinstance(each, list) else -1 for each in lists}
    if len(lengths) > 1 or -1 in lengths:
        raise InvalidParameterError("the predictions make no table of columns of equal length: ask for JSON")
    for values in lists:
        rows.append(values if isinstance(values, list) else [])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*rows, strict=True))
    return text.getvalue().encode()
