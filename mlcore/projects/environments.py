"""Which environment manager a project needs, and its jobs put into the environment that it makes."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from attrs import evolve, frozen

from mlcore.errors import ProjectError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import EnvironmentManager, EnvironmentSpec
from mlcore.interfaces.environment import SupportsJobChecks, SupportsPlacing
from mlcore.interfaces.project_backend import Job
from mlcore.plugins import Plugins
from mlcore.projects.environment_files import TOOLS, name_of
from mlcore.projects.requirement_lines import local_paths, option
from mlcore.settings import Settings
from mlcore.uris import local_path

LOCAL = "local"
PYTHON = "python"
CONDA = "conda"
DOCKER = "docker"

# the environment hook's keys that make environments of Python alone, the preferred one first
_PYTHON_MANAGERS = ("uv", "virtualenv")


@frozen
class Placed:
    """A job whose environment is there.

    Keep it while the job runs: until then nobody else removes the environment.
    job: what to submit. env_id: empty for `local`. manager: its name.
    lock: returns exact requirement lines of what is installed; costs some milliseconds.
    """

    job: Job
    manager: str
    env_id: str
    lock: Callable[[], tuple[str, ...]]


def kind_of(spec: EnvironmentSpec) -> str:
    """Return what *spec* asks for: `docker`, `conda`, `python`, or `local` when it is nothing."""
    if spec.image is not None:
        return DOCKER
    if any(name_of(package) not in TOOLS for package in spec.conda_packages):
        return CONDA
    if spec.python or spec.requirements or spec.build_requirements or spec.conda_packages:
        return PYTHON
    return LOCAL


def chosen(spec: EnvironmentSpec, asked: str | None, plugins: Plugins, *, settings: Settings | None = None) -> str:
    """Return the name of the manager for *spec*.

    asked: by the caller; it has to be able to hold the specification, and `local` always is. Without it the setting
    `env_manager` where that is able to, else by the kind: docker, conda, uv where it is installed or virtualenv, and
    `local` for a project that asks for nothing.
    Raises ProjectError: the manager that was asked for can't hold what the project needs.
    """
    kind = kind_of(spec)
    if asked:
        reason = _unable(asked, spec)
        if reason:
            raise ProjectError(f"environment manager {asked!r} can't hold what the project asks for: {reason}")
        return asked
    preferred = (settings or Settings.load()).env_manager
    if preferred and (preferred == LOCAL or (kind != LOCAL and not _unable(preferred, spec))):
        return preferred
    if kind != PYTHON:
        return kind
    there = plugins.keys("environment")
    return next((name for name in _PYTHON_MANAGERS if name in there), _PYTHON_MANAGERS[0])


def placed(job: Job, spec: EnvironmentSpec, manager: str, plugins: Plugins) -> Placed:
    """Make the environment of *spec* unless it is there, and return the job that runs *job* in it.

    manager: as `chosen` returns it. `local` is the running environment, as it is.
    Raises ProjectError, InvalidParameterError: it can't be made; in the installer's own words. PluginNotFoundError: no such
    manager is installed. MissingDependencyError: the program behind it is not.
    """
    if manager == LOCAL:
        return Placed(job, LOCAL, "", running_lock)
    found = plugins.first(HookSpecs.environment, name=manager)
    env_id = found.create(spec)
    return Placed(_inside(found, env_id, job), manager, env_id, lambda: found.lock(env_id))


def check(job: Job, spec: EnvironmentSpec, manager: str, plugins: Plugins) -> None:
    """Check before a run begins that there is such a manager, and that it can take the job. Nothing is made.

    Raises PluginNotFoundError: none is installed. ProjectError: it will not take the job.
    """
    if manager == LOCAL:
        return
    found = plugins.first(HookSpecs.environment, name=manager)
    if isinstance(found, SupportsJobChecks):
        found.check_job(spec, job)


def locked(spec: EnvironmentSpec, lock: tuple[str, ...]) -> EnvironmentSpec:
    """Return *spec* with exactly what *lock* says; of its requirements the options stay, such as `--index-url`.

    A file or directory that the lock names is taken from where *spec* has it, as another checkout lies elsewhere.
    """
    options = tuple(line for line in spec.requirements if (found := option(line)) and found[0] not in _NOT_KEPT)
    kept = [line for line in spec.requirements if (option(line) or ("--editable", ""))[0] == "--editable"]
    own = [path for line in kept for path in local_paths(line)]
    lines = (_moved(line, own) for line in lock)
    return evolve(spec, requirements=(*options, *lines), build_requirements=(), locked=True)


def _moved(line: str, own: list[Path]) -> str:
    name, _, url = line.partition(" @ ")
    if not url.startswith("file:"):
        return line
    where, sign, digest = url.partition("#")
    path = local_path(where)
    there = [each for each in own if each.name == path.name] or (own if len(own) == 1 and not path.exists() else [])
    return f"{name} @ {there[0].as_uri()}{sign}{digest}" if there else line


def running_lock() -> tuple[str, ...]:
    """Return exact requirement lines of what is installed in the running environment."""
    from mlcore.projects.installed import lock_lines

    return lock_lines(metadata.distributions())


_NOT_KEPT = frozenset(("--editable", "--requirement", "--constraint"))


def _inside(manager: EnvironmentManager, env_id: str, job: Job) -> Job:
    if isinstance(manager, SupportsPlacing):
        return manager.place(env_id, job)
    return evolve(job, argv=manager.command(env_id, job.argv))


def _unable(manager: str, spec: EnvironmentSpec) -> str | None:
    """Why a manager that is known here can't hold *spec*; None where it can, or where only the plugin knows."""
    kind = kind_of(spec)
    if manager == DOCKER and kind != DOCKER:
        return "it names no container image (key 'docker_env' of the MLproject file)"
    if manager in (*_PYTHON_MANAGERS, CONDA) and spec.image is not None:
        return f"it runs in the image {spec.image.name!r}; leave --env-manager out, or use 'docker' or 'local'"
    if manager in _PYTHON_MANAGERS and kind == CONDA:
        missing = ", ".join(each for each in spec.conda_packages if name_of(each) not in TOOLS)
        return f"packages of conda ({missing}); use --env-manager conda, or 'local' where they are installed here"
    return None
