"""Artifact URIs seen from inside, where the files are, and from outside, where clients ask for them."""

from __future__ import annotations

from urllib.parse import unquote

from mlcore.errors import InvalidParameterError, PermissionDeniedError
from mlcore.uris import join, redacted, relative_path, scheme
from mlcore_server.config import ServerConfig

PROXY = "mlflow-artifacts:"


class Places:
    """What the server may read and write, and how clients call it.

    Stores keep the real place of artifacts. What lies below the proxy's destination is shown to clients as
    `mlflow-artifacts:/...`, so that the destination can be moved, and its address stays the server's own.
    """

    def __init__(self, config: ServerConfig) -> None:
        """Know the destination of the proxy and the other roots that may be read."""
        self.destination: str = config.artifacts_destination.rstrip("/")
        self._is_proxied = config.artifact_root is None and config.serve_artifacts
        own = [config.artifact_root] if config.artifact_root else []
        self._roots = tuple(root.rstrip("/") for root in (self.destination, *own, *config.artifact_roots))

    def outward(self, uri: str) -> str:
        """Return how clients call the place *uri*."""
        if self._is_proxied and (uri == self.destination or uri.startswith(self.destination + "/")):
            rest = uri[len(self.destination) :] or "/"
            return PROXY + (unquote(rest) if scheme(uri) == "file" else rest)
        return uri

    def inward(self, uri: str) -> str:
        """Return the real place of a URI that a client gave.

        Raises InvalidParameterError: it leads out of the proxy's root, or names another server.
        """
        if scheme(uri) != "mlflow-artifacts":
            return uri
        rest = uri.partition(":")[2]
        if rest.startswith("//") and not rest.startswith("///"):
            raise InvalidParameterError(
                f"invalid artifact URI {redacted(uri)!r}: it names a server; expected 'mlflow-artifacts:/<path>'"
            )
        path = relative_path(rest.strip("/")) if rest.strip("/") else ""
        return join(self.destination, path)

    def readable(self, uri: str) -> str:
        """Return the real place *uri* if the server may read there for whoever asks.

        Raises PermissionDeniedError: it lies below none of the server's roots.
        """
        self.located(uri)
        return self.inward(uri)

    def touches(self, uri: str) -> bool:
        """Whether the server reads at the real place *uri*, or anywhere below it."""
        real = uri.rstrip("/") + "/"
        return any(real.startswith(root + "/") or root.startswith(real) for root in self._roots)

    def located(self, uri: str) -> tuple[str, str]:
        """Return the server's root that *uri* lies below, and the path there.

        Raises PermissionDeniedError: it lies below none of them. InvalidParameterError: the path leads out again.
        """
        real = self.inward(uri)
        for root in self._roots:
            if real == root or real.startswith(root + "/"):
                rest = real[len(root) + 1 :]
                return root, relative_path(unquote(rest) if scheme(root) == "file" else rest)
        raise PermissionDeniedError(
            f"the server does not read artifacts from {redacted(uri)!r}: read them directly, or let the server's "
            "operator allow it with --artifact-root-allowed"
        )
