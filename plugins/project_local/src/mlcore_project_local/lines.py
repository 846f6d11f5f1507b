"""Lines from output that comes in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_LONGEST = 1 << 20


def lines_of(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield lines without their ends as soon as they are complete; one longer than 1 MiB comes in pieces.

    What is not UTF-8 shows as the replacement character.
    """
    rest = b""
    for piece in pieces:
        *complete, rest = (rest + piece).split(b"\n")
        for line in complete:
            yield _text(line)
        if len(rest) >= _LONGEST:
            yield _text(rest)
            rest = b""
    if rest:
        yield _text(rest)


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "replace")
