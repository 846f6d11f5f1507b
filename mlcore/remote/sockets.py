"""Connected sockets: plain or TLS, direct or through a proxy."""

from __future__ import annotations

import os
import socket
import sys
from base64 import b64encode
from typing import TYPE_CHECKING

from attrs import frozen

from mlcore.errors import SettingsError
from mlcore.remote.places import Place, split_url
from mlcore.remote.settings import RemoteSettings

if TYPE_CHECKING:
    import ssl


@frozen
class Route:
    """How a server is reached: by itself, or by a proxy."""

    place: Place
    proxy: Place | None = None

    @property
    def is_forwarded(self) -> bool:
        """Whether the proxy reads the requests and passes them on, so that they have to name the server."""
        return self.proxy is not None and not self.place.secure


def route_to(place: Place) -> Route:
    """Ask `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, or the system's settings, how to get there."""
    if sys.platform not in ("darwin", "win32") and not any(name.lower().endswith("_proxy") for name in os.environ):
        return Route(place)
    from urllib.request import getproxies, proxy_bypass  # costs 20 ms, and few have proxies

    known = getproxies()
    url = known.get("https" if place.secure else "http") or known.get("all")
    if not url or proxy_bypass(place.netloc) or proxy_bypass(place.host):
        return Route(place)
    return Route(place, split_url(url if "://" in url else f"http://{url}")[0])


def connect(route: Route, settings: RemoteSettings, tls: ssl.SSLContext | None) -> socket.socket:
    """Return a connected socket. Raises OSError."""
    first = route.proxy or route.place
    opened = socket.create_connection((first.host, first.port), settings.timeout_s)
    try:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if route.proxy is not None and route.proxy.secure:
            opened = tls_context(RemoteSettings()).wrap_socket(opened, server_hostname=route.proxy.host)
        if route.proxy is not None and route.place.secure:
            _tunnel(opened, route.place, route.proxy)
        if route.place.secure:
            context = tls or tls_context(settings)
            opened = context.wrap_socket(opened, server_hostname=route.place.host)
    except BaseException:
        opened.close()
        raise
    return opened


def tls_context(settings: RemoteSettings) -> ssl.SSLContext:
    """Return what certificates are checked with. Raises SettingsError: a file holds none."""
    import ssl

    try:
        if settings.ca_file and os.path.isdir(settings.ca_file):  # noqa: PTH112  # Path needs another import here
            context = ssl.create_default_context(capath=settings.ca_file)
        else:
            context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.client_cert:
            context.load_cert_chain(settings.client_cert)
    except OSError as err:
        given = settings.client_cert or settings.ca_file
        raise SettingsError(f"cannot read certificates from {given!r}: {err}; expected a PEM file") from err
    if settings.insecure_tls:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def basic(username: str, password: str) -> str:
    """Return the value of a header with user and password."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode("ascii")


def _tunnel(opened: socket.socket, place: Place, proxy: Place) -> None:
    """Ask a proxy to pass on everything from here on."""
    host = f"[{place.host}]" if ":" in place.host else place.host
    lines = [f"CONNECT {host}:{place.port} HTTP/1.1", f"Host: {host}:{place.port}"]
    if proxy.username:
        lines.append(f"Proxy-Authorization: {basic(proxy.username, proxy.password or '')}")
    opened.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = opened.recv(1)  # byte by byte: what follows the empty line is TLS already
        if not piece or len(head) > 1 << 16:
            raise ConnectionError(f"the proxy {proxy.shown} closed the connection")
        head += piece
    status = head.split(b" ", 2)[1:2]
    if status != [b"200"]:
        raise ConnectionError(f"the proxy {proxy.shown} refused: {head[:80]!r}")
