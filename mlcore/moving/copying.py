"""Copy one store into another: what is missing there is written, nothing is removed, and twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from attrs import evolve

from mlcore.delivery.spool import Spool, spool_root
from mlcore.delivery.sync import waiting
from mlcore.entities import Run, RunQuery, ViewType
from mlcore.interfaces import SupportsCounts
from mlcore.moving.experiments import Pair, chosen, pair
from mlcore.moving.ids import RunIds
from mlcore.moving.logged import copy_links, copy_metrics, copy_models
from mlcore.moving.report import Choice, Failure, Report, Step, Tally
from mlcore.moving.runs import RunCopier, runs_of
from mlcore.moving.sides import Job, Side, open_side, refuse_same
from mlcore.moving.versions import copy_registry
from mlcore.tracking.session import Session, current_session

_WAITS = "part of it waits in the spool of this machine: mlcore sync delivers it to the source"


def copy_store(
    source_uri: str,
    target_uri: str,
    *,
    choice: Choice | None = None,
    source_registry_uri: str | None = None,
    target_registry_uri: str | None = None,
    session: Session | None = None,
    progress: Callable[[Step], None] | None = None,
) -> Report:
    """Copy experiments, runs, artifacts and registered models from one store into another.

    The target gets what it lacks, and keeps all that it has; a second copy writes nothing. One that was broken off,
    however it was, is continued by the same call. See docs/moving.md for what is the same run or experiment.
    source_registry_uri, target_registry_uri: where registered models are; in the same stores when not given.
    progress: told of each run, from any thread, one call at a time.
    Raises NotFoundError: the source, or an experiment or run that was chosen, is not there. InvalidParameterError:
    both are the same store. StoreUnavailableError: one of them does not answer; call again to go on.
    """
    session = session or current_session()
    refuse_same(session.anchored(source_uri), session.anchored(target_uri))
    delivered = session.flush()
    source = open_side(session, source_uri, source_registry_uri, must_exist=True)
    target = open_side(session, target_uri, target_registry_uri, must_exist=False)
    try:
        report = copy_sides(source, target, choice or Choice(), progress)
    finally:
        source.close()
        target.close()
    waits = _in_the_spool(session, source.uri)
    if not delivered:
        waits.append(Failure("what this process has recorded", _WAITS))
    return evolve(report, failures=(*report.failures, *waits))


def copy_sides(source: Side, target: Side, choice: Choice, progress: Callable[[Step], None] | None = None) -> Report:
    """Copy between stores that are open already; see `copy_store`."""
    job = Job(source, target, choice, Tally(progress))
    ids = RunIds(job)
    copier = RunCopier(job, ids)
    experiments = list(chosen(job))
    total = _count(job, [each.experiment_id for each in experiments])
    pairs = []
    for experiment in experiments:
        job.tally.begin(experiment.name, total)
        found = pair(job, experiment)
        pairs.append(found)
        _copy_experiment(copier, found)
    copier.settle()
    copy_links(job, copier.links)
    for each in pairs:
        copy_metrics(job, each, ids)
    for each in pairs:
        each.close()
    if choice.models:
        copy_registry(job, pairs, ids)
    return job.tally.report(source.shown, target.shown, dry_run=choice.dry_run)


def _in_the_spool(session: Session, uri: str) -> list[Failure]:
    """Tell what ended processes of this machine have recorded for the source that has not arrived there."""
    spool = Spool(spool_root(session.settings.spool_dir), uri)
    return [
        Failure(f"run {each.run_id}", _WAITS)
        for each in waiting(spool)
        if (each.journal_bytes or each.artifact_bytes or each.is_pending) and not each.is_live
    ]


def _copy_experiment(copier: RunCopier, found: Pair) -> None:
    job = copier.job
    if not (found.is_new and job.choice.dry_run):
        copier.ids.load(found.target.experiment_id)
    for runs in runs_of(job, found.source.experiment_id):
        _each(lambda run: copier.copy(run, found), runs, job.choice.jobs)
    copy_models(job, found, copier.ids)


def _each(copy: Callable[[Run], None], runs: Iterable[Run], jobs: int) -> None:
    """Copy the runs of a page, several at once; the first error is raised when those under way have ended."""
    if jobs < 2:
        for run in runs:
            copy(run)
        return
    with ThreadPoolExecutor(jobs, thread_name_prefix="mlcore-moving") as pool:
        begun: list[Future[None]] = [pool.submit(copy, run) for run in runs]
        try:
            for each in begun:
                each.result()
        except BaseException:
            for each in begun:
                each.cancel()
            raise


def _count(job: Job, experiment_ids: list[str]) -> int | None:
    if job.choice.run_ids:
        return len(job.choice.run_ids)
    store = job.source.store
    if not isinstance(store, SupportsCounts):
        return None
    query = RunQuery((), view=ViewType.ALL)
    return sum(store.count_runs(evolve(query, experiment_ids=(each,))) for each in experiment_ids)
