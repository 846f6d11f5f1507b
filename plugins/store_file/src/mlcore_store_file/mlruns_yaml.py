"""The `meta.yaml` files of an `mlruns` tree, read safely and fast.

Nearly all of them are flat lists of `key: value`. Those are read line by line, sixty times faster than by a YAML parser;
the parser, the safe one, reads all that has anything unusual.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlcore.errors import InvalidParameterError
from mlcore.wire.yaml_text import dump_yaml, load_yaml

_LINE = re.compile(
    r"(?P<key>[a-z_]+):(?: (?:"
    r"(?P<int>-?(?:0|[1-9][0-9]{0,18}))"
    r"|'(?P<quoted>[^'\n]*)'"
    r"|(?P<empty>null|\[\])"
    r"|(?P<id>(?!0b)(?=[0-9]*[a-f])[0-9a-f]{32})"
    r"|(?P<plain>[A-Za-z/](?:[A-Za-z0-9_/.\-]|:(?=[A-Za-z0-9_/.\-]))*)"
    r"))"
)
# Plain words that YAML takes for something else than a text.
_NOT_TEXT = frozenset({"null", "true", "false", "yes", "no", "on", "off"})


def read_meta(text: str, name: str) -> dict[str, object]:
    """Read the fields of a `meta.yaml`.

    name: the file, for the message.
    Raises InvalidParameterError: not YAML, empty, or no mapping of names.
    """
    flat = _flat(text)
    if flat is not None:
        return flat
    found = load_yaml(text, name)
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise InvalidParameterError(f"{name} holds no fields: expected lines such as 'experiment_id: '0''")
    return found


def write_meta(fields: Mapping[str, object]) -> str:
    """Return the text of a `meta.yaml`, as MLflow writes it: sorted keys, one a line."""
    return dump_yaml(dict(fields))


def _flat(text: str) -> dict[str, object] | None:
    """Read a flat file; None when there is anything in it that only a parser understands."""
    found: dict[str, object] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None or match["key"] in found:
            return None
        kind = match.lastgroup
        if kind == "int":
            found[match["key"]] = int(match["int"])
        elif kind == "empty":
            found[match["key"]] = None if match["empty"] == "null" else []
        elif kind in ("quoted", "id"):
            found[match["key"]] = match[kind]
        elif match["plain"].lower() in _NOT_TEXT:
            return None
        else:
            found[match["key"]] = match["plain"]
    return found or None
