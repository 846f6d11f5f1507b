"""How the search language reads and compares values: the definitions that every store shares."""

from __future__ import annotations

import functools
import math
import re
import sys

_LARGEST = sys.float_info.max
# Possessive quantifiers: a text of 6000 digits and a letter is refused in one walk, without a way back.
_NUMBER = r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?"


@functools.cache
def _number() -> re.Pattern[str]:
    return re.compile(_NUMBER)


def param_number(text: str) -> float | None:
    """Return the number that a param's *text* stands for, or None when it is not one.

    A number is an optional sign, ASCII digits with an optional point, and an optional exponent, with nothing
    around it, and finite: `1`, `01`, `-.5`, `5.` and `1e3` are; `''`, ` 1`, `1_000`, `0x10`, `nan`, `inf` and
    `1e400` are not.
    """
    if not _number().fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def clamped(value: float) -> float:
    """Return *value* with the infinities replaced by the largest finite numbers, as searches compare them.

    NaN stays NaN.
    """
    return value if math.isnan(value) else min(max(value, -_LARGEST), _LARGEST)


def like(text: str, pattern: str, *, ignore_case: bool = False) -> bool:
    r"""Tell whether *text* as a whole fits an SQL *pattern*: `%` is any run of characters, `_` any one.

    Line breaks are characters like others, and there is no escape. Ignoring the case compares the `str.lower()`
    of both sides, in any script. The time is at most len(text) * len(pattern).
    """
    if ignore_case:
        return _like(pattern.lower()).fullmatch(text.lower()) is not None
    return _like(pattern).fullmatch(text) is not None


@functools.lru_cache(maxsize=256)
def _like(pattern: str) -> re.Pattern[str]:
    first, *rest = (_literal(piece) for piece in pattern.split("%"))
    if not rest:
        return re.compile(first, re.DOTALL)
    *middle, last = rest
    # Atomic groups: each piece is taken at its first place for good. That is enough, and it never backtracks, so
    # '%a%a%a%a%' costs no more than a walk over the text.
    return re.compile(first + "".join(f"(?>.*?{piece})" for piece in middle if piece) + ".*" + last, re.DOTALL)


def _literal(piece: str) -> str:
    return ".".join(re.escape(part) for part in piece.split("_"))
