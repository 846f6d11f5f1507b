"""What a job is doing, from what the cluster says of it and its pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from mlcore.interfaces import JobStatus
from mlcore_project_kubernetes.manifest import OUTCOME, REASON
from mlcore_project_kubernetes.plain import number, rows, table, text

Document = Mapping[str, object]

FINAL = (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.KILLED)
# the kubelet tries again and again, and the job would wait for ever
_HOPELESS = (
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerConfigError",
    "CreateContainerError",
)
_PLAIN_ENDS = ("", "Error", "Completed")
_ENDED_PODS = ("Succeeded", "Failed")


@frozen
class Verdict:
    """A job's status; why it failed, where its own output may not tell; why it never will begin, if that is so."""

    status: JobStatus
    reasons: tuple[str, ...] = ()
    hopeless: str = ""

    @property
    def final(self) -> bool:
        """Whether the status stays."""
        return self.status in FINAL


def judged(job: Document, pods: Sequence[Document]) -> Verdict:
    """Judge a job by its conditions first, as pods may be gone."""
    ends = {text(each, "type"): each for each in rows(job, "status", "conditions") if each.get("status") == "True"}
    marks = table(job, "metadata", "annotations")
    outcome = text(marks, OUTCOME)
    if "Complete" in ends:
        return Verdict(JobStatus.FINISHED)
    gone = not number(job, "status", "active") and all(text(pod, "status", "phase") in _ENDED_PODS for pod in pods)
    if "Failed" in ends or (outcome and gone):
        if outcome == JobStatus.KILLED:
            return Verdict(JobStatus.KILLED)
        marked = (text(marks, REASON),) if outcome else ()
        return Verdict(JobStatus.FAILED, marked or (*_of_pods(pods), *_of_condition(ends.get("Failed", {}))))
    if any(text(pod, "status", "phase") in ("Running", *_ENDED_PODS) for pod in pods):
        return Verdict(JobStatus.RUNNING, hopeless="" if outcome else _hopeless(pods))
    return Verdict(JobStatus.PENDING, hopeless="" if outcome else _hopeless(pods))


def containers(pod: Document) -> list[Mapping[str, object]]:
    """Return the states of a pod's containers, those that begin first included."""
    return [*rows(pod, "status", "initContainerStatuses"), *rows(pod, "status", "containerStatuses")]


def _hopeless(pods: Sequence[Document]) -> str:
    for pod in pods:
        for each in containers(pod):
            reason = text(each, "state", "waiting", "reason")
            if reason in _HOPELESS:
                message = text(each, "state", "waiting", "message")
                return f"the pod {text(pod, 'metadata', 'name')!r} cannot begin: {reason}: {message}"
    return ""


def _of_pods(pods: Sequence[Document]) -> Iterator[str]:
    for pod in pods:
        name = text(pod, "metadata", "name")
        if text(pod, "status", "phase") == "Failed" and text(pod, "status", "reason"):
            yield f"the pod {name!r} failed: {text(pod, 'status', 'reason')}: {text(pod, 'status', 'message')}"
        for each in containers(pod):
            ended = table(each, "state", "terminated")
            if text(ended, "reason") not in _PLAIN_ENDS:
                code = number(ended, "exitCode")
                yield f"the pod {name!r} ended with {text(ended, 'reason')} (exit code {code}): {text(ended, 'message')}"


def _of_condition(condition: Document) -> Iterator[str]:
    if text(condition, "reason") not in ("", "BackoffLimitExceeded"):
        yield f"the job failed: {text(condition, 'reason')}: {text(condition, 'message')}"
