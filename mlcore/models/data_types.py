"""The types of a signature: scalars and the compound types array, object, map and any; as JSON both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias

from attrs import field, frozen

from mlcore.errors import ModelFormatError

_MAX_DEPTH = 32


class DataType(StrEnum):
    """A scalar type; names are those of the MLmodel format, so `DataType.long` and `DataType("long")` are one."""

    boolean = "boolean"
    integer = "integer"
    long = "long"
    float = "float"
    double = "double"
    string = "string"
    binary = "binary"
    datetime = "datetime"

    @property
    def numpy_name(self) -> str:
        """The numpy dtype in which a column of this type is kept: `int64` for long, `object` for string."""
        return _NUMPY_NAMES[self]

    @property
    def is_number(self) -> bool:
        """Whether it is an integer or a floating-point type."""
        return self in (DataType.integer, DataType.long, DataType.float, DataType.double)

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {"type": self.value}


_NUMPY_NAMES = {
    DataType.boolean: "bool",
    DataType.integer: "int32",
    DataType.long: "int64",
    DataType.float: "float32",
    DataType.double: "float64",
    DataType.string: "object",
    DataType.binary: "object",
    DataType.datetime: "datetime64[ns]",
}


def as_type(value: object) -> ValueType:
    """Return the type for a `DataType`, a compound type, or the name of a scalar type.

    Raises ModelFormatError: neither of these.
    """
    if isinstance(value, (DataType, Array, Object, Map, AnyType, SparkMLVector)):
        return value
    if isinstance(value, str) and value in DataType.__members__:
        return DataType(value)
    raise ModelFormatError(f"unknown data type {value!r}: expected one of {', '.join(DataType.__members__)}")


@frozen
class AnyType:
    """A value of which nothing is known."""

    def __str__(self) -> str:
        return "any"

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {"type": "any"}


@frozen
class SparkMLVector:
    """A vector of Spark ML: an array of doubles for everybody else."""

    def __str__(self) -> str:
        return "sparkml_vector"

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {"type": "sparkml_vector"}


@frozen
class Array:
    """A list whose items have one type."""

    items: ValueType = field(converter=as_type)

    def __str__(self) -> str:
        return f"array({self.items})"

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {"type": "array", "items": self.items.to_dict()}


@frozen
class Map:
    """A mapping from texts to values of one type."""

    values: ValueType = field(converter=as_type)

    def __str__(self) -> str:
        return f"map({self.values})"

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {"type": "map", "values": self.values.to_dict()}


@frozen
class Property:
    """A named member of an object."""

    name: str
    dtype: ValueType = field(converter=as_type)
    required: bool = True

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype}" + ("" if self.required else " (optional)")

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form, without the name."""
        return {**self.dtype.to_dict(), "required": self.required}


def _by_name(properties: Sequence[Property]) -> tuple[Property, ...]:
    # the format keeps properties in a map: their order means nothing, so equality must not depend on it
    return tuple(sorted(properties, key=lambda p: p.name))


@frozen
class Object:
    """A mapping with known members; others are not allowed."""

    properties: tuple[Property, ...] = field(converter=_by_name)

    def __str__(self) -> str:
        return "{" + ", ".join(str(p) for p in self.properties) + "}"

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {"type": "object", "properties": {p.name: p.to_dict() for p in self.properties}}


ValueType: TypeAlias = DataType | Array | Object | Map | AnyType | SparkMLVector


def parse_type(document: Mapping[str, object], where: str, depth: int = 0) -> ValueType:
    """Read a type from its JSON form.

    where: path of *document*, for messages. The spelling `dtype` for `type` is accepted.
    Raises ModelFormatError: an unknown type, or a compound type without its parts; names the path.
    """
    if depth > _MAX_DEPTH:
        raise ModelFormatError(f"field `{where}` is nested more than {_MAX_DEPTH} levels deep")
    kind = document.get("type", document.get("dtype"))
    if kind == "array":
        return Array(parse_type(_member(document, "items", where), f"{where}.items", depth + 1))
    if kind == "map":
        return Map(parse_type(_member(document, "values", where), f"{where}.values", depth + 1))
    if kind == "object":
        return _parse_object(document, where, depth)
    if kind == "any":
        return AnyType()
    if kind == "sparkml_vector":
        return SparkMLVector()
    if isinstance(kind, str) and kind in DataType.__members__:
        return DataType(kind)
    known = ", ".join([*DataType.__members__, "array", "object", "map", "any"])
    raise ModelFormatError(f"field `{where}.type` must be one of {known}, got {kind!r}")


def _parse_object(document: Mapping[str, object], where: str, depth: int) -> Object:
    properties = _member(document, "properties", where)
    parsed = []
    for name, member in properties.items():
        path = f"{where}.properties.{name}"
        if not isinstance(member, Mapping):
            raise ModelFormatError(f"field `{path}` must be a mapping, got {member!r}")
        parsed.append(Property(str(name), parse_type(member, path, depth + 1), bool(member.get("required", True))))
    return Object(parsed)


def _member(document: Mapping[str, object], name: str, where: str) -> Mapping[str, object]:
    value = document.get(name)
    if not isinstance(value, Mapping):
        raise ModelFormatError(f"field `{where}.{name}` must be a mapping, got {value!r}")
    return value
