"""MLproject files: find the one of a directory and read it, and tell all its faults with their places at once."""

from __future__ import annotations

from contextlib import suppress
from os import PathLike
from pathlib import Path

from mlcore.errors import InvalidParameterError, ProjectError
from mlcore.projects import command_template
from mlcore.projects.command_model import UnsafePlaceError
from mlcore.projects.commands import checked_template
from mlcore.projects.project_environment import ENVIRONMENTS, conventional, docker_env, environment_file
from mlcore.projects.project_faults import Faults, is_empty, is_float, joined, nearest, shown
from mlcore.projects.spec import EntryPoint, Parameter, ParameterType, Project, SparkJob
from mlcore.wire.yaml_places import YamlNode, compose_yaml

MAX_BYTES = 1 << 20
KEYS = ("name", "entry_points", *ENVIRONMENTS, "databricks_spark_job")


def load_project(directory: str | PathLike[str]) -> Project:
    """Read the project in *directory*, with or without an MLproject file.

    The file's name is matched whatever its case. Without environment in the file, or without file, it is the
    `python_env.yaml` and then the `conda.yaml` of the directory.
    Raises ProjectError: no such directory, or the file has faults; each is listed as `MLproject:LINE:COLUMN: KEYS: WHAT`.
    """
    directory = Path(directory).absolute()
    file = _found(directory)
    if file is None:
        return conventional(Project(directory, directory.name))
    faults = Faults(file.name)
    try:
        root = compose_yaml(_text(file), file.name)
        project = _project(directory, file, root, faults)
    except ProjectError:
        raise
    except InvalidParameterError as err:
        where = "" if str(err).startswith(file.name) else f"{file.name}: "
        raise ProjectError(f"{where}{err}") from err
    faults.refuse()
    faults.tell()
    return project


def _found(directory: Path) -> Path | None:
    try:
        named = sorted(path for path in directory.iterdir() if path.name.lower() == "mlproject" and path.is_file())
    except OSError as err:
        reason = err.strerror or type(err).__name__
        raise ProjectError(f"cannot read the project directory {str(directory)!r}: {reason}") from err
    return min(named, key=lambda path: path.name != "MLproject", default=None)


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as err:
        raise ProjectError(f"cannot read {str(file)!r}: {err.strerror or type(err).__name__}") from err
    if len(data) > MAX_BYTES:
        raise ProjectError(f"{file.name} is larger than {MAX_BYTES} bytes, which no such file needs")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = data.count(b"\n", 0, err.start) + 1
        column = err.start - data.rfind(b"\n", 0, err.start)
        raise ProjectError(f"{file.name}:{line}:{column}: the text is not UTF-8") from err


def _project(directory: Path, file: Path, root: YamlNode | None, faults: Faults) -> Project:
    pairs = {} if root is None else faults.mapping(root, "")
    faults.known_keys(pairs, "", KEYS)
    faults.note_misspelt(pairs, "", KEYS)
    values = {name: value for name, (_, value) in pairs.items() if not is_empty(value)}
    name = faults.text(values["name"], "name") if "name" in values else None
    entry_points = _entry_points(values["entry_points"], faults) if "entry_points" in values else {}
    named = [key for key in pairs if key in ENVIRONMENTS and key in values]
    for key in named[1:]:
        faults.add(pairs[key][0], key, f"at most one of {', '.join(ENVIRONMENTS)} is allowed, and {named[0]} is there")
    project = Project(directory, name or directory.name, file, entry_points)
    if "databricks_spark_job" in values:
        job = _spark_job(values["databricks_spark_job"], entry_points, named, faults)
        return Project(directory, project.name, file, entry_points, spark_job=job)
    if not named:
        return conventional(project)
    return Project(
        directory,
        project.name,
        file,
        entry_points,
        conda_env=environment_file(values, "conda_env", directory, faults),
        python_env=environment_file(values, "python_env", directory, faults),
        docker_env=docker_env(values["docker_env"], faults) if "docker_env" in values else None,
    )


def _entry_points(node: YamlNode, faults: Faults) -> dict[str, EntryPoint]:
    found = {}
    for name, (key, value) in faults.mapping(node, "entry_points").items():
        path = joined("entry_points", name)
        pairs = faults.mapping(value, path)
        faults.known_keys(pairs, path, ("parameters", "command"))
        faults.note_unknown(pairs, path, ("parameters", "command"))
        declared = _parameters(pairs["parameters"][1], f"{path}.parameters", faults) if "parameters" in pairs else []
        if "command" not in pairs:
            if value.kind == "mapping" or is_empty(value):
                faults.add(key, path, "the command is missing")
            continue
        command = _command(pairs["command"][1], f"{path}.command", declared, faults)
        found[name] = EntryPoint(name, command, tuple(declared))
    return found


