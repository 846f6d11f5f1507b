"""What a server is told when it starts."""

from __future__ import annotations

import ipaddress

from attrs import frozen


@frozen(kw_only=True)
class ServerConfig:
    """How a server runs.

    tracking_uri, registry_uri: the stores; absolute.
    artifacts_destination: absolute URI of the directory or bucket that the artifact proxy stands before.
    artifact_root: where clients find artifacts of new experiments; None for the proxy.
    artifact_roots: further URIs below which the server reads artifacts for pages and clients.
    auth: name of the authority, `auto` for the one that is installed, `local` for the same if it has
        users already, `none` for nobody.
    allowed_hosts: names besides `localhost`, addresses and `host` that a request may be for; `*` for any.
    scoring_servers: servers of models that pages may ask, as `MODEL=URL`, or `URL` for every model.
    allowed_origins: pages of other origins that may call the server.
    max_body_bytes: of one JSON request. max_waiting: requests that are worked on or wait, before 429.
    """

    tracking_uri: str
    registry_uri: str
    artifacts_destination: str
    state_dir: str
    host: str = "127.0.0.1"
    port: int = 5000
    workers: int = 1
    prefix: str = ""
    artifact_root: str | None = None
    artifact_roots: tuple[str, ...] = ()
    serve_artifacts: bool = True
    auth: str = "auto"
    insecure_no_auth: bool = False
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    scoring_servers: tuple[str, ...] = ()
    access_log: bool = True
    max_body_bytes: int = 32 * 2**20
    max_waiting: int = 512
    threads: int = 16

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this machine reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
