"""The values of an entry point's parameters, checked all at once before anything is started."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from attrs import frozen

from mlcore.errors import ProjectError
from mlcore.projects.project_faults import is_float, nearest
from mlcore.projects.spec import EntryPoint, Parameter, ParameterType

# Of a Linux kernel for one word of a command line, its end included.
MAX_VALUE_BYTES = 131_071
# What a search takes for several values: a list with commas, or a function such as range(2,6).
_SEARCHED = re.compile(r"[^()]*,[^()]*|\s*(?:range|uniform|loguniform|choice)\(.*\)\s*")


@frozen
class Argument:
    """A parameter with its value.

    declared: the entry point names it; others are appended to the command as `--name value`.
    """

    name: str
    value: str
    type: ParameterType = ParameterType.STRING
    declared: bool = True


def checked(entry: EntryPoint, given: Mapping[str, object]) -> tuple[Argument, ...]:
    """Return the values for a run of *entry*: those given and the defaults, in the order of the file, then the others.

    Raises ProjectError: lists every parameter that is missing or whose value is not of its type.
    """
    texts = {str(name): str(value) for name, value in given.items()}
    declared = {parameter.name: parameter for parameter in entry.parameters}
    faults: list[str] = []
    arguments: list[Argument] = []
    for parameter in entry.parameters:
        value = texts.get(parameter.name, parameter.default)
        if value is None:
            faults.append(_missing(parameter, [name for name in texts if name not in declared]))
        else:
            faults += _faults(parameter, value)
            arguments.append(Argument(parameter.name, value, parameter.type))
    for name, value in texts.items():
        if name not in declared:
            faults += _name_faults(name) + _faults(Parameter(name), value)
            arguments.append(Argument(name, value, declared=False))
    if len(faults) == 1:
        raise ProjectError(f"entry point {entry.name!r}: {faults[0]}")
    if faults:
        raise ProjectError(
            "\n  ".join([f"entry point {entry.name!r}: {len(faults)} faults in its parameters:", *faults])
        )
    return tuple(arguments)


def _missing(parameter: Parameter, others: list[str]) -> str:
    near = nearest(parameter.name, others)
    hint = f"; {near!r} was given, did you mean {parameter.name!r}?" if near else f" (give -P {parameter.name}=...)"
    return f"parameter {parameter.name!r} of type {parameter.type} has no default and no value was given{hint}"


def _faults(parameter: Parameter, value: str) -> list[str]:
    shown = repr(value) if len(value) <= 80 else f"{value[:77]!r}..."
    if parameter.type is ParameterType.FLOAT and not is_float(value):
        hint = " (to run once per value, add --search grid)" if _SEARCHED.fullmatch(value) else ""
        return [f"parameter {parameter.name!r} is a float, and {shown} is not a number{hint}"]
    if "\0" in value:
        return [f"parameter {parameter.name!r}: {shown} has a NUL character, which no command line can hold"]
    try:
        size = len(os.fsencode(value))
    except UnicodeEncodeError:
        return [f"parameter {parameter.name!r}: {shown} has characters that no command line can hold"]
    if size >= MAX_VALUE_BYTES:
        return [
            f"parameter {parameter.name!r} has {size} bytes, and a command line holds {MAX_VALUE_BYTES} per word; "
            "write it to a file and declare the parameter as a path"
        ]
    return []


def _name_faults(name: str) -> list[str]:
    if name and name[0] not in "-=" and name.isprintable() and not any(char.isspace() or char == "=" for char in name):
        return []
    return [f"{name!r} cannot be the name of a parameter: it becomes the option --NAME of the command"]
