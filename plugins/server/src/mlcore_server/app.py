"""Put the server together: stores, authority, calls and routes, from the table and from plugins."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlcore.entities import Permission
from mlcore.errors import PluginError
from mlcore.hookspecs import WebContext, WebMount, WebRoute
from mlcore.interfaces import Authority
from mlcore.plugins import Plugins
from mlcore.wire import requests_tracking as r
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.endpoints import BY_NAME, ENDPOINTS
from mlcore.wire.messages import read
from mlcore.wire.models_json import logged_model_out, model_out, version_out
from mlcore.wire.moves_json import request_out
from mlcore_server.access import Access
from mlcore_server.answering import Answerer, JsonTarget, RecordTarget, StreamTarget, Target
from mlcore_server.asgi import Receive, Scope, Send
from mlcore_server.authority import choose
from mlcore_server.calls.adoption import Adoption
from mlcore_server.calls.artifacts import Artifacts
from mlcore_server.calls.caller import Caller
from mlcore_server.calls.edits import Edits
from mlcore_server.calls.experiments import Experiments
from mlcore_server.calls.feeds import Feeds
from mlcore_server.calls.live import Live
from mlcore_server.calls.logged_models import LoggedModels
from mlcore_server.calls.manifest import Manifest
from mlcore_server.calls.metrics import Metrics
from mlcore_server.calls.models import Models
from mlcore_server.calls.moves import Moves
from mlcore_server.calls.proxy import Proxy
from mlcore_server.calls.recording import Recording, batch, metric_batch, param_batch, tag_batch
from mlcore_server.calls.runs import Runs
from mlcore_server.calls.service import Service
from mlcore_server.calls.tables import Tables
from mlcore_server.calls.transitions import Transitions
from mlcore_server.calls.trying import Trying
from mlcore_server.calls.versions import Versions
from mlcore_server.calls.viewing import Viewing
from mlcore_server.calls.views import Views
from mlcore_server.config import ServerConfig
from mlcore_server.marking import Marker
from mlcore_server.observing import Observer
from mlcore_server.parts import gather, part_targets
from mlcore_server.recording import GroupWriter
from mlcore_server.routes import RouteTable
from mlcore_server.stores import Stores
from mlcore_server.trail import Trail

Record = Callable[[Mapping[str, Any], Caller], Any]


class ServerApp:
    """The ASGI application of one process."""

    def __init__(self, config: ServerConfig, plugins: Plugins) -> None:
        """Gather the parts; nothing is opened before the server starts.

        Raises PluginError: a plugin adds what cannot be added. SettingsError: the authority that is asked for is
        not there.
        """
        self._stores = Stores(config, plugins)
        context = WebContext(config.tracking_uri, config.registry_uri, config.state_dir, config.prefix, config.auth)
        parts = gather(plugins, context)
        self.access: Access = Access(choose(config, [p for p in parts if isinstance(p, Authority)]), self._stores)
        self._observer = Observer(access_log=config.access_log)
        self._writer = GroupWriter(self._stores, config.max_waiting)
        self._live = Live(self._stores, self.access)
        self._marker = Marker(self._stores, Path(config.state_dir, "marking.lock"), self._stores.heartbeat_s)
        runs, experiments = Runs(self._stores), Experiments(self._stores)
        versions = Versions(self._stores, self.access)
        proxy = Proxy(self._stores, config)
        self._groups: dict[str, object] = {
            "experiments": experiments,
            "runs": runs,
            "recording": Recording(self._stores, self.access),
            "metrics": Metrics(self._stores),
            "views": _Views(Views(self._stores), self._live),
            "tables": Tables(self._stores),
            "artifacts": Artifacts(self._stores, config),
            "viewing": Viewing(self._stores, self.access, config, BY_NAME["POST artifacts:ticket"]),
            "trying": Trying(self._stores, self.access, config),
            "proxy": proxy,
            "logged_models": LoggedModels(self._stores, self.access),
            "models": Models(self._stores),
            "versions": versions,
            "moves": Moves(self._stores),
            "transitions": Transitions(self._stores, self.access),
            "feeds": Feeds(self._stores, self.access),
            "edits": Edits(self._stores, config),
            "manifest": Manifest(self._stores, self.access, config, plugins),
            "adoption": Adoption(self._stores, experiments, versions),
            "service": Service(self._stores, self._observer, multipart=proxy.has_multipart, presign=proxy.has_presign),
        }
        before = _states(self._stores, experiments, runs)
        self.routes: RouteTable = RouteTable()
        self._add_table()
        for method, path, target in part_targets([p for p in parts if isinstance(p, WebRoute | WebMount)]):
            self._add(method, path, target)
        self._answerer = Answerer(config, self.routes, self.access, Trail(self.access, before), self._observer)

    def _add_table(self) -> None:
        for endpoint in ENDPOINTS:
            target = self._target(endpoint)
            for path in endpoint.paths:
                self._add(endpoint.method, path, target)

    def _add(self, method: str, path: str, target: Target) -> None:
        try:
            self.routes.add(method, path, target)
        except ValueError as err:
            raise PluginError(f"{err}: of the plugins that add to the server one has to leave") from err

    def _target(self, endpoint: Endpoint) -> Target:
        if not isinstance(endpoint.permission, Permission):
            raise PluginError(f"endpoint {endpoint.name!r} says nothing of what its caller needs")
        record = self._recorders().get(endpoint.call)
        if record is not None:
            return RecordTarget(endpoint, record)
        group, _, method = endpoint.call.partition(".")
        call = getattr(self._groups[group], method)
        if inspect.iscoroutinefunction(call):
            return StreamTarget(endpoint, call)
        return JsonTarget(endpoint, call)

    def _recorders(self) -> dict[str, Record]:
        recording = self._groups["recording"]
        assert isinstance(recording, Recording)  # noqa: S101  # put there above
        log = self._writer.log_batch

        async def measured(run_id: str, made: Any, caller: Caller) -> None:
            points, on_models = made
            if on_models:
                await self._answerer.in_thread(lambda: recording.check_models(on_models, caller))
            await log(run_id, points)
            if on_models:
                await self._answerer.in_thread(lambda: recording.log_model_metrics(run_id, on_models))

        async def log_metric(values: Mapping[str, Any], caller: Caller) -> None:
            request = read(r.LogMetric, values)
            await measured(request.run_id, metric_batch(request), caller)

        async def log_batch(values: Mapping[str, Any], caller: Caller) -> None:
            run_id = values["run_id"]
            await measured(run_id, batch(run_id, values), caller)

        async def log_param(values: Mapping[str, Any], _: Caller) -> None:
            request = read(r.LogParam, values)
            await log(request.run_id, param_batch(request))

        async def set_tag(values: Mapping[str, Any], _: Caller) -> None:
            request = read(r.SetTag, values)
            await log(request.run_id, tag_batch(request))

        return {
            "recording.log_metric": log_metric,
            "recording.log_batch": log_batch,
            "recording.log_param": log_param,
            "recording.set_tag": set_tag,
        }

    def start(self) -> None:
        """Open the store, so that a broken one is told of before anybody calls."""
        self._stores.tracking  # noqa: B018  # opening it is the point
        self._writer.start()
        self._marker.start()

    def stop(self) -> None:
        """Commit what was taken, then let go of everything."""
        self._answerer.close()
        self._marker.stop()
        self._writer.stop()
        self._stores.tell_stopping()
        self._stores.close()
        self._observer.close()

    def stopping(self) -> None:
        """End what would go on for ever: the streams of live events."""
        self._live.end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._answerer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self.start()
        except Exception as err:  # noqa: BLE001  # whatever it is, the operator has to read it
            await send({"type": "lifespan.startup.failed", "message": str(err)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.stop()
        await send({"type": "lifespan.shutdown.complete"})


class _Views:
    """The group `views`: answers, and the stream of live events."""

    def __init__(self, views: Views, live: Live) -> None:
        self.series = views.series
        self.count_runs = views.count_runs
        self.run_facets = views.run_facets
        self.live = live.live


def _states(stores: Stores, experiments: Experiments, runs: Runs) -> dict[str, Callable[[Any], object]]:
    """How to look up what is there before a change, by group."""
    return {
        "experiments": lambda asked: experiments.shown(stores.tracking.get_experiment(asked.experiment_id)),
        "runs": lambda asked: runs.shown(stores.tracking.get_run(asked.run_id))["info"],
        "logged_models": lambda asked: logged_model_out(
            stores.logged_models.get_logged_model(asked.model_id, allow_deleted=True)
        ),
        "models": lambda asked: model_out(stores.registry.get_model(asked.name)),
        "moves": lambda asked: model_out(stores.registry.get_model(asked.name)),
        "transitions": lambda asked: request_out(stores.requests.get_request(asked.request_id)),
        "versions": lambda asked: version_out(stores.registry.get_version(asked.name, asked.version)),
    }
