"""Convert the values of one column to its type, exactly or not at all.

A value is accepted when the type can hold it: 2.0 for a long is, 2.5 is not; a text for a number never is. Missing values
(None, NaN, NA) are accepted everywhere. In integer columns they make a float64 column, which is what libraries
expect, unless that would lose digits.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import decimal
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

from mlcore.models.data_types import AnyType, Array, DataType, Map, Object, SparkMLVector, ValueType
from mlcore.models.faults import Misfit, shown
from mlcore.models.infer import is_missing

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Column: TypeAlias = (
        np.ndarray[tuple[int, ...], np.dtype[np.generic]] | pd.api.extensions.ExtensionArray | list[object]
    )

_NUMBERS = frozenset((int, float))
_NUMBERS_OR_NONE = frozenset((int, float, type(None)))
_LIMITS = {DataType.integer: (-(2**31), 2**31 - 1), DataType.long: (-(2**63), 2**63 - 1)}
_EXACT = 2**53
_FLOAT32_MAX = 3.4028235677973366e38  # the largest double that rounds to a finite float32


def convert(values: Sequence[object], kind: ValueType) -> Column:
    """Return the column that holds *values*.

    Raises Misfit: a value is not of the type; names the first such row.
    """
    converter = _COLUMNS.get(kind) if isinstance(kind, DataType) else None
    if converter is not None:
        return converter(values)
    if isinstance(kind, AnyType):
        return list(values)
    return [None if is_missing(v) else _in_row(i, v, kind) for i, v in enumerate(values)]


def convert_value(value: object, kind: ValueType) -> object:
    """Return one value as *kind*, which may be compound. Raises Misfit: it is not of the type."""
    if isinstance(kind, AnyType) or is_missing(value):
        return value
    if isinstance(kind, DataType):
        return _SCALARS[kind](value, kind)
    plain = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(kind, (Array, SparkMLVector)):
        items = kind.items if isinstance(kind, Array) else DataType.double
        if not isinstance(plain, (list, tuple)):
            raise Misfit(f"expected {kind}, got {shown(value)}")
        return [convert_value(v, items) for v in plain]
    if not isinstance(plain, Mapping):
        raise Misfit(f"expected {kind}, got {shown(value)}")
    if isinstance(kind, Map):
        return {str(k): convert_value(v, kind.values) for k, v in plain.items()}
    return _object(plain, kind)


def _object(value: Mapping[object, object], kind: Object) -> dict[str, object]:
    known = {p.name: p for p in kind.properties}
    missing = [n for n, p in known.items() if p.required and n not in value]
    unknown = [str(k) for k in value if k not in known]
    if missing or unknown:
        parts = [f"without {missing!r}"] * bool(missing) + [f"with unknown {unknown!r}"] * bool(unknown)
        raise Misfit(f"expected {kind}, got an object {' and '.join(parts)}")
    return {str(k): convert_value(v, known[str(k)].dtype) for k, v in value.items()}


def _in_row(row: int, value: object, kind: ValueType) -> object:
    try:
        return convert_value(value, kind)
    except Misfit as err:
        raise Misfit(f"{err} in row {row}") from None


def _floats(values: Sequence[object], kind: DataType) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    import numpy as np

    if not set(map(type, values)) <= _NUMBERS_OR_NONE:
        values = [None if is_missing(v) else _in_row(i, v, kind) for i, v in enumerate(values)]
    try:
        found = np.array(values, dtype=np.float64)
    except OverflowError:
        raise Misfit(f"expected {kind}, got a number that is too large") from None
    return found if kind is DataType.double else to_float32(found)


def to_float32(
    values: np.ndarray[tuple[int, ...], np.dtype[np.generic]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """Return float64 *values* rounded to float32. Raises Misfit: one is finite and too large."""
    import numpy as np

    finite = values[np.isfinite(values)]
    if finite.size and np.abs(finite).max() > _FLOAT32_MAX:
        raise Misfit(f"expected float, got a number over {_FLOAT32_MAX:.6g}")
    return values.astype(np.float32)


def _ints(values: Sequence[object], kind: DataType) -> Column:
    import numpy as np

    if set(map(type, values)) != {int}:
        values = [None if is_missing(v) else _in_row(i, v, kind) for i, v in enumerate(values)]
    if None in values:
        return _ints_with_gaps(values, kind)
    low, high = _LIMITS[kind]
    numbers = cast("Sequence[int]", values)
    if numbers and (min(numbers) < low or max(numbers) > high):
        row = next(i for i, v in enumerate(numbers) if not low <= v <= high)
        raise Misfit(f"expected {kind}, got {numbers[row]} out of {low}..{high} in row {row}")
    return np.array(numbers, dtype=kind.numpy_name)


def _ints_with_gaps(values: Sequence[object], kind: DataType) -> Column:
    import numpy as np

    numbers = [v for v in values if v is not None]
    _ints(numbers, kind)  # the range
    if all(-_EXACT <= cast(int, v) <= _EXACT for v in numbers):
        return np.array(values, dtype=np.float64)
    import pandas as pd

    return pd.array(cast("list[int]", list(values)), dtype="Int64")


def _booleans(values: Sequence[object]) -> Column:
    import numpy as np

    if set(map(type, values)) <= {bool}:
        return np.array(values, dtype=np.bool_)
    checked = [None if is_missing(v) else _in_row(i, v, DataType.boolean) for i, v in enumerate(values)]
    return np.array(checked, dtype=object if None in checked else np.bool_)


def _strings(values: Sequence[object]) -> Column:
    if set(map(type, values)) <= {str, type(None)}:
        return list(values)
    return [None if is_missing(v) else _in_row(i, v, DataType.string) for i, v in enumerate(values)]


def _binaries(values: Sequence[object]) -> Column:
    return [None if is_missing(v) else _in_row(i, v, DataType.binary) for i, v in enumerate(values)]


def _datetimes(values: Sequence[object]) -> Column:
    import numpy as np

    checked = [None if is_missing(v) else _in_row(i, v, DataType.datetime) for i, v in enumerate(values)]
    moments = np.array(checked, dtype="datetime64[us]")
    in_range = [v for v in checked if v is not None and not 1678 <= cast(dt.datetime, v).year <= 2261]
    return moments if in_range else moments.astype("datetime64[ns]")


def _as_float(value: object, kind: DataType) -> float:
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, (int, float, decimal.Decimal)) and not isinstance(plain, bool):
        try:
            return float(plain)
        except OverflowError:
            raise Misfit(f"expected {kind}, got a number that is too large") from None
    raise Misfit(f"expected {kind}, got {shown(value)}")


def _as_int(value: object, kind: DataType) -> int:
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, int) and not isinstance(plain, bool):
        return plain
    if isinstance(plain, float) and plain.is_integer():
        return int(plain)
    if isinstance(plain, decimal.Decimal) and plain.is_finite() and plain == plain.to_integral_value():
        return int(plain)
    raise Misfit(f"expected {kind}, got {shown(plain)}")


def _as_bool(value: object, kind: DataType) -> bool:
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, bool):
        return plain
    raise Misfit(f"expected {kind}, got {shown(plain)}")


def _as_text(value: object, kind: DataType) -> str:
    if isinstance(value, str):
        return str(value)
    raise Misfit(f"expected {kind}, got {shown(value)}")


def _as_bytes(value: object, kind: DataType) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise Misfit(f"expected {kind} as base64, got {shown(value)}") from None
    raise Misfit(f"expected {kind}, got {shown(value)}")


def _as_datetime(value: object, kind: DataType) -> dt.datetime:
    """A naive time; one with an offset is told in UTC."""
    if hasattr(value, "dtype") and getattr(value.dtype, "kind", "") == "M":
        value = value.astype("datetime64[us]").item()  # type: ignore[attr-defined]  # a numpy datetime64
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            raise Misfit(f"expected {kind} in ISO 8601, got {shown(value)}") from None
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime(warn=False)
    if isinstance(value, dt.datetime):
        return value if value.tzinfo is None else value.astimezone(dt.UTC).replace(tzinfo=None)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)  # the format knows naive times only
    raise Misfit(f"expected {kind}, got {shown(value)}")


_COLUMNS: dict[DataType, Callable[[Sequence[object]], Column]] = {
    DataType.double: lambda values: _floats(values, DataType.double),
    DataType.float: lambda values: _floats(values, DataType.float),
    DataType.long: lambda values: _ints(values, DataType.long),
    DataType.integer: lambda values: _ints(values, DataType.integer),
    DataType.boolean: _booleans,
    DataType.string: _strings,
    DataType.binary: _binaries,
    DataType.datetime: _datetimes,
}
_SCALARS: dict[DataType, Callable[[object, DataType], object]] = {
    DataType.double: _as_float,
    DataType.float: _as_float,
    DataType.long: _as_int,
    DataType.integer: _as_int,
    DataType.boolean: _as_bool,
    DataType.string: _as_text,
    DataType.binary: _as_bytes,
    DataType.datetime: _as_datetime,
}
