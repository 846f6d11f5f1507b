"""Read a command as a shell would: its words, whether it needs a shell at all, and how each parameter in it is quoted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from attrs import Factory, define

from mlcore.errors import ProjectError
from mlcore.projects.command_template import Slot, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

Quoting = Literal["bare", "double", "single", "ansi", "arithmetic"]
_BLANK = " \t"
_ENDS_WORD = " \t\n;&|<>()"
_GLOB = "*?[]{}~"


@define(eq=False)
class Hole:
    """The place of one value in a command.

    plain: why only a plain value can stand there; None where any can.
    """

    name: str
    quoting: Quoting
    plain: str | None = None


@define(eq=False)
class Word:
    """A word of a command with its quotes taken away.

    expands: the shell puts something into it, such as the value of a variable.
    holes: all in it, those within `$(...)` included.
    """

    parts: list[str | Hole] = Factory(list)
    expands: bool = False
    holes: list[Hole] = Factory(list)

    @property
    def text(self) -> str:
        """The word, with a space for each value: none of the words that mean something has one."""
        return "".join(part if isinstance(part, str) else " " for part in self.parts)


@define(eq=False)
class Simple:
    """A command without operators.

    redirected: the words behind `<`, `>` and their like.
    piped: it reads what the command before it writes.
    """

    words: list[Word] = Factory(list)
    redirected: list[Word] = Factory(list)
    piped: bool = False


@define(eq=False)
class Scanned:
    """What a command template says.

    script: the text for a shell, in pieces.
    shell: only a shell can run it; otherwise it is the one command of `commands`.
    open_ended: words can be appended to its last command.
    """

    script: list[str | Hole] = Factory(list)
    commands: list[Simple] = Factory(list)
    shell: bool = False
    open_ended: bool = True


def scan(command: str) -> Scanned:
    """Read a command template.

    Raises ProjectError: a quote or bracket that is not closed, or a parameter where no value can be put safely.
    """
    scanner = _Scanner([item for piece in pieces(command) for item in _items(piece)])
    scanner.commands("")
    return scanner.result


def _items(piece: str | Slot) -> list[str | Slot]:
    return [piece] if isinstance(piece, Slot) else list(piece)


class _Scanner:
    def __init__(self, items: list[str | Slot]) -> None:
        self.items = items
        self.at = 0
        self.result = Scanned()
        self.holes: list[Hole] = []
        self.refused: list[str] = []
        self.redirects = False

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
            raise ProjectError(f"parameter {slot.name!r} stands {self.refused[-1]}")
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
            self.commands(")")
        elif self.peek() in ("<", ">") or self.sees("&>"):
            if self.sees("<<") and not self.sees("<<<"):
                self.refused.append("in or after a here-document, where no value can be put safely: use printf")
            while self.peek() in ("<", ">", "&", "|"):
                self.take()
            self.redirects = True
            return current
        else:
            piped = self.peek() == "|" and self.peek(1) != "|"
            self._end(current)
            self.take()
            while self.peek() in tuple(";&|\n"):
                self.take()
            self.result.open_ended = False
            return Simple(piped=piped)
        self.result.open_ended = False
        return Simple()

    def _end(self, command: Simple) -> None:
        if command.words:
            self.result.commands.append(command)

    def _comment(self) -> None:
        while self.at < len(self.items) and self.peek() != "\n":
            self.take()  # values are left out, as they might end the comment
        self.result.shell = True
        self.result.open_ended = False

    def word(self) -> Word:
        word = Word()
        first = len(self.holes)
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
        return word

    def backslash(self, word: Word) -> None:
        self._refuse_escaped()
        if not self.peek(1):
            raise ProjectError("a backslash at the end has nothing to stand before")
        if self.take(2) != "\\\n":
            word.parts.append(str(self.items[self.at - 1]))

    def _refuse_escaped(self) -> None:
        if isinstance(slot := self.peek(1), Slot):
            raise ProjectError(f"parameter {slot.name!r} stands behind a backslash, which would not apply to its value")

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
            raise ProjectError(
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
        self.commands(")")
        first_words = {each.words[0].text for each in self.result.commands[inner:]}
        if "case" in first_words and any(isinstance(item, Slot) for item in self.items[start:]):
            raise ProjectError("a command with parameters cannot have `case` within $(...): call a script instead")

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
