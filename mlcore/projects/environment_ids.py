"""The id of an environment: the same for the same content, on one machine."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from mlcore.errors import ProjectError
from mlcore.interfaces import EnvironmentSpec
from mlcore.projects.credentials import stripped
from mlcore.projects.requirement_lines import local_paths, option

_LENGTH = 20
_SMALL_BYTES = 16 << 20
# what running or building a project leaves beside its code
_LEFT_OUT = (
    ".*",
    "__pycache__",
    "build",
    "dist",
    "*.egg-info",
    "mlruns",
    "mlartifacts",
    "*.db",
    "*.db-*",
    "*.log",
    "venv",
)
# all that an installation in place takes over; the code itself is seen where it is
_OF_EDITABLE = ("pyproject.toml", "setup.py", "setup.cfg", "requirements*.txt", "MANIFEST.in")


def env_id(manager: str, spec: EnvironmentSpec, python: str) -> str:
    """Return the id of what *manager* makes of *spec* with this version of *python*.

    The order of requirements does not count, that of options such as `--index-url` does. Files and directories that are
    required count by their content, wherever they lie (but for what is installed in place), URLs without their passwords.
    Raises ProjectError: a file that is required is not there.
    """
    content = {
        "manager": manager,
        "python": [python, platform.python_implementation(), platform.system(), platform.machine()],
        "requirements": _digests(spec.requirements),
        "build_requirements": _digests(spec.build_requirements),
        "conda_packages": sorted(spec.conda_packages),
        "channels": [stripped(each) for each in spec.channels],
        "locked": spec.locked,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_LENGTH]


def _digests(lines: Sequence[str]) -> list[list[str]]:
    options = [each for each in lines if option(each) is not None]
    return [_digest(each) for each in (*options, *sorted(set(lines).difference(options)))]


def _digest(line: str) -> list[str]:
    name, paths = (option(line) or ("", ""))[0], local_paths(line)
    text = stripped(line)
    if name != "--editable":  # where it lies does not count, as each checkout of a project lies elsewhere
        for path in paths:
            text = text.replace(path.as_uri(), path.name).replace(str(path), path.name if path.is_file() else "")
    return [text, *(content_of(path, name) for path in paths)]


def content_of(path: Path, option_name: str = "") -> str:
    """Return a digest of what a requirement takes from *path*: of a file, or of all files below a directory.

    option_name: of `--editable` only the metadata counts, of `--find-links` names, sizes, and the content of small files.
    Raises ProjectError: there is nothing at *path*.
    """
    if not path.exists():
        raise ProjectError(f"the project requires {str(path)!r}, which is not there")
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    if option_name == "--find-links":
        for each in sorted(path.iterdir()):
            size = each.stat().st_size
            content = content_of(each) if each.is_file() and size <= _SMALL_BYTES else ""
            digest.update(f"{each.name}\0{size}\0{content}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()
    for each in _files(path):
        name = each.relative_to(path).as_posix()
        if option_name != "--editable" or any(fnmatch.fnmatch(name, pattern) for pattern in _OF_EDITABLE):
            digest.update(f"{name}\0{content_of(each)}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _files(path: Path) -> list[Path]:
    found: list[Path] = []
    for parent, folders, names in os.walk(path):
        folders[:] = [each for each in folders if not _is_left_out(each)]
        found += [Path(parent, each) for each in names if not _is_left_out(each) and Path(parent, each).is_file()]
    return sorted(found)


def _is_left_out(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in _LEFT_OUT)
