"""What Databricks tells of a run, in either of its ways to say it, and in mlcore's words."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from mlcore.interfaces import JobStatus

_GOING_ON = {
    "RUNNING": JobStatus.RUNNING,
    "TERMINATING": JobStatus.RUNNING,  # how it ends is known, and its output not yet whole
    "PENDING": JobStatus.PENDING,
    "QUEUED": JobStatus.PENDING,
    "BLOCKED": JobStatus.PENDING,
    "WAITING_FOR_RETRY": JobStatus.PENDING,
    "WAITING": JobStatus.PENDING,
}
_RESULTS = {
    "SUCCESS": JobStatus.FINISHED,
    "SUCCESS_WITH_FAILURES": JobStatus.FINISHED,
    "CANCELED": JobStatus.KILLED,
    "USER_CANCELED": JobStatus.KILLED,
    "UPSTREAM_CANCELED": JobStatus.KILLED,
}


@frozen
class RunState:
    """A run of the Jobs API.

    reason: in Databricks' words; may be empty. task_run_id: of its one task, whose output can be asked for.
    parameters: of that task.
    """

    status: JobStatus
    reason: str
    task_run_id: int
    parameters: tuple[str, ...]

    @classmethod
    def of(cls, found: Mapping[str, object]) -> RunState:
        """Read an answer of `runs/get`."""
        tasks = found.get("tasks")
        task = _table(tasks[0]) if isinstance(tasks, list) and tasks else {}
        given = _table(task.get("spark_python_task")).get("parameters")
        run_id = task.get("run_id", found.get("run_id"))
        parameters = tuple(str(each) for each in given) if isinstance(given, list) else ()
        state = _table(found.get("state"))
        if state:
            status, reason = _by_state(state)
            of_task = str(_table(task.get("state")).get("state_message") or "")
            reason = of_task if len(of_task) > len(reason) else reason
        else:
            status, reason = _by_status(_table(found.get("status")))
        return cls(status, reason, run_id if isinstance(run_id, int) else 0, parameters)


def _by_state(state: Mapping[str, object]) -> tuple[JobStatus, str]:
    """Read `state`, which workspaces tell of since the API's beginnings."""
    cycle, result = str(state.get("life_cycle_state")), str(state.get("result_state") or "")
    reason = str(state.get("state_message") or "")
    if cycle in _GOING_ON:
        return _GOING_ON[cycle], reason
    if cycle == "TERMINATED":
        return _RESULTS.get(result, JobStatus.FAILED), reason
    # SKIPPED, INTERNAL_ERROR, and what may come
    return JobStatus.FAILED, f"{cycle}: {reason or 'no reason given'}"


def _by_status(status: Mapping[str, object]) -> tuple[JobStatus, str]:
    """Read `status`, which is to replace `state`."""
    cycle = str(status.get("state"))
    ended = _table(status.get("termination_details"))
    reason = str(ended.get("message") or _table(status.get("queue_details")).get("message") or "")
    if cycle != "TERMINATED":
        return _GOING_ON.get(cycle, JobStatus.PENDING), reason
    return _RESULTS.get(str(ended.get("code")), JobStatus.FAILED), reason


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
