"""The part of an MLproject file that says what its code needs: conda_env, python_env or docker_env."""

from __future__ import annotations

import re
from pathlib import Path

from attrs import evolve

from mlcore.interfaces import ImageSpec
from mlcore.projects.project_faults import Faults, is_empty, shown
from mlcore.projects.spec import Project
from mlcore.wire.yaml_places import YamlNode

ENVIRONMENTS = ("conda_env", "python_env", "docker_env")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
# Host and port, path, tag and digest; a name that begins with a dash would be an option of the engine.
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]*")


def conventional(project: Project) -> Project:
    """Return the project with the environment file that lies in its directory, if any."""
    if (python_env := project.directory / "python_env.yaml").is_file():
        return evolve(project, python_env=python_env)
    if (conda_env := project.directory / "conda.yaml").is_file():
        return evolve(project, conda_env=conda_env)
    return project


def environment_file(values: dict[str, YamlNode], key: str, directory: Path, faults: Faults) -> Path | None:
    """Return the file that a key names, relative to the project; a fault when it is not there."""
    if key not in values or (name := faults.text(values[key], key)) is None:
        return None
    path = directory / name
    try:
        found = path.is_file()
    except (OSError, ValueError):
        found = False
    if not found:
        faults.add(values[key], key, f"there is no file {name!r} in {str(directory)!r}")
    return path


def docker_env(node: YamlNode, faults: Faults) -> ImageSpec | None:
    """Return the image with volumes and variables; None where the fault is that there is none."""
    pairs = faults.mapping(node, "docker_env")
    faults.known_keys(pairs, "docker_env", ("image", "volumes", "environment"))
    values = {name: value for name, (_, value) in pairs.items() if not is_empty(value)}
    volumes = _volumes(values["volumes"], faults) if "volumes" in values else ()
    environment = _environment(values["environment"], faults) if "environment" in values else ()
    if "image" not in values:
        if node.kind == "mapping":
            faults.add(node, "docker_env", "the key image is missing: the name of a container image")
        return None
    image = faults.text(values["image"], "docker_env.image")
    if image is None:
        return None
    if not _IMAGE.fullmatch(image):
        faults.add(values["image"], "docker_env.image", f"{shown(values['image'])} is not the name of an image")
    return ImageSpec(image, volumes, environment)


def _volumes(node: YamlNode, faults: Faults) -> tuple[str, ...]:
    found = []
    for at, element in enumerate(faults.elements(node, "docker_env.volumes")):
        path = f"docker_env.volumes[{at}]"
        if (text := faults.text(element, path)) is None:
            continue
        if ":" not in text:
            faults.add(element, path, f"expected HOST:CONTAINER, not {shown(element)}")
        found.append(text)
    return tuple(found)


def _environment(node: YamlNode, faults: Faults) -> tuple[tuple[str, str | None], ...]:
    found: list[tuple[str, str | None]] = []
    for at, element in enumerate(faults.elements(node, "docker_env.environment")):
        path = f"docker_env.environment[{at}]"
        parts = element.elements() if element.kind == "sequence" else [element]
        if element.kind == "mapping" or len(parts) not in (1, 2) or (element.kind == "sequence" and len(parts) == 1):
            faults.add(element, path, "expected NAME, to copy a variable, or [NAME, VALUE]")
            continue
        name = faults.text(parts[0], path)
        value = _value(parts[1], path, faults) if len(parts) == 2 else None
        if name is not None and not _VARIABLE.fullmatch(name):
            faults.add(parts[0], path, f"{shown(parts[0])} is not the name of a variable")
        if name is not None:
            found.append((name, value))
    return tuple(found)


def _value(node: YamlNode, path: str, faults: Faults) -> str | None:
    return "" if node.kind == "scalar" and node.text() == "" else faults.text(node, path)
