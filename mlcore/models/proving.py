"""Prove that a model loads and predicts with its recorded requirements alone, in a new environment."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from os import PathLike
from pathlib import Path

from attrs import frozen

from mlcore.errors import ProofError
from mlcore.models.environment import CONDA_FILE, KERNEL, REQUIREMENTS_FILE, distributions_of, from_conda, pinned
from mlcore.models.loading import current_plugins, open_model
from mlcore.models.mlmodel import MLModel
from mlcore.models.trust import require_trust
from mlcore.plugins import Plugins
from mlcore.uris import local_path

_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_TIMEOUT_S = 1800


@frozen
class Proof:
    """A model that was proven.

    requirements: what was installed, besides what it needs itself. installer: `uv` or `pip`.
    predicted: whether there was an input example to predict, whose predictions were the same as here.
    """

    requirements: tuple[str, ...]
    installer: str
    predicted: bool
    seconds: float


def prove(model_uri: str | PathLike[str], *, trust: bool = False, plugins: Plugins | None = None) -> Proof:
    """Load the model at *model_uri* in a new environment with its recorded requirements, and predict its example.

    The predictions have to be those of this environment. The environment is made by uv where it is installed, else by
    venv and pip, with their own settings of indexes and caches, and is removed afterwards.
    trust: whether code that the model brings, or that its requirements name, may run.
    Raises ProofError: says which requirement is missing or cannot be had, or what is predicted differently.
    UntrustedModelError, ChecksumError, ModelFormatError: as `load_model`.
    """
    opened = open_model(model_uri, trust=trust, plugins=plugins)
    try:
        # also where the model itself brings none: what its requirements name is installed, and may run code
        require_trust("its requirements are installed", opened.where, trusted=opened.trusted)
        return prove_directory(opened.local.path, opened.plugins)
    finally:
        opened.local.discard()


def prove_directory(directory: Path, plugins: Plugins | None = None) -> Proof:
    """Do the same for a model in a directory that is trusted already."""
    started = time.monotonic()
    wanted = _requirements(directory, plugins or current_plugins())
    with tempfile.TemporaryDirectory(prefix="mlcore-proof-") as folder:
        home = Path(folder)
        installer = _install(home / "env", wanted, home)
        there = _answer(_python(home / "env"), directory, home / "there")
        if "error" in there:
            raise ProofError(_failure(there))
        here = _answer(Path(sys.executable), directory, home / "here")
        if "error" in here:
            raise ProofError(
                f"the model loads with its requirements, but not in a new process here: {here['error']}: {here['message']}"
            )
        different = _difference(here.get("answer"), there.get("answer"), "predictions")
        if different is not None:
            raise ProofError(
                f"with its recorded requirements alone the model predicts something else for its input example: {different}"
                ". Pin the versions that matter: extra_pip_requirements=['NAME==VERSION']"
            )
    return Proof(tuple(wanted), installer, bool(there.get("predicted")), time.monotonic() - started)


def _requirements(directory: Path, plugins: Plugins) -> list[str]:
    if (directory / REQUIREMENTS_FILE).is_file():
        lines = (directory / REQUIREMENTS_FILE).read_text("utf-8").splitlines()
    elif (directory / CONDA_FILE).is_file():
        lines = list(from_conda(str(directory / CONDA_FILE)).requirements)
    else:
        raise ProofError(f"the model at {str(directory)!r} has no {REQUIREMENTS_FILE}: there is nothing to prove")
    found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    names = {_distribution(line) for line in found}
    if KERNEL not in names:  # a model of MLflow: what loads it here is no requirement of its own
        entries = [plugins.entry("flavor", name) for name in MLModel.read(directory).flavors]
        found += [pinned(name) for name in dict.fromkeys((KERNEL, *(e.dist for e in entries if e)))]
    return found


def _distribution(line: str) -> str:
    found = _NAME.match(line)
    return re.sub(r"[-_.]+", "-", found[1]).lower() if found else ""


def _install(env: Path, requirements: Sequence[str], home: Path) -> str:
    """Make the environment and install into it; return by what."""
    file = home / REQUIREMENTS_FILE
    file.write_text("".join(f"{_obtainable(line)}\n" for line in requirements), "utf-8")
    uv = _uv()
    if uv is None:
        _run([sys.executable, "-m", "venv", str(env)], home, requirements)
        _run([str(_python(env)), "-m", "pip", "install", "--quiet", "-r", str(file)], home, requirements)
        return "pip"
    _run([uv, "venv", "--quiet", "--python", sys.executable, str(env)], home, requirements)
    _run([uv, "pip", "install", "--quiet", "--python", str(_python(env)), "-r", str(file)], home, requirements)
    return "uv"


def _uv() -> str | None:
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if beside.is_file() else shutil.which("uv")


def _obtainable(line: str) -> str:
    """The line, or the checkout that a distribution of mlcore is installed from: no index has it in this version."""
    name = _distribution(line)
    if not name.startswith("mlcore-"):
        return line
    try:
        origin = metadata.distribution(name).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return line
    url = json.loads(origin) if origin else {}
    return f"-e {local_path(url['url'])}" if "dir_info" in url else line


def _run(command: Sequence[str], home: Path, requirements: Sequence[str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603  # an argument list of our own; the requirements are in a file
            command, cwd=home, env=_environ(), capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        raise ProofError(f"the environment of the proof can't be made: {err}") from err
    if done.returncode:
        told = done.stderr.strip() or done.stdout.strip()
        words = set(re.findall(r"[a-z0-9][a-z0-9-]*", re.sub(r"[_.]", "-", told.lower())))
        blamed = [line for line in requirements if _distribution(line) in words]
        named = f" (named: {', '.join(blamed)})" if blamed else ""
        raise ProofError(f"the recorded requirements can't be installed{named}: {told[-1500:]}")


def _answer(python: Path, directory: Path, work: Path) -> Mapping[str, object]:
    """Let the model predict in a process of *python*; return what that tells."""
    work.mkdir()
    answer = work / "answer.json"
    # its own working directory: modules that happen to lie here are not part of the model
    command = [str(python), "-P", "-m", "mlcore.models.proof_child", str(directory.absolute()), str(answer)]
    done = subprocess.run(  # noqa: S603  # an argument list of our own
        command, cwd=work, env=_environ(), capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
    )
    if not answer.is_file():
        return {"error": f"exit code {done.returncode}", "message": done.stderr.strip()[-1500:], "missing": None}
    told: Mapping[str, object] = json.loads(answer.read_text("utf-8"))
    return told


def _environ() -> dict[str, str]:
    """The environment without what leads to other modules, or to other settings of mlcore."""
    unwanted = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX")
    kept = {k: v for k, v in os.environ.items() if k not in unwanted and not k.startswith(("MLCORE_", "MLFLOW_"))}
    return {**kept, "PYTHONNOUSERSITE": "1"}


def _failure(told: Mapping[str, object]) -> str:
    module = told.get("missing")
    if not isinstance(module, str):
        return (
            "the model does not work with its recorded requirements alone: "
            f"{told['error']}: {told['message']}. Name what it needs with extra_pip_requirements=[...]"
        )
    start = f"the model does not work with its recorded requirements alone: module {module!r} is missing. "
    found = distributions_of([module])
    if found:
        return f"{start}Add the requirement: extra_pip_requirements=[{', '.join(repr(pinned(name)) for name in found)}]"
    return f"{start}No installed distribution brings it: save it with the model, code_paths=[{_source(module)!r}]"


def _source(module: str) -> str:
    top = module.partition(".")[0]
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        spec = None
    origin = spec.origin if spec else None
    if origin is None:
        return f"{top}.py"
    return str(Path(origin).parent) if Path(origin).name == "__init__.py" else origin


def _difference(here: object, there: object, where: str) -> str | None:
    """Say where the first difference is; None when the answers are the same up to rounding."""
    if isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        found = (_difference(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(here, there, strict=True)))
        return next((each for each in found if each is not None), None)
    if isinstance(here, dict) and isinstance(there, dict) and here.keys() == there.keys():
        found = (_difference(here[key], there[key], f"{where}[{key!r}]") for key in here)
        return next((each for each in found if each is not None), None)
    if here == there or _close(here, there):
        return None
    return f"{where} is {str(here)[:80]} here and {str(there)[:80]} there"


def _close(here: object, there: object) -> bool:
    if not isinstance(here, (int, float)) or not isinstance(there, (int, float)):
        return False
    return math.isclose(here, there, rel_tol=1e-5, abs_tol=1e-8) or (math.isnan(here) and math.isnan(there))


def _python(env: Path) -> Path:
    return env / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
