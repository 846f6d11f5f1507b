"""The signature of a model: schemas of its input, output and params; as JSON both ways."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import field, frozen

from mlcore.errors import ModelFormatError
from mlcore.models.data_types import AnyType, DataType, Object, ValueType, as_type, parse_type


def _text_name(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


@frozen
class ColSpec:
    """One column: its type, its name (None when columns go by position), and whether it must be there."""

    type: ValueType = field(converter=as_type)
    name: str | None = field(default=None, converter=_text_name)
    required: bool = True

    def __str__(self) -> str:
        shown = f"{self.type} ({'required' if self.required else 'optional'})"
        return shown if self.name is None else f"{self.name!r}: {shown}"

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        named = {} if self.name is None else {"name": self.name}
        return {**self.type.to_dict(), **named, "required": self.required}


def _dtype_name(value: object) -> str:
    """The name of a numpy dtype without importing numpy; texts have no size: `str` for `<U3`."""
    name = str(getattr(value, "name", value))
    for stem in ("str", "bytes"):
        if name.startswith(stem):
            return stem
    return name


def _shape(value: Iterable[int]) -> tuple[int, ...]:
    return tuple(int(n) for n in value)


def _optional_shape(value: Iterable[int] | None) -> tuple[int, ...] | None:
    return None if value is None else _shape(value)


def _params(value: Iterable[ParamSpec]) -> tuple[ParamSpec, ...]:
    return tuple(value)


@frozen
class TensorSpec:
    """An array: numpy dtype by name, and shape, where -1 stands for any length."""

    type: str = field(converter=_dtype_name)
    shape: tuple[int, ...] = field(converter=_shape)
    name: str | None = field(default=None, converter=_text_name)

    def __str__(self) -> str:
        shown = f"tensor({self.type}, shape {self.shape})"
        return shown if self.name is None else f"{self.name!r}: {shown}"

    @property
    def required(self) -> bool:
        """Tensors are always required."""
        return True

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        named: dict[str, object] = {} if self.name is None else {"name": self.name}
        return {**named, "type": "tensor", "tensor-spec": {"dtype": self.type, "shape": list(self.shape)}}


def _checked(inputs: Sequence[ColSpec | TensorSpec]) -> tuple[ColSpec | TensorSpec, ...]:
    specs = tuple(inputs)
    if len({isinstance(s, TensorSpec) for s in specs}) > 1:
        raise ModelFormatError("a schema holds either columns or tensors, got both")
    names = [s.name for s in specs]
    if None in names and any(n is not None for n in names):
        raise ModelFormatError(f"either all or none of a schema's columns have names, got {names!r}")
    if None in names and len(specs) > 1 and isinstance(specs[0], TensorSpec):
        raise ModelFormatError("a schema of more than one tensor needs a name for each")
    twice = {n for n in names if n is not None and names.count(n) > 1} if len(set(names)) < len(names) else set()
    if twice and names[0] is not None:
        raise ModelFormatError(f"a schema's names must be distinct, got more than once: {sorted(map(repr, twice))}")
    return specs


@frozen
class Schema:
    """Columns, or tensors: one without a name, or any number with names."""

    inputs: tuple[ColSpec | TensorSpec, ...] = field(converter=_checked)

    def __iter__(self) -> Iterator[ColSpec | TensorSpec]:
        return iter(self.inputs)

    def __len__(self) -> int:
        return len(self.inputs)

    def __str__(self) -> str:
        return "[" + ", ".join(str(s) for s in self.inputs) + "]"

    @property
    def columns(self) -> tuple[ColSpec, ...]:
        """The columns; empty for tensors."""
        return tuple(s for s in self.inputs if isinstance(s, ColSpec))

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        """The tensors; empty for columns."""
        return tuple(s for s in self.inputs if isinstance(s, TensorSpec))

    def is_tensor_spec(self) -> bool:
        """Whether it describes tensors."""
        return bool(self.inputs) and isinstance(self.inputs[0], TensorSpec)

    def has_input_names(self) -> bool:
        """Whether the columns or tensors go by name."""
        return bool(self.inputs) and self.inputs[0].name is not None

    def input_names(self) -> list[str | int]:
        """Return the names, or positions where there are none."""
        return [i if s.name is None else s.name for i, s in enumerate(self.inputs)]

    def required_input_names(self) -> list[str | int]:
        """Return the names, or positions, of what must be there."""
        return [n for n, s in zip(self.input_names(), self.inputs, strict=True) if s.required]

    def input_types(self) -> list[ValueType | str]:
        """Return the types of the columns, or the dtypes of the tensors."""
        return [s.type for s in self.inputs]

    def to_dict(self) -> list[dict[str, object]]:
        """Return the JSON form."""
        return [s.to_dict() for s in self.inputs]

    def to_json(self) -> str:
        """Return the JSON text that an MLmodel file holds."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str, where: str = "schema") -> Schema:
        """Read the JSON text of an MLmodel file; *where* is its path, for messages.

        Raises ModelFormatError: names the path of what is wrong.
        """
        specs = [_parse_spec(item, f"{where}[{i}]") for i, item in enumerate(_json_list(text, where))]
        try:
            return cls(specs)
        except ModelFormatError as err:
            raise ModelFormatError(f"field `{where}`: {err}") from err


