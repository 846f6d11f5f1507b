"""What stands at the other end of standard output: a person's terminal, or a program."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Mapping
from typing import TextIO

import click
from attrs import frozen

PLAIN_WIDTH = 80  # of plots that go into a file or pipe
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@frozen
class Terminal:
    """How to write for whoever reads.

    is_tty: a person reads; otherwise write plain, whole values.
    color: ANSI colours are welcome.
    width: columns, of a terminal.
    """

    is_tty: bool = False
    color: bool = False
    width: int = PLAIN_WIDTH

    @classmethod
    def of(cls, stream: TextIO, *, no_color: bool = False, environ: Mapping[str, str] = os.environ) -> Terminal:
        """Look at *stream* and the environment: NO_COLOR and TERM=dumb switch colours off, FORCE_COLOR on."""
        is_tty = stream.isatty()
        wanted = is_tty and environ.get("TERM") != "dumb"
        color = (wanted or bool(environ.get("FORCE_COLOR"))) and not environ.get("NO_COLOR") and not no_color
        return cls(is_tty, color, shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns)

    def style(self, text: str, **how: object) -> str:
        """Return *text* in colour when colours are welcome; *how* as in `click.style`."""
        return click.style(text, **how) if self.color and text else text  # type: ignore[arg-type]  # passed through

    def echo(self, text: str = "") -> None:
        """Write a line to standard output."""
        click.echo(text, color=self.color)


def note(text: str) -> None:
    """Write a line for people to standard error, where it does not mix with results."""
    click.echo(text, err=True)


def unicode_output() -> bool:
    """Whether standard output can carry characters beyond ASCII."""
    return (sys.stdout.encoding or "ascii").lower().replace("-", "").startswith("utf")


def visible(text: str) -> str:
    """Return *text* with control characters spelled out, so that no stored name can steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in _BIDI else c
        for c in text
    )


def cells(text: str) -> int:
    """Return how many columns of a terminal *text* takes: wide characters count two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_cell(c) for c in text)


def cut(text: str, width: int) -> str:
    """Return *text* in at most *width* columns; what was cut shows as `…`."""
    if cells(text) <= width:
        return text
    kept, used = [], 0
    for c in text:
        used += _cell(c)
        if used > width - 1:
            break
        kept.append(c)
    return "".join(kept) + "…"


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return *text* filled with spaces to *width* columns; *right* moves it to the right edge."""
    fill = " " * max(0, width - cells(text))
    return fill + text if right else text + fill


def _cell(c: str) -> int:
    if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1
