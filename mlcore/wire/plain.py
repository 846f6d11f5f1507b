"""Records to plain JSON values and back, and strict JSON text."""

from __future__ import annotations

import datetime as dt
import functools
import json
import math
import os
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from attrs import has

if TYPE_CHECKING:
    import cattrs

T = TypeVar("T")


@functools.cache
def converter() -> cattrs.Converter:
    """Return the converter between records and plain values: unknown keys ignored, tuples from lists."""
    from cattrs.preconf.json import make_converter

    made = make_converter(forbid_extra_keys=False, omit_if_default=False)
    made.register_unstructure_hook(float, _float_out)
    made.register_structure_hook(float, _float_in)
    return made


def unstructure(record: object) -> object:
    """Return plain JSON values for a record; NaN and infinities become the texts that the protocol uses."""
    return converter().unstructure(record)


def structure(value: object, cls: type[T]) -> T:
    """Make a record of *cls* from plain values.

    Raises InvalidParameterError: names every fault with its path, such as `$.metrics[3].step`.
    """
    import cattrs  # here and in converter(): most processes that record convert nothing

    try:
        return converter().structure(value, cls)
    except cattrs.BaseValidationError as err:
        from mlcore.errors import InvalidParameterError

        faults = cattrs.transform_error(err)
        shown = "; ".join(faults[:5]) + (f" and {len(faults) - 5} more" if len(faults) > 5 else "")
        raise InvalidParameterError(f"invalid {cls.__name__}: {shown}") from err


def to_plain(value: object) -> object:
    """Return what JSON and YAML can hold, for whatever people log: records, numpy values, dates, paths, sets."""
    if value is None or isinstance(value, (str, bool, int)):
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, float):
        return _float_out(value)
    if isinstance(value, Mapping):
        return {str(k): to_plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(v) for v in value]
    if isinstance(value, (set, frozenset)):
        return sorted((to_plain(v) for v in value), key=str)
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):  # numpy arrays and scalars, without importing numpy
        return to_plain(value.tolist())
    if has(type(value)):
        return unstructure(value)
    return str(value)


def dumps(value: object) -> str:
    """Return strict JSON on one line: NaN and infinities as the texts `"NaN"`, `"Infinity"`, `"-Infinity"`."""
    return json.dumps(to_plain(value), ensure_ascii=False, allow_nan=False)


def _float_out(value: float) -> object:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _float_in(value: object, _: object) -> float:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"expected a number, got {value!r}")
