"""The audit trail: who changed what, with the state before and after, for authorities that keep one."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import asdict, define, evolve, has

from mlcore.entities import AuditEntry, Principal, Resource
from mlcore.errors import MlcoreError
from mlcore.interfaces import SupportsAudit
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.requests_tracking import RunId
from mlcore_server.access import Access

Before = Callable[[Any], object]

_SECRET = re.compile("password|token|secret|key", re.IGNORECASE)


@define
class Note:
    """What a call leaves for the trail."""

    after: object = None


class Trail:
    """Writes entries, together where many come at a time."""

    def __init__(self, access: Access, before: Mapping[str, Before]) -> None:
        """Write to the authority of *access* if it keeps a log.

        before: how to look up the state before a change, by the part of an endpoint's name before the slash.
        """
        self._access = access
        self._log = access.authority if isinstance(access.authority, SupportsAudit) else None
        self._before = before
        self._gathering: list[AuditEntry] = []
        self._written: asyncio.Future[None] | None = None

    @contextmanager
    def of(self, principal: Principal, endpoint: Endpoint, request: object, request_id: str) -> Iterator[Note]:
        """Write down what the block changes, also when it fails half way."""
        note = Note()
        if self._log is None or not endpoint.mutates:
            yield note
            return
        before = self._state(endpoint, request)
        status = 200
        try:
            yield note
        except MlcoreError as err:
            status = err.status
            raise
        except BaseException:
            status = 500
            raise
        finally:
            if status == 200 or status >= 500:
                if endpoint.permission.by == "run_ids":
                    self._log.record(self._of_many(principal, endpoint, request, request_id, status, note))
                else:
                    after = note.after or _plain(request)
                    self._log.record([self._entry(principal, endpoint, request, request_id, status, before, after)])

    async def recorded(
        self, principal: Principal, endpoint: Endpoint, values: Mapping[str, object], request_id: str
    ) -> None:
        """Write down a recorded batch; entries that come while others are written are written together."""
        if self._log is None:
            return
        named = RunId(run_id=str(values["run_id"]))
        resource = Resource("experiment", self._access.resources(endpoint.permission, named)[0].id)
        entry = AuditEntry(_now_ms(), principal.name, endpoint.name, resource, 200, request_id, None, dict(values))
        self._gathering.append(entry)
        while entry in self._gathering:
            if self._written is None:
                await self._write_gathered()
            else:
                await asyncio.shield(self._written)

    def streamed(self, principal: Principal, endpoint: Endpoint, request: object, request_id: str) -> None:
        """Write down a file that was stored or removed."""
        if self._log is not None:
            self._log.record([self._entry(principal, endpoint, request, request_id, 200, None, _plain(request))])

    def routed(
        self, principal: Principal, endpoint: Endpoint, fields: Mapping[str, object], request_id: str, status: int
    ) -> None:
        """Write down what a plugin's route was asked to change, without what looks like a secret."""
        if self._log is None or not (status < 400 or status >= 500):
            return
        after = {name: "***" if _SECRET.search(name) else value for name, value in fields.items()}
        resource = Resource(endpoint.permission.kind)
        entry = AuditEntry(_now_ms(), principal.name, endpoint.name, resource, status, request_id, None, after)
        self._log.record([entry])

    async def _write_gathered(self) -> None:
        loop = asyncio.get_running_loop()
        self._written = loop.create_future()
        entries, self._gathering = self._gathering, []
        try:
            assert self._log is not None  # noqa: S101  # the caller has looked
            await loop.run_in_executor(None, self._log.record, entries)
        finally:
            self._written.set_result(None)
            self._written = None

    def _state(self, endpoint: Endpoint, request: object) -> object:
        look_up = self._before.get(endpoint.call.partition(".")[0])
        if look_up is None or endpoint.call.endswith(".create"):
            return None
        try:
            return look_up(request)
        except MlcoreError:
            return None  # there is nothing before it; the call itself will say so

    def _of_many(
        self, principal: Principal, endpoint: Endpoint, request: Any, request_id: str, status: int, note: Note
    ) -> list[AuditEntry]:
        """Return an entry per experiment in which runs were changed; when it failed half way, may have been."""
        changed = note.after["done"] if isinstance(note.after, Mapping) else request.run_ids
        by_experiment: dict[Resource, list[str]] = {}
        for run_id in changed:
            (resource,) = self._access.resources(endpoint.permission, evolve(request, run_ids=(run_id,)))
            by_experiment.setdefault(resource, []).append(run_id)
        asked = _fields(request)
        return [
            AuditEntry(
                _now_ms(), principal.name, endpoint.name, resource, status, request_id, None, asked | {"run_ids": of_it}
            )
            for resource, of_it in by_experiment.items()
        ]

    def _entry(
        self,
        principal: Principal,
        endpoint: Endpoint,
        request: object,
        request_id: str,
        status: int,
        before: object,
        after: object,
    ) -> AuditEntry:
        resource = self._access.resources(endpoint.permission, request)[0]
        if not resource.id and isinstance(after, Mapping):  # it has just been made
            made = after.get("experiment_id") or getattr(request, "name", "")
            resource = Resource(resource.kind, str(made))
        return AuditEntry(_now_ms(), principal.name, endpoint.name, resource, status, request_id, before, after)


def _fields(request: Any) -> dict[str, Any]:
    return asdict(request)


def _plain(request: Any) -> object:
    return asdict(request) if has(type(request)) else None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
