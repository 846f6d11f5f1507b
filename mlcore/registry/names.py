"""What registered models, versions, aliases and their tags may be called; the same on both sides of a connection."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlcore.errors import InvalidParameterError
from mlcore.wire import limits

TAG_VALUE_LENGTH = 100_000
ALIAS_LENGTH = 255

_ALIAS = re.compile(r"[\w\-]+")
_NUMBERED = re.compile(r"[vV]\d+")


def check_model_name(name: str) -> str:
    """Return *name* if a registered model may have it. Raises InvalidParameterError."""
    usable = isinstance(name, str) and bool(name.strip()) and name not in (".", "..") and name.isprintable()
    if not usable or len(name) > limits.KEY_LENGTH:
        raise InvalidParameterError(
            f"Invalid model name {str(name)[:100]!r}: expected 1 to {limits.KEY_LENGTH} printable characters, "
            "not '.' or '..'"
        )
    if "/" in name or ":" in name:
        raise InvalidParameterError(f"Invalid model name '{name}'. Names cannot contain '/' or ':'.")
    return name


def check_alias(alias: str) -> str:
    """Return *alias* if a version may have it. Raises InvalidParameterError."""
    if not isinstance(alias, str) or not _ALIAS.fullmatch(alias):
        raise InvalidParameterError(
            f"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )
    if alias.lower() == "latest":
        raise InvalidParameterError("'latest' alias name (case insensitive) is reserved.")
    if _NUMBERED.fullmatch(alias):
        raise InvalidParameterError(f"Version alias name '{alias}' is reserved.")
    if len(alias) > ALIAS_LENGTH:
        raise InvalidParameterError(
            f"Invalid alias name: it has {len(alias)} characters, at most {ALIAS_LENGTH} are allowed"
        )
    return alias


def check_registry_tags(given: Mapping[str, object]) -> dict[str, str]:
    """Return checked tags of a model or version, values as text. Raises InvalidParameterError."""
    checked: dict[str, str] = {}
    for key, value in limits.pairs("tags", given):
        text = str(value)
        if len(text) > TAG_VALUE_LENGTH:
            raise InvalidParameterError(
                f"the value of tag {limits.check_key(key)!r} has {len(text)} characters, "
                f"at most {TAG_VALUE_LENGTH} are allowed"
            )
        checked[limits.check_key(key)] = text
    return checked


def check_version(version: str | int) -> str:
    """Return the canonical text of a version number. Raises InvalidParameterError: not a whole number from 0 on."""
    text = str(version)
    if isinstance(version, bool) or not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidParameterError(f"Parameter 'version' must be an integer, got '{text[:50]}'.")
    return str(int(text))
