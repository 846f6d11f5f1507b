"""Names of fields in filters and orders: from tokens to entity, key and aggregate."""

from __future__ import annotations

from collections.abc import Sequence

from mlcore.errors import FilterError
from mlcore.wire.filter_fields import Name
from mlcore.wire.filter_tokens import Token


def read_name(tokens: Sequence[Token], at: int, text: str) -> tuple[Name, int]:
    """Read the name that begins at token number *at*, a word or a quoted text.

    Returns the name and the number of the token after it.
    Raises FilterError: something is glued to a quoted key.
    """
    first = tokens[at]
    if first.kind == "quoted":
        return Name(None, first.text[1:-1], True, None, first, first.column), at + 1
    after = tokens[at + 1]
    if first.text.endswith(".") and after.kind == "quoted" and after.column == first.end:
        return _quoted_key(tokens, at, text)
    entity, dot, key = first.text.partition(".")
    if not dot:
        key, at = _with_space(entity, after, at)
        return Name(None, key, False, None, first, first.column), at + 1
    if key.lower() == "run":  # attributes.run name
        key, at = _with_space(key, after, at)
    return Name(entity, key, False, None, first, first.column + len(entity) + 1), at + 1


def _with_space(word: str, after: Token, at: int) -> tuple[str, int]:
    # MLflow takes `run name` without quotes as well; no other key may hold a bare space.
    if word.lower() == "run" and after.kind == "word" and after.text.lower() == "name":
        return f"{word} {after.text}", at + 1
    return word, at


def _quoted_key(tokens: Sequence[Token], at: int, text: str) -> tuple[Name, int]:
    first, key = tokens[at], tokens[at + 1]
    after = tokens[at + 2]
    glued = after.kind in ("word", "number", "quoted") and after.column == key.end
    if glued and not (after.kind == "word" and after.text.startswith(".")):
        raise FilterError(f"unexpected {after.shown} right after the quoted key {key.text}", text, after.column)
    suffix = after.text[1:] if glued else None
    name = Name(first.text[:-1], key.text[1:-1], True, suffix, first, key.column)
    return name, at + (3 if glued else 2)
