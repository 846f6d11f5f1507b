"""Jobs of a cluster: submitted, watched, read and cancelled by whoever knows their id."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from mlcore.errors import ConflictError, NotFoundError, ProjectError
from mlcore.interfaces import Job, JobStatus
from mlcore.projects.images import DockerProgram, checked_image
from mlcore.projects.reach import check_tracking
from mlcore_project_kubernetes.api import PATIENCE_S, Api
from mlcore_project_kubernetes.config import Config, config_of, template_path
from mlcore_project_kubernetes.following import followed
from mlcore_project_kubernetes.kubeconfig import cluster_of
from mlcore_project_kubernetes.manifest import (
    OUTCOME,
    REASON,
    SUBMISSION,
    Filled,
    filled,
    refuse_what_stays_here,
    template_of,
)
from mlcore_project_kubernetes.plain import number, rows, table, text
from mlcore_project_kubernetes.verdict import FINAL, Document, Verdict, judged
from mlcore_project_kubernetes.watching import LOOK_S, changed

_ID = re.compile(r"([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)/([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)@(.+)")


@frozen
class Place:
    """Where a job is: the cluster's API, namespace and name."""

    api: Api
    namespace: str
    name: str

    @property
    def jobs(self) -> str:
        """The path of all jobs."""
        return f"/apis/batch/v1/namespaces/{self.namespace}/jobs"

    @property
    def pods(self) -> str:
        """The path of all pods."""
        return f"/api/v1/namespaces/{self.namespace}/pods"

    @property
    def path(self) -> str:
        """The job's own path."""
        return f"{self.jobs}/{self.name}"


@frozen
class Seen:
    """A job and its pods as they were at one moment; versions are for watching from there."""

    job: Document
    pods: Sequence[Document]
    pods_version: str

    @property
    def verdict(self) -> Verdict:
        """What that means."""
        return judged(self.job, self.pods)


