"""Convert a pandas column or numpy array to its type, exactly or not at all; see `cells` for the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, cast

from mlcore.models import cells
from mlcore.models.data_types import AnyType, DataType, ValueType
from mlcore.models.faults import Misfit

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Values: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.generic]]

_EXACT = {DataType.double: 2**53, DataType.float: 2**24}


def convert_series(series: pd.Series, kind: ValueType) -> pd.Series | cells.Column:
    """Return *series* as *kind*; the very same object when nothing is to be done.

    Raises Misfit: it does not fit.
    """
    import pandas as pd

    if isinstance(kind, AnyType):
        return series
    dtype = series.dtype
    name = type(dtype).__name__
    if not isinstance(kind, DataType):
        return cells.convert(series.tolist(), kind)
    if name == "CategoricalDtype":
        # a model that was trained with categories needs them; their values must fit
        convert_series(series.cat.categories.to_series(), kind)
        return series
    if name == "SparseDtype":
        dense = pd.Series(series.to_numpy())
        return series if dense.dtype.name == kind.numpy_name else convert_series(dense, kind)
    if name == "StringDtype":
        parsed = kind in (DataType.datetime, DataType.binary)  # ISO 8601, base64: what CSV files hold
        return (
            series
            if kind is DataType.string
            else cells.convert(series.tolist(), kind)
            if parsed
            else _refuse("texts", kind)
        )
    if name == "DatetimeTZDtype":
        return series if kind is DataType.datetime else _refuse(str(dtype), kind)
    if dtype.kind == "O" or name == "ArrowDtype":
        converted = cells.convert(series.tolist(), kind)
        # texts and bytes stay in the column that they came in
        return series if dtype.kind == "O" and kind is DataType.string else converted
    if hasattr(dtype, "numpy_dtype"):
        return _nullable(series, kind)
    if name in ("PeriodDtype", "IntervalDtype"):
        return _refuse(str(dtype), kind)
    values = cast("Values", series.to_numpy())
    converted = convert_array(values, kind)
    return series if converted is values else converted


def convert_array(values: Values, kind: DataType) -> Values:
    """Return a numpy array as *kind*; the very same object when nothing is to be done.

    Raises Misfit: it does not fit.
    """
    source = values.dtype
    if source.kind == "O":
        return cast("Values", cells.convert(values.tolist(), kind))
    if kind is DataType.boolean and source.kind == "b":
        return values
    if kind is DataType.datetime and source.kind == "M":
        return values
    if kind is DataType.string and source.kind == "U":
        return values.astype(object)
    if kind is DataType.binary and source.kind == "S":
        return values.astype(object)
    if not kind.is_number or source.kind not in "iuf":
        raise _refused(str(source), kind)
    if source.name == kind.numpy_name:
        return values
    return _to_int(values, kind) if kind in (DataType.integer, DataType.long) else _to_float(values, kind)


def _to_int(values: Values, kind: DataType) -> Values:
    import numpy as np

    if values.dtype.kind == "f":
        finite = values[~np.isnan(values)]
        bad = np.flatnonzero((values != np.trunc(values)) & ~np.isnan(values) | np.isinf(values))
        if bad.size:
            raise Misfit(f"expected {kind}, got {values.dtype} with {values[bad[0]]!s} in row {bad[0]}")
        _check_range(finite, kind, str(values.dtype))
        if finite.size < values.size:
            return values.astype(np.float64)
    elif not np.can_cast(values.dtype, kind.numpy_name, "safe"):
        _check_range(values, kind, str(values.dtype))
    return values.astype(kind.numpy_name)


def _check_range(values: Values, kind: DataType, source: str) -> None:
    import numpy as np

    if not values.size:
        return
    info = np.iinfo(kind.numpy_name)
    low, high = values.min().item(), values.max().item()
    if low < info.min or high > info.max:
        raise Misfit(
            f"expected {kind}, got {source} with {high if high > info.max else low}, which is out of its range"
        )


def _to_float(values: Values, kind: DataType) -> Values:
    import numpy as np

    if values.dtype.kind in "iu" and 2 ** (8 * values.dtype.itemsize) <= _EXACT[kind]:
        return values.astype(kind.numpy_name)
    if values.dtype.kind in "iu":
        _check_range(values, DataType.long, str(values.dtype))
        limit = _EXACT[kind]
        if values.size and max(abs(int(values.max())), abs(int(values.min()))) > limit:
            raise Misfit(f"expected {kind}, got {values.dtype} over {limit}, which {kind} can't hold exactly")
        return values.astype(kind.numpy_name)
    if kind is DataType.double:
        return values.astype(np.float64)
    rounded = cells.to_float32(values.astype(np.float64))
    lost = np.flatnonzero((rounded != values) & ~np.isnan(values))
    if lost.size:
        row = lost[0]
        raise Misfit(
            f"expected float, got {values.dtype} with {values[row]!s} in row {row}, which float32 can't hold exactly"
        )
    return rounded


def _nullable(series: pd.Series, kind: DataType) -> pd.Series | cells.Column:
    """A pandas column of nullable ints, floats or booleans as the numpy column that a library expects."""
    import numpy as np

    dtype = cast("np.dtype[np.generic]", series.dtype.numpy_dtype)  # type: ignore[union-attr]  # of nullable dtypes
    if not series.hasnans and not bool(series.isna().any()):
        return convert_array(series.to_numpy(dtype), kind)
    if dtype.kind == "b":
        return cells.convert(series.tolist(), kind) if kind is DataType.boolean else _refuse(str(series.dtype), kind)
    present = series.dropna().to_numpy(dtype)
    if not kind.is_number:
        return _refuse(str(series.dtype), kind)
    convert_array(present, kind)  # the range, and whether it is exact
    exact = dtype.kind == "f" or not present.size or max(abs(int(present.max())), abs(int(present.min()))) <= 2**53
    if not exact:
        return series
    wanted = "float64" if kind in (DataType.integer, DataType.long) else kind.numpy_name
    return series.to_numpy(wanted, na_value=np.nan)


def _refused(source: str, kind: DataType) -> Misfit:
    hint = {
        DataType.datetime: "; pandas.to_datetime makes one",
        DataType.string: "; make it texts with .astype(str)",
        DataType.boolean: "; make it booleans with .astype(bool)",
    }.get(kind, "")
    return Misfit(f"expected {kind}, got {source}{hint}")


def _refuse(source: str, kind: DataType) -> cells.Column:
    raise _refused(source, kind)
