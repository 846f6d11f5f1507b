"""Environments made by virtualenv, and filled by the pip inside."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path

from mlcore.errors import MissingDependencyError
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
        if importlib.util.find_spec("virtualenv") is None:
            raise MissingDependencyError("virtualenv is not there: pip install virtualenv")
        with tempfile.TemporaryDirectory(prefix="mlcore-env-") as folder:
            home = Path(folder)
            # what it seeds (pip; setuptools for old versions of Python) is bundled with it: no download
            options = ["--quiet", "--no-periodic-update", "--no-download", "--python", str(python.path)]
            run_installer("virtualenv", [sys.executable, "-m", "virtualenv", *options, str(directory)], cwd=home)
            pip = [str(program_of(directory, "python")), "-m", "pip", "install", "--quiet"]
            pip += ["--no-input", "--disable-pip-version-check", "--no-warn-script-location"]
            for lines in (spec.build_requirements, spec.requirements):
                if lines:
                    file = written(lines, home / "requirements.txt")
                    run_installer("pip", [*pip, *(["--no-deps"] if spec.locked else []), "-r", str(file)], cwd=home)
