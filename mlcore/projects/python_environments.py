"""What environments of Python have in common, whichever program makes them: for plugins of the hook `environment`."""

from __future__ import annotations

import os
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlcore.errors import ProjectError
from mlcore.interfaces import EnvironmentRecord, EnvironmentSpec
from mlcore.projects import environment_ids, installed
from mlcore.projects.cache import cache_directory
from mlcore.projects.credentials import stripped
from mlcore.projects.environment_folders import EnvironmentFolders
from mlcore.projects.interpreters import Interpreter, interpreter

# `exec` in a shell, as the environment's programs have to come first for what the command starts, too, wherever it runs
ENTER = 'PATH="$1/bin:$PATH"; VIRTUAL_ENV="$1"; export PATH VIRTUAL_ENV; unset PYTHONHOME; shift; exec "$@"'
# what would lead an installer out of the environment, or another environment's libraries into it
_UNWANTED = frozenset(
    "PYTHONPATH PYTHONHOME VIRTUAL_ENV CONDA_PREFIX PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV PIP_PYTHON "
    "UV_PYTHON UV_SYSTEM_PYTHON UV_PROJECT_ENVIRONMENT UV_TARGET".split()
)
_MAX_WORDS = 4000


class PythonEnvironments(ABC):
    """Environments that are directories with an interpreter and libraries, kept by the content of what was asked for.

    A manager has a `name` and says with `install` how one is filled; the rest is here.

    name: the key of its entry point.
    enter: a script of sh that runs what follows its first argument inside the environment, whose directory that is.
    """

    name: str
    enter: str = ENTER

    def __init__(self, root: Path | None = None) -> None:
        """Keep environments below *root*, by default in the cache directory."""
        self.folders: EnvironmentFolders = EnvironmentFolders(root or cache_directory() / "environments" / self.name)

    @abstractmethod
    def install(self, directory: Path, python: Interpreter, spec: EnvironmentSpec) -> None:
        """Make an environment at *directory*, at which nothing is, with what *spec* asks for.

        Raises ProjectError: it can't be made; in the installer's own words, which `run_installer` has.
        """

    def create(self, spec: EnvironmentSpec) -> str:
        """Make the environment unless it is there, safe against other processes; return its id.

        Raises ProjectError: it can't be made; the message has the installer's own words.
        """
        python = self.interpreter(spec)
        env_id = environment_ids.env_id(self.name, spec, python.version)

        def build(directory: Path) -> Mapping[str, object]:
            self.install(directory, python, spec)
            asked = [stripped(line, "***") for line in (*spec.conda_packages, *spec.requirements)]
            return {"python": python.version, "requirements": asked}

        self.folders.make(env_id, build)
        self.folders.touch(env_id)
        return env_id

    def interpreter(self, spec: EnvironmentSpec) -> Interpreter:
        """Return what *spec* is made with. Raises ProjectError: there is none that fits."""
        return interpreter(spec.python)

    def command(self, env_id: str, argv: tuple[str, ...]) -> tuple[str, ...]:
        """Return the argv that runs *argv* inside the environment, whose programs come first on PATH."""
        directory = self.folders.use(env_id)
        if os.name == "nt":  # pragma: no cover
            program = directory / "Scripts" / f"{argv[0]}.exe"
            return (str(program) if program.is_file() else argv[0], *argv[1:])
        return ("/bin/sh", "-c", self.enter, "mlcore", str(directory), *argv)

    def lock(self, env_id: str) -> tuple[str, ...]:
        """Return exact requirement lines of what is installed."""
        return installed.lock_of(self.site_packages(self.folders.find(env_id)))

    def list(self) -> tuple[str, ...]:
        """Return the ids of all environments that this manager made."""
        return self.folders.ids()

    def remove(self, env_id: str) -> None:
        """Delete an environment. Raises NotFoundError: no such environment. InvalidStateError: it is in use."""
        self.folders.remove(env_id)

    def describe(self, env_id: str) -> EnvironmentRecord:
        """Return what is known of an environment. Raises NotFoundError: no such environment."""
        return self.folders.record(env_id)

    @staticmethod
    def site_packages(directory: Path) -> Sequence[Path]:
        """Return where the libraries of the environment at *directory* are."""
        return [*directory.glob("lib/python*/site-packages"), *directory.glob("Lib/site-packages")]


def program_of(directory: Path, name: str) -> Path:
    """Return the path of a program of the environment at *directory*."""
    return directory / "Scripts" / f"{name}.exe" if os.name == "nt" else directory / "bin" / name


def run_installer(name: str, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a program that makes an environment, away from this process's own; return its standard output.

    name: the program's, for people. env: added to the environment. Raises ProjectError: it failed; with what it said, credentials left out.
    """
    kept = {key: value for key, value in os.environ.items() if key not in _UNWANTED}
    try:
        done = subprocess.run(  # noqa: S603  # an argument list of ours; requirements are in files
            [*argv],
            cwd=cwd,
            env={**kept, "PYTHONNOUSERSITE": "1", **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as err:
        raise ProjectError(
            f"the environment can't be made: {name} at {argv[0]!r} can't be started: {err.strerror}"
        ) from err
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip())[-_MAX_WORDS:]
        raise ProjectError(
            f"the environment can't be made; {name} says (exit code {done.returncode}):\n{stripped(words, '***')}"
        )
    return done.stdout


def written(lines: Sequence[str], file: Path) -> Path:
    """Write requirement *lines* to *file*, readable for this user only as URLs may hold passwords; return it."""
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as opened:
        opened.writelines(f"{line}\n" for line in lines)
    return file
