"""A job as Ray takes it: one line of shell that says exactly the argv, and a runtime environment."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from mlcore.errors import ProjectError
from mlcore.interfaces import EnvironmentSpec, Job
from mlcore_project_ray.options import RayOptions

_ASK_PYTHON = "import sys; print('%d.%d' % sys.version_info[:2])"


def entrypoint(job: Job, options: RayOptions) -> str:
    """Return the command line: Ray hands it to a shell, so that every word is quoted."""
    # Ray puts variables of its own into values with a dollar sign; those go in by the command, where nothing is replaced
    special = [f"{name}={value}" for name, value in job.env.items() if "$" in value]
    words = (*(("env", *special) if special else ()), *job.argv)
    return f"{_python_check(job.environment, options)}exec {shlex.join(words)}"


def runtime_env(job: Job, options: RayOptions, working_dir: str) -> Mapping[str, object]:
    """Return Ray's runtime environment: the project, its variables, and what it requires.

    Raises ProjectError: a requirement is a path of this machine.
    """
    given = options.runtime_env
    of_user = given.get("env_vars", {})
    variables = {**(of_user if isinstance(of_user, Mapping) else {}), **_plain(job.env)}
    found: dict[str, object] = {**given, "working_dir": working_dir, "env_vars": variables}
    needed = _requirements(job.environment)
    if needed and not any(each in given for each in ("pip", "uv", "conda", "image_uri")):
        found["pip"] = {"packages": list(needed), "pip_check": False}
    return found


def _plain(env: Mapping[str, str]) -> Mapping[str, str]:
    return {name: value for name, value in env.items() if "$" not in value}


def _requirements(spec: EnvironmentSpec | None) -> Sequence[str]:
    lines = spec.requirements if spec else ()
    local = [line for line in lines if _is_local(line)]
    if local:
        raise ProjectError(
            f"the requirement {local[0]!r} is a path of this machine, which a Ray cluster does not have: put a wheel "
            "where the cluster's pip finds it, or the code into the project"
        )
    return lines


def _is_local(line: str) -> bool:
    words = line.split()
    return any(word.startswith(("/", "file:", "./", "../")) for word in words)


def _python_check(spec: EnvironmentSpec | None, options: RayOptions) -> str:
    """Return shell that ends the job when the cluster's Python is not the project's, which Ray could not change."""
    if spec is None or spec.python is None or options.any_python:
        return ""
    wanted = ".".join(spec.python.split(".")[:2])
    told = f"the project asks for Python {wanted}, and the cluster has "
    advice = "; change the project's, take another cluster, or set any_python in the backend configuration"
    ask = f'found="$(python -c {shlex.quote(_ASK_PYTHON)})"'
    say = f'echo {shlex.quote(told)}"$found"{shlex.quote(advice)} >&2'
    return f'{ask}; [ "$found" = {shlex.quote(wanted)} ] || {{ {say}; exit 1; }}; '
