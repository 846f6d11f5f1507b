"""Infer a signature from example data: pandas, numpy, scipy, lists, dicts and scalars.

What has no type in the format (time spans, complex numbers, mixed columns) becomes `any`, so that a signature
inferred from data always accepts that data.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, cast

from mlcore.errors import SignatureError
from mlcore.models.data_types import AnyType, Array, DataType, Object, Property, ValueType
from mlcore.models.schema import ColSpec, ModelSignature, ParamSchema, ParamSpec, Schema, TensorSpec

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    class _Dtype(Protocol):
        """What numpy's and pandas' dtypes have in common; `subtype` of sparse ones only."""

        kind: str
        itemsize: int
        subtype: _Dtype


_INT64 = range(-(2**63), 2**63)
_BY_CLASS: dict[type, DataType] = {
    bool: DataType.boolean,
    int: DataType.long,
    float: DataType.double,
    decimal.Decimal: DataType.double,
    str: DataType.string,
    bytes: DataType.binary,
    bytearray: DataType.binary,
    dt.datetime: DataType.datetime,
    dt.date: DataType.datetime,
}
_MISSING = AnyType()  # known by identity: the type of None, which any other type takes over
_BY_DTYPE = {"b": DataType.boolean, "U": DataType.string, "S": DataType.binary, "M": DataType.datetime}


def infer_signature(
    model_input: object = None, model_output: object = None, params: Mapping[str, object] | None = None
) -> ModelSignature:
    """Infer the signature from an example of a model's input and, optionally, its output and params.

    model_input: DataFrame, Series, numpy array, sparse matrix, dict of arrays or values, list of rows, or a scalar.
    Raises SignatureError: data of a kind that has no schema, such as an object of an unknown class.
    """
    return ModelSignature(
        None if model_input is None else infer_schema(model_input),
        None if model_output is None else infer_schema(model_output),
        None if params is None else infer_params(params),
    )


def infer_schema(data: object) -> Schema:
    """Infer the schema of *data*; see `infer_signature`."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(data, pandas.DataFrame):
        return _of_frame(data)
    if pandas is not None and isinstance(data, pandas.Series):
        name = data.name if isinstance(data.name, str) else None
        return Schema([ColSpec(series_type(data), name, required=not bool(data.hasnans))])
    if hasattr(data, "dtype") and hasattr(data, "shape") and hasattr(data, "ndim"):
        if data.ndim == 0:
            return Schema([ColSpec(value_type(data))])
        return Schema([_of_array(data)])
    if isinstance(data, Mapping):
        return _of_mapping(data)
    if isinstance(data, (list, tuple)):
        return _of_rows(data)
    return Schema([ColSpec(value_type(data))])


def infer_params(params: Mapping[str, object]) -> ParamSchema:
    """Infer the schema of params from their default values: scalars, lists of scalars, or dicts.

    Raises SignatureError: a value of another kind; names it.
    """
    specs = []
    for name, value in params.items():
        plain = value.tolist() if hasattr(value, "tolist") else value
        many = isinstance(plain, (list, tuple))
        found = _merged([value_type(v) for v in cast(Sequence[object], plain)]) if many else value_type(plain)
        if not isinstance(found, (DataType, Object)):
            raise SignatureError(
                f"param {name!r} has the default {value!r}: expected a scalar, a list of scalars of one type, or a dict"
            )
        specs.append(ParamSpec(name, found, plain, (-1,) if many else None))
    return ParamSchema(specs)


def series_type(series: pd.Series) -> ValueType:
    """Return the type of a pandas column: by its dtype, and by its values where the dtype is `object`."""
    dtype = cast("_Dtype", series.dtype)
    name = type(dtype).__name__
    if name == "CategoricalDtype":
        return series_type(series.cat.categories.to_series())
    if name == "SparseDtype":
        return _of_dtype(dtype.subtype.kind, dtype.subtype.itemsize, series.max)
    if name == "DatetimeTZDtype":
        return DataType.datetime
    if name == "StringDtype":
        return DataType.string
    if name == "ArrowDtype" and dtype.kind in "OVS":
        return _merged([value_type(v) for v in series.dropna()])
    if name in ("PeriodDtype", "IntervalDtype"):
        return AnyType()
    if dtype.kind == "O":
        return _of_objects(series)
    return _of_dtype(dtype.kind, dtype.itemsize, series.max)


def value_type(value: object) -> ValueType:
    """Return the type of one value. Raises SignatureError: an object of an unknown class."""
    found = _BY_CLASS.get(type(value))
    if found is not None:
        return AnyType() if type(value) is int and value not in _INT64 else found
    if is_missing(value):
        return _MISSING
    if isinstance(value, Mapping):
        return Object([Property(str(k), value_type(v), not is_missing(v)) for k, v in value.items()])
    if isinstance(value, (list, tuple)):
        return Array(_merged([value_type(v) for v in value]))
    dtype = getattr(value, "dtype", None)
    if dtype is not None and hasattr(dtype, "kind"):
        return _of_numpy(cast("np.ndarray[tuple[int, ...], np.dtype[np.generic]]", value))
    for cls, of_class in _BY_CLASS.items():
        if isinstance(value, cls):
            return of_class
    if isinstance(value, (dt.timedelta, dt.time, complex)):
        return AnyType()
    raise SignatureError(
        f"a value of type {type(value).__name__!r} has no data type: expected numbers, texts, bytes, booleans, dates, "
        "or lists and dicts of these"
    )


