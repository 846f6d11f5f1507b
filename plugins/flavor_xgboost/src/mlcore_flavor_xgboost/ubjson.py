"""Look whether a file of UBJSON is whole: XGBoost reads on behind the end of one that is cut short."""

from __future__ import annotations

# bytes of the value behind each marker
_SIZES = {b"Z": 0, b"N": 0, b"T": 0, b"F": 0, b"i": 1, b"U": 1, b"C": 1, b"I": 2, b"l": 4, b"d": 4, b"L": 8, b"D": 8}
_INTEGERS = b"iUIlL"


def check_whole(data: bytes) -> None:
    """Pass when *data* is one object of UBJSON. Raises ValueError: it is not, or ends before its end."""
    if not data.startswith(b"{") or _behind(data, 0) != len(data):
        raise ValueError("no whole object of UBJSON")


def _behind(data: bytes, at: int, marker: bytes = b"") -> int:
    """Return the place behind the value at *at*; its marker stands there unless it was given before, for all items."""
    if not marker:
        marker, at = data[at : at + 1], at + 1
    if marker in _SIZES:
        return at + _SIZES[marker]
    if marker in (b"S", b"H"):
        length, at = _length(data, at)
        return at + length
    if marker == b"{":
        while data[at : at + 1] != b"}":
            length, at = _length(data, at)
            at = _behind(data, at + length)
        return at + 1
    if marker == b"[":
        return _behind_array(data, at)
    raise ValueError(f"no value of UBJSON at byte {at}")


def _behind_array(data: bytes, at: int) -> int:
    item = b""
    if data[at : at + 1] == b"$":
        item, at = data[at + 1 : at + 2], at + 2
        if data[at : at + 1] != b"#":  # items of one type are counted
            raise ValueError(f"no length at byte {at}")
    if data[at : at + 1] != b"#":
        while data[at : at + 1] != b"]":
            at = _behind(data, at)
        return at + 1
    count, at = _length(data, at + 1)
    if item in _SIZES:
        return at + count * _SIZES[item]
    for _ in range(count):
        at = _behind(data, at, item)
    return at


def _length(data: bytes, at: int) -> tuple[int, int]:
    marker = data[at : at + 1]
    if not marker or marker not in _INTEGERS:
        raise ValueError(f"no length at byte {at}")
    end = at + 1 + _SIZES[marker]
    length = int.from_bytes(data[at + 1 : end], "big", signed=marker != b"U")
    if end > len(data) or length < 0:
        raise ValueError(f"no length at byte {at}")
    return length, end
