"""What every request has to pass before anybody looks at it: the host it is for, and the page it comes from.

Browsers send requests to this machine on behalf of any page. A name that resolves to this machine only for the
attack (DNS rebinding) shows in `Host`; a foreign page shows in `Origin`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from mlcore.entities import Action
from mlcore.errors import InvalidParameterError, MlcoreError, PermissionDeniedError
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.endpoints_tables import UI
from mlcore_server.config import ServerConfig

PAGE = "x-mlcore-ui"
_READS = ("GET", "HEAD", "OPTIONS")
_JSON = "application/json"


class UnsupportedMediaError(InvalidParameterError):
    """The body is not of a kind that the endpoint takes."""


class Guards:
    """The checks of one server."""

    def __init__(self, config: ServerConfig) -> None:
        """Allow the hosts and origins that *config* names."""
        self._hosts = frozenset({"localhost", config.host.lower(), *(h.lower() for h in config.allowed_hosts)})
        self._origins = frozenset(origin.lower().rstrip("/") for origin in config.allowed_origins)

    def check(self, method: str, headers: Mapping[str, str]) -> None:
        """Let a request pass. Raises PermissionDeniedError: it is for another host, or comes from a foreign page."""
        host = headers.get("host", "")
        if not self.is_host(host):
            raise PermissionDeniedError(
                f"Invalid Host header {host[:100]!r} - possible DNS rebinding attack detected; "
                "start the server with --allowed-host if it is meant to be called so"
            )
        if method in _READS:
            return
        origin = headers.get("origin")
        if origin is not None and not self.is_origin(origin, host):
            raise PermissionDeniedError(
                f"Cross-origin request blocked: {origin[:100]!r} is another origin; "
                "start the server with --allowed-origin if its pages may call it"
            )
        if origin is None and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise PermissionDeniedError("Cross-origin request blocked: the browser says that another site sends it")

    def is_host(self, host: str) -> bool:
        """Whether a request may be for *host*: addresses can't be rebound, names have to be known."""
        if "*" in self._hosts:
            return True
        name = host.lower()
        if name.startswith("["):
            name = name.partition("]")[0][1:]
        elif name.count(":") == 1:
            name = name.partition(":")[0]
        if name in self._hosts or host.lower() in self._hosts:
            return bool(name)
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def is_origin(self, origin: str, host: str) -> bool:
        """Whether pages of *origin* may change things on the server called *host*."""
        text = origin.lower().rstrip("/")
        if text in self._origins or "*" in self._origins:
            return True
        return text.partition("://")[2] == host.lower() and text.startswith(("http://", "https://"))

    def is_foreign_origin_allowed(self, origin: str) -> bool:
        """Whether answers may be shown to pages of *origin*."""
        return origin.lower().rstrip("/") in self._origins


def check_json(method: str, headers: Mapping[str, str], *, has_body: bool) -> None:
    """Let a JSON request pass. Raises UnsupportedMediaError: a form of a foreign page could have sent it as well."""
    if method == "GET" or (not has_body and method != "POST"):
        return
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _JSON:
        raise UnsupportedMediaError(f"Bad Request. Content-Type must be one of ['{_JSON}'], got {kind[:100]!r}.")


def check_page(endpoint: Endpoint, headers: Mapping[str, str]) -> None:
    """Let a change through that one of our pages sends. Raises PermissionDeniedError: without the header of our pages.

    A foreign page cannot set it without being asked first whether it may (CORS), whatever it makes of the body.
    """
    reads = endpoint.permission.action in (None, Action.READ)
    if not reads and endpoint.method != "GET" and endpoint.path.startswith(f"{UI}/") and PAGE not in headers:
        raise PermissionDeniedError(
            f"Cross-origin request blocked: a change through {UI} needs the header {PAGE!r}, of any value, which pages "
            "of other sites cannot send"
        )


class BodyTooLargeError(MlcoreError):
    """A request is larger than the server takes."""

    code = "INVALID_PARAMETER_VALUE"
    status = 413