@frozen
class ParamSpec:
    """A param of `predict`: shape None for a scalar, (-1,) for a list."""

    name: str
    dtype: DataType | Object
    default: object = None
    shape: tuple[int, ...] | None = field(default=None, converter=_optional_shape)

    def __str__(self) -> str:
        kind = self.dtype if self.shape is None else f"array({self.dtype})"
        return f"{self.name!r}: {kind} (default {self.default!r})"

    def to_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        shape = None if self.shape is None else list(self.shape)
        return {"name": self.name, "default": _plain_default(self.default), "shape": shape, **self.dtype.to_dict()}


@frozen
class ParamSchema:
    """The params that `predict` knows."""

    params: tuple[ParamSpec, ...] = field(converter=_params)

    def __iter__(self) -> Iterator[ParamSpec]:
        return iter(self.params)

    def __len__(self) -> int:
        return len(self.params)

    def __str__(self) -> str:
        return "[" + ", ".join(str(p) for p in self.params) + "]"

    def to_dict(self) -> list[dict[str, object]]:
        """Return the JSON form."""
        return [p.to_dict() for p in self.params]

    def to_json(self) -> str:
        """Return the JSON text that an MLmodel file holds."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str, where: str = "params") -> ParamSchema:
        """Read the JSON text of an MLmodel file. Raises ModelFormatError: names the path of what is wrong."""
        return cls([_parse_param(item, f"{where}[{i}]") for i, item in enumerate(_json_list(text, where))])


@frozen
class ModelSignature:
    """What a model takes and gives: each part may be unknown."""

    inputs: Schema | None = None
    outputs: Schema | None = None
    params: ParamSchema | None = None

    def __str__(self) -> str:
        parts = (("inputs", self.inputs), ("outputs", self.outputs), ("params", self.params))
        return "\n".join(f"{name}: {part}" for name, part in parts if part is not None)

    def to_dict(self) -> dict[str, object]:
        """Return what an MLmodel file holds under `signature`: a JSON text, or None, for each part."""
        parts = (("inputs", self.inputs), ("outputs", self.outputs), ("params", self.params))
        return {name: None if part is None else part.to_json() for name, part in parts}

    @classmethod
    def from_dict(cls, document: Mapping[str, object], where: str = "signature") -> ModelSignature:
        """Read what an MLmodel file holds under `signature`.

        Raises ModelFormatError: names the path of what is wrong.
        """
        texts = {name: _json_text(document.get(name), f"{where}.{name}") for name in ("inputs", "outputs", "params")}
        inputs, outputs, params = texts["inputs"], texts["outputs"], texts["params"]
        return cls(
            None if inputs is None else Schema.from_json(inputs, f"{where}.inputs"),
            None if outputs is None else Schema.from_json(outputs, f"{where}.outputs"),
            None if params is None else ParamSchema.from_json(params, f"{where}.params"),
        )


def _json_text(value: object, where: str) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, list):  # hand-written files hold the list itself
        return json.dumps(value)
    raise ModelFormatError(f"field `{where}` must be a JSON text, got {value!r}")


def _json_list(text: str, where: str) -> list[Mapping[str, object]]:
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as err:
        raise ModelFormatError(f"field `{where}` must be a JSON text: {err}") from err
    if not isinstance(document, list):
        raise ModelFormatError(f"field `{where}` must be a JSON list, got {_short(document)}")
    for i, item in enumerate(document):
        if not isinstance(item, Mapping):
            raise ModelFormatError(f"field `{where}[{i}]` must be a JSON object, got {_short(item)}")
    return document


def _parse_spec(item: Mapping[str, object], where: str) -> ColSpec | TensorSpec:
    name = item.get("name")
    if item.get("type") != "tensor":
        # `required: null` is what some writers leave for compound types
        return ColSpec(parse_type(item, where), name, item.get("required") is not False)
    spec = item.get("tensor-spec")
    if not isinstance(spec, Mapping) or not isinstance(spec.get("dtype"), str):
        raise ModelFormatError(
            f"field `{where}.tensor-spec` must be a mapping with dtype and shape, got {_short(spec)}"
        )
    shape = spec.get("shape")
    if not isinstance(shape, list) or not all(isinstance(n, int) and n >= -1 for n in shape):
        raise ModelFormatError(f"field `{where}.tensor-spec.shape` must be a list of ints >= -1, got {_short(shape)}")
    return TensorSpec(spec["dtype"], shape, name)


def _parse_param(item: Mapping[str, object], where: str) -> ParamSpec:
    name, shape = item.get("name"), item.get("shape")
    if name is None or "default" not in item:
        raise ModelFormatError(f"field `{where}` must have a name and a default, got {_short(item)}")
    if shape is not None and not (isinstance(shape, list) and all(isinstance(n, int) for n in shape)):
        raise ModelFormatError(f"field `{where}.shape` must be null or a list of ints, got {_short(shape)}")
    dtype = parse_type(item, where)
    if not isinstance(dtype, (DataType, Object)):
        raise ModelFormatError(f"field `{where}.type` must be a scalar type or object, got {str(dtype)!r}")
    return ParamSpec(str(name), dtype, item["default"], shape)


def _plain_default(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return [_plain_default(v) for v in value]
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


__all__ = [
    "AnyType",
    "ColSpec",
    "DataType",
    "ModelSignature",
    "ParamSchema",
    "ParamSpec",
    "Schema",
    "TensorSpec",
]
