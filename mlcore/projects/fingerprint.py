"""The fingerprint of a step: equal when its code, command, parameters, inputs and environment are."""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlcore.interfaces import EnvironmentSpec
from mlcore.projects.spec import EntryPoint, ParameterType

if TYPE_CHECKING:
    from mlcore.projects.parameters import Argument

_FORMAT = 1  # part of every fingerprint; a greater one makes old runs strangers
_LOCAL = "local"
_INSTALLED = (".dist-info", ".egg-info")


def of(
    source_identity: str,
    entry: EntryPoint,
    arguments: Sequence[Argument],
    checksums: Mapping[str, str],
    environment: EnvironmentSpec,
    *,
    manager: str = _LOCAL,
    directory: Path | None = None,
) -> str:
    """Return the fingerprint of a run: 64 hexadecimal digits, or nothing where the code has no identity.

    source_identity: of the code's content. checksums: of the content behind parameters, by their name; a path counts by
    it alone, wherever it lies, and a uri by its text as well, as the command may write there.
    environment: what the command needs, made by *manager*; with `local` what is installed here counts as well.
    directory: of the project; where it lies makes no difference.
    """
    if not source_identity:
        return ""
    root = str(directory) if directory else "\0"
    values = [_value(each, checksums.get(each.name), root) for each in arguments]
    said = [_FORMAT, source_identity, entry.name, entry.command, values, manager, _environment(environment, directory)]
    if manager == _LOCAL:
        said.append(_here(tuple(sys.path)))
    return hashlib.sha256(json.dumps(said, ensure_ascii=True).encode()).hexdigest()


def _value(argument: Argument, checksum: str | None, root: str) -> list[object]:
    text = argument.value.replace(root, ".")
    if checksum is None:
        return [argument.name, "value", text, argument.declared]
    if argument.type is ParameterType.URI:
        return [argument.name, "content", checksum, argument.declared, text]
    return [argument.name, "content", checksum, argument.declared]


def _environment(spec: EnvironmentSpec, directory: Path | None) -> list[object]:
    def text(line: str) -> str:
        return line.replace(str(directory), ".") if directory else line

    image = spec.image
    return [
        spec.python,
        [text(line) for line in spec.requirements],
        [text(line) for line in spec.build_requirements],
        list(spec.conda_packages),
        list(spec.channels),
        spec.locked,
        [image.name, image.volumes, image.environment, image.options, image.build] if image else None,
    ]


@functools.lru_cache(maxsize=2)
def _here(path: tuple[str, ...]) -> list[str]:
    """Return the interpreter and the distributions beside it, by the names of their directories, which have the version."""
    found: set[str] = set()
    for place in path:
        folder = Path(place or ".")
        if folder.is_dir():
            found.update(each.name for each in folder.iterdir() if each.name.endswith(_INSTALLED))
    return [platform.python_implementation(), platform.python_version(), *sorted(found)]
