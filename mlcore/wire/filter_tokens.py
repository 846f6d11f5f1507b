"""The tokens of the search language: words, numbers, quoted texts, comparators and punctuation."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from mlcore.errors import FilterError

# What people write out of habit from other languages, and what to write here.
_STRANGE = {
    ";": "a filter is one expression; join comparisons with AND",
    "+": "numbers are written without a plus sign",
    "[": "lists are written in parentheses: IN ('a', 'b')",
    "{": "lists are written in parentheses: IN ('a', 'b')",
    "‘": "use the straight quotes ' or \"",  # noqa: RUF001 - the curly quote is what is looked for
    "’": "use the straight quotes ' or \"",  # noqa: RUF001 - the curly quote is what is looked for
    "“": "use the straight quotes ' or \"",
    "”": "use the straight quotes ' or \"",
}


class Token(NamedTuple):
    """A piece of the text.

    kind: `word`, `number`, `quoted`, `op`, `end`, or the punctuation mark itself: `(`, `)`, `,`.
    text: as written, quotes included; empty for `end`.
    column: 0-based.
    """

    kind: str
    text: str
    column: int

    @property
    def end(self) -> int:
        """The column after the token."""
        return self.column + len(self.text)

    @property
    def is_text(self) -> bool:
        """Whether it is a value in quotes; backticks are for keys only."""
        return self.kind == "quoted" and self.text[0] != "`"

    @property
    def shown(self) -> str:
        """The token as error messages name it, at most about 80 characters."""
        text = self.text if len(self.text) <= 60 else f"{self.text[:50]}..."
        if self.kind == "number":
            return f"the number {text}"
        if self.kind == "quoted":
            return f"the quoted text {text}"
        return "the end" if self.kind == "end" else repr(text)


@functools.cache
def _pattern() -> re.Pattern[str]:
    # Made at the first search: most programs only log. The characters of words are those of MLflow's key names but
    # for the space, so that only keys with spaces need quotes.
    return re.compile(
        r"\s*(?:"
        r"(?P<number>-?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?(?![\w./:\-]))"
        r"|(?P<word>[\w./:\-]+)"
        r"|(?P<op>[<>=!&|~]+)"
        r"|(?P<quoted>'[^']*'|\"[^\"]*\"|`[^`]*`)"
        r"|(?P<mark>[(),])"
        r"|(?P<strange>\S))"
    )


def tokenize(text: str) -> list[Token]:
    """Cut *text* into tokens; the last one is `end`.

    There is no escape inside quotes, as in MLflow: a text with `'` goes into double quotes and the other way round.
    Raises FilterError: a quote that is never closed, or a character that the language does not have.
    """
    tokens = []
    for match in _pattern().finditer(text):
        kind = match.lastgroup or ""
        piece = match[kind]
        column = match.start(kind)
        if kind == "strange":
            raise _strange(text, piece, column)
        tokens.append(Token(piece if kind == "mark" else kind, piece, column))
    tokens.append(Token("end", "", len(text.rstrip())))
    return tokens


def _strange(text: str, piece: str, column: int) -> FilterError:
    if piece in "'\"`":
        return FilterError(f"the quote {piece} is never closed", text, column)
    hint = _STRANGE.get(piece, "text values need single or double quotes, keys with special characters need backticks")
    return FilterError(f"unexpected character {piece!r}: {hint}", text, column)
