"""From a URI to the repository that serves it."""

from __future__ import annotations

from urllib.parse import unquote

from attrs import evolve

from mlcore.errors import InvalidParameterError
from mlcore.interfaces import ArtifactRepo
from mlcore.remote.client import Remote
from mlcore.remote.places import Place, chosen, place_of, split_url
from mlcore.remote.settings import RemoteSettings
from mlcore.settings import Settings
from mlcore.uris import PROXY_PATH, proxied_url, redacted, relative_path, scheme
from mlcore_artifacts_http.plain import PlainFileRepo
from mlcore_artifacts_http.proxy import ProxyRepo


def open_repo(uri: str, tracking_uri: str | None = None, settings: RemoteSettings | None = None) -> ArtifactRepo:
    """Open the place *uri*; connects at the first call.

    uri: `mlflow-artifacts:/path`, `mlflow-artifacts://host:port/path`, the URL of a directory of an artifact proxy,
    or the URL of one file.
    tracking_uri: the server that `mlflow-artifacts:/path` belongs to; that of the settings when not given.
    settings: of the environment when not given.
    Raises InvalidParameterError: none of these, or `mlflow-artifacts:` without a server.
    """
    if scheme(uri) == "mlflow-artifacts":
        uri = proxied_url(uri, tracking_uri or Settings.load().tracking_uri)
    place, target = split_url(uri)
    before, is_proxied, path = target.partition(PROXY_PATH)
    if not is_proxied or "?" in target:
        return PlainFileRepo(_remote(place, settings), target, redacted(uri).partition("?")[0])
    if path and not path.startswith("/"):
        raise InvalidParameterError(f"invalid artifact URL {redacted(uri)!r}: expected {PROXY_PATH}/<path>")
    root = relative_path(unquote(path).strip("/"))
    return ProxyRepo(_remote(evolve(place, prefix=before.rstrip("/")), settings), root)


def _remote(place: Place, settings: RemoteSettings | None) -> Remote:
    """Return the server with the credentials that it may have: those of its store, or of its own URL."""
    known = chosen(place) or _set(place)
    if known is not None and not place.username:
        place = evolve(place, username=known.username, password=known.password)
    return Remote(place, settings, trusted=known is not None)


def _set(place: Place) -> Place | None:
    """Return the server of the settings' stores if *place* is that."""
    found = Settings.load()
    for uri in (found.tracking_uri, found.registry_uri):
        if uri and scheme(uri) in ("http", "https"):
            known = place_of(uri)
            if known.origin == place.origin:
                return known
    return None
