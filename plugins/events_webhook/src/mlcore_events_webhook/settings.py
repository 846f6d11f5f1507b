"""What can be chosen, from the environment: `MLCORE_WEBHOOK_<NAME>`."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from attrs import field, frozen

from mlcore.errors import SettingsError

PREFIX = "MLCORE_WEBHOOK_"
REGISTRY_EVENTS = ("model_*", "version_*", "stage_moved", "alias_moved", "transition_*")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_BEGINS = "whsec_"  # as the scheme wants it
_LEAST_BYTES, _MOST_BYTES = 24, 64  # of the Standard Webhooks specification
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")
_MOST_URLS = 16


@frozen
class Endpoint:
    """Where requests go.

    path: with the query; it may hold what nobody else shall know, so it is never shown.
    """

    is_secure: bool
    host: str
    port: int
    path: str = field(repr=False)

    @property
    def shown(self) -> str:
        """What logs and people see of the URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.is_secure else 'http'}://{host}:{self.port}/..."


@frozen
class WebhookSettings:
    """The choices of an operator.

    secrets: keys of which each signs; more than one while receivers change from one to the next.
    events: names, or patterns such as `model_*`.
    allow_networks: of addresses that are no public ones and may be reached all the same.
    timeout_s: for one attempt as a whole. attempts: before a request is given up. first_delay_s: before the second one;
    it grows fourfold. queue: how many requests may wait for one endpoint. exit_s: how long the process waits at its end.
    """

    endpoints: tuple[Endpoint, ...] = ()
    secrets: tuple[bytes, ...] = field(default=(), repr=False)
    events: tuple[str, ...] = REGISTRY_EVENTS
    allow_networks: tuple[Network, ...] = ()
    timeout_s: float = 10.0
    attempts: int = 6
    first_delay_s: float = 1.0
    queue: int = 1000
    exit_s: float = 5.0

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> WebhookSettings:
        """Read the environment. Raises SettingsError: a value that cannot be used, or no secret; shows no secret."""
        given = os.environ if environ is None else environ
        with_http = _flag(given, "ALLOW_HTTP")
        urls = _list(given, "URLS")
        if len(urls) > _MOST_URLS:
            raise SettingsError(f"{PREFIX}URLS names {len(urls)} endpoints, at most {_MOST_URLS} are possible")
        secrets = _secrets(given)
        if urls and not secrets:
            raise SettingsError(
                f"{PREFIX}URLS is set and there is no secret to sign with: set {PREFIX}SECRET_FILE or {PREFIX}SECRET; "
                "mlcore webhooks secret makes one"
            )
        plain = cls()
        return cls(
            tuple(_endpoint(url, with_http=with_http) for url in urls),
            secrets,
            _list(given, "EVENTS") or REGISTRY_EVENTS,
            tuple(_network(text) for text in _list(given, "ALLOW_NETWORKS")),
            _number(given, "TIMEOUT_S", plain.timeout_s, 0.1),
            int(_number(given, "ATTEMPTS", plain.attempts, 1)),
            _number(given, "FIRST_DELAY_S", plain.first_delay_s, 0.01),
            int(_number(given, "QUEUE", plain.queue, 1)),
            _number(given, "EXIT_S", plain.exit_s, 0),
        )

    def wants(self, event: str) -> bool:
        """Whether an event is told of."""
        return any(fnmatch.fnmatchcase(event, pattern) for pattern in self.events)


def _endpoint(url: str, *, with_http: bool) -> Endpoint:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as err:
        raise SettingsError(f"{PREFIX}URLS has a URL that cannot be read: {err}") from err
    host = parts.hostname or ""
    where = f"{parts.scheme}://{host}"  # no more of it: paths and queries are used as passwords
    if parts.scheme not in ("https", "http") or not host:
        raise SettingsError(f"{PREFIX}URLS names {where!r}, expected https://HOST[:PORT]/PATH")
    if parts.scheme == "http" and not with_http:
        raise SettingsError(f"{PREFIX}URLS names {where!r}: use https, or set {PREFIX}ALLOW_HTTP=true")
    if parts.username is not None or parts.password is not None:
        raise SettingsError(
            f"{PREFIX}URLS names {where!r} with a user or password: the signature is the proof, leave them out"
        )
    path = parts.path or "/"
    whole = f"{path}?{parts.query}" if parts.query else path
    if not (whole.isascii() and whole.isprintable()) or " " in whole or not (host.isascii() and host.isprintable()):
        raise SettingsError(f"{PREFIX}URLS names {where!r} with characters that have to be percent-encoded, or as xn--")
    return Endpoint(parts.scheme == "https", host, port or (443 if parts.scheme == "https" else 80), whole)


def _secrets(given: Mapping[str, str]) -> tuple[bytes, ...]:
    path = given.get(PREFIX + "SECRET_FILE")
    text = given.get(PREFIX + "SECRET") or ""
    if path and text:
        raise SettingsError(f"both {PREFIX}SECRET and {PREFIX}SECRET_FILE are set: give one")
    if path:
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as err:
            raise SettingsError(f"{PREFIX}SECRET_FILE names {path!r}, which cannot be read: {err}") from err
    return tuple(_secret(each) for each in text.replace(",", " ").split())


def _secret(text: str) -> bytes:
    wanted = f"whsec_ and base64 of {_LEAST_BYTES} to {_MOST_BYTES} random bytes; mlcore webhooks secret makes one"
    try:
        found = base64.b64decode(text.removeprefix(_BEGINS), validate=True)
    except (binascii.Error, ValueError) as err:
        raise SettingsError(
            f"the secret of {PREFIX}SECRET or {PREFIX}SECRET_FILE cannot be used, expected {wanted}"
        ) from err
    if not _LEAST_BYTES <= len(found) <= _MOST_BYTES:
        raise SettingsError(
            f"the secret of {PREFIX}SECRET or {PREFIX}SECRET_FILE has {len(found)} bytes, expected {wanted}"
        )
    return found


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as err:
        raise SettingsError(f"{PREFIX}ALLOW_NETWORKS has {text!r}, expected such as 10.1.0.0/16: {err}") from err


def _list(given: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(given.get(PREFIX + name, "").replace(",", " ").split())


def _flag(given: Mapping[str, str], name: str) -> bool:
    value = given.get(PREFIX + name, "").lower()
    if value not in (*_YES, *_NO):
        raise SettingsError(f"{PREFIX}{name} has the value {value!r}, expected true or false")
    return value in _YES


def _number(given: Mapping[str, str], name: str, default: float, least: float) -> float:
    text = given.get(PREFIX + name)
    if not text:
        return default
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not least <= found <= 1_000_000:
        raise SettingsError(f"{PREFIX}{name} has the value {text!r}, expected a number, {least:g} or more")
    return found
