"""What the text of a command consists of: simple commands, words, and places of values in them."""

from __future__ import annotations

from typing import Literal

from attrs import Factory, define

from mlcore.errors import ProjectError

Quoting = Literal["bare", "double", "single", "ansi", "arithmetic"]


class UnsafePlaceError(ProjectError):
    """A parameter stands where no value can be put safely; without parameter there the command would do."""


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
    code: another program reads it as code.
    """

    parts: list[str | Hole] = Factory(list)
    expands: bool = False
    holes: list[Hole] = Factory(list)
    code: bool = False

    @property
    def text(self) -> str:
        """The word, with a space for each value: none of the words that mean something has one."""
        return "".join(part if isinstance(part, str) else " " for part in self.parts)


@define(eq=False)
class Simple:
    """A command without operators.

    redirected: the words behind `<`, `>` and their like, and the texts of here-documents.
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
    grouped: it has brackets around commands, or functions.
    """

    script: list[str | Hole] = Factory(list)
    commands: list[Simple] = Factory(list)
    shell: bool = False
    open_ended: bool = True
    grouped: bool = False
