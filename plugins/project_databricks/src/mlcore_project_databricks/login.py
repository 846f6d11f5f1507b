"""Which workspace is meant, and what proves who asks: from the environment, or a profile of Databricks' own file."""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from attrs import field, frozen

from mlcore.errors import ProjectError, UnauthenticatedError
from mlcore.projects.reach import is_here

_DEFAULT = "DEFAULT"


@frozen
class Login:
    """A workspace and its credentials.

    host: its URL. token, or username and password: never shown.
    place: what finds the same login again: the profile's name, or the host.
    origin: where the credentials were found, for people.
    """

    host: str
    place: str
    origin: str
    token: str | None = field(default=None, repr=False)
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


def login_for(place: str = "") -> Login:
    """Find a login.

    place: a profile's name, a host that was told before, or empty for what `DATABRICKS_CONFIG_PROFILE`,
    `DATABRICKS_HOST` with `DATABRICKS_TOKEN`, and the profile DEFAULT say, in this order.
    Raises UnauthenticatedError: there is none. ProjectError: the credentials would go over the network unprotected.
    """
    if place.startswith(("http://", "https://")):
        found = _of_host(place)
    elif profile := place or os.environ.get("DATABRICKS_CONFIG_PROFILE", ""):
        found = _of_profile(profile)
    elif os.environ.get("DATABRICKS_HOST"):
        found = _of_environ()
    else:
        found = _of_profile(_DEFAULT)
    split = urlsplit(found.host)
    if split.scheme != "https" and not is_here(split.hostname or ""):
        raise ProjectError(
            f"the workspace {found.host!r} of {found.origin} is not asked by https, which would show the token"
        )
    return found


def _of_environ() -> Login:
    host = _url(os.environ["DATABRICKS_HOST"])
    token = os.environ.get("DATABRICKS_TOKEN")
    user, password = os.environ.get("DATABRICKS_USERNAME"), os.environ.get("DATABRICKS_PASSWORD")
    if not token and not (user and password):
        raise UnauthenticatedError(f"DATABRICKS_HOST is {host!r}, and DATABRICKS_TOKEN is not set")
    return Login(host, host, "the environment", token, user, password)


def _of_profile(name: str) -> Login:
    path = _file()
    profiles = _profiles(path)
    if name not in profiles:
        known = ", ".join(profiles) or "none"
        raise UnauthenticatedError(
            f"no credentials for Databricks: there is no profile {name!r} in {str(path)!r} (there: {known}); run "
            "'databricks configure', or set DATABRICKS_HOST and DATABRICKS_TOKEN"
        )
    found = profiles[name]
    host, token = found.get("host"), found.get("token")
    user, password = found.get("username"), found.get("password")
    if not host or (not token and not (user and password)):
        raise UnauthenticatedError(
            f"the profile {name!r} in {str(path)!r} has no host with a token; other logins are not known"
        )
    return Login(_url(host), name, f"the profile {name!r}", token, user, password)


def _of_host(host: str) -> Login:
    if _url(os.environ.get("DATABRICKS_HOST", "")) == host:
        return _of_environ()
    name = next((name for name, each in _profiles(_file()).items() if _url(each.get("host", "")) == host), None)
    if name is None:
        raise UnauthenticatedError(
            f"no credentials for the workspace {host!r}: neither the environment nor a profile has them"
        )
    return _of_profile(name)


def _file() -> Path:
    return Path(os.environ.get("DATABRICKS_CONFIG_FILE") or "~/.databrickscfg").expanduser()


def _profiles(path: Path) -> Mapping[str, Mapping[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, default_section="mlcore: none")
    try:
        parser.read(path, "utf-8")
    except (configparser.Error, UnicodeDecodeError) as err:
        # the parser's words show lines of the file, which may hold tokens
        raise ProjectError(
            f"cannot read {str(path)!r}: {type(err).__name__}; expected sections with host and token"
        ) from None
    return {name: dict(parser[name]) for name in parser.sections()}


def _url(host: str) -> str:
    found = host.strip().rstrip("/")
    return found if not found or found.startswith(("http://", "https://")) else f"https://{found}"
