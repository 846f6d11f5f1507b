"""Read a command as a shell would: its words, whether it needs a shell at all, and how each parameter in it is quoted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import frozen

from mlcore.errors import ProjectError
from mlcore.projects.command_model import Hole, Quoting, Scanned, Simple, UnsafePlaceError, Word
from mlcore.projects.command_template import Slot, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLANK = " \t"
_ENDS_WORD = " \t\n;&|<>()"
_GLOB = "*?[]{}~"


def scan(command: str) -> Scanned:
    """Read a command template.

    Raises ProjectError: a quote or bracket that is not closed; UnsafePlaceError: a parameter where no value can be put safely.
    """
    scanner = _Scanner([item for piece in pieces(command) for item in _items(piece)])
    scanner.commands("")
    return scanner.result


def _items(piece: str | Slot) -> list[str | Slot]:
    return [piece] if isinstance(piece, Slot) else list(piece)


@frozen(eq=False)
class _HereDocument:
    """A here-document whose text is still to come.

    strips: `<<-`, which takes the tabs off the beginnings of lines.
    quoted: nothing is expanded in the text.
    """

    command: Simple
    delimiter: str
    strips: bool
    quoted: bool


class _Scanner:
    def __init__(self, items: list[str | Slot]) -> None:
        self.items = items
        self.at = 0
        self.result = Scanned()
        self.holes: list[Hole] = []
        self.refused: list[str] = []
        self.redirects = False
        self.awaited: list[_HereDocument] = []

    def peek(self, ahead: int = 0) -> str | Slot:
        at = self.at + ahead
        return self.items[at] if at < len(self.items) else ""

    def sees(self, text: str) -> bool:
        return all(self.peek(i) == char for i, char in enumerate(text))

    def take(self, count: int = 1) -> str:
        """Copy text to the script."""
        taken = "".join(item for item in self.items[self.at : self.at + count] if isinstance(item, str))
        self.at += count
        self.result.script.append(taken)
        return taken

    def hole(self, slot: Slot, quoting: Quoting) -> Hole:
        self.at += 1
        if self.refused:
            raise UnsafePlaceError(f"parameter {slot.name!r} stands {self.refused[-1]}")
        plain = "arithmetic of the shell" if quoting == "arithmetic" else None
        made = Hole(slot.name, quoting, plain)
        self.result.script.append(made)
        self.holes.append(made)
        return made

    @contextmanager
    def refusing(self, why: str) -> Iterator[None]:
        self.refused.append(why)
        yield
        self.refused.pop()

    def commands(self, until: str) -> None:
        """Read commands up to the closing character *until*; nothing stands for the end."""
        start = self.at
        current = Simple()
        while self.at < len(self.items):
            item = self.peek()
            if isinstance(item, str) and item in _BLANK:
                self.take()
            elif item == ")" and until:
                self.take()
                self._end(current)
                return
            elif item == "#":
                self._comment()
            elif self.sees("\\\n"):
                self.take(2)
            elif isinstance(item, Slot) or item not in _ENDS_WORD or self.sees("<(") or self.sees(">("):
                (current.redirected if self.redirects else current.words).append(self.word())
                self.redirects = False
                self.result.open_ended = not until
            else:
                current = self._operator(current)
        if until:
            raise self._unclosed(until, start)
        self._end(current)

    def _operator(self, current: Simple) -> Simple:
        self.result.shell = True
        if self.sees("(("):
            self.take(2)
            self.arithmetic()
        elif self.peek() == "(":
            self._end(current)
            self.take()
            self.result.grouped = True
            self.commands(")")
        elif self.peek() in ("<", ">") or self.sees("&>"):
            if self.sees("<<") and not self.sees("<<<"):
                self._here_document(current)
                return current
            while self.peek() in ("<", ">", "&", "|"):
                self.take()
            self.redirects = True
            return current
        else:
            piped = self.peek() == "|" and self.peek(1) != "|"
            self._end(current)
            self._separator()
            while self.peek() in tuple(";&|\n"):
                self._separator()
            self.result.open_ended = False
            return Simple(piped=piped)
        self.result.open_ended = False
        return Simple()

    def _separator(self) -> None:
        if self.take() == "\n":
            self._texts()

    def _here_document(self, command: Simple) -> None:
        self.take(2)
        strips = self.peek() == "-"
        self.take(1 if strips else 0)
        while self.peek() in tuple(_BLANK):
            self.take()
        start = self.at
        with self.refusing("in the delimiter of a here-document"):
            delimiter = self.word()
        quoted = any(item in ("'", '"', "\\") for item in self.items[start : self.at])
        self.awaited.append(_HereDocument(command, delimiter.text, strips, quoted))
        if delimiter.expands:
            self.refused.append("after a here-document whose delimiter is not a plain word")

    def _texts(self) -> None:
        """Read the texts of the here-documents that begin at the end of this line."""
        awaited, self.awaited = self.awaited, []
        for each in awaited:
            text = Word()
            first = len(self.holes)
            at_start = True
            while self.at < len(self.items) and not (at_start and self._delimits(each)):
                at_start = self.peek() == "\n"
                self._of_here_document(each, text)
            text.holes = self.holes[first:]
            each.command.redirected.append(text)
            if not each.command.words and self.result.commands:  # behind a group of commands
                self.result.commands[-1].redirected.append(text)

    def _delimits(self, document: _HereDocument) -> bool:
        """Take the line at hand if it is the delimiter, without the line break after it."""
        end = self.at
        while end < len(self.items) and self.items[end] != "\n":
            end += 1
        line = self.items[self.at : end]
        text = "".join(item for item in line if isinstance(item, str))
        found = (text.lstrip("\t") if document.strips else text) == document.delimiter
        if not found or any(isinstance(item, Slot) for item in line):
            return False
        self.take(len(line))
        return True

    def _of_here_document(self, document: _HereDocument, text: Word) -> None:
        item = self.peek()
        if document.quoted:
            with self.refusing(f"in a here-document with quotes around its delimiter: write <<{document.delimiter}"):
                text.parts.append(self.hole(item, "double") if isinstance(item, Slot) else self.take())
        elif isinstance(item, Slot):
            text.parts.append(self.hole(item, "double"))
        elif item == "\\":
            self._refuse_escaped()
            text.parts.append(self.take(2))
        elif item == "$" and self.peek(1) not in ("'", '"'):
            self.dollar(text)
        elif item == "`":
            self.backtick(text)
        else:
            text.parts.append(self.take())

    def _end(self, command: Simple) -> None:
        if command.words:
            self.result.commands.append(command)
        elif self.result.commands:  # behind a group of commands
            self.result.commands[-1].redirected += command.redirected

    def _comment(self) -> None:
        while self.at < len(self.items) and self.peek() != "\n":
            self.take()  # values are left out, as they might end the comment
        self.result.shell = True
        self.result.open_ended = False

    def word(self) -> Word:
        word = Word()
        first, start = len(self.holes), self.at
        while self.at < len(self.items):
            item = self.peek()
            if isinstance(item, Slot):
                word.parts.append(self.hole(item, "bare"))
            elif self.sees("<(") or self.sees(">("):
                self._nested(word, 2)
            elif item in _ENDS_WORD:
                break
            elif item in _READERS:
                _READERS[item](self, word)
            else:
                self.result.shell |= item in _GLOB
                word.parts.append(self.take())
        word.holes = self.holes[first:]
        if self.awaited and "\n" in self.items[start : self.at]:
            self.refused.append("after a here-document whose first line goes on in the next one")
        return word

    def backslash(self, word: Word) -> None:
        self._refuse_escaped()
        if not self.peek(1):
            raise ProjectError("a backslash at the end has nothing to stand before")
        if self.take(2) != "\\\n":
            word.parts.append(str(self.items[self.at - 1]))

    def _refuse_escaped(self) -> None:
        if isinstance(slot := self.peek(1), Slot):
            raise UnsafePlaceError(
                f"parameter {slot.name!r} stands behind a backslash, which would not apply to its value"
            )

    def single(self, word: Word) -> None:
        self._quoted("'", "single", word)

    def _quoted(self, opening: str, quoting: Quoting, word: Word) -> None:
        start = self.at
        self.take(len(opening))
        word.parts.append("")
        while self.peek() != "'":
            if self.at >= len(self.items):
                raise self._unclosed("'", start)
            item = self.peek()
            if isinstance(item, Slot):
                word.parts.append(self.hole(item, quoting))
            elif quoting == "ansi" and item == "\\":
                self._refuse_escaped()
                word.parts.append(self.take(2))
            else:
                word.parts.append(self.take())
        self.take()

    def double(self, word: Word) -> None:
        start = self.at
        self.take()
        word.parts.append("")
        while self.peek() != '"':
            if self.at >= len(self.items):
                raise self._unclosed('"', start)
            item = self.peek()
            if isinstance(item, Slot):
                word.parts.append(self.hole(item, "double"))
            elif item == "\\":
                self._refuse_escaped()
                escaped = self.take(2)
                if escaped != "\\\n":
                    word.parts.append(escaped[1:] if escaped[1:] in tuple('$`"\\') else escaped)
            elif item == "$" and self.peek(1) not in ("'", '"'):
                self.dollar(word)
            elif item == "`":
                self.backtick(word)
            else:
                word.parts.append(self.take())
        self.take()

    def backtick(self, word: Word) -> None:
        start = self.at
        self.result.shell = word.expands = True
        self.take()
        with self.refusing("between backticks, whose quoting is a trap: write $(...)"):
            while self.peek() != "`":
                if self.at >= len(self.items):
                    raise self._unclosed("`", start)
                if isinstance(slot := self.peek(), Slot):
                    self.hole(slot, "bare")
                self.take(2 if self.peek() == "\\" and isinstance(self.peek(1), str) else 1)
        self.take()

    def dollar(self, word: Word) -> None:
        after = self.peek(1)
        if isinstance(after, Slot):
            raise UnsafePlaceError(
                f"parameter {after.name!r} stands behind a $; write ${{{{{after.name}}}}} for a variable of the shell, "
                f"{{{after.name}}} for the parameter"
            )
        self.result.shell = word.expands = True
        if self.sees("$(("):
            self.take(3)
            self.arithmetic()
        elif after == "(":
            self._nested(word, 2)
        elif after == "{":
            self._expansion("}", "${...}, where it cannot be put safely: assign it to a variable first")
        elif after == "[":
            self._expansion("]", "$[...]: write $((...))")
        elif after == "'":
            self._quoted("$'", "ansi", word)
        else:
            word.parts.append(self.take())

    def _nested(self, word: Word, opening: int) -> None:
        start = self.at
        self.result.shell = word.expands = True
        self.take(opening)
        inner = len(self.result.commands)
        awaited = len(self.awaited)
        self.commands(")")
        if len(self.awaited) > awaited:
            self.refused.append("after a here-document in $(...) that has no text there")
        first_words = {each.words[0].text for each in self.result.commands[inner:]}
        if "case" in first_words and any(isinstance(item, Slot) for item in self.items[start:]):
            raise UnsafePlaceError("a command with parameters cannot have `case` within $(...): call a script instead")

    def _expansion(self, closing: str, why: str) -> None:
        start = self.at
        self.take(2)
        ignored = Word()
        with self.refusing(f"within {why}"):
            while self.peek() != closing:
                if self.at >= len(self.items):
                    raise self._unclosed(closing, start)
                item = self.peek()
                if isinstance(item, Slot):
                    self.hole(item, "bare")
                elif item in _READERS:
                    _READERS[item](self, ignored)
                else:
                    self.take()
        self.take()

    def arithmetic(self) -> None:
        start = self.at
        depth = 2
        ignored = Word()
        while depth:
            if self.at >= len(self.items):
                raise self._unclosed("))", start)
            item = self.peek()
            if isinstance(item, Slot):
                self.hole(item, "arithmetic")
                continue
            if item == "$":
                self.dollar(ignored)
                continue
            depth += {"(": 1, ")": -1}.get(item, 0)
            self.take()

    def _unclosed(self, closing: str, start: int) -> ProjectError:
        shown = "".join(item if isinstance(item, str) else f"{{{item.name}}}" for item in self.items[start:])[:40]
        return ProjectError(f"the closing {closing} is missing for what begins with {shown!r}")


_READERS: dict[str, Callable[[_Scanner, Word], None]] = {
    "\\": _Scanner.backslash,
    "'": _Scanner.single,
    '"': _Scanner.double,
    "`": _Scanner.backtick,
    "$": _Scanner.dollar,
}
