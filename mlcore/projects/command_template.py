"""The braces of a command: where its parameters stand, by the rules of `str.format`."""

from __future__ import annotations

import string

from attrs import frozen

from mlcore.errors import ProjectError


@frozen
class Slot:
    """The place of a parameter's value in a command."""

    name: str


def pieces(command: str) -> tuple[str | Slot, ...]:
    """Take a command apart into text, in which `{{` and `}}` are single braces already, and the places of parameters.

    Raises ProjectError: a brace without partner, or with anything but a name in it.
    """
    command = _without_lines_at_ends(command)
    try:
        parsed = list(string.Formatter().parse(command))
    except ValueError as err:
        raise ProjectError(f"{str(err).lower()} ({WAY_OUT})") from err
    found: list[str | Slot] = []
    for text, name, form, conversion in parsed:
        if text:
            found.append(text)
        if name is None:
            continue
        if form or conversion or not name or name != name.strip() or any(char in name for char in ".[]{"):
            shown = f"{name}{'!' + conversion if conversion else ''}{':' + form if form else ''}"
            raise ProjectError(f"{{{shown}}} is not the name of a parameter ({WAY_OUT})")
        found.append(Slot(name))
    return tuple(found)


def _without_lines_at_ends(command: str) -> str:
    """Drop what block scalars of YAML have before and after the text, but no blank that a backslash stands before."""
    end = len(command.rstrip())
    backslashes = end - len(command[:end].rstrip("\\"))
    return command[: end + backslashes % 2].lstrip()


def names(command: str) -> tuple[str, ...]:
    """Return the parameters that a command uses, each once. Raises ProjectError: as `pieces`."""
    return tuple(dict.fromkeys(piece.name for piece in pieces(command) if isinstance(piece, Slot)))


WAY_OUT = "write {name} for a parameter, {{ and }} for braces of the command itself"
