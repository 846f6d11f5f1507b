"""What a project is: its entry points, their parameters, and the environment that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from attrs import field, frozen

from mlcore.interfaces import ImageSpec

MAIN = "main"


class ParameterType(StrEnum):
    """What a parameter's value has to be.

    path: a local file or directory; what lies elsewhere is downloaded.
    uri: any URI, passed on as it is; a local path becomes absolute.
    """

    STRING = "string"
    FLOAT = "float"
    PATH = "path"
    URI = "uri"


@frozen
class Parameter:
    """A parameter of an entry point; without default it has to be given."""

    name: str
    type: ParameterType = ParameterType.STRING
    default: str | None = None


@frozen
class EntryPoint:
    """A command that a project offers.

    command: a template in which `{name}` stands for a parameter's value.
    """

    name: str
    command: str
    parameters: tuple[Parameter, ...] = ()


@frozen
class SparkJob:
    """What the key `databricks_spark_job` says: a Spark job of a Databricks workspace, in place of a local command.

    python_file: of the job; None when the file's entry points are its commands.
    line: of the key in the file, for messages.
    """

    python_file: str | None = None
    parameters: tuple[str, ...] = ()
    python_libraries: tuple[str, ...] = ()
    line: int = 1


@frozen
class Project:
    """A directory whose code can be run.

    name: from the MLproject file, else the directory's.
    file: the MLproject file; None where there is none.
    entry_points: those of the file, by name. Others are found by convention, see `entry_point`.
    conda_env, python_env: files of the directory that say what the code needs; at most one of the three is there.
    docker_env: the container image that the code runs in.
    spark_job: only a backend that knows such jobs can run the project.
    """

    directory: Path
    name: str
    file: Path | None = None
    entry_points: Mapping[str, EntryPoint] = field(factory=dict)
    conda_env: Path | None = None
    python_env: Path | None = None
    docker_env: ImageSpec | None = None
    spark_job: SparkJob | None = None
