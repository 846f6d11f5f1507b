"""Signatures from type hints: a `predict` that takes `list[T]` says what it takes, as MLflow 2.20 and later read it."""

from __future__ import annotations

import datetime as dt
import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from attrs import frozen

from mlcore.errors import InvalidParameterError
from mlcore.models.data_types import AnyType, Array, DataType, Map, Object, Property, ValueType
from mlcore.models.schema import ColSpec, ModelSignature, Schema

if TYPE_CHECKING:
    import pandas as pd

_SCALARS = {
    int: DataType.long,
    str: DataType.string,
    bool: DataType.boolean,
    float: DataType.double,
    bytes: DataType.binary,
    dt.datetime: DataType.datetime,
}
UNKNOWN_OUTPUTS: Schema = Schema([ColSpec(AnyType())])
_UNIONS = (typing.Union, types.UnionType)


@frozen
class TypeHints:
    """Type hints of `predict`; None where there is none. Part of what MLflow asks a Python model for."""

    input: object = None
    output: object = None


class _UnknownHintError(Exception):
    """A hint that no type of a signature stands for."""


def hints_of(predict: Callable[..., object]) -> TypeHints:
    """Return the hints of the model's input, the first argument besides `context`, and of its answer."""
    try:
        hints = typing.get_type_hints(predict)
        names = [name for name in inspect.signature(predict).parameters if name not in ("self", "context")]
    except (
        NameError,
        TypeError,
        ValueError,
        AttributeError,
    ):  # names that exist for type checkers only, or no function
        return TypeHints()
    return TypeHints(hints.get(names[0]) if names else None, hints.get("return"))


def signature_of(hints: TypeHints) -> ModelSignature | None:
    """Return the signature that hints say: one unnamed column, whose type is `T` of `list[T]`.

    None when the input is hinted as anything else than a list of plain values, `Any`, and pydantic models; an answer
    that is hinted as something else, or not at all, is of type any.
    """
    if typing.get_origin(hints.input) is not list:
        return None
    try:
        inputs = _type(typing.get_args(hints.input)[0])
    except _UnknownHintError:
        return None
    try:
        is_list = typing.get_origin(hints.output) is list
        outputs = Schema([ColSpec(_type(typing.get_args(hints.output)[0] if is_list else hints.output))])
    except _UnknownHintError:
        outputs = UNKNOWN_OUTPUTS
    return ModelSignature(inputs=Schema([ColSpec(inputs)]), outputs=outputs)


def as_rows(data: object) -> object:
    """Return the values of a checked frame as a list: of its first column, whatever the name, as hints tell no other."""
    return cast("pd.DataFrame", data).iloc[:, 0].tolist() if type(data).__name__ == "DataFrame" else data


def as_hinted(data: object, hint: object) -> object:
    """Return a list of mappings as instances of the pydantic model that its hint names; anything else as it is.

    Raises InvalidParameterError: a mapping that the model refuses; says which and why.
    """
    if not isinstance(data, list) or typing.get_origin(hint) is not list:
        return data
    model = typing.get_args(hint)[0]
    if not _is_pydantic(model):
        return data
    made = []
    for number, row in enumerate(data):
        try:
            made.append(model(**row) if isinstance(row, Mapping) else row)
        except ValueError as err:  # of which pydantic's own is one
            raise InvalidParameterError(f"row {number} does not fit {model.__name__}: {err}") from err
    return made


def _type(hint: object) -> ValueType:
    if hint is typing.Any:
        return AnyType()
    if isinstance(hint, type) and hint in _SCALARS:
        return _SCALARS[hint]
    if _is_pydantic(hint):
        return _object(hint)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is list and len(args) == 1:
        return Array(_type(args[0]))
    if origin is dict and len(args) == 2 and args[0] is str:
        return Map(_type(args[1]))
    if origin in _UNIONS:
        return AnyType()
    raise _UnknownHintError


def _object(model: object) -> Object:
    properties = []
    for name, field in model.model_fields.items():  # type: ignore[attr-defined]  # of every pydantic model
        hint = field.annotation
        inner = [each for each in typing.get_args(hint) if each is not type(None)]
        is_optional = typing.get_origin(hint) in _UNIONS and len(inner) < len(typing.get_args(hint))
        kind = _type(inner[0]) if is_optional and len(inner) == 1 else _type(hint)
        properties.append(Property(name, kind, required=not is_optional))
    return Object(properties)


def _is_pydantic(hint: object) -> bool:
    base = getattr(sys.modules.get("pydantic"), "BaseModel", None)
    return base is not None and isinstance(hint, type) and issubclass(hint, base)
