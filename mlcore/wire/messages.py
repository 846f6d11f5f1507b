"""Requests of the REST protocol: from JSON or a query string to a checked record, and back.

A request record is a frozen attrs class made with `required` and `optional` fields. Unknown fields are ignored, lower
camel case is understood, int64 may be a number or a text, and every fault is named in the protocol's own words.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from attrs import NOTHING, field, fields, frozen, has

from mlcore.errors import InvalidParameterError
from mlcore.wire.limits import INT64_MAX

T = TypeVar("T")
Reader = Callable[[object, str], Any]

_KNOWN: dict[type, tuple[tuple[_Slot, ...], frozenset[str]]] = {}
_HINT = "See the API docs for more information about request parameters."
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def required(*, alias: str = "") -> Any:
    """Make a field that a request must have; an empty text counts as missing.

    alias: another name under which clients send the same.
    """
    return field(kw_only=True, metadata={"required": True, "alias": alias})


def optional(default: object = None, *, alias: str = "") -> Any:
    """Make a field that a request may leave out."""
    return field(default=default, kw_only=True, metadata={"alias": alias})


@frozen
class _Slot:
    """How one field is read."""

    name: str
    names: tuple[str, ...]
    is_required: bool
    is_many: bool
    default: object
    read: Reader


def read(cls: type[T], given: object, *, where: str = "") -> T:
    """Make a request record from JSON values.

    given: what the body held; anything but an object counts as an empty one, as the protocol has it.
    where: the path of the record in the request, for messages.
    Raises InvalidParameterError: a required field is missing, or a value has the wrong type.
    """
    values: Mapping[str, object] = given if isinstance(given, Mapping) else {}
    slots, known = _slots(cls)
    for name in values:
        if name not in known:
            values = _snake_case(values, known)
            break
    found = {}
    for slot in slots:
        value = None
        for name in slot.names:
            value = values.get(name)
            if value is not None:
                break
        if value is None or (slot.is_required and value == ""):
            if slot.is_required:
                raise missing(where + slot.name)
            continue
        found[slot.name] = slot.read(value, where + slot.name)
    return cls(**found)


def read_query(cls: type[T], given: Sequence[tuple[str, str]]) -> T:
    """Make a request record from the pairs of a query string; a repeated name makes a list.

    Raises InvalidParameterError: as `read`; also for a bool that is neither `true` nor `false`.
    """
    slots, known = _slots(cls)
    many = {name for slot in slots if slot.is_many for name in slot.names}
    values: dict[str, object] = {}
    lists: dict[str, list[str]] = {}
    for name, text in given:
        known_name = name if name in known else _snake(name)
        if known_name in many:
            lists.setdefault(known_name, []).append(text)
        else:
            values.setdefault(known_name, text)
    return read(cls, values | lists)


def write(record: object) -> dict[str, object]:
    """Return the JSON values of a request record; what has its default value is left out."""
    plain: dict[str, object] = {}
    cls: Any = type(record)
    for attribute in fields(cls):
        value = getattr(record, attribute.name)
        if value != attribute.default:
            plain[attribute.name] = _plain(value)
    return plain


def missing(name: str) -> InvalidParameterError:
    """Return the error for a parameter that is not there."""
    return InvalidParameterError(f"Missing value for required parameter '{name}'. {_HINT}")


def invalid(value: object, name: str, expected: str = "") -> InvalidParameterError:
    """Return the error for a value of the wrong type."""
    shown = repr(value) if len(repr(value)) < 200 else repr(value)[:200] + "..."
    hint = f"; expected {expected}" if expected else ""
    return InvalidParameterError(
        f"Invalid value {shown} for parameter '{name}' supplied:  Hint: Value was of type "
        f"'{type(value).__name__}'{hint}. {_HINT}"
    )


def int64(value: object, name: str) -> int:
    """Return an int64 that came as a number or as a text."""
    number: object = value
    if (isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value)) or (
        isinstance(value, float) and value.is_integer()
    ):
        number = int(value)
    if isinstance(number, bool) or not isinstance(number, int) or not -INT64_MAX - 1 <= number <= INT64_MAX:
        raise invalid(value, name, "a 64-bit integer")
    return number


def double(value: object, name: str) -> float:
    """Return a float64; the texts NaN, Infinity and -Infinity and texts of numbers are understood."""
    if isinstance(value, float):
        return value
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        if value in _NUMBERS:
            return _NUMBERS[value]
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    raise invalid(value, name, "a number")


def _text(value: object, name: str) -> str:
    if isinstance(value, str):
        return value
    raise invalid(value, name, "a text")


def _flag(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise invalid(value, name, "true or false")


def _choice(kind: type[Enum], value: object, name: str) -> Enum:
    """Enums travel by name, or by the number of MLflow's protocol files."""
    from mlcore.wire.enums import by_number

    found = by_number(kind, value)
    if found is not None:
        return found
    try:
        return kind(value)
    except ValueError:
        raise invalid(value, name, f"one of {', '.join(str(one.value) for one in kind)}") from None