def _command(node: YamlNode, path: str, declared: list[Parameter], faults: Faults) -> str:
    command = faults.text(node, path)
    if command is None:
        return ""
    if not command.strip():
        faults.add(node, path, "the command is empty")
        return ""
    known = [parameter.name for parameter in declared]
    try:
        used = command_template.names(command)
        with suppress(
            UnsafePlaceError
        ):  # told when this entry point is to be run: the others are none the worse for it
            checked_template(command)
    except ProjectError as err:
        faults.add(node, path, str(err))
        return command
    for name in used:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near!r}?" if near else f"declared are {', '.join(known) or 'none'}"
            faults.add(node, path, f"no parameter {name!r} is declared; {hint} ({command_template.WAY_OUT})")
    return command


def _parameters(node: YamlNode, path: str, faults: Faults) -> list[Parameter]:
    found = []
    for name, (key, value) in faults.mapping(node, path).items():
        where = joined(path, name)
        if not name or "\0" in name:
            faults.add(key, where, "a parameter needs a name")
        if value.kind == "scalar":
            found.append(Parameter(name, ParameterType.STRING if is_empty(value) else _type(value, where, faults)))
            continue
        pairs = faults.mapping(value, where)
        faults.known_keys(pairs, where, ("type", "default"))
        type_node = pairs["type"][1] if "type" in pairs else None
        kind = ParameterType.STRING if type_node is None else _type(type_node, f"{where}.type", faults)
        default = _default(pairs["default"][1], kind, f"{where}.default", faults) if "default" in pairs else None
        found.append(Parameter(name, kind, default))
    return found


def _type(node: YamlNode, path: str, faults: Faults) -> ParameterType:
    """Return the type; names that MLflow's own examples use, such as int, mean text as they do there."""
    name = (faults.text(node, path) or "string").lower()
    if name in list(ParameterType):
        return ParameterType(name)
    if name not in _TEXT_TYPES and (near := nearest(name, ParameterType)):
        faults.add(node, path, f"unknown type {shown(node)}, did you mean {str(near)!r}?")
    return ParameterType.STRING


_TEXT_TYPES = ("str", "int", "integer", "bool", "boolean", "number", "double", "long", "list", "file", "url")


def _default(node: YamlNode, kind: ParameterType, path: str, faults: Faults) -> str | None:
    try:
        value = node.value()
    except InvalidParameterError as err:
        faults.add(node, path, str(err))
        return None
    if value is None:
        return None
    text = str(value)
    if "\0" in text:
        faults.add(node, path, "a text cannot hold a NUL character")
    elif kind is ParameterType.FLOAT and not is_float(text):
        faults.add(node, path, f"the default of a float has to be a number, not {shown(node)}")
    return text


def _spark_job(node: YamlNode, entry_points: dict[str, EntryPoint], named: list[str], faults: Faults) -> SparkJob:
    path = "databricks_spark_job"
    pairs = faults.mapping(node, path)
    faults.known_keys(pairs, path, ("python_file", "parameters", "python_libraries"))
    values = {name: value for name, (_, value) in pairs.items() if not is_empty(value)}
    file = faults.text(values["python_file"], f"{path}.python_file") if "python_file" in values else None
    if file is None and not entry_points:
        faults.add(node, path, "it needs a python_file, or the file needs entry_points")
    if file is not None and entry_points:
        faults.add(node, path, "either python_file or entry_points can be there, not both")
    if named:
        faults.add(node, path, f"such a job cannot have {named[0]}")
    for entry in entry_points.values():
        for parameter in entry.parameters:
            if parameter.type is ParameterType.PATH:
                faults.add(
                    node, path, f"such a job takes no parameters of the type path ({entry.name}.{parameter.name})"
                )
    lists: dict[str, tuple[str, ...]] = {}
    for name in ("parameters", "python_libraries"):
        elements = faults.elements(values[name], f"{path}.{name}") if name in values else []
        texts = (faults.text(each, f"{path}.{name}[{at}]") for at, each in enumerate(elements))
        lists[name] = tuple(text for text in texts if text is not None)
    return SparkJob(file, lists["parameters"], lists["python_libraries"], node.line)
