"""How servers are asked: credentials, patience, TLS; from the environment, under mlcore's or MLflow's names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import field, frozen

from mlcore.errors import SettingsError


@frozen(kw_only=True)
class RemoteSettings:
    """How to reach servers.

    username, password, token: user and password when both are there, else the token.
    timeout_s: how long to wait for a connection, and then for each piece of an answer.
    max_retries: how often a request is repeated that did not come through; backoff_s: the first pause before that,
    doubled each time and varied by chance, `max_pause_s` at most.
    respect_retry_after: whether to wait as long as a server asks for.
    insecure_tls: trust any certificate. ca_file: a file, or directory, of certificates to trust instead of the
    system's. client_cert: a PEM file with certificate and key of the caller.
    follow_redirects: whether to go where the same server points, for requests that change nothing.
    """

    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    timeout_s: float = 120.0
    max_retries: int = 7
    backoff_s: float = 0.5
    max_pause_s: float = 30.0
    respect_retry_after: bool = True
    insecure_tls: bool = False
    ca_file: str | None = None
    client_cert: str | None = None
    follow_redirects: bool = True

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> RemoteSettings:
        """Read the variables of `docs/remote.md`. Raises SettingsError: one cannot be used; names it."""
        found = os.environ if environ is None else environ
        values: dict[str, object] = {}
        for name, parse, variables in _VARIABLES:
            for variable in variables:
                if text := found.get(variable, "").strip():
                    values[name] = _parsed(variable, text, parse)
                    break
        return cls(**values)  # type: ignore[arg-type]  # each value was made by the parser of its field


def _parsed(variable: str, text: str, parse: Callable[[str], object]) -> object:
    try:
        return parse(text)
    except ValueError:
        raise SettingsError(f"{variable}: {text!r} cannot be used: expected {_EXPECTED[parse]}") from None


def _flag(text: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if text.lower() not in known:
        raise ValueError("unknown word")
    return known[text.lower()]


def _count(text: str) -> int:
    if int(text) < 0:
        raise ValueError("too small")
    return int(text)


def _seconds(text: str) -> float:
    if not 0 < float(text) < 1e6:
        raise ValueError("no such time")
    return float(text)


def _path(text: str) -> str:
    path = Path(text).expanduser()
    if not path.exists():
        raise ValueError("no such file")
    return str(path)


_EXPECTED: dict[Callable[[str], object], str] = {
    _flag: "true or false",
    _count: "a number from 0",
    _seconds: "a number of seconds greater than 0",
    _path: "the path of a file",
}


def _both(name: str) -> tuple[str, ...]:
    return f"MLCORE_{name}", f"MLFLOW_{name}"


_VARIABLES: tuple[tuple[str, Callable[[str], object], tuple[str, ...]], ...] = (
    ("username", str, _both("TRACKING_USERNAME")),
    ("password", str, _both("TRACKING_PASSWORD")),
    ("token", str, _both("TRACKING_TOKEN")),
    ("timeout_s", _seconds, _both("HTTP_REQUEST_TIMEOUT")),
    ("max_retries", _count, _both("HTTP_REQUEST_MAX_RETRIES")),
    ("backoff_s", _seconds, _both("HTTP_REQUEST_BACKOFF_FACTOR")),
    ("respect_retry_after", _flag, _both("HTTP_RESPECT_RETRY_AFTER_HEADER")),
    ("insecure_tls", _flag, _both("TRACKING_INSECURE_TLS")),
    ("ca_file", _path, (*_both("TRACKING_SERVER_CERT_PATH"), "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")),
    ("client_cert", _path, _both("TRACKING_CLIENT_CERT_PATH")),
    ("follow_redirects", _flag, _both("ALLOW_HTTP_REDIRECTS")),
)