def _many(each: Reader, value: object, name: str) -> tuple[object, ...]:
    if not isinstance(value, (list, tuple)):
        raise invalid(value, name, "a list")
    if each in _COLUMNS and _is_column(each, value):
        return tuple(value)
    return tuple([each(one, f"{name}[{i}]") for i, one in enumerate(value)])


def _is_column(each: Reader, value: Sequence[Any]) -> bool:
    """Whether all values of a list are fine as they are; a long one is looked at as a whole, not value by value."""
    if set(map(type, value)) != {_COLUMNS[each]}:
        return False
    return each is double or -INT64_MAX - 1 <= min(value) <= max(value) <= INT64_MAX


def _record(cls: type[object], value: object, name: str) -> object:
    if not isinstance(value, Mapping):
        raise invalid(value, name, "an object")
    return read(cls, value, where=f"{name}.")


def _anything(value: object, _: str) -> object:
    return value


_COLUMNS: dict[Reader, type] = {int64: int, double: float}
_READERS: dict[object, Reader] = {str: _text, int: int64, float: double, bool: _flag, object: _anything}


def _reader(hint: Any) -> Reader:
    """Return what reads values of a type as annotated: `X | None` reads like `X`."""
    args = [arg for arg in get_args(hint) if arg is not type(None)]
    if get_origin(hint) is tuple:
        return functools.partial(_many, _reader(args[0]))
    if args:
        return _reader(args[0])
    if hint in _READERS:
        return _READERS[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return functools.partial(_choice, hint)
    if isinstance(hint, type) and has(hint):
        return functools.partial(_record, hint)
    raise TypeError(f"no field of a request can be of type {hint!r}")


def _slots(cls: Any) -> tuple[tuple[_Slot, ...], frozenset[str]]:
    known: tuple[tuple[_Slot, ...], frozenset[str]] | None = _KNOWN.get(cls)
    return known if known is not None else _KNOWN.setdefault(cls, _examined(cls))


def _examined(cls: Any) -> tuple[tuple[_Slot, ...], frozenset[str]]:
    hints = get_type_hints(cls)
    slots = []
    for found in fields(cls):
        alias = found.metadata.get("alias", "")
        hint = hints[found.name]
        slots.append(
            _Slot(
                found.name,
                (found.name, alias) if alias else (found.name,),
                bool(found.metadata.get("required")) or found.default is NOTHING,
                get_origin(hint) is tuple,
                found.default,
                _reader(hint),
            )
        )
    return tuple(slots), frozenset(name for slot in slots for name in slot.names)


def _snake_case(values: Mapping[str, object], known: frozenset[str]) -> dict[str, object]:
    plain = {name: value for name, value in values.items() if name in known}
    for name, value in values.items():
        snake = _snake(name)
        if name not in known and snake in known:
            if snake in values:
                raise InvalidParameterError(f"Request specifies both '{snake}' and '{name}'; provide only one of them.")
            plain[snake] = value
    return plain


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[0].lower(), name)


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return value if math.isfinite(value) else number_out(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return write(value) if has(type(value)) else value


def number_out(value: float) -> float | str:
    """Return a float64 as the protocol's JSON has it: NaN and infinities are texts."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
