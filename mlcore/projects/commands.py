"""Commands of entry points as argv lists, in which a value is always data: no value can become a word of a shell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mlcore.errors import ProjectError
from mlcore.projects.command_code import mark_code, needs_shell
from mlcore.projects.command_model import Hole, Scanned, Word
from mlcore.projects.command_scan import scan
from mlcore.projects.parameters import Argument
from mlcore.projects.spec import EntryPoint

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]*")
_LAST_WORDS = frozenset({"}", "]]", "fi", "done", "esac"})


def checked_template(command: str) -> Scanned:
    """Return a command template as it is understood.

    Raises ProjectError: braces or quotes that do not match; UnsafePlaceError: a parameter where no value can be put safely.
    """
    scanned = scan(command)
    if not scanned.commands and not scanned.script:
        raise ProjectError("the command is empty")
    mark_code(scanned)
    scanned.shell |= len(scanned.commands) != 1 or needs_shell(scanned.commands[0])
    return scanned


def argv(entry: EntryPoint, arguments: Sequence[Argument]) -> tuple[str, ...]:
    """Return the words that run *entry* with *arguments*.

    A command that needs no shell is split once, and the values are put into its words. Any other is run by bash, which
    gets the values in variables, so that they are never text of the script.
    Raises ProjectError: a value stands where another program reads code and is not plain, a parameter has no value, or the
    command's end takes no further words.
    """
    scanned = checked_template(entry.command)
    values = {argument.name: argument.value for argument in arguments}
    extras = [word for each in arguments if not each.declared for word in (f"--{each.name}", each.value)]
    _refuse(entry, scanned, values)
    if scanned.shell:
        return _for_shell(entry, scanned, values, extras)
    words = (
        "".join(part if isinstance(part, str) else values[part.name] for part in word.parts) for word in _words(scanned)
    )
    return (*words, *extras)


def _words(scanned: Scanned) -> Sequence[Word]:
    return [word for command in scanned.commands for word in command.words if word.parts]


def _refuse(entry: EntryPoint, scanned: Scanned, values: Mapping[str, str]) -> None:
    faults = []
    for hole in (piece for piece in scanned.script if isinstance(piece, Hole)):
        if hole.name not in values:
            faults.append(f"parameter {hole.name!r} has no value")
        elif hole.plain and not _PLAIN.fullmatch(values[hole.name]):
            faults.append(
                f"the value {values[hole.name]!r} of parameter {hole.name!r} would be read as code by {hole.plain}, where only "
                "letters, digits and any of _@%+=:,./- are safe; pass it as a word of its own instead, such as "
                f"sh -c 'train \"$1\"' sh {{{hole.name}}}, or in a variable of the environment"
            )
    if faults:
        raise ProjectError(f"entry point {entry.name!r}: " + "\n  ".join(dict.fromkeys(faults)))


def _for_shell(entry: EntryPoint, scanned: Scanned, values: Mapping[str, str], extras: list[str]) -> tuple[str, ...]:
    last = scanned.commands[-1].words[-1].text if scanned.commands else ""
    if extras and (not scanned.open_ended or last in _LAST_WORDS):
        raise ProjectError(
            f"entry point {entry.name!r} has no parameter {extras[0][2:]!r}, and the end of its command takes no further words"
        )
    used = list(dict.fromkeys(piece.name for piece in scanned.script if isinstance(piece, Hole)))
    variables = {name: f"__mlcore_{at}" for at, name in enumerate(used, start=1)}
    script = "".join(
        piece if isinstance(piece, str) else _QUOTED[piece.quoting].format(variables[piece.name])
        for piece in scanned.script
    )
    words = [values[name] for name in used]
    # Variables and not $1: functions, `set --` and `shift` of the script change those.
    for at in range(1, len(extras) + 1):
        script += f' "${{__mlcore_x{at}}}"'
    names = [*variables.values(), *(f"__mlcore_x{at}" for at in range(1, len(extras) + 1))]
    taken = "".join(f"{name}=${{{at}}}; " for at, name in enumerate(names, start=1))
    prelude = f"{taken}shift {len(names)}; " if names else ""
    return ("bash", "-c", prelude + script, "mlcore", *words, *extras)


_QUOTED = {
    "bare": '"${{{}}}"',
    "double": "${{{}}}",
    "single": "'\"${{{}}}\"'",
    "ansi": "'\"${{{}}}\"$'",
    "arithmetic": "${{{}}}",
}
