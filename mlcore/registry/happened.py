"""Tell the event listeners what happens in a registry."""

from __future__ import annotations

import time
from collections.abc import Mapping

from attrs import frozen

from mlcore.entities import MoveNote, TransitionRequest
from mlcore.hookspecs import Event, HookSpecs
from mlcore.plugins import Plugins


@frozen
class Teller:
    """Who tells the listeners of one process.

    told_by: `client` or `server`; with a server in between both tell, each to the listeners of its own process.
    """

    plugins: Plugins
    told_by: str

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens; else nothing needs to be looked up for the events' sake."""
        return self.plugins.is_answered(HookSpecs.event.__name__)

    def tell(self, name: str, model: str, note: MoveNote, detail: Mapping[str, object]) -> None:
        """Tell of something that happened to a registered model; what listeners raise disturbs nobody."""
        full = {**detail, "user": note.user, "comment": note.comment, "told_by": self.told_by}
        event = Event(name, time.time_ns() // 1_000_000, model, full)
        self.plugins.every(HookSpecs.event, event=event)

    def tell_request(self, name: str, request: TransitionRequest, note: MoveNote) -> None:
        """Tell of a transition request that was made or decided."""
        detail = {
            "request_id": request.request_id,
            "version": request.version,
            "stage": request.stage,
            "archive_existing_versions": request.archive_existing,
            "status": request.status.value,
            "requested_by": request.user,
            "request_comment": request.comment,
        }
        self.tell(name, request.name, note, detail)
