"""YAML text by the safe loader and dumper only; the C ones where libyaml is there."""

from __future__ import annotations

import yaml

from mlcore.errors import InvalidParameterError

_Dumper: type = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def dump_yaml(value: object) -> str:
    """Return *value*, made of plain values, as YAML with sorted keys."""
    return yaml.dump(value, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, sort_keys=True)


def load_yaml(text: str, name: str) -> object:
    """Read plain values from YAML *text*.

    name: what is read, for the message.
    Raises InvalidParameterError: not YAML, or YAML with types other than plain ones; names line and column.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # the loader is the safe one
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidParameterError(f"{name} is not valid YAML{where}: {getattr(err, 'problem', None) or err}") from err
