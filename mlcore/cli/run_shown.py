"""What `mlcore run` says: about the run on standard error, and what the command says on standard output."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING

import click

from mlcore.cli.terminal import Terminal, visible
from mlcore.cli.values import span
from mlcore.entities import RunStatus
from mlcore.projects.outcome import Outcome
from mlcore.projects.running import show
from mlcore.wire.plain import dumps

if TYPE_CHECKING:
    from mlcore.cli.context import Cli
    from mlcore.projects.plan import Plan
    from mlcore.projects.submitted import SubmittedRun
    from mlcore.tracking.session import Session

_COLORS = {RunStatus.FINISHED: "green", RunStatus.FAILED: "red", RunStatus.KILLED: "yellow"}


class Shown:
    """The words of one call."""

    def __init__(self, cli: Cli, *, as_json: bool) -> None:
        """Say nothing yet.

        as_json: standard output is for one JSON object at the end, and the command's output goes to standard error.
        """
        self._as_json = as_json
        self._talk = Terminal.of(sys.stderr, no_color=cli.no_color)
        self._begun = time.monotonic()
        self._last = b"\n"
        self._link = ""

    def begin(self, plan: Plan, session: Session) -> None:
        """Tell which run it is."""
        self._link = link(session.tracking_uri, plan.experiment_id, plan.run_id)
        what = f"{visible(plan.job.name)} {visible(plan.entry_point)}"
        where = f"{plan.backend}, environment {plan.manager}"
        if plan.reused:
            self._say(f"{self._bold('reused')} run {plan.run_id} of {what}: code, parameters and inputs are the same")
        else:
            self._say(f"{self._bold('run')} {plan.run_id} of {what} ({where})")
        if self._link and self._talk.is_tty:
            self._say(self._talk.style(self._link, dim=True))

    def output(self, piece: bytes) -> None:
        """Write what the command has written."""
        self._last = piece[-1:]
        if self._as_json:
            sys.stderr.buffer.write(piece)
            sys.stderr.flush()
        else:
            show(piece)

    def end(self, plan: Plan, outcome: Outcome) -> int:
        """Tell how it ended; return the exit code."""
        if self._last != b"\n" and (self._talk.is_tty or self._as_json):
            self._say("")  # the command left its last line open
        took_ms = int((time.monotonic() - self._begun) * 1000)
        if self._as_json:
            found = {
                "run_id": plan.run_id,
                "experiment_id": plan.experiment_id,
                "status": outcome.status.value,
                "message": outcome.message,
                "exit_code": outcome.exit_code,
                "signal": outcome.signal,
                "reused": plan.reused,
                "duration_ms": took_ms,
                "url": self._link or None,
            }
            click.echo(dumps(found))
        elif not plan.reused:
            status = self._talk.style(outcome.status.value, fg=_COLORS[outcome.status], bold=True)
            why = f": {outcome.message}" if outcome.message else ""
            self._say(f"{self._bold('run')} {plan.run_id} is {status} after {span(took_ms)}{why}")
        return 0 if outcome.status is RunStatus.FINISHED else 1

    def left(self, submitted: SubmittedRun) -> int:
        """Tell which run goes on without this process; return the exit code."""
        if self._as_json:
            found = {"run_id": submitted.run_id, "reused": submitted.reused, "pid": submitted.watcher_pid}
            click.echo(dumps(found))
            return 0
        click.echo(submitted.run_id)
        if submitted.watcher_pid is not None:
            self._say(
                f"the run goes on, attended by process {submitted.watcher_pid}; stop it: kill {submitted.watcher_pid}"
            )
        return 0

    def _bold(self, text: str) -> str:
        return self._talk.style(text, bold=True)

    def _say(self, text: str) -> None:
        sys.stdout.flush()
        with contextlib.suppress(OSError):  # nobody reads any more; the run goes on as it would have
            click.echo(text, err=True, color=self._talk.color)


def link(tracking_uri: str, experiment_id: str, run_id: str) -> str:
    """Return the page of a run on its server; empty where the store is none."""
    from mlcore.projects.job_env import without_credentials

    if not tracking_uri.startswith(("http://", "https://")):
        return ""
    return f"{without_credentials(tracking_uri).rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}"
