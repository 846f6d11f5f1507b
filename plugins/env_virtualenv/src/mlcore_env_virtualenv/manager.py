"""Environments made by virtualenv, and filled by the pip inside."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mlcore.errors import MissingDependencyError, ProjectError
from mlcore.interfaces import EnvironmentSpec
from mlcore.projects.interpreters import Interpreter
from mlcore.projects.python_environments import PythonEnvironments, program_of, run_installer, written


class VirtualenvManager(PythonEnvironments):
    """Make environments by virtualenv and `pip install`; an environment that is there is found without either."""

    name = "virtualenv"

    def install(self, directory: Path, python: Interpreter, spec: EnvironmentSpec) -> None:
        """Make an environment at *directory* and install what *spec* asks for into it.

        Raises ProjectError: in pip's own words. MissingDependencyError: virtualenv is not there.
        """
        _make(directory, python)
        with tempfile.TemporaryDirectory(prefix="mlcore-env-") as folder:
            home = Path(folder)
            pip = [str(program_of(directory, "python")), "-m", "pip", "install", "--quiet"]
            pip += ["--no-input", "--disable-pip-version-check", "--no-warn-script-location"]
            for lines in (spec.build_requirements, spec.requirements):
                if lines:
                    file = written(lines, home / "requirements.txt")
                    run_installer("pip", [*pip, *(["--no-deps"] if spec.locked else []), "-r", str(file)], cwd=home)


def _make(directory: Path, python: Interpreter) -> None:
    """Let virtualenv work in this process: starting another one takes longer than all that it does.

    What it seeds (pip; setuptools for old versions of Python) is bundled with it: nothing is downloaded.
    """
    try:
        from virtualenv import cli_run
    except ImportError as err:
        raise MissingDependencyError("virtualenv is not there: pip install virtualenv") from err
    options = ["--no-periodic-update", "--no-download", "--python", str(python.path)]
    try:
        cli_run([*options, str(directory)], setup_logging=False)
    except (RuntimeError, ValueError, SystemExit) as err:  # what it says no with
        raise ProjectError(f"the environment can't be made; virtualenv says: {err}") from err
