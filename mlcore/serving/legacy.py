"""Request bodies of MLflow 1.x: turned into those of today, answered without the key `predictions`."""

from __future__ import annotations

from mlcore.errors import InvalidParameterError

NUMPY_TYPE = "application/json-numpy-split"

SPLIT, RECORDS, NUMPY = "pandas-split", "pandas-records", "numpy-split"
FORMATS = (SPLIT, RECORDS)

_SPLIT_KEYS = frozenset(("columns", "index", "data"))


def is_legacy(document: object) -> bool:
    """Whether a JSON body can only be one of MLflow 1.x: a bare list of records or rows, or a frame as pandas splits it."""
    if isinstance(document, list):
        return bool(document)
    return isinstance(document, dict) and "data" in document and document.keys() <= _SPLIT_KEYS


def modernized(kind: str, document: object) -> dict[str, object]:
    """Return the body of today that means the same.

    kind: `json`, or what the Content-Type says: `pandas-split`, `pandas-records` or `numpy-split`.
    Raises InvalidParameterError: the body is of another shape than the Content-Type says.
    """
    if kind == RECORDS:
        if not isinstance(document, list):
            raise InvalidParameterError("Content-Type says format=pandas-records: expected a JSON list of objects")
        return {"dataframe_records": document}
    if kind == SPLIT:
        if not isinstance(document, dict):
            raise InvalidParameterError(
                "Content-Type says format=pandas-split: expected a JSON object with columns and data"
            )
        return {"dataframe_split": document}
    if kind == NUMPY:
        return {"inputs": document["data"] if isinstance(document, dict) and "data" in document else document}
    if isinstance(document, dict):
        return {"dataframe_split": document}
    is_records = isinstance(document, list) and all(isinstance(row, dict) for row in document)
    return {"dataframe_records" if is_records else "instances": document}