class KubernetesBackend:
    """Run jobs on Kubernetes. An id is `NAMESPACE/NAME@CONTEXT`, so that any process can ask for the job."""

    environment_kinds: tuple[str, ...] = ("docker",)

    def __init__(
        self,
        defaults: Mapping[str, object] | None = None,
        docker: DockerProgram | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Connect to nothing yet.

        defaults: of the backend configuration. patience_s: how long an API that is away is waited for.
        """
        self._defaults = defaults or {}
        self._docker = docker or DockerProgram()
        self._patience_s = patience_s
        self._apis: dict[str, Api] = {}

    def check(self, job: Job) -> None:
        """Look at all that this machine knows of the job; the cluster is not asked.

        Raises ProjectError: the configuration, template or kubeconfig is not right, the project needs what the cluster
        does not have, or it could not record from there. MissingDependencyError: no program could build its image.
        """
        config, template = self._asked(job)
        cluster = cluster_of(config.context)
        check_tracking(job.env, f"the Kubernetes cluster {cluster.context!r}", is_told=False)
        if not config.image:
            _base(config, job)
            _ = self._docker.path
        filled(template, job, config.image or "", "", built=not config.image)

    def submit(self, job: Job) -> str:
        """Build and push the image unless one is given, and create the job; return its id.

        Raises ProjectError: the configuration or template is not right, or the image cannot be made.
        PermissionDeniedError, UnauthenticatedError, InvalidParameterError: the cluster's refusal, in its words.
        """
        config, template = self._asked(job)
        api = self._api(config.context)
        check_tracking(job.env, f"the Kubernetes cluster {api.cluster.context!r}")
        image, built = self._image(config, job)
        namespace = config.namespace or text(template, "metadata", "namespace") or api.cluster.namespace or "default"
        manifest = filled(template, job, image, namespace, built=built)
        place = Place(api, namespace, manifest.name)
        _create(place, manifest)
        return f"{namespace}/{manifest.name}@{api.cluster.context}"

    def status(self, job_id: str) -> JobStatus:
        """Return the job's state as the cluster tells it. Raises NotFoundError: no such job, or it was deleted."""
        place = self._place(job_id)
        return _decided(place, _seen(place)).status

    def logs(self, job_id: str) -> Iterator[str]:
        """Yield the output of the job's pods, in turn, and then why it failed, where that is not in the output."""
        place = self._place(job_id)
        read: set[tuple[str, int]] = set()
        while True:
            try:
                seen = _seen(place)
            except NotFoundError:
                if read:
                    yield f"kubernetes: the job {job_id!r} was deleted"
                    return
                raise
            verdict = _decided(place, seen)
            yield from _unread(place, seen, read)
            if verdict.final:
                yield from (f"kubernetes: {each}" for each in verdict.reasons)
                return
            _pause(place, seen, LOOK_S)

    def cancel(self, job_id: str) -> None:
        """Have the cluster end the job: its pods get SIGTERM, and SIGKILL when their grace is over."""
        place = self._place(job_id)
        if _seen(place).verdict.final:
            return
        _end(place, JobStatus.KILLED, "cancelled")

    def wait(self, job_id: str, timeout_s: float | None) -> JobStatus:
        """Return the final status, or the present one when *timeout_s* seconds have passed.

        A job that somebody deletes meanwhile is KILLED, unless it had ended.
        """
        place = self._place(job_id)
        end = None if timeout_s is None else time.monotonic() + timeout_s
        seen = _seen(place)
        while True:
            verdict = _decided(place, seen)
            left_s = LOOK_S if end is None else end - time.monotonic()
            if verdict.final or left_s <= 0:
                return verdict.status
            deleted = _pause(place, seen, min(left_s, LOOK_S))
            try:
                seen = _seen(place)
            except NotFoundError:
                last = judged(deleted or seen.job, ()).status
                return last if last in FINAL else JobStatus.KILLED

    def _asked(self, job: Job) -> tuple[Config, Mapping[str, object]]:
        """Return the configuration and the template."""
        config = config_of({**self._defaults, **job.config})
        template = template_of(template_path(config, job.directory))
        refuse_what_stays_here(job, template)
        return config, template

    def _image(self, config: Config, job: Job) -> tuple[str, bool]:
        """Return the job's image, and whether it was built."""
        if config.image:
            return config.image, False
        base, repository = _base(config, job)
        if self._docker.found(base) is None:
            self._docker.pull(base)
        image_id = self._docker.built(job.directory, base)
        tag = f"{repository}:{image_id.rpartition(':')[2][:12]}"
        self._docker.tag(image_id, tag)
        return self._docker.push(tag), True

    def _api(self, context: str | None) -> Api:
        cluster = cluster_of(context)
        return self._apis.setdefault(cluster.context, Api(cluster, self._patience_s))

    def _place(self, job_id: str) -> Place:
        found = _ID.fullmatch(job_id)
        if found is None:
            raise NotFoundError(f"no job {job_id!r} on Kubernetes: expected an id NAMESPACE/NAME@CONTEXT")
        return Place(self._api(found[3]), found[1], found[2])


def _base(config: Config, job: Job) -> tuple[str, str]:
    """Return what the project's image is built from, and where it goes."""
    base = job.environment.image if job.environment else None
    if base is None or config.repository is None:
        lacks = "docker_env with an image in the MLproject file" if base is None else "repository-uri"
        raise ProjectError(
            f"the backend 'kubernetes' builds an image of the project and needs {lacks}; or name an image that has the "
            "project in it by the key image of the backend configuration"
        )
    return checked_image(base.name), config.repository


def _create(place: Place, manifest: Filled) -> None:
    try:
        place.api.create(place.jobs, manifest.body)
    except ConflictError:
        # an answer may be lost and the request sent again: it is ours if it has our mark
        there = text(place.api.get(place.path), "metadata", "annotations", SUBMISSION)
        if there != manifest.submission:
            raise


def _seen(place: Place) -> Seen:
    job = place.api.get(place.path)
    pods = place.api.get(place.pods, labelSelector=f"job-name={place.name}")
    found = sorted(rows(pods, "items"), key=lambda each: text(each, "metadata", "creationTimestamp"))
    return Seen(job, found, text(pods, "metadata", "resourceVersion"))


def _decided(place: Place, seen: Seen) -> Verdict:
    """Judge a job; end one that never will begin, so that nobody waits for it."""
    verdict = seen.verdict
    if verdict.hopeless:
        _end(place, JobStatus.FAILED, verdict.hopeless)
    return verdict


def _end(place: Place, outcome: JobStatus, reason: str) -> None:
    """Let the job be over by its deadline: unlike a deleted one it can be asked for, and is tidied up as others are."""
    marks = {OUTCOME: str(outcome), REASON: reason}
    place.api.patch(place.path, {"metadata": {"annotations": marks}, "spec": {"activeDeadlineSeconds": 1}})


def _pause(place: Place, seen: Seen, timeout_s: float) -> Mapping[str, object] | None:
    """Wait for a change: of its pods until one runs, as the job does not tell why none does. Returns a deleted job."""
    if seen.verdict.status is JobStatus.PENDING:
        changed(place.api, place.pods, seen.pods_version, timeout_s, labelSelector=f"job-name={place.name}")
        return None
    version = text(seen.job, "metadata", "resourceVersion")
    return changed(place.api, place.jobs, version, timeout_s, fieldSelector=f"metadata.name={place.name}")


def _unread(place: Place, seen: Seen, read: set[tuple[str, int]]) -> Iterator[str]:
    """Yield the output of containers that have begun, each once; one that was started again begins anew."""
    for pod in seen.pods:
        names = [text(each, "name") for each in rows(pod, "spec", "containers")]
        for each in rows(pod, "status", "containerStatuses"):
            begun = table(each, "state", "running") or table(each, "state", "terminated")
            mark = (text(pod, "metadata", "uid"), number(each, "restartCount"))
            if text(each, "name") == names[0] and begun and mark not in read:
                read.add(mark)
                yield from followed(place.api, place.namespace, text(pod, "metadata", "name"), names[0])
