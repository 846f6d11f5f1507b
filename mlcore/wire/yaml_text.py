"""YAML text by the safe loader and dumper only; the C ones where libyaml is there."""

from __future__ import annotations

import yaml

from mlcore.errors import InvalidParameterError

_Dumper: type = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


MAX_DEPTH = 100


def dump_yaml(value: object) -> str:
    """Return *value*, made of plain values, as YAML with sorted keys."""
    return yaml.dump(value, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, sort_keys=True)


def load_yaml(text: str, name: str) -> object:
    """Read plain values from YAML *text*.

    name: what is read, for the message.
    Raises InvalidParameterError: not YAML, or YAML with types other than plain ones; names line and column. Also when it is
    nested more than `MAX_DEPTH` levels deep.
    """
    try:
        _refuse_depth(text, name)
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # the loader is the safe one
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidParameterError(f"{name} is not valid YAML{where}: {getattr(err, 'problem', None) or err}") from err


def compose_nodes(text: str, name: str) -> yaml.Node | None:
    """Return the root node of YAML *text*, not deeper than `MAX_DEPTH`, with the places of all nodes.

    Raises InvalidParameterError: nested too deep. yaml.YAMLError: not YAML.
    """
    _refuse_depth(text, name)
    node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    return node


def _refuse_depth(text: str, name: str) -> None:
    """Refuse deep texts before they are composed: the C composer calls itself for each level, and no limit stops it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        if depth > MAX_DEPTH:
            raise InvalidParameterError(f"{name} is nested more than {MAX_DEPTH} levels deep")
