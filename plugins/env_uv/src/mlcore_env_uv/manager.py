"""Environments made by uv."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlcore.errors import MissingDependencyError
from mlcore.interfaces import EnvironmentSpec
from mlcore.projects.interpreters import Interpreter
from mlcore.projects.python_environments import PythonEnvironments, program_of, run_installer, written
from mlcore.projects.requirement_lines import option

# options of pip in a requirements file that uv knows by other names, and on its command line only
_OTHERWISE = {"--pre": "--prerelease=allow", "--trusted-host": "--allow-insecure-host"}
# what pip is told by variables counts for uv where it is told nothing itself
_AS_PIP = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_NO_INDEX": "UV_NO_INDEX",
    "PIP_CERT": "SSL_CERT_FILE",
}


class UvManager(PythonEnvironments):
    """Make environments by `uv venv` and `uv pip install`; an environment that is there is found without uv."""

    name = "uv"

    def install(self, directory: Path, python: Interpreter, spec: EnvironmentSpec) -> None:
        """Make an environment at *directory* and install what *spec* asks for into it.

        Raises ProjectError: in uv's own words. MissingDependencyError: uv is not there.
        """
        uv, env = program(), _as_pip(os.environ)
        with tempfile.TemporaryDirectory(prefix="mlcore-env-") as folder:
            home = Path(folder)
            options = ["--quiet", "--no-python-downloads", "--python", str(python.path)]
            run_installer("uv", [uv, "venv", *options, str(directory)], cwd=home)
            into = [uv, "pip", "install", "--quiet", "--python", str(program_of(directory, "python"))]
            for lines in (spec.build_requirements, spec.requirements):
                if lines:
                    known, flags = _for_uv(lines)
                    file = written(known, home / "requirements.txt")
                    exact = ["--no-deps"] if spec.locked else []
                    run_installer("uv", [*into, *flags, *exact, "-r", str(file)], cwd=home, env=env)


def program() -> str:
    """Return the path of uv: the one beside this interpreter, the one of the package `uv`, or the first on PATH.

    Raises MissingDependencyError: it is nowhere.
    """
    beside = program_of(Path(sys.executable).parent.parent, "uv")
    if beside.is_file():
        return str(beside)
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise MissingDependencyError("uv is not there: pip install uv, or use --env-manager virtualenv")
    return found


def _for_uv(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split *lines* into those that uv reads from a file and flags for what it does not."""
    known, flags = [], []
    for line in lines:
        name, value = option(line) or ("", "")
        if name in _OTHERWISE:
            flags += [_OTHERWISE[name], *([value] if value else [])]
        else:
            known.append(line)
    return known, flags


def _as_pip(environ: Mapping[str, str]) -> dict[str, str]:
    told = {uvs: environ[pips] for pips, uvs in _AS_PIP.items() if environ.get(pips) and uvs not in environ}
    if any(name in environ for name in ("UV_INDEX_URL", "UV_EXTRA_INDEX_URL")):  # the same by uv's older names
        told = {name: value for name, value in told.items() if name not in ("UV_DEFAULT_INDEX", "UV_INDEX")}
    return {name: value.replace(" ", ",") if name == "UV_FIND_LINKS" else value for name, value in told.items()}