def is_missing(value: object) -> bool:
    """Whether *value* is None, NaN, `pandas.NA` or `NaT`."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return type(value).__name__ in ("NAType", "NaTType")


def _of_frame(frame: pd.DataFrame) -> Schema:
    if frame.columns.nlevels > 1:
        raise SignatureError(
            f"columns of {frame.columns.nlevels} levels have no schema: flatten them first, such as "
            "frame.columns = ['_'.join(c) for c in frame.columns]"
        )
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()].unique().tolist()
        raise SignatureError(f"column names must be distinct, got more than once: {twice!r}")
    # columns without texts as names (a frame made of an array) go by position
    named = any(isinstance(c, str) for c in frame.columns)
    specs = []
    for i, column in enumerate(frame.columns):
        series = frame.iloc[:, i]
        try:
            found = series_type(series)
        except SignatureError as err:
            raise SignatureError(f"column {column!r}: {err}") from err
        specs.append(ColSpec(found, column if named else None, required=not bool(series.isna().any())))
    return Schema(specs)


def _of_array(array: object, name: str | None = None) -> TensorSpec:
    shape = cast(tuple[int, ...], array.shape)  # type: ignore[attr-defined]  # whatever has dtype and shape
    return TensorSpec(array.dtype, (-1, *shape[1:]), name)  # type: ignore[attr-defined]  # as above


def _of_mapping(data: Mapping[object, object]) -> Schema:
    if not data:
        raise SignatureError("an empty dict has no schema: give an example with at least one entry")
    arrays = [hasattr(v, "dtype") and getattr(v, "ndim", 0) > 0 for v in data.values()]
    if all(arrays):
        return Schema([_of_array(v, str(k)) for k, v in data.items()])
    return Schema([ColSpec(value_type(v), str(k), required=not is_missing(v)) for k, v in data.items()])


def _of_rows(rows: Sequence[object]) -> Schema:
    if not rows:
        raise SignatureError("an empty list has no schema: give an example with at least one row")
    merged = _merged([value_type(row) for row in rows])
    if isinstance(merged, Object):
        names = list(dict.fromkeys(str(k) for row in rows if isinstance(row, Mapping) for k in row))
        properties = {p.name: p for p in merged.properties}
        return Schema([ColSpec(properties[n].dtype, n, properties[n].required) for n in names])
    return Schema([ColSpec(merged, required=not any(is_missing(row) for row in rows))])


def _of_objects(series: pd.Series) -> ValueType:
    values = [v for v in series if not is_missing(v)]
    try:
        return _merged([value_type(v) for v in values])
    except SignatureError:
        if len({type(v) for v in values}) > 1:
            return AnyType()
        raise


def _of_numpy(value: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> ValueType:
    if value.dtype.kind == "O":
        return value_type(value.tolist())
    found: ValueType = _of_dtype(value.dtype.kind, value.dtype.itemsize, lambda: value.max() if value.size else 0)
    for _ in range(value.ndim):
        found = Array(found)
    return found


def _of_dtype(kind: str, itemsize: int, largest: object) -> ValueType:
    if kind == "i":
        return DataType.integer if itemsize <= 4 else DataType.long
    if kind == "u":
        if itemsize <= 2:
            return DataType.integer
        # only the values tell whether 64 unsigned bits fit the signed type
        fits = itemsize < 8 or not callable(largest) or _fits_int64(largest())
        return DataType.long if fits else AnyType()
    if kind == "f":
        return DataType.float if itemsize <= 4 else DataType.double
    return _BY_DTYPE.get(kind, AnyType())


def _fits_int64(largest: object) -> bool:
    return is_missing(largest) or int(cast(int, largest)) in _INT64


def _merged(types: Iterable[ValueType]) -> ValueType:
    """The one type that holds values of all these types; `any` when there is none."""
    known = list(dict.fromkeys(t for t in types if t is not _MISSING))
    if not known:
        return _MISSING
    merged: ValueType = known[0]
    for other in known[1:]:
        merged = _pair(merged, other)
        if isinstance(merged, AnyType):
            break
    return merged


def _pair(one: ValueType, other: ValueType) -> ValueType:
    if one == other:
        return one
    if isinstance(one, DataType) and isinstance(other, DataType) and one.is_number and other.is_number:
        wide = (DataType.integer, DataType.long, DataType.float, DataType.double)
        # an integer beside a float32 needs the double to stay exact
        both = {one, other}
        return DataType.double if len(both & {*wide[:2]}) == 1 else max(both, key=wide.index)
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(_merged([one.items, other.items]))
    if isinstance(one, Object) and isinstance(other, Object):
        return Object(_merged_properties(one, other))
    return AnyType()


def _merged_properties(one: Object, other: Object) -> list[Property]:
    first, second = ({p.name: p for p in o.properties} for o in (one, other))
    merged = []
    for name in dict.fromkeys([*first, *second]):
        a, b = first.get(name), second.get(name)
        found = [p for p in (a, b) if p is not None]
        required = len(found) == 2 and all(p.required for p in found)
        merged.append(Property(name, _merged([p.dtype for p in found]), required))
    return merged
