"""Every hook of mlcore on one page: factories, gatherers, listeners.

A plugin is a thin module of functions marked with `hookimpl`, named by an entry point in the group
`mlcore.<hook>`; the entry point's name is the key (scheme, flavor, target, command) that it answers to.
Always-on plugins sit in the group `mlcore` and load at the first use of any hook.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import pluggy
from attrs import field, frozen

from mlcore.entities import Permission, Transition
from mlcore.interfaces import (
    ArtifactRepo,
    Authority,
    BatchEngine,
    Deployer,
    EnvironmentManager,
    Flavor,
    ProjectBackend,
    RegistryStore,
    Sampler,
    TrackingStore,
)

if TYPE_CHECKING:
    from mlcore.entities.ui_extension import UIExtension  # a server alone needs it

PROJECT = "mlcore"

hookspec: pluggy.HookspecMarker = pluggy.HookspecMarker(PROJECT)
hookimpl: pluggy.HookimplMarker = pluggy.HookimplMarker(PROJECT)


class Command(Protocol):
    """A command of the `mlcore` program: a click command or group."""

    name: str | None


class WebApp(Protocol):
    """An ASGI application."""

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        """Serve one connection."""
        ...


@frozen
class WebMount:
    """An application that a plugin puts under a path of the server; everything below it needs the one permission.

    path: such as `/ui`.
    permission: what a caller needs.
    """

    path: str
    app: WebApp
    permission: Permission


@frozen
class WebRoute:
    """One route that a plugin adds to the server.

    path: such as `/api/mlcore/users`, with `{name}` for a segment.
    permission: what a caller needs; `by` names a field of the query or of the JSON body.
    handler: a Starlette endpoint; `request.state.principal` is who calls, `request.state.request_id` as in the access log.
    mutates: whether it changes something, and so belongs into the audit log; a handler that has written its own entry,
    with the state before and after, sets `request.state.audited`.
    """

    method: str
    path: str
    permission: Permission
    handler: Callable[..., Awaitable[object]]
    mutates: bool = False


@frozen
class WebContext:
    """What the server tells the plugins that add to it.

    state_dir: an absolute path; a directory for files of the server's parts, readable by its user alone.
    prefix: the path under which the whole server is mounted, empty or like `/mlflow`.
    auth: the authority that is wanted, `auto` for the one that is installed, `local` for the same if it has users
    already, as on somebody's own machine, `none` for nobody; a plugin whose authority is not wanted adds nothing.
    """

    tracking_uri: str
    registry_uri: str
    state_dir: str
    prefix: str = ""
    auth: str = "auto"


@frozen
class WatchedRun:
    """A run that a monitor watches.

    log: record values by metric name, with a step, from any thread; never blocks. After the end of the run it does nothing.
    first_step: with which to begin; greater than 0 in a run that is resumed.
    every_s: how often to look, in seconds, more than 0.
    samples: how many looks make one point.
    node: of several machines that work on one run, which this is; it belongs into the metrics' names. Empty for one alone.
    """

    run_id: str
    log: Callable[[Mapping[str, float], int], None]
    first_step: int
    every_s: float
    samples: int = 1
    node: str = ""


WebPart = WebMount | WebRoute | Authority


@frozen
class Event:
    """Something that happened.

    name: `run_started`, `run_ended`, `run_resumed`, `model_created`, `model_renamed`, `model_deleted`,
    `version_created`, `version_deleted`, `stage_moved`, `alias_moved`, `transition_requested`, `transition_decided`,
    `server_stopping`: a process of the server ends, without exit handlers.
    timestamp: ms since the epoch, UTC.
    subject: id of the run, model or experiment.
    detail: plain JSON values.
    """

    name: str
    timestamp: int
    subject: str
    detail: Mapping[str, object] = field(factory=dict)


class HookSpecs(Protocol):
    """All hooks. Arguments are only ever added; an implementation names those that it uses."""

    # Factories: asked by key, the first answer that is not None counts.

    @hookspec(firstresult=True)
    def tracking_store(self, uri: str, artifact_root: str | None) -> TrackingStore | None:
        """Open the tracking store at *uri*, creating it when it is new.

        Asked once per URI and process; the kernel keeps the answer.
        uri: with scheme, as the user wrote it: `sqlite:///mlcore.db`.
        artifact_root: absolute URI below which new experiments put artifacts; None lets the store choose.
        Returns None when the scheme is not yours, so that others are asked.
        Raises StoreUnavailableError: the place does not answer. CorruptStoreError: it cannot be read.
        Since 0.1.
        """
        ...

    @hookspec(firstresult=True)
    def registry_store(self, uri: str) -> RegistryStore | None:
        """Open the registry store at *uri*, creating it when it is new.

        Asked once per URI and process; the kernel keeps the answer.
        Returns None when the scheme is not yours, so that others are asked.
        Raises StoreUnavailableError: the place does not answer. CorruptStoreError: it cannot be read.
        Since 0.1.
        """
        ...

    @hookspec(firstresult=True)
    def artifact_repo(self, uri: str) -> ArtifactRepo | None:
        """Open the artifact repository at *uri*.

        Asked once per URI and process; the kernel keeps the answer.
        uri: absolute, with scheme, no trailing slash: `s3://bucket/prefix`.
        Returns None when the scheme is not yours, so that others are asked.
        Raises StoreUnavailableError: the place exists but did not answer in 10 s.
        Since 0.1.
        """
        ...

    @hookspec(firstresult=True)
    def project_backend(self, name: str) -> ProjectBackend | None:
        """Open the project backend called *name*, such as `local` or `kubernetes`.

        Returns None when the name is not yours, so that others are asked.
        Raises MissingDependencyError: a library that it needs is not installed.
        Since 0.1.
        """
        ...

    @hookspec(firstresult=True)
    def environment(self, name: str) -> EnvironmentManager | None:
        """Open the environment manager called *name*, such as `uv` or `conda`.

        Returns None when the name is not yours, so that others are asked.
        Raises MissingDependencyError: the program that it drives is not on PATH.
        Since 0.1.
        """
        ...

    @hookspec(firstresult=True)
    def flavor(self, name: str) -> Flavor | None:
        """Return the flavor called *name*, such as `sklearn`; must not import the flavor's library.

        Returns None when the name is not yours, so that others are asked.
        Raises nothing; a missing library is reported by the flavor's own methods.
        Since 0.1.
        """
        ...

    @hookspec(firstresult=True)
    def deployer(self, name: str, target_uri: str) -> Deployer | None:
        """Open the deployer called *name* for a target.

        name: scheme or name of the target: `sagemaker`.
        target_uri: as the user wrote it: `sagemaker:/eu-west-1`.
        Returns None when the name is not yours, so that others are asked.
        Raises StoreUnavailableError: the target does not answer.
        Since 0.1.
        """
        ...

    @hookspec(firstresult=True)
    def batch_engine(self, name: str) -> BatchEngine | None:
        """Open the batch engine called *name*, such as `spark`.

        Returns None when the name is not yours, so that others are asked.
        Raises MissingDependencyError: a library that it needs is not installed.
        Since 0.1.
        """
        ...

    @hookspec(firstresult=True)
    def sampler(self, name: str) -> Sampler | None:
        """Make a sampler called *name*, such as `optuna`, for one search of `mlcore run --search`.

        `grid` and `random` are the kernel's own and nobody is asked for them.
        Returns None when the name is not yours, so that others are asked.
        Raises MissingDependencyError: a library that it needs is not installed.
        Since 0.1.
        """
        ...

    # Gatherers: everybody is asked, all answers count.

    @hookspec
    def run_context(self) -> Mapping[str, str] | None:
        """Return tags that describe where the present run executes, such as `mlflow.user`.

        Called once when a run is created; tags that the user gives win.
        Returns None, or an empty mapping, outside of the place that the plugin knows.
        Raises nothing that matters: an error is reported once and the run goes on.
        Since 0.1.
        """
        ...

    @hookspec
    def run_monitor(self, watched: WatchedRun) -> Callable[[], None] | None:
        """Begin to watch a run that has started in this process, and return the function that ends it.

        Asked when a run starts for which somebody wants system metrics; every plugin that answers watches.
        The function is called once, when the run ends in whatever way; it returns within a second.
        Returns None when there is nothing to watch here.
        Raises nothing that matters: an error is reported once and the run goes on.
        Since 0.1.
        """
        ...

    @hookspec(firstresult=True)
    def command(self, name: str) -> Command | None:
        """Return the click command for `mlcore NAME`; imported only when it is used.

        Returns None when the name is not yours, so that others are asked.
        Raises nothing that matters: the error is shown with the plugin's name.
        Since 0.1.
        """
        ...

    @hookspec
    def web(self, context: WebContext) -> Sequence[WebPart] | None:
        """Return the routes and pages that the plugin adds to the server, and its authority if it brings one.

        Called once in each process of the server, when it starts. Returns None when it adds none.
        Raises anything: the server refuses to start and names the plugin.
        Since 0.1.
        """
        ...

    @hookspec
    def ui_extensions(self) -> Sequence[UIExtension] | None:
        """Return what the plugin shows in the web UI: pages, panels, viewers of artifacts, cells of columns.

        Called once in each process of the server, when it starts; a module is loaded when somebody looks at it.
        Returns None when there is nothing to show.
        Raises nothing that matters: the error is reported, and the UI goes on without it.
        Since 0.1.
        """
        ...

    @hookspec
    def before_transition(self, transition: Transition) -> str | None:
        """Say why a version must not get a stage or an alias now; anybody's reason is enough to refuse the move.

        Called before every move of a stage or an alias, in the process that works with the registry's store: the
        server's when there is one, and that of the client.
        Returns None to let it pass.
        Raises anything: the move is refused, and the error is its reason.
        Since 0.1.
        """
        ...

    # Listeners: told of what happened; no answer.

    @hookspec
    def event(self, event: Event) -> None:
        """Hear of something that happened, after it did.

        Called in the thread where it happened; be quick or hand over to a thread of your own.
        Returns nothing.
        Raises nothing that matters: an error is reported once and nothing else is disturbed.
        Since 0.1.
        """
        ...
