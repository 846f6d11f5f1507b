"""The two sides of a copy: a store, its registry, and the places of its artifacts; and the job that joins them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import unquote

from attrs import define, field, frozen

from mlcore.artifacts.repos import open_repo
from mlcore.errors import InvalidParameterError, NotFoundError, PluginNotFoundError, UnsupportedError
from mlcore.interfaces import ArtifactRepo, RegistryStore, TrackingStore
from mlcore.moving.report import Choice, Tally
from mlcore.plugins import Plugins
from mlcore.tracking.session import Session
from mlcore.uris import anchored, local_path, proxied_url, redacted, scheme

T = TypeVar("T")


@frozen
class Place:
    """A directory of artifacts: a repository, and a path in it."""

    repo: ArtifactRepo
    path: str


@define(eq=False)
class Side:
    """A store that is read or written.

    registry: None when nobody keeps registered models at its URI.
    """

    uri: str
    store: TrackingStore
    registry: RegistryStore | None
    plugins: Plugins
    _repos: dict[str, ArtifactRepo] = field(factory=dict, init=False)
    _lock: threading.Lock = field(factory=threading.Lock, init=False)

    @property
    def shown(self) -> str:
        """The URI without its password."""
        return redacted(self.uri)

    @contextmanager
    def place(self, uri: str, root: str) -> Iterator[Place]:
        """Open the artifacts at *uri*; one repository serves all that lies below *root*, the experiment's location."""
        below = _below(uri, root)
        if below is not None:
            yield Place(self._repo(root), below)
            return
        repo = self._open(uri)
        try:
            yield Place(repo, "")
        finally:
            repo.close()

    def close(self) -> None:
        """Let go of repositories; the session keeps the stores."""
        for repo in self._repos.values():
            repo.close()
        self._repos.clear()

    def _repo(self, root: str) -> ArtifactRepo:
        with self._lock:
            if root not in self._repos:
                self._repos[root] = self._open(root)
            return self._repos[root]

    def _open(self, uri: str) -> ArtifactRepo:
        return open_repo(proxied_url(uri, self.uri) if scheme(uri) == "mlflow-artifacts" else uri, self.plugins)


@frozen
class Job:
    """One copy: from where, to where, what, and what became of it."""

    source: Side
    target: Side
    choice: Choice
    tally: Tally

    def write(self, change: Callable[[], T]) -> T | None:
        """Change the target, and count that once it is done; in a dry run only count, and return None."""
        done = None if self.choice.dry_run else change()
        self.tally.add(writes=1)
        return done


def open_side(session: Session, uri: str, registry_uri: str | None, *, must_exist: bool) -> Side:
    """Open the store at *uri* with its registry.

    registry_uri: where its models are; the same place when None.
    Raises NotFoundError: it must exist, and is not there; a store would be made by opening it.
    """
    place = session.anchored(uri)
    if must_exist:
        _refuse_missing(place)
    registry_place = session.anchored(registry_uri) if registry_uri else place
    if must_exist:
        _refuse_missing(registry_place)
    try:
        registry: RegistryStore | None = session.registry(registry_place)
    except (PluginNotFoundError, UnsupportedError):
        if registry_uri is not None and registry_uri != uri:
            raise
        registry = None
    return Side(place, session.store(place), registry, session.plugins)


def refuse_same(source_uri: str, target_uri: str) -> None:
    """Refuse to copy a store onto itself. Raises InvalidParameterError."""
    if anchored(source_uri).rstrip("/") == anchored(target_uri).rstrip("/"):
        raise InvalidParameterError(f"source and target are the same store, {redacted(source_uri)!r}: name two")


def _refuse_missing(uri: str) -> None:
    kind = scheme(uri)
    if kind == "sqlite":
        path = uri.partition("://")[2].partition("?")[0].removeprefix("/")
        missing = path not in ("", ":memory:") and not local_path(path).exists()
    else:
        missing = kind == "file" and not local_path(uri.partition("?")[0].removesuffix("%3Flayout=mlflow")).exists()
    if missing:
        raise NotFoundError(f"there is no store at {redacted(uri)!r} to copy from: check the path")


def _below(uri: str, root: str) -> str | None:
    """Return the path of *uri* below *root*, unquoted; None when it lies elsewhere."""
    base = root.rstrip("/")
    if "?" in root or not base or not uri.startswith(f"{base}/"):
        return None
    path = uri[len(base) + 1 :].strip("/")
    return unquote(path) if scheme(root) == "file" and ":" in root else path
