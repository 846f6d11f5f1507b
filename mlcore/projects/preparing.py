"""Make a run of a project ready: fetch its code, check everything that was asked for, and create the run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from mlcore.errors import ProjectError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import EnvironmentSpec, Job, ProjectBackend, SupportsChecking, SupportsEnvironments
from mlcore.projects import environments, reuse, run_tags
from mlcore.projects.job_env import job_env, with_running_python
from mlcore.projects.params import check_params
from mlcore.projects.parent import experiment_of, parent_of
from mlcore.projects.plan import Plan
from mlcore.projects.spec import ParameterType
from mlcore.projects.stopping import Stop
from mlcore.uris import redacted, scheme

if TYPE_CHECKING:
    from mlcore.projects.parameters import Argument
    from mlcore.projects.request import RunRequest
    from mlcore.projects.source import Source
    from mlcore.projects.spec import EntryPoint, Project
    from mlcore.tracking.session import Session


def prepare(request: RunRequest, session: Session, stop: Stop | None = None) -> Plan:
    """Check all that can be checked before anything starts, then create the run.

    stop: whether somebody wants an end meanwhile.
    Raises ProjectError and other MlcoreErrors: it cannot be run as asked; there is no run then, and nothing is left.
    Stopped: somebody wanted an end.
    """
    from mlcore.projects import sources

    wish = stop or Stop()
    backend = session.plugins.first(HookSpecs.project_backend, name=request.backend)
    source = sources.fetched(request.uri, request.version, session=session, storage=request.storage_dir)
    temporary = () if source.temporary is None else (source.temporary,)
    try:
        wish.check()
        if request.diff:
            source = _changed(source, request.diff)
        plan = planned(request, session, source, backend, wish)
    except BaseException:
        delete(temporary)
        raise
    if plan.reused:  # nobody attends it
        delete(plan.temporary)
    return plan


def _changed(source: Source, diff: str) -> Source:
    from mlcore.projects.source_state import apply_diff

    if source.temporary is None:
        raise ProjectError(
            f"the changes that were kept are applied to a checkout only, and {source.uri!r} is used in place"
        )
    apply_diff(source.directory, diff)
    return evolve(source, dirty=True, diff=diff)


def delete(directories: Iterable[Path]) -> None:
    """Delete what was made for one run."""
    for path in directories:
        shutil.rmtree(path, ignore_errors=True)


def planned(
    request: RunRequest,
    session: Session,
    source: Source,
    backend: ProjectBackend,
    stop: Stop,
    *,
    may_be_step: bool = True,
) -> Plan:
    """Do what `prepare` does once the code is there; several runs of a search have one source.

    may_be_step: whether a run below another one gets a fingerprint, so that it may be taken again.
    """
    storage: list[Path] = []  # of inputs that are downloaded for this run
    try:
        return _planned(request, session, (source, backend, storage), stop, may_be_step=may_be_step)
    except BaseException:
        delete(storage)
        raise


def _planned(
    request: RunRequest,
    session: Session,
    found: tuple[Source, ProjectBackend, list[Path]],
    stop: Stop,
    *,
    may_be_step: bool,
) -> Plan:
    from mlcore.projects import commands, conventions, parameters
    from mlcore.projects.project_file import load_project

    source, backend, storage = found
    project = load_project(source.directory)
    entry = conventions.entry_point(project, request.entry_point)
    given = parameters.checked(entry, request.parameters)
    environment, manager = environment_of(request, project, backend, session)
    placed = _placed(given, request, project, session, storage)
    job = Job(
        "",
        commands.argv(entry, placed),
        project.directory,
        config=request.backend_config,
        name=project.name,
        inputs=tuple(Path(each.value) for each in placed if each.type is ParameterType.PATH),
    )
    if isinstance(backend, SupportsEnvironments):
        job = evolve(job, environment=environment)
    check_job(job, backend, (environment, manager), session)
    temporary = (*storage, *(() if source.temporary is None else (source.temporary,)))
    plan = Plan("", "", entry.name, request.backend, job, manager, environment, temporary, request.timeout_s)
    asked = evolve(request, experiment_id=experiment_of(session, request), experiment_name=None)
    if not request.run_id:
        asked = evolve(asked, parent_run_id=parent_of(session, request.parent_run_id))
        if request.reuse or (may_be_step and asked.parent_run_id):
            plan = evolve(plan, fingerprint=_fingerprint(plan, source, entry, placed))
            earlier = reuse.earlier(asked, plan.fingerprint, entry.name, session)
            if earlier is not None:
                return evolve(plan, run_id=earlier.run_id, experiment_id=earlier.experiment_id, reused=True)
    params = _shown(given, placed)
    check_params(params, asked, session)
    stop.check()
    with stop.held():
        begun = _begun(plan, asked, source, params, session)
        stop.pend()
        return begun


def check_job(job: Job, backend: ProjectBackend, environment: tuple[EnvironmentSpec, str], session: Session) -> None:
    """Have the job refused now, if it will be, and not when there is a run."""
    asked = evolve(job, env=job_env(session, "", "", is_here=job.environment is None))
    if job.environment is None:
        environments.check(asked, *environment, session.plugins)
    if isinstance(backend, SupportsChecking):
        backend.check(asked)


def _fingerprint(plan: Plan, source: Source, entry: EntryPoint, placed: tuple[Argument, ...]) -> str:
    from mlcore.projects import fingerprint, inputs, sources

    checksums = inputs.checksums(placed)
    return fingerprint.of(
        sources.identity(source),
        entry,
        placed,
        checksums,
        plan.environment,
        manager=plan.manager,
        directory=plan.job.directory,
    )


def _placed(
    arguments: tuple[Argument, ...], request: RunRequest, project: Project, session: Session, made: list[Path]
) -> tuple[Argument, ...]:
    if all(each.type is ParameterType.STRING or each.type is ParameterType.FLOAT for each in arguments):
        return arguments
    from mlcore.projects import inputs

    def storage() -> Path:
        if request.storage_dir is not None:
            request.storage_dir.mkdir(parents=True, exist_ok=True)
        # one for each run: inputs of two runs that start at the same time have the same names
        root = Path(tempfile.mkdtemp(prefix="mlcore-inputs-", dir=request.storage_dir)).absolute()
        if request.storage_dir is None:
            made.append(root)
        return root

    return inputs.placed(arguments, directory=project.directory, storage=storage, session=session)


def environment_of(
    request: RunRequest, project: Project, backend: ProjectBackend, session: Session
) -> tuple[EnvironmentSpec, str]:
    """Return what the project needs and the name of the manager that makes it.

    Raises ProjectError: it cannot be had as asked. PluginNotFoundError: no such manager is installed.
    """
    from mlcore.projects import environment_files

    spec = environment_files.spec_of(project)
    if spec.image is not None:
        options = (*spec.image.options, *request.docker_args.items())
        spec = evolve(spec, image=evolve(spec.image, options=options, build=request.build_image or spec.image.build))
    elif request.docker_args or request.build_image:
        what = "docker_args" if request.docker_args else "build_image"
        raise ProjectError(f"{what} is for projects that run in a container, and {project.name!r} names no image")
    if request.lock is not None:
        spec = environments.locked(spec, request.lock)
    if not isinstance(backend, SupportsEnvironments):
        manager = environments.chosen(spec, request.env_manager, session.plugins, settings=session.settings)
        if manager != environments.LOCAL:
            session.plugins.first(HookSpecs.environment, name=manager)  # told before inputs are downloaded
        return spec, manager
    kind = environments.LOCAL if request.env_manager == environments.LOCAL else environments.kind_of(spec)
    if kind not in backend.environment_kinds:
        raise ProjectError(
            f"backend {request.backend!r} can't make an environment of the kind {kind!r}, which the project "
            f"{project.name!r} needs; it makes {', '.join(backend.environment_kinds)}"
        )
    return (EnvironmentSpec() if kind == environments.LOCAL else spec), kind


def _begun(
    plan: Plan,
    request: RunRequest,
    source: Source,
    params: Mapping[str, str],
    session: Session,
) -> Plan:
    """Return the plan with its run, which begins here."""
    from mlcore.tracking import starting, tags
    from mlcore.tracking.endings import ending_of

    own = run_tags.of_start(request, source, plan.manager, plan.fingerprint)
    if request.run_id:
        run = starting.resume(session, request.run_id, request.experiment_id)
        if run.is_joined:
            raise ProjectError(
                f"run {run.run_id!r} is open in this program: end it first, or let the project have its own"
            )
        run.set_tags({**own, tags.RUN_NAME: request.run_name} if request.run_name else own)
    else:
        run = starting.create(
            session,
            experiment_id=request.experiment_id,
            run_name=request.run_name,
            parent_run_id=request.parent_run_id,
            description=None,
            given=own,
            in_context=False,
        )
    try:
        run.log_params(params)
    except BaseException as err:
        run.end_as(ending_of(err))
        raise
    info = run.info
    is_new = not session.settings.reuse_steps if request.reuse is None else not request.reuse
    env = _variables(plan, session, info.run_id, info.experiment_id, is_new=is_new)
    job = evolve(plan.job, run_id=info.run_id, env=env)
    return evolve(plan, run_id=info.run_id, experiment_id=info.experiment_id, job=job, diff=source.diff)


def _variables(plan: Plan, session: Session, run_id: str, experiment_id: str, *, is_new: bool) -> dict[str, str]:
    found = job_env(session, run_id, experiment_id, is_here=plan.job.environment is None)
    if is_new:  # the steps below it too
        found[reuse.VARIABLE] = "false"
    if plan.job.environment is None and plan.manager == environments.LOCAL:
        return with_running_python(found)
    return found


def _shown(given: Sequence[Argument], placed: Sequence[Argument]) -> dict[str, str]:
    """Return the params of the run: local paths as the command gets them, anything else as it was given."""
    pairs = zip(given, placed, strict=True)
    return {one.name: redacted(one.value if _is_elsewhere(one.value) else two.value) for one, two in pairs}


def _is_elsewhere(value: str) -> bool:
    return scheme(value) != "file"
