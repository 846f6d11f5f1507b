"""The process that attends a project's run when nobody waits for it: `python -m mlcore.projects.watching`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from mlcore.projects.job_env import own_settings
from mlcore.projects.plan import Plan
from mlcore.projects.stopping import signals
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
    # signals that come before the process is ready for them wait until it is
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals()) if hasattr(signal, "pthread_sigmask") else None
    try:
        process = _started(env)
    finally:
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert process.stdin is not None  # noqa: S101  # it was asked for
    with process.stdin as given:
        given.write(plan.to_text().encode())
    threading.Thread(target=process.wait, name="mlcore-watcher", daemon=True).start()  # lest it stays as a zombie
    return process


def _started(env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "mlcore.projects.watching"],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def main() -> int:
    """Attend the plan on standard input; return the exit code."""
    from mlcore.entities import RunStatus
    from mlcore.errors import MlcoreError
    from mlcore.projects.attending import attend
    from mlcore.projects.stopping import heard
    from mlcore.tracking.session import current_session

    plan = Plan.of_text(sys.stdin.read())
    with heard() as stop:
        stop.pend()
        if hasattr(signal, "pthread_sigmask"):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, signals())
        try:
            outcome = attend(plan, current_session(), stop=stop)
        except MlcoreError:
            return 1  # the run says why
    return 0 if outcome.status is RunStatus.FINISHED else 1


if __name__ == "__main__":
    raise SystemExit(main())
