"""Environments made by conda, mamba or micromamba, with the packages of pip that go into them."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mlcore.errors import MissingDependencyError
from mlcore.interfaces import EnvironmentSpec
from mlcore.projects import installed
from mlcore.projects.credentials import stripped
from mlcore.projects.environment_files import name_of
from mlcore.projects.interpreters import Interpreter
from mlcore.projects.python_environments import PythonEnvironments, program_of, run_installer, written

PROGRAMS = ("conda", "mamba", "micromamba")
_ARCHIVES = (".conda", ".tar.bz2")
# as activation does it, without the second that `conda run` takes
_ENTER = (
    'PATH="$1/bin:$PATH"; CONDA_PREFIX="$1"; export PATH CONDA_PREFIX; unset PYTHONHOME VIRTUAL_ENV; '
    'for each in "$1"/etc/conda/activate.d/*.sh; do if [ -r "$each" ]; then . "$each"; fi; done; '
    'shift; exec "$@"'
)


class CondaManager(PythonEnvironments):
    """Make environments by `conda create` and `pip install`; one that is there is found without either."""

    name = "conda"
    enter = _ENTER

    def interpreter(self, spec: EnvironmentSpec) -> Interpreter:
        """Return the version that conda is asked for, as it brings its own interpreter."""
        return Interpreter(Path(sys.executable), spec.python or ".".join(platform.python_version_tuple()[:2]))

    def install(self, directory: Path, python: Interpreter, spec: EnvironmentSpec) -> None:
        """Make an environment at *directory* with the packages of conda, then those of pip.

        Raises ProjectError: in conda's or pip's own words. MissingDependencyError: no conda is there.
        """
        name, path = program()
        with tempfile.TemporaryDirectory(prefix="mlcore-env-") as folder:
            home = Path(folder)
            urls = [_url(line) for line in spec.requirements if _is_conda(line)] if spec.locked else []
            if urls:
                file = written(["@EXPLICIT", *urls], home / "explicit.txt")
                wanted = ["--file", str(file)]
            else:
                wanted = [*_channels(spec.channels), *_packages(spec, python.version)]
            run_installer(name, [path, "create", "--yes", "--quiet", "--prefix", str(directory), *wanted], cwd=home)
            lines = [line for line in spec.requirements if not _is_conda(line)]
            if lines:
                file = written(lines, home / "requirements.txt")
                pip = [str(program_of(directory, "python")), "-m", "pip", "install", "--quiet", "--no-input"]
                exact = ["--no-deps"] if spec.locked else []
                run_installer("pip", [*pip, "--disable-pip-version-check", *exact, "-r", str(file)], cwd=home)

    def lock(self, env_id: str) -> tuple[str, ...]:
        """Return `name @ URL#md5` for packages of conda, and exact requirement lines for those of pip."""
        directory = self.folders.find(env_id)
        packages = dict(sorted(_conda_packages(directory)))
        pip = installed.lock_of(self.site_packages(directory))
        own = [line for line in pip if _plain(line.partition(" @ ")[0].partition("==")[0]) not in packages]
        return (*packages.values(), *own)


def program() -> tuple[str, str]:
    """Return the name and the path of the first of conda, mamba and micromamba that is there.

    On `PATH`, or where `CONDA_EXE` and `MAMBA_EXE` say, which an initialised shell sets; `MLFLOW_CONDA_HOME` goes first.
    Raises MissingDependencyError: none is.
    """
    home = os.environ.get("MLFLOW_CONDA_HOME")
    for name in PROGRAMS:
        found = (shutil.which(name, path=str(Path(home) / "bin")) if home else None) or shutil.which(name)
        if found:
            return name, found
    for variable in ("CONDA_EXE", "MAMBA_EXE"):
        path = os.environ.get(variable)
        if path and Path(path).is_file():
            return Path(path).stem, path
    raise MissingDependencyError(
        "none of conda, mamba and micromamba is on PATH: install one of them; or use --env-manager local where what the "
        "project needs is installed here"
    )


def _channels(channels: Sequence[str]) -> list[str]:
    named = [each for each in channels if each != "nodefaults"]
    options = [word for each in named for word in ("--channel", each)]
    return [*options, "--override-channels"] if named else []


def _packages(spec: EnvironmentSpec, version: str) -> list[str]:
    packages = list(spec.conda_packages)
    names = {name_of(each) for each in packages}
    if spec.python or spec.requirements or not packages:
        packages.insert(0, f"python={version}" if version[0].isdigit() else f"python{version}")
    if spec.requirements and "pip" not in names:
        packages.append("pip")
    return packages


def _is_conda(line: str) -> bool:
    return _url(line).partition("#")[0].endswith(_ARCHIVES) and " @ " in line


def _url(line: str) -> str:
    return line.partition(" @ ")[2].strip()


def _conda_packages(directory: Path) -> Iterator[tuple[str, str]]:
    for file in directory.glob("conda-meta/*.json"):
        record: Mapping[str, object] = json.loads(file.read_text("utf-8"))
        name, url = str(record["name"]), record.get("url")
        digest = f"#{record['md5']}" if record.get("md5") else ""
        where = f"{name} @ {stripped(str(url))}{digest}" if url else f"{name}=={record['version']}"
        yield _plain(name), where


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-").replace(".", "-")
