"""Where a server is: the parts of its URL, and the servers that the user chose."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from attrs import evolve, field, frozen

from mlcore.errors import InvalidParameterError
from mlcore.uris import redacted

Origin = tuple[bool, str, int]


@frozen
class Place:
    """A server, and the path below which it is asked.

    secure: whether it is asked by TLS. host: without brackets. prefix: empty, or such as `/mlflow`.
    username, password: of the URL; never shown.
    """

    secure: bool
    host: str
    port: int
    prefix: str = ""
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def origin(self) -> Origin:
        """What tells servers apart."""
        return self.secure, self.host.lower(), self.port

    @property
    def netloc(self) -> str:
        """The value of the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The URL without credentials, for errors and logs."""
        return f"http{'s' if self.secure else ''}://{self.netloc}{self.prefix}"


def place_of(uri: str) -> Place:
    """Take a server's URI apart.

    Raises InvalidParameterError: not `http://host[:port][/prefix]` or the same with https.
    """
    place, target = split_url(uri)
    if "?" in target:
        raise InvalidParameterError(f"invalid server URI {redacted(uri)!r}: it has a query; {_FORM}")
    return evolve(place, prefix=target.rstrip("/"))


def split_url(url: str) -> tuple[Place, str]:
    """Take a URL apart: the server, and what to ask it for (path and query as they are sent).

    Raises InvalidParameterError: not an http or https URL.
    """
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError as err:
        raise InvalidParameterError(f"invalid URL {redacted(url)!r}: {err}; {_FORM}") from None
    if found.scheme not in ("http", "https") or not found.hostname or "#" in url:
        raise InvalidParameterError(f"invalid URL {redacted(url)!r}: {_FORM}")
    secure = found.scheme == "https"
    target = quote(found.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if found.query:
        target += "?" + quote(found.query, safe="/%:@!$&'()*+,;=~-._?[]")
    return Place(
        secure,
        found.hostname,
        port or (443 if secure else 80),
        "",
        unquote(found.username) if found.username else None,
        unquote(found.password) if found.password else None,
    ), target


_FORM = "expected one such as 'http://127.0.0.1:5000' or 'https://user:password@mlflow.example.org/prefix'"

# Credentials of the environment go to servers that the user named as a store, and to nobody else: where artifacts
# are is told by servers, and whoever writes there must not be able to have the user's password sent to another host.
_CHOSEN: dict[Origin, Place] = {}


def choose(place: Place) -> None:
    """Note that the user named this server as a store: its artifact proxy gets the same credentials."""
    _CHOSEN[place.origin] = place


def chosen(place: Place) -> Place | None:
    """Return the server that the user named as a store, with its credentials; None when it is a stranger."""
    return _CHOSEN.get(place.origin)


# Servers that have answered this process: when they are gone, they are started again, and worth waiting for.
_MET: set[Origin] = set()


def meet(place: Place) -> None:
    """Note that the server has answered."""
    _MET.add(place.origin)


def is_met(place: Place) -> bool:
    """Whether the server has answered before."""
    return place.origin in _MET
