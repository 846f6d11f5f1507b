"""A session: settings, plugins, and the stores and repositories that were opened with them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mlcore.artifacts.repos import open_repo
from mlcore.entities import Run
from mlcore.hookspecs import HookSpecs
from mlcore.interfaces import ArtifactRepo, TrackingStore
from mlcore.plugins import Plugins, current
from mlcore.settings import Settings
from mlcore.tracking.recorder import DirectRecorder, Recorder
from mlcore.uris import absolute, scheme


class Session:
    """What one process, or one test, works with; threads share it."""

    def __init__(self, settings: Settings | None = None, plugins: Plugins | None = None) -> None:
        """Open nothing yet.

        settings: gathered from the environment when not given.
        plugins: those installed when not given.
        """
        self.settings: Settings = settings or Settings.load()
        self._plugins = plugins
        self._tracking_uri: str | None = None
        self._registry_uri: str | None = None
        self.experiment_id: str | None = None
        self._stores: dict[str, TrackingStore] = {}
        self._repos: dict[str, ArtifactRepo] = {}
        self._recorders: dict[str, Recorder] = {}
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
        text = os.fspath(uri) if uri else None
        if text and scheme(text) == "file":
            text = absolute(text)
        if text != self._tracking_uri:
            self.experiment_id = None
        self._tracking_uri = text

    @property
    def is_tracking_uri_set(self) -> bool:
        """Whether somebody chose the tracking URI, by call or by setting."""
        return bool(self._tracking_uri) or self.settings.origins["tracking_uri"].place != "default"

    @property
    def registry_uri(self) -> str:
        """The registry URI; the tracking URI unless set."""
        return self._registry_uri or self.settings.registry_uri or self.tracking_uri

    def set_registry_uri(self, uri: str | None) -> None:
        """Use another registry URI from now on; None or empty goes back to the settings."""
        self._registry_uri = uri or None

    def store(self, uri: str | None = None) -> TrackingStore:
        """Return the tracking store at *uri*, opened at the first call."""
        key = uri or self.tracking_uri
        with self._lock:
            if key not in self._stores:
                root = self.settings.artifact_root
                self._stores[key] = self.plugins.first(
                    HookSpecs.tracking_store, uri=key, artifact_root=absolute(root) if root else None
                )
            return self._stores[key]

    def recorder(self, uri: str | None = None) -> Recorder:
        """Return what takes batches to the store at *uri*."""
        key = uri or self.tracking_uri
        found = self._recorders.get(key)
        if found is None:
            found = self._recorders.setdefault(key, DirectRecorder(self.store(key)))
        return found

    def repo(self, uri: str) -> ArtifactRepo:
        """Return the artifact repository at *uri*, opened at the first call."""
        with self._lock:
            if uri not in self._repos:
                self._repos[uri] = open_repo(uri, self.plugins)
            return self._repos[uri]

    def run_repo(self, run: Run) -> ArtifactRepo:
        """Return the artifact repository of a run."""
        return self.repo(run.info.artifact_uri)

    def close(self) -> None:
        """Deliver what is recorded, then let go of stores and repositories."""
        with self._lock:
            for recorder in self._recorders.values():
                recorder.flush()
            for store in self._stores.values():
                store.close()
            for repo in self._repos.values():
                repo.close()
            self._stores.clear()
            self._repos.clear()
            self._recorders.clear()


class _Current:
    """The session that the fluent API works with: one for the process, or a stand-in inside `using`."""

    def __init__(self, make: Callable[[], Session]) -> None:
        self._make = make
        self._session: Session | None = None
        self._lock = threading.Lock()

    def get(self) -> Session:
        if self._session is None:
            with self._lock:
                if self._session is None:
                    self._session = self._make()
        return self._session

    def swap(self, session: Session | None) -> Session | None:
        before, self._session = self._session, session
        return before


_current = _Current(Session)


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
