"""The environment that a model needs: the distributions that saving and loading it use, and no others."""

from __future__ import annotations

import functools
import platform
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from attrs import frozen

from mlcore.errors import InvalidParameterError
from mlcore.wire.yaml_text import dump_yaml, load_yaml

REQUIREMENTS_FILE = "requirements.txt"
PYTHON_ENV_FILE = "python_env.yaml"
CONDA_FILE = "conda.yaml"
KERNEL = "mlcore-kernel"

# not installed, or a half-installed distribution, whose metadata is missing
_BROKEN = (metadata.PackageNotFoundError, FileNotFoundError, KeyError)
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


@frozen
class Environment:
    """What to install for a model.

    requirements: lines of a pip requirements file, the kernel first.
    python: version of Python, such as `3.11.7`.
    """

    requirements: tuple[str, ...]
    python: str

    def write(self, directory: Path) -> None:
        """Write requirements.txt, python_env.yaml and conda.yaml into *directory*."""
        (directory / REQUIREMENTS_FILE).write_text("".join(f"{line}\n" for line in self.requirements), "utf-8")
        tools = [pinned(name) for name in ("pip", "setuptools", "wheel") if _version(name)]
        python_env = {
            "python": self.python,
            "build_dependencies": tools,
            "dependencies": [f"-r {REQUIREMENTS_FILE}"],
        }
        (directory / PYTHON_ENV_FILE).write_text(dump_yaml(python_env), "utf-8")
        pip = f"pip<={_version('pip')}" if _version("pip") else "pip"
        conda = {
            "name": "mlcore-env",
            "channels": ["conda-forge"],
            "dependencies": [f"python={self.python}", pip, {"pip": list(self.requirements)}],
        }
        (directory / CONDA_FILE).write_text(dump_yaml(conda), "utf-8")


def capture(
    distributions: Iterable[str],
    *,
    pip_requirements: Sequence[str] | str | None = None,
    extra_pip_requirements: Sequence[str] | str | None = None,
) -> Environment:
    """Pin *distributions* to the versions that are installed here, the kernel first.

    pip_requirements: lines that replace what was found out, or the path of a requirements file.
    extra_pip_requirements: lines to add; they win over what was found out for the same distribution.
    """
    if pip_requirements is not None:
        return Environment(tuple(_lines(pip_requirements)), platform.python_version())
    extra = _lines(extra_pip_requirements) if extra_pip_requirements is not None else []
    given = {_normal(found[1]) for line in extra if (found := _NAME.match(line))}
    names = dict.fromkeys(_normal(name) for name in distributions)
    names.pop(KERNEL, None)
    found_out = [pinned(name) for name in (KERNEL, *sorted(names)) if name not in given]
    return Environment((*found_out, *extra), platform.python_version())


def from_conda(conda_env: Mapping[str, object] | str) -> Environment:
    """Take the pip requirements and the Python version of a conda environment: its content, or the path of its file.

    Raises InvalidParameterError: it has no list of dependencies.
    """
    if isinstance(conda_env, str) and not Path(conda_env).is_file():
        raise InvalidParameterError(
            f"there is no file {conda_env!r}: expected a conda environment, or the path of its file"
        )
    document = load_yaml(Path(conda_env).read_text("utf-8"), conda_env) if isinstance(conda_env, str) else conda_env
    dependencies = document.get("dependencies") if isinstance(document, Mapping) else None
    if not isinstance(dependencies, list):
        raise InvalidParameterError(f"conda_env must hold a list of dependencies, got {conda_env!r}")
    lines: list[str] = []
    python = platform.python_version()
    for entry in dependencies:
        if isinstance(entry, Mapping):
            lines += [str(line) for line in entry.get("pip", ())]
        elif isinstance(entry, str) and (found := re.match(r"^python\s*=+\s*([\d.]+)$", entry)):
            python = found[1]
    return Environment(tuple(lines), python)


def pinned(distribution: str) -> str:
    """Return `name==version` as installed here, or the bare name."""
    version = _version(distribution)
    # a local part (`+cu121`) names a build that no index offers
    return f"{distribution}=={version.partition('+')[0]}" if version else distribution


def distributions_of(modules: Iterable[str]) -> tuple[str, ...]:
    """Return the distributions that *modules* come from, sorted; the standard library and mlcore's own code apart."""
    found: set[str] = set()
    for top in {module.partition(".")[0] for module in modules}:
        if top not in sys.stdlib_module_names and top not in ("__main__", "builtins", "mlcore"):
            found.update(_distributions().get(top, [])[:1])
    return tuple(sorted(_normal(name) for name in found))


def _distributions() -> dict[str, list[str]]:
    """The distributions of each top-level module; empty while somebody installs something and metadata is missing."""
    try:
        return _scanned()
    except _BROKEN:
        return {}


@functools.cache
def _scanned() -> dict[str, list[str]]:
    """Read the metadata of all that is installed, once."""
    return {module: sorted(set(names)) for module, names in metadata.packages_distributions().items()}


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except _BROKEN:
        return None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _lines(given: Sequence[str] | str) -> list[str]:
    if not isinstance(given, str):
        return list(given)
    path = Path(given)
    if not path.is_file():
        raise InvalidParameterError(
            f"there is no requirements file {given!r}: expected its path, or a list of lines such as ['scikit-learn>=1.5']"
        )
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]
