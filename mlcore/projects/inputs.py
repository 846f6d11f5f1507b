"""The parameters that name files: brought to this machine, or made absolute, as their types say."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from attrs import evolve

from mlcore.errors import MlcoreError, ProjectError
from mlcore.projects.parameters import Argument
from mlcore.projects.spec import ParameterType
from mlcore.tracking.session import Session
from mlcore.uris import local_path, redacted, scheme

_URI = re.compile(r"^[A-Za-z][A-Za-z0-9+.\-]+:[^\s\x00-\x1f]+$")


def placed(
    arguments: Sequence[Argument], *, directory: Path, storage: Callable[[], Path], session: Session
) -> tuple[Argument, ...]:
    """Return the arguments as the command gets them.

    path: a local file or directory, absolute. What a URI names is copied below *storage* (`param_0`, `param_1`, ... by its
    place among the arguments), with progress, and not fetched if it was before; of a store on this machine as well.
    uri: a URI as it is, a local path absolute.
    storage: returns a directory for this run alone; asked once, when there is something to be put into it.
    directory: the project's, where relative paths are looked for that are not in the working directory.
    Raises ProjectError: a file is not there, a value is no URI, or a download fails. All faults that can be seen
    without a download are in one message, and nothing is downloaded then.
    """
    faults: list[str] = []
    local: list[Argument] = []
    for argument in arguments:
        try:
            local.append(_local(argument, directory))
        except ProjectError as err:
            faults.append(str(err))
    if faults:
        raise ProjectError("\n".join(faults))
    if not any(map(_is_remote, local)):
        return tuple(local)
    root = storage()
    return tuple(
        _downloaded(argument, root / f"param_{number}", session) if _is_remote(argument) else argument
        for number, argument in enumerate(local)
    )


def _is_remote(argument: Argument) -> bool:
    return argument.type is ParameterType.PATH and scheme(argument.value) != "file"


def _local(argument: Argument, directory: Path) -> Argument:
    if argument.type is ParameterType.PATH and scheme(argument.value) == "file":
        return evolve(argument, value=str(_existing(argument, directory)))
    if argument.type is not ParameterType.URI:
        return argument
    if scheme(argument.value) != "file":
        if not _URI.match(argument.value):
            raise ProjectError(f"parameter {argument.name!r} is a uri, and {argument.value!r} is none: {_URI_FORM}")
        return argument
    if ":" in argument.value and argument.value.lower().startswith("file:"):
        return argument
    return evolve(argument, value=str(_named(argument, directory)))


_URI_FORM = "expected a URI such as 's3://bucket/data.csv', or a path on this machine"


def _existing(argument: Argument, directory: Path) -> Path:
    for path in _candidates(argument, directory):
        if path.exists():
            return path
    tried = " and ".join(repr(str(path)) for path in _candidates(argument, directory))
    raise ProjectError(
        f"parameter {argument.name!r} is a path, and there is no file or directory {argument.value!r}: looked at {tried}"
    )


def _named(argument: Argument, directory: Path) -> Path:
    """Return a path that exists, or that could be made; a typing error in a URI is neither."""
    candidates = _candidates(argument, directory)
    for path in candidates:
        if path.exists():
            return path
    if argument.value.strip() and candidates[0].parent.is_dir():
        return candidates[0]
    raise ProjectError(f"parameter {argument.name!r} is a uri, and {argument.value!r} is none: {_URI_FORM}")


def _candidates(argument: Argument, directory: Path) -> list[Path]:
    try:
        path = local_path(argument.value).expanduser()
    except (MlcoreError, RuntimeError) as err:
        raise ProjectError(f"parameter {argument.name!r} has the value {argument.value!r}: {err}") from err
    if not argument.value.strip():
        raise ProjectError(f"parameter {argument.name!r} is a {argument.type}, and its value is empty")
    if path.is_absolute():
        return [path]
    return list(dict.fromkeys(Path(os.path.abspath(root / path)) for root in (Path.cwd(), directory)))  # noqa: PTH100  # `..` goes before links do, as a shell shows it


def _downloaded(argument: Argument, target: Path, session: Session) -> Argument:
    from mlcore.projects.downloads import brought

    try:
        return evolve(argument, value=str(brought(session, argument.value, target).absolute()))
    except MlcoreError as err:
        raise ProjectError(
            f"parameter {argument.name!r}: {redacted(argument.value)!r} cannot be downloaded: {err}"
        ) from err


def checksums(arguments: Sequence[Argument]) -> Mapping[str, str]:
    """Return the SHA-256 of the content of each path or uri parameter that is a file or directory here, by its name.

    Raises ProjectError: one cannot be read.
    """
    here = {each.name: found for each in arguments if each.type in _NAMES_FILES and (found := _here(each.value))}
    return {name: _checksum(name, path) for name, path in here.items()}


_NAMES_FILES = (ParameterType.PATH, ParameterType.URI)


def _here(value: str) -> Path | None:
    """Return the file or directory of this machine that is named; None for what has no content to be read twice."""
    if scheme(value) != "file":
        return None
    try:
        path = local_path(value)
    except MlcoreError:  # on another machine
        return None
    return path if path.is_file() or path.is_dir() else None


def _checksum(name: str, path: Path) -> str:
    try:
        if path.is_dir():
            from mlcore.projects.source_state import hash_of

            return hash_of(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as err:
        raise ProjectError(f"parameter {name!r}: {str(path)!r} cannot be read: {err.strerror or err}") from err
