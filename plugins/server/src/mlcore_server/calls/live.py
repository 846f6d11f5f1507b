"""Runs as they go on: server-sent events for pages that watch."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mlcore.entities import Run
from mlcore.errors import InvalidParameterError, LimitExceededError, PermissionDeniedError
from mlcore.wire import requests_views as v
from mlcore.wire.endpoints import BY_NAME
from mlcore.wire.tracking_json import Json, metric_out
from mlcore_server.access import Access
from mlcore_server.calls.caller import Caller
from mlcore_server.stores import Stores

_INTERVAL_S = 1.0
_BEAT_S = 15.0
_MOST_RUNS = 100
_MOST_STREAMS = 100


class Live:
    """Tells watchers of runs what has changed, at most once per second and run.

    The store is asked, because runs may be written by other processes than this one.
    """

    def __init__(self, stores: Stores, access: Access) -> None:
        """Watch runs of *stores*, for as long as *access* lets somebody."""
        self._stores = stores
        self._access = access
        self._streams = 0
        self._ended = False

    def end(self) -> None:
        """Let all streams end; a server that stops waits for them."""
        self._ended = True

    async def live(self, request: v.LiveRuns, caller: Caller, http: Request) -> Response:
        """Stream events: `run` when status or name changed, `metrics` with the latest points that are new."""
        if len(request.run_id) > _MOST_RUNS:
            raise InvalidParameterError(
                f"invalid length {len(request.run_id)} of parameter 'run_id': at most {_MOST_RUNS} runs can be watched"
            )
        if self._streams >= _MOST_STREAMS:
            raise LimitExceededError(f"{self._streams} live streams are open: close one, or try again later")
        first = await self._look(request, caller)  # an unknown run is an error now, not an empty stream
        headers = {"cache-control": "no-store", "x-accel-buffering": "no", "x-content-type-options": "nosniff"}
        events = self._events(request, caller, first, http)
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    async def _look(self, request: v.LiveRuns, caller: Caller) -> list[Run]:
        read = functools.partial(self._read, request, caller)
        return await asyncio.get_running_loop().run_in_executor(None, read)

    def _read(self, request: v.LiveRuns, caller: Caller) -> list[Run]:
        # a stream outlives what its watcher was once allowed
        self._access.allow(caller.principal, BY_NAME["runs/live"], request)
        return [self._stores.tracking.get_run(run_id) for run_id in request.run_id]

    async def _events(
        self, request: v.LiveRuns, caller: Caller, runs: list[Run], http: Request
    ) -> AsyncIterator[bytes]:
        self._streams += 1
        known: dict[str, tuple[object, Mapping[str, Json]]] = {}
        quiet = 0.0
        try:
            yield b"retry: 2000\n\n"
            while not self._ended and not await http.is_disconnected():
                news = [event for run in runs for event in _news(run, request.keys, known)]
                quiet = 0.0 if news else quiet + _INTERVAL_S
                if news:
                    yield b"".join(news)
                elif quiet >= _BEAT_S:
                    quiet = 0.0
                    yield b": still here\n\n"
                if all(run.info.status.is_terminated() for run in runs):
                    yield b"event: end\ndata: {}\n\n"
                    return
                await asyncio.sleep(_INTERVAL_S)
                runs = await self._look(request, caller)
        except PermissionDeniedError:
            return  # what was allowed has been taken back; whoever asks again is told so
        finally:
            self._streams -= 1


def _news(run: Run, keys: tuple[str, ...], known: dict[str, tuple[object, Mapping[str, Json]]]) -> list[bytes]:
    """Return the events of one run since the last look, and remember it."""
    state = (run.info.status, run.info.run_name, run.info.end_time)
    # as JSON, in which NaN equals NaN
    latest = {point.key: metric_out(point) for point in run.data.latest if not keys or point.key in keys}
    before_state, before = known.get(run.info.run_id, (None, {}))
    known[run.info.run_id] = (state, latest)
    out = []
    if state != before_state:
        info = {
            "run_id": run.info.run_id,
            "status": run.info.status,
            "run_name": run.info.run_name,
            "end_time": run.info.end_time,
        }
        out.append(b"event: run\ndata: %b\n\n" % orjson.dumps(info))
    points = [point for key, point in latest.items() if before.get(key) != point]
    if points:
        data = orjson.dumps({"run_id": run.info.run_id, "metrics": points})
        out.append(b"event: metrics\ndata: %b\n\n" % data)
    return out
