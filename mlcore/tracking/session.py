"""A session: settings, plugins, and the stores and repositories that were opened with them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import attrs

from mlcore.artifacts.repos import open_repo
from mlcore.entities import Experiment, Run
from mlcore.errors import InvalidParameterError, MlcoreError, StoreUnavailableError
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import ArtifactRepo, RegistryStore, SupportsJournals, TrackingStore
from mlcore.plugins import Plugins, current
from mlcore.settings import Settings
from mlcore.tracking.inheritance import Inherited
from mlcore.tracking.known import KnownRun
from mlcore.tracking.last_tables import Tables
from mlcore.tracking.lost import Watch
from mlcore.tracking.reach import ask, is_outage, is_remote
from mlcore.tracking.recorder import DirectRecorder, JournalRecorder, Recorder
from mlcore.uris import absolute, anchored, local_path, proxied_url, redacted, scheme

_URI, _REGISTRY_URI = "MLCORE_TRACKING_URI", "MLCORE_REGISTRY_URI"
_EXPERIMENT_ID, _EXPERIMENT_NAME = "MLCORE_EXPERIMENT_ID", "MLCORE_EXPERIMENT_NAME"


class Session:
    """What one process, or one test, works with; threads share it.

    A session without settings of its own is bound to the environment: it follows changes of the variables, and sets
    them to what is chosen by calls, so that processes started later work with the same store and experiment.
    """

    def __init__(self, settings: Settings | None = None, plugins: Plugins | None = None) -> None:
        """Open nothing yet.

        settings: gathered from the environment when not given.
        plugins: those installed when not given.
        """
        self._is_bound = settings is None
        self._directory = Path.cwd()
        self._seen = Settings.seen_in(os.environ)
        self.settings: Settings = settings or Settings.load(directory=self._directory)
        self._given = self.settings
        self._told: set[str] = set()
        self._run_id_taken = False
        self._inherited = Inherited()
        self._anchored: dict[str, str] = {}
        self._plugins = plugins
        self._tracking_uri: str | None = None
        self._registry_uri: str | None = None
        self.experiment_id: str | None = None
        self._stores: dict[str, TrackingStore] = {}
        self._registries: dict[str, RegistryStore] = {}
        self._repos: dict[str, ArtifactRepo] = {}
        self.lost: Watch = Watch()
        self._recorders: dict[tuple[str, bool, bool], Recorder] = {}
        self._known: dict[tuple[str, str], KnownRun] = {}
        self.pending_experiments: dict[str, str] = {}
        self.tables: Tables = Tables()
        self._openings: dict[str, threading.RLock] = {}
        self.opening_patience_s: float | None = None
        self._lock = threading.RLock()

    @property
    def plugins(self) -> Plugins:
        """The plugins of this session."""
        return self._plugins or current()

    @property
    def tracking_uri(self) -> str:
        """The tracking URI that calls without one use."""
        return self._tracking_uri or self.settings.tracking_uri

    def set_tracking_uri(self, uri: str | os.PathLike[str] | None) -> None:
        """Use another tracking URI from now on; None or empty goes back to the settings.

        The active experiment belongs to the store and is forgotten when that changes.
        """
        text = checked_uri(uri)
        before = self.tracking_uri
        self._inherited.take_back(_URI)
        self._tracking_uri = text
        self.follow_environment()
        if self.tracking_uri != before:
            self._forget_experiment()
            self.follow_environment()
        if text and self._is_bound:
            origins = self.settings.origins
            given = [origins[name].detail for name in ("tracking_uri", "experiment_id")]
            if given == [_URI, _EXPERIMENT_ID] and self.anchored(self.settings.tracking_uri) != self.anchored(text):
                self._inherited.set(_EXPERIMENT_ID, "")  # a parent process left both; the id is of its store
            self._inherited.set(_URI, self.anchored(text))

    def set_experiment(self, experiment: Experiment) -> None:
        """Let new runs go to *experiment* of the present store."""
        self.experiment_id = experiment.experiment_id
        pending = self.pending_experiments.get(experiment.experiment_id)
        if self._is_bound and pending is not None:  # a child asks for it by name, when it can
            self._inherited.set(_EXPERIMENT_ID, "")
            self._inherited.set(_EXPERIMENT_NAME, pending)
        elif self._is_bound:
            self._inherited.set(_EXPERIMENT_ID, experiment.experiment_id)
            if self.settings.experiment_name:  # a child must not find a name that means another experiment
                self._inherited.set(_EXPERIMENT_NAME, experiment.name)

    def change_setting(self, name: str, value: bool | float | str | None) -> None:
        """Use another value of a setting from now on, in processes started later too; None takes that back.

        Raises SettingsError: the value cannot be used.
        """
        variable = f"MLCORE_{name.upper()}"
        checked = Settings.load({name: value}, environ={}, directory=self._directory)
        if not self._is_bound:
            self.settings = attrs.evolve(
                self.settings, **{name: getattr(checked if value is not None else self._given, name)}
            )
            return
        self._inherited.take_back(variable)
        if value is not None:
            self._inherited.set(variable, str(value).lower() if isinstance(value, bool) else str(value))
        self.follow_environment()

    def is_new(self, subject: str) -> bool:
        """Whether nobody has told about *subject* in this session yet; the caller does it now."""
        told = subject in self._told
        self._told.add(subject)
        return not told

    def take_run_id(self) -> str | None:
        """Return the run to resume that was given as an argument of the settings; None from the second call on."""
        origin = self.settings.origins.get("run_id")
        given = self.settings.run_id if origin and origin.place == "argument" and not self._run_id_taken else None
        self._run_id_taken = True
        return given

    def _forget_experiment(self) -> None:
        self.experiment_id = None
        self._inherited.take_back(_EXPERIMENT_ID, _EXPERIMENT_NAME)

    def follow_environment(self) -> None:
        """Read the settings again if a variable has changed; programs set variables after the import, too."""
        if not self._is_bound:
            return
        seen = Settings.seen_in(os.environ)
        if seen != self._seen:
            before = self.tracking_uri
            self.settings = Settings.load(directory=self._directory)
            self._seen = seen
            if self.tracking_uri != before:
                self._forget_experiment()

    def anchored(self, uri: str) -> str:
        """Return *uri* with its relative path, if any, seen from where the process was when it first used it.

        A program that changes its working directory goes on with the same store.
        """
        found = self._anchored.get(uri)
        return found if found is not None else self._anchored.setdefault(uri, anchored(uri))

    @property
    def is_tracking_uri_set(self) -> bool:
        """Whether somebody chose the tracking URI, by call or by setting."""
        return bool(self._tracking_uri) or self.settings.origins["tracking_uri"].place != "default"

    @property
    def registry_uri(self) -> str:
        """The registry URI; the tracking URI unless set."""
        return self._registry_uri or self.settings.registry_uri or self.tracking_uri

    def set_registry_uri(self, uri: str | os.PathLike[str] | None) -> None:
        """Use another registry URI from now on; None or empty goes back to the settings."""
        self._registry_uri = checked_uri(uri, "registry")
        self._inherited.take_back(_REGISTRY_URI)
        if self._registry_uri and self._is_bound:
            self._inherited.set(_REGISTRY_URI, self.anchored(self._registry_uri))

    def store(self, uri: str | None = None) -> TrackingStore:
        """Return the tracking store at *uri*, opened at the first call."""
        key = self.anchored(uri or self.tracking_uri)
        found = self._stores.get(key)  # without the lock: most calls find it, and a forked child never waits here
        if found is not None:
            return found
        if self.settings.offline and is_remote(key):
            raise self.offline_error(key)
        # a lock for each: a server that does not answer keeps nobody from the other stores
        with self._openings.setdefault(key, threading.RLock()):
            if key not in self._stores:
                root = self.settings.artifact_root
                place = absolute(root) if root else None
                first = partial(self.plugins.first, HookSpecs.tracking_store, uri=key, artifact_root=place)
                self._stores[key] = ask(key, first, self.opening_patience_s)
            return self._stores[key]

    def offline_error(self, uri: str) -> StoreUnavailableError:
        """Return the error for a place that the user said must not be asked."""
        origin = self.settings.origins.get("offline", "offline")
        return StoreUnavailableError(f"{redacted(uri)} is not asked: recording is offline ({origin})")

    def registry(self, uri: str | None = None) -> RegistryStore:
        """Return the registry store at *uri*, opened at the first call."""
        key = self.anchored(uri or self.registry_uri)
        if self.settings.offline and is_remote(key):
            raise self.offline_error(key)
        with self._lock:
            if key not in self._registries:
                first = partial(self.plugins.first, HookSpecs.registry_store, uri=key)
                self._registries[key] = ask(key, first, self.opening_patience_s)
            return self._registries[key]

    def recorder(self, uri: str | None = None) -> Recorder:
        """Return what takes records to the store at *uri*."""
        anchored_uri = self.anchored(uri or self.tracking_uri)
        key = anchored_uri, self.settings.strict, self.settings.offline
        found = self._recorders.get(key)
        if found is None:
            with self._lock:
                found = self._recorders.get(key)
                if found is None:
                    found = self._recorders[key] = self._new_recorder(anchored_uri)
        return found

    def _new_recorder(self, uri: str) -> Recorder:
        settings = self.settings
        if settings.strict:
            return DirectRecorder(self.store(uri))
        store, down = (None, None) if settings.offline else self._store_or_outage(uri)
        if isinstance(store, SupportsJournals):
            from mlcore.tracking.store_journals import StoreJournalRecorder

            return StoreJournalRecorder(store, store, settings.fsync)
        from mlcore.delivery import Outbox, Policy, Spool, spool_root

        policy = Policy(settings.patience_s, settings.spool_limit_mb, settings.fsync, settings.offline)
        spool = Spool(spool_root(settings.spool_dir), uri)
        outbox = Outbox(spool, lambda: self.store(uri), policy, lambda place: self.repo(place, uri))
        if down is not None:
            outbox.report_down(down)
        return JournalRecorder(outbox)

    def _store_or_outage(self, uri: str) -> tuple[TrackingStore | None, MlcoreError | None]:
        try:
            return ask(uri, lambda: self.store(uri), self.settings.patience_s), None
        except MlcoreError as err:
            if not (is_outage(err) and is_remote(uri)):
                raise
            return None, err

    def known_experiment_id(self, experiment_id: str) -> str:
        """Return the id of an experiment that was chosen by name while its store was down, when that answers now."""
        name = self.pending_experiments.get(experiment_id)
        if name is None:
            return experiment_id
        found = self.store().get_experiment_by_name(name)
        return found.experiment_id if found is not None else experiment_id

    def server_run_id(self, run_id: str, uri: str | None = None) -> str:
        """Return the id that a run has in its store; another one when it began without a server that chooses ids."""
        folder = self.recorder(uri).folder(run_id)
        return (folder.facts().server_run_id if folder is not None else None) or run_id

    def known(self, run_id: str, uri: str | None = None) -> KnownRun:
        """Return what this process knows of a run; all handles of the run share it."""
        key = self.anchored(uri or self.tracking_uri), run_id
        found = self._known.get(key)
        return found if found is not None else self._known.setdefault(key, KnownRun(run_id))

    def forget_known(self) -> None:
        """Look at every run again before its next record, as after an experiment was deleted."""
        for known in tuple(self._known.values()):
            known.forget()

    def repo(self, uri: str, tracking_uri: str | None = None) -> ArtifactRepo:
        """Return the artifact repository at *uri*, opened at the first call.

        tracking_uri: of the store that told *uri*, whose server's artifact proxy `mlflow-artifacts:/path` means.
        """
        if scheme(uri) == "mlflow-artifacts":
            uri = proxied_url(uri, tracking_uri or self.tracking_uri)
        found = self._repos.get(uri)
        if found is not None:
            return found
        with self._openings.setdefault(uri, threading.RLock()):
            if uri not in self._repos:
                self._repos[uri] = self._spool_repo(uri) or open_repo(uri, self.plugins)
            return self._repos[uri]

    def _spool_repo(self, uri: str) -> ArtifactRepo | None:
        """Return the repository of a run that is in the spool alone, whose files need no plugin."""
        if scheme(uri) != "file":
            return None
        from mlcore.delivery import spool_root
        from mlcore.delivery.spool_repo import SpoolRepo

        place = local_path(uri)
        is_spooled = spool_root(self.settings.spool_dir) in place.parents and place.name == "artifacts"
        return SpoolRepo(place) if is_spooled else None

    def run_repo(self, run: Run, tracking_uri: str | None = None) -> ArtifactRepo:
        """Return the artifact repository of a run; *tracking_uri* is that of its store, when it is another one."""
        return self.repo(run.info.artifact_uri, tracking_uri)

    def flush(self) -> bool:
        """Wait in bounded time until everything recorded so far is in its store; return whether it is."""
        flushed = [recorder.flush() for recorder in tuple(self._recorders.values())]
        return all(flushed)

    def reset_lock(self) -> None:
        """Make the session usable in a forked child; another thread may have held the lock."""
        self._lock = threading.RLock()
        self._openings = {}
        self.lost.reset_lock()

    def close(self) -> None:
        """Deliver what is recorded, then let go of stores, repositories and environment variables."""
        self._inherited.take_back()
        for recorder in tuple(self._recorders.values()):
            recorder.close()
        with self._lock:
            for store in self._stores.values():
                store.close()
            for registry in self._registries.values():
                registry.close()
            for repo in self._repos.values():
                repo.close()
            self._registries.clear()
            self._stores.clear()
            self._repos.clear()
            self._recorders.clear()
            self._known.clear()
            self.tables.close()


def checked_uri(uri: str | os.PathLike[str] | None, what: str = "tracking") -> str | None:
    """Return the URI of a store as text, a path as a `file:` URI; None for None and for an empty text.

    Raises InvalidParameterError: neither text nor path.
    """
    if uri is not None and not isinstance(uri, (str, os.PathLike)):
        raise InvalidParameterError(f"invalid {what} URI {uri!r}: expected a text or a path")
    text = os.fspath(uri) if uri else ""
    return absolute(text) if text and scheme(text) == "file" else text or None


class _Current:
    """The session that the fluent API works with: one for the process, or a stand-in inside `using`."""

    def __init__(self, make: Callable[[], Session]) -> None:
        self._make = make
        self._session: Session | None = None
        self._lock = threading.Lock()

    def get(self) -> Session:
        session = self._session
        if session is None:
            with self._lock:
                session = self._session or self._make()
                self._session = session
        session.follow_environment()
        return session

    def swap(self, session: Session | None) -> Session | None:
        before, self._session = self._session, session
        return before

    def reset_locks(self) -> None:
        self._lock = threading.Lock()
        if self._session is not None:
            self._session.reset_lock()


_current = _Current(Session)
os.register_at_fork(after_in_child=_current.reset_locks)


def current_session() -> Session:
    """Return the session of the fluent API, made from the settings at the first call."""
    return _current.get()


@contextmanager
def using(session: Session) -> Iterator[Session]:
    """Let the fluent API work with *session* inside the block; for tests and for embedding."""
    before = _current.swap(session)
    try:
        yield session
    finally:
        _current.swap(before)
        session.close()
