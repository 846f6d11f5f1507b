"""YAML read as nodes that know their place, for files that people write: a fault can then name line and column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import yaml
from attrs import define, field, frozen

from mlcore.errors import InvalidParameterError
from mlcore.wire.yaml_text import MAX_DEPTH, compose_nodes

MAX_VISITS = 100_000
_TAG = "tag:yaml.org,2002:"
_PLAIN = {f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null", "timestamp")}
# What PyYAML's constructors raise, by their source, for texts such as 2020-99-99 or `!!bool perhaps`.
_BAD_SCALAR = (ValueError, KeyError, IndexError, AttributeError, OverflowError)

Kind = Literal["mapping", "sequence", "scalar"]


@define
class _Budget:
    """How often nodes may still be looked into: aliases let a short text stand for an endless one."""

    left: int = MAX_VISITS

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise InvalidParameterError(f"its aliases stand for more than {MAX_VISITS} values")


@frozen(eq=False)
class YamlNode:
    """A value of a YAML text.

    line, column: where it begins, counted from 1.
    """

    kind: Kind
    line: int
    column: int
    _node: yaml.Node = field(repr=False)
    _budget: _Budget = field(repr=False)

    @property
    def is_null(self) -> bool:
        """Whether it is `null`, `~` or nothing at all."""
        return bool(self._node.tag == f"{_TAG}null")

    def items(self) -> list[tuple[YamlNode, YamlNode]]:
        """Return keys and values of a mapping as they are written, then those that `<<` merges into it."""
        own: list[tuple[YamlNode, YamlNode]] = []
        merged: list[tuple[YamlNode, YamlNode]] = []
        for key_node, value_node, is_merged in _pairs(self._node, frozenset(), self._budget):
            (merged if is_merged else own).append((self._child(key_node), self._child(value_node)))
        present = {key.text() for key, _ in own}
        for key, value in merged:
            if (text := key.text()) not in present:
                present.add(text)
                own.append((key, value))
        return own

    def elements(self) -> list[YamlNode]:
        """Return the values of a sequence."""
        return [self._child(node) for node in self._node.value] if isinstance(self._node, yaml.SequenceNode) else []

    def text(self) -> str | None:
        """Return a scalar as it is written, without quotes; None for the others."""
        return str(self._node.value) if isinstance(self._node, yaml.ScalarNode) else None

    def value(self) -> object:
        """Return the plain value: text, number, bool, None, date, list or dict.

        Raises InvalidParameterError: a tag that is not of these types, such as `!!python/name`, or aliases without end.
        """
        return self._value(0)

    def _value(self, depth: int) -> object:
        if depth > MAX_DEPTH:
            raise InvalidParameterError(f"it is nested more than {MAX_DEPTH} levels deep")
        if self.kind == "sequence":
            return [element._value(depth + 1) for element in self.elements()]
        if self.kind == "mapping":
            return {str(key._value(depth + 1)): value._value(depth + 1) for key, value in self.items()}
        if self._node.tag not in _PLAIN:
            raise InvalidParameterError(f"values with the tag {self._node.tag!r} are not read")
        try:
            return yaml.constructor.SafeConstructor().construct_object(self._node)
        except _BAD_SCALAR:
            return self._node.value

    def _child(self, node: yaml.Node) -> YamlNode:
        self._budget.spend()
        return _wrapped(node, self._budget)


def compose_yaml(text: str, name: str) -> YamlNode | None:
    """Read YAML *text* and keep the places; None for an empty one.

    name: what is read, for the message.
    Raises InvalidParameterError: not YAML; begins with `NAME:LINE:COLUMN:`.
    """
    try:
        node = compose_nodes(text, name)
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = getattr(err, "problem", None) or getattr(err, "reason", None) or err
        raise InvalidParameterError(f"{where}: not valid YAML: {problem}") from err
    return None if node is None else _wrapped(node, _Budget())


def _wrapped(node: yaml.Node, budget: _Budget) -> YamlNode:
    kind: Kind = "scalar"
    if isinstance(node, yaml.MappingNode):
        kind = "mapping"
    elif isinstance(node, yaml.SequenceNode):
        kind = "sequence"
    return YamlNode(kind, node.start_mark.line + 1, node.start_mark.column + 1, node, budget)


def _pairs(node: yaml.Node, seen: frozenset[int], budget: _Budget) -> Iterator[tuple[yaml.Node, yaml.Node, bool]]:
    budget.spend()
    if not isinstance(node, yaml.MappingNode) or id(node) in seen:
        return
    for key, value in node.value:
        if key.tag != f"{_TAG}merge":
            yield key, value, bool(seen)
            continue
        sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for source in sources:
            for merged_key, merged_value, _ in _pairs(source, seen | {id(node)}, budget):
                yield merged_key, merged_value, True
