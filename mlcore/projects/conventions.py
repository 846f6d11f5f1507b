"""Entry points by convention: a script of the project is one, with or without MLproject file."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path, PurePosixPath

from mlcore.errors import ProjectError
from mlcore.projects.command_model import UnsafePlaceError
from mlcore.projects.commands import checked_template
from mlcore.projects.project_faults import nearest
from mlcore.projects.spec import EntryPoint, Project

SUFFIXES = (".py", ".sh", ".R")
_MOST = 20


def entry_point(project: Project, name: str, *, spark_jobs: bool = False) -> EntryPoint:
    """Return the entry point *name* of the project's file, or the script of that name.

    spark_jobs: whether the backend knows the key `databricks_spark_job`.
    Raises ProjectError: there is none; the message lists what there is. Or a parameter stands in its command where no value
    can be put safely.
    """
    if project.spark_job is not None and not spark_jobs:
        where = project.file.name if project.file else "MLproject"
        raise ProjectError(
            f"{where}:{project.spark_job.line}: databricks_spark_job: the project is a Spark job of a Databricks workspace, "
            "which only a backend that knows such jobs can run; choose it with --backend"
        )
    if name in project.entry_points:
        return _checked(project, project.entry_points[name])
    path = PurePosixPath(name)
    if (
        path.suffix in SUFFIXES
        and not path.is_absolute()
        and ".." not in path.parts
        and (project.directory / path).is_file()
    ):
        return EntryPoint(name, _command(project, name))
    raise ProjectError(_not_found(project, name))


def _checked(project: Project, entry: EntryPoint) -> EntryPoint:
    try:
        checked_template(entry.command)
    except UnsafePlaceError as err:
        where = f"{project.file.name}: " if project.file else ""
        raise ProjectError(f"{where}entry_points.{entry.name}.command: {err}") from err
    return entry


def _command(project: Project, name: str) -> str:
    file = f"./{name}" if name.startswith("-") else name
    if name.endswith(".R"):
        if not re.fullmatch(r"[A-Za-z0-9_./-]+", name):
            raise ProjectError(f"{name!r} cannot be run by R: the name may have letters, digits and any of _./- only")
        if shutil.which("Rscript") is None and project.docker_env is None and project.conda_env is None:
            raise ProjectError(f"{name!r} needs the program Rscript, which is not on PATH; install R")
        return f"Rscript -e \"mlflow::mlflow_source('{file}')\" --args"
    program = "python" if name.endswith(".py") else "bash"
    return f"{program} {shlex.quote(file).replace('{', '{{').replace('}', '}}')}"


def _not_found(project: Project, name: str) -> str:
    scripts = _scripts(project.directory)
    declared = list(project.entry_points)
    near = nearest(name, [*declared, *scripts], 0.6)
    hint = f", did you mean {near!r}?" if near else ""
    if not near and (stem := [script for script in scripts if script.startswith(f"{name}.")]):
        hint = f", did you mean {stem[0]!r}?"
    source = project.file.name if project.file else f"the directory {str(project.directory)!r} without MLproject file"
    parts = [f"no entry point {name!r} in {source}{hint}"]
    parts.append(f"entry points: {', '.join(declared) or 'none'}")
    parts.append(f"scripts: {', '.join(scripts[:_MOST]) or 'none'}{' and more' if len(scripts) > _MOST else ''}")
    return "; ".join(parts)


def _scripts(directory: Path) -> list[str]:
    try:
        return sorted(path.name for path in directory.iterdir() if path.suffix in SUFFIXES and path.is_file())
    except OSError:
        return []
