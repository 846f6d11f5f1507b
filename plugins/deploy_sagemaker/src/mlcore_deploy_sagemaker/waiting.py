"""Wait for an endpoint, tell how it goes, and give up in time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from mlcore_deploy_sagemaker.calls import Caller
from mlcore_deploy_sagemaker.faults import DeploymentTimeoutError
from mlcore_deploy_sagemaker.options import Options

# below the name that the program listens to for progress
logger: logging.Logger = logging.getLogger("mlcore.deployments.sagemaker")

STATES = {
    "InService": "ready",
    "Creating": "creating",
    "Updating": "updating",
    "SystemUpdating": "updating",
    "RollingBack": "updating",
    "Deleting": "deleting",
    "Failed": "failed",
    "OutOfService": "failed",
    "UpdateRollbackFailed": "failed",
}
BUSY = frozenset(status for status, state in STATES.items() if state in ("creating", "updating", "deleting"))
_EVERY_S = 60.0  # an unchanged state is told again after this long

Endpoint = Mapping[str, Any]


@frozen
class Clock:
    """Time, as waiting sees it."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def find_endpoint(call: Caller, name: str) -> Endpoint | None:
    """Describe an endpoint; None when there is none of that name."""
    return call.find("sagemaker", "describe_endpoint", EndpointName=name)


def wait_while(call: Caller, name: str, busy: frozenset[str], options: Options, clock: Clock) -> Endpoint | None:
    """Wait as long as the endpoint is in one of the states *busy*; return it, None when it is gone.

    Raises DeploymentTimeoutError: it takes longer than allowed.
    """
    start = told_at = clock.now()
    told = ""
    while True:
        found = find_endpoint(call, name)
        status = str(found["EndpointStatus"]) if found else "gone"
        elapsed = clock.now() - start
        if status != told or clock.now() - told_at >= _EVERY_S:
            logger.info("deployment %r is %s after %.0f s", name, status, elapsed)
            told, told_at = status, clock.now()
        if found is None or status not in busy:
            return found
        if elapsed >= options.timeout_seconds:
            raise DeploymentTimeoutError(
                f"deployment {name!r} is still {status} after {elapsed:.0f} s; SageMaker goes on: look again with `get`, "
                "do the same again to wait on, delete it to stop, or raise timeout_seconds"
            )
        clock.sleep(min(options.poll_seconds, max(options.timeout_seconds - elapsed, 0.01)))
