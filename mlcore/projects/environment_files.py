"""What a project's environment has to hold, read from its python_env.yaml, its conda.yaml or its image."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mlcore.errors import ProjectError
from mlcore.interfaces import EnvironmentSpec
from mlcore.projects import requirement_lines
from mlcore.projects.spec import Project
from mlcore.wire.yaml_text import load_yaml

# what pip and its like bring themselves: packages of conda that any manager can hold
TOOLS = frozenset(("pip", "setuptools", "wheel"))

_SPECIFICATION = re.compile(r"^(?:[^\s:]+::)?(?P<name>[A-Za-z0-9_][\w.\-]*)\s*(?P<version>.*)$")


def spec_of(project: Project) -> EnvironmentSpec:
    """Return what *project* asks for; an empty specification where it asks for nothing.

    Raises ProjectError: its file can't be read or is ill-formed; all faults at once, each with the place in the file.
    """
    if project.docker_env is not None:
        return EnvironmentSpec(image=project.docker_env)
    if project.python_env is not None:
        return from_python_env(project.python_env)
    if project.conda_env is not None:
        return from_conda(project.conda_env)
    return EnvironmentSpec()


def from_python_env(file: Path) -> EnvironmentSpec:
    """Read a python_env.yaml: `python`, `build_dependencies` and `dependencies`; paths are seen from the file."""
    document, faults = _document(file)
    python = _version(document.get("python"), "python", faults)
    build = _texts(document.get("build_dependencies"), "build_dependencies", faults)
    wanted = _texts(document.get("dependencies"), "dependencies", faults)
    _refuse(file, faults)
    return EnvironmentSpec(
        python=python,
        requirements=requirement_lines.absolute(wanted, file.parent),
        source=file,
        build_requirements=requirement_lines.absolute(build, file.parent),
    )


def from_conda(file: Path) -> EnvironmentSpec:
    """Read a conda.yaml: `channels`, and `dependencies` with at most one section `pip`.

    pip, setuptools and wheel are build requirements too, so that a manager without conda can hold an environment whose
    other packages all are pip's.
    """
    document, faults = _document(file)
    channels = _texts(document.get("channels"), "channels", faults)
    python: str | None = None
    packages: list[str] = []
    pip: list[str] = []
    entries = document.get("dependencies", [])
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        faults.append(f"dependencies: expected a list, got {entries!r}")
        entries = []
    for number, entry in enumerate(entries):
        where = f"dependencies[{number}]"
        if isinstance(entry, Mapping) and set(entry) == {"pip"}:
            pip += _texts(entry["pip"], f"{where}.pip", faults)
        elif not isinstance(entry, str) or not (found := _SPECIFICATION.match(entry.strip())):
            faults.append(f"{where}: expected a package such as 'numpy=2.1' or a section 'pip', got {entry!r}")
        elif found["name"].lower() == "python":
            python = _python_of(found["version"])
        else:
            packages.append(entry.strip())
    _refuse(file, faults)
    return EnvironmentSpec(
        python=python,
        requirements=requirement_lines.absolute(pip, file.parent),
        source=file,
        build_requirements=tuple(for_pip(each) for each in packages if name_of(each) in TOOLS),
        conda_packages=tuple(packages),
        channels=tuple(channels),
    )


def name_of(package: str) -> str:
    """Return the name in a match specification of conda, in lower case: `numpy` of `conda-forge::numpy>=2`."""
    found = _SPECIFICATION.match(package)
    return found["name"].lower() if found else package


def for_pip(package: str) -> str:
    """Return a match specification of conda as a requirement of pip: `pip=24.0` is `pip==24.0.*`; builds are left out."""
    found = _SPECIFICATION.match(package)
    version = found["version"].strip() if found else ""
    name = name_of(package)
    if not version:
        return name
    if version[0] in "<>!~" or version.startswith("=="):
        return f"{name}{version.replace(' ', '')}"
    # NAME=VERSION, NAME=VERSION=BUILD or NAME VERSION BUILD: a prefix of the version is enough
    number = re.split(r"[=\s]+", version.lstrip("= "))[0]
    return f"{name}=={number}" if number.endswith("*") else f"{name}=={number}.*"


def _python_of(version: str) -> str | None:
    text = version.strip()
    if text.startswith("=") or (text and text[0].isdigit()):
        return re.split(r"[=\s]+", text.lstrip("= "))[0].removesuffix(".*") or None
    return text.replace(" ", "") or None


def _document(file: Path) -> tuple[Mapping[str, object], list[str]]:
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as err:
        raise ProjectError(f"{file.name}: no UTF-8 text: {err}") from err
    except OSError as err:
        raise ProjectError(f"{file.name}: the file {str(file)!r} can't be read: {err.strerror}") from err
    document = load_yaml(text, f"{str(file)!r}")
    if document is None:
        return {}, []
    if not isinstance(document, Mapping):
        raise ProjectError(f"{file.name}: expected keys such as 'dependencies', got {document!r}")
    return {str(key): value for key, value in document.items()}, []


def _texts(value: object, where: str, faults: list[str]) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, Sequence) or isinstance(value, str):
        faults.append(f"{where}: expected a list of texts, got {value!r}")
        return []
    return list(_each_text(value, where, faults))


def _each_text(values: Sequence[object], where: str, faults: list[str]) -> Iterator[str]:
    for number, value in enumerate(values):
        if isinstance(value, str):
            yield value
        else:
            faults.append(f"{where}[{number}]: expected a text such as 'numpy>=2', got {value!r}")


def _version(value: object, where: str, faults: list[str]) -> str | None:
    if value is None:
        return None
    if value == 3.1 and isinstance(value, float):
        return "3.10"  # YAML reads an unquoted 3.10 as a number; there is no project for Python 3.1
    if isinstance(value, (str, float, int)) and not isinstance(value, bool) and re.match(r"^[<>=!~\s]*\d", str(value)):
        return str(value).strip()
    faults.append(f"{where}: expected a version such as '3.11', got {value!r}")
    return None


def _refuse(file: Path, faults: Sequence[str]) -> None:
    if faults:
        raise ProjectError("\n".join(f"{file.name}: {fault}" for fault in faults))
