"""The process that attends a project's run when nobody waits for it: `python -m mlcore.projects.watching`."""

from __future__ import annotations

import os
import subprocess
import sys

from mlcore.projects.job_env import own_settings
from mlcore.projects.plan import Plan
from mlcore.tracking.session import Session


def detach(plan: Plan, session: Session) -> subprocess.Popen[bytes]:
    """Start a process that attends *plan*, in a session of its own, so that it outlives this one and its terminal."""
    env = {
        **os.environ,
        **own_settings(session.settings),
        "MLCORE_TRACKING_URI": session.anchored(session.tracking_uri),
    }
    for name in ("MLCORE_RUN_ID", "MLFLOW_RUN_ID"):
        env.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "mlcore.projects.watching"],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101  # it was asked for above
    with process.stdin as given:
        given.write(plan.to_text().encode())
    return process


def main() -> int:
    """Attend the plan on standard input; return the exit code."""
    from mlcore.entities import RunStatus
    from mlcore.errors import MlcoreError
    from mlcore.projects.attending import attend
    from mlcore.projects.stopping import heard
    from mlcore.tracking.session import current_session

    plan = Plan.of_text(sys.stdin.read())
    with heard() as stop:
        try:
            outcome = attend(plan, current_session(), stop=stop)
        except MlcoreError:
            return 1  # the run says why
    return 0 if outcome.status is RunStatus.FINISHED else 1


if __name__ == "__main__":
    raise SystemExit(main())
