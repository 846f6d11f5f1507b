"""Tell the event listeners what happens to runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlcore.entities import RunInfo
from mlcore.hookspecs import Event, HookSpecs
from mlcore.tracking.names import now_ms

if TYPE_CHECKING:
    from mlcore.tracking.session import Session


def announce(session: Session, name: str, run: RunInfo, **detail: object) -> None:
    """Tell of something that happened to a run, such as `run_started`; what listeners raise disturbs nobody."""
    event = Event(name, now_ms(), run.run_id, {"experiment_id": run.experiment_id, **detail})
    session.plugins.every(HookSpecs.event, event=event)
