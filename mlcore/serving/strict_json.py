"""JSON as RFC 8259 has it: NaN and infinities go out as null, so that every client can read the answer."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from urllib.parse import parse_qs

from mlcore.errors import BadRequestError, InvalidParameterError

_SHOWN = 80


def loads(body: bytes) -> object:
    """Return the value of a JSON text in UTF-8; NaN and Infinity, which many clients write, are accepted.

    Raises BadRequestError: it is not JSON; says where.
    """
    try:
        return _loads(body)
    except (ValueError, RecursionError):
        # the quick reader knows no NaN; this one also names the place of a fault
        return _lenient(body)


def dumps(value: object) -> bytes:
    """Return *value* as strict JSON.

    value: what models return: numpy arrays and scalars, pandas frames (a list of records) and series (a list of
    records with one key), dates (ISO 8601), bytes (base64), and plain values, however nested.
    """
    try:
        return _dumps(value)
    except (TypeError, ValueError):
        # something that only the slow way can spell: keys that are no texts, integers beyond 64 bits
        return json.dumps(plain(value), allow_nan=False, separators=(",", ":")).encode()


def writer(query: bytes) -> Callable[[object], bytes]:
    """Return what writes an answer as the query of its request asks.

    query: `nan=text` for NaN and infinities as the texts "NaN", "Infinity" and "-Infinity" instead of null.
    Raises InvalidParameterError: another wish.
    """
    if not query:
        return dumps
    wish = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("nan", ["null"])[-1]
    if wish not in ("null", "text"):
        raise InvalidParameterError(f"invalid value {wish!r} of the query parameter nan: expected null or text")
    return dumps if wish == "null" else _dumps_named


def plain(value: object) -> object:
    """Return *value* as what the standard library's JSON writer takes; missing values and NaN are None."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return plain(convert(value))


def convert(value: object) -> object:
    """Return one step towards plain JSON for a value that JSON has no word for.

    Raises TypeError: nothing is known about such a value.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode()
    if _is_missing(value):
        return None
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, (set, frozenset)):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return _convert_array(value)


def _convert_array(value: object) -> object:
    # by what they can do, so that neither numpy nor pandas is imported
    to_dict = getattr(value, "to_dict", None)
    if to_dict is not None and hasattr(value, "columns"):
        return to_dict("records")
    if to_dict is not None and hasattr(value, "to_frame"):
        return [{_key(getattr(value, "name", None) or 0): item} for item in value.tolist()]  # type: ignore[attr-defined]  # a series
    if hasattr(value, "toarray"):  # a sparse matrix
        return value.toarray()
    if getattr(getattr(value, "dtype", None), "kind", "") in "mM" and hasattr(value, "astype"):
        return value.astype(str).tolist()  # numpy dates count nanoseconds when they become Python's
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a prediction of type {type(value).__name__} cannot be written as JSON")


def _dumps_named(value: object) -> bytes:
    return json.dumps(_named(value), allow_nan=False, separators=(",", ":")).encode()


def _named(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {_key(key): _named(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_named(item) for item in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return _named(convert(value))


def _is_missing(value: object) -> bool:
    # pandas.NA and NaT, without pandas
    return type(value).__name__ in ("NAType", "NaTType")


def _key(key: object) -> str:
    return key if isinstance(key, str) else str(convert(key) if hasattr(key, "tolist") else key)


def _lenient(body: bytes) -> object:
    try:
        # decoded here, as the reader of the standard library takes UTF-16 and UTF-32, too
        return json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError as err:
        raise BadRequestError(
            f"the request is not UTF-8 text: byte {err.start} is {err.object[err.start]:#04x}"
        ) from err
    except json.JSONDecodeError as err:
        near = err.doc[max(0, err.pos - _SHOWN // 2) : err.pos + _SHOWN // 2]
        raise BadRequestError(
            f"the request is not valid JSON: {err.msg.lower()} at line {err.lineno}, column {err.colno}, near {near!r}"
        ) from err
    except ValueError as err:
        raise BadRequestError(f"the request is not valid JSON: {err}") from err
    except RecursionError as err:
        raise BadRequestError("the request is not usable JSON: it is nested too deeply") from err


def _writers() -> tuple[Callable[[bytes], object], Callable[[object], bytes]]:
    try:
        import orjson
    except ImportError:
        return json.loads, lambda value: json.dumps(plain(value), allow_nan=False, separators=(",", ":")).encode()
    options = orjson.OPT_SERIALIZE_NUMPY

    def dumps(value: object) -> bytes:
        return orjson.dumps(value, convert, options)

    return orjson.loads, dumps


_loads, _dumps = _writers()
