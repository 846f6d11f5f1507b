"""Tell what the URI of a project means: a directory, an archive, a git repository, or artifacts."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from attrs import field, frozen

from mlcore.errors import InvalidParameterError, ProjectError
from mlcore.uris import local_path, relative_path, scheme

FORMS = (
    "expected a directory, a .zip file, a git URL ('https://host/owner/repo', 'ssh://git@host/repo', "
    "'git@host:owner/repo', 'file:///path', 'github:owner/repo'), or the URI of an artifact, each with "
    "'#subdirectory' behind it where the project is in one"
)
_SCP = re.compile(r"^(?:[A-Za-z0-9_.][A-Za-z0-9_.\-]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^:/@\[\]]+):(?!//)(?P<path>.+)$")
_SHORT = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*/[A-Za-z0-9_.][A-Za-z0-9_.\-]*$")
_GIT_SCHEMES = ("ssh", "git", "git+https", "git+http", "git+ssh", "git+file")
_GITHUB = "https://github.com/"


class Kind(StrEnum):
    """What stands at a URI."""

    DIRECTORY = "directory"
    ARCHIVE = "archive"
    GIT = "git"
    ARTIFACTS = "artifacts"


@frozen
class Place:
    """A URI taken apart.

    url: to be opened; of git without credentials; of a local directory or archive its absolute path.
    shown: for people and records, without secrets.
    guessed: whether a short form was taken for a repository at GitHub, as no such directory is here.
    username, password: that the URL of a git repository held.
    """

    kind: Kind
    url: str
    shown: str
    subdirectory: str = ""
    guessed: bool = False
    username: str = ""
    password: str = field(default="", repr=False)


def place_of(uri: str) -> Place:
    """Return what *uri* means. Raises ProjectError: nothing that could be a project; the message has the forms."""
    if not isinstance(uri, str) or not uri.strip():
        raise ProjectError(f"invalid project URI {uri!r}: {FORMS}")
    if uri.startswith("-") or any(ord(char) < 32 for char in uri):
        raise ProjectError(f"invalid project URI {uri!r}: it begins with '-' or holds control characters; {FORMS}")
    if re.match(r"^[A-Za-z0-9+.\-]+::", uri):
        raise ProjectError(f"invalid project URI {uri!r}: git helpers that run programs are not allowed; {FORMS}")
    found = _local(uri)
    if found is not None:
        return found
    base, _, fragment = uri.partition("#")
    subdirectory = checked_subdirectory(fragment)
    shown = without_credentials(base) + (f"#{subdirectory}" if subdirectory else "")
    if base.lower().partition("?")[0].endswith(".zip") and scheme(base) != "file":
        return Place(Kind.ARCHIVE, base, shown, subdirectory)
    username, password, url = _git_url(base)
    if url:
        guessed = bool(_SHORT.match(base))
        return Place(Kind.GIT, url, shown, subdirectory, guessed=guessed, username=username, password=password)
    if scheme(base) == "file":
        raise ProjectError(f"no project at {shown!r}: there is no such file or directory; {FORMS}")
    return Place(Kind.ARTIFACTS, base, shown, subdirectory)


def _local(uri: str) -> Place | None:
    """Return what is on this machine; a directory with `#` in its name is found when it is there."""
    for base, fragment in ((uri, ""), tuple(uri.split("#", 1)) if "#" in uri else (uri, "")):
        path = _path(base)
        if path is None or not path.exists():
            continue
        kind = Kind.DIRECTORY if path.is_dir() else Kind.ARCHIVE
        if kind is Kind.ARCHIVE and path.suffix.lower() != ".zip":
            raise ProjectError(f"no project at {uri!r}: a file that is no .zip; {FORMS}")
        return Place(kind, str(path.absolute()), uri, checked_subdirectory(fragment))
    return None


def _path(base: str) -> Path | None:
    try:
        return local_path(base.removeprefix("git+")).expanduser()
    except (ValueError, RuntimeError):
        return None


def _git_url(base: str) -> tuple[str, str, str]:
    """Return user name, password and URL of a git repository; an empty URL when *base* is none."""
    if base.startswith("github:"):
        name = base.removeprefix("github:").strip("/")
        if not _SHORT.match(name):
            raise ProjectError(f"invalid project URI {base!r}: expected 'github:owner/repo'")
        return "", "", _GITHUB + name
    kind = base.partition("://")[0].lower() if "://" in base else ""
    if kind in ("http", "https", *_GIT_SCHEMES):
        return _checked_url(base)
    if not kind and _SHORT.match(base) and not base.startswith("."):
        return "", "", _GITHUB + base
    scp = _SCP.match(base) if not kind else None
    if scp and ("@" in base or base.endswith(".git")):
        if scp["host"].startswith("-") or scp["path"].startswith("-"):
            raise ProjectError(f"invalid project URI {base!r}: a host or path that begins with '-'; {FORMS}")
        return "", "", base
    return "", "", ""


def _checked_url(base: str) -> tuple[str, str, str]:
    try:
        split = urlsplit(base)
        host = split.hostname or ""
    except ValueError as err:
        raise ProjectError(f"invalid project URI {without_credentials(base)!r}: {err}; {FORMS}") from err
    kind = split.scheme.lower().removeprefix("git+")
    if not host and kind != "file":
        raise ProjectError(f"invalid project URI {without_credentials(base)!r}: it names no host; {FORMS}")
    if host.startswith("-") or (split.username or "").startswith("-") or split.path.startswith("/-"):
        raise ProjectError(
            f"invalid project URI {without_credentials(base)!r}: a user, host or path that begins with '-'; {FORMS}"
        )
    user, at, address = split.netloc.rpartition("@")
    if kind == "ssh":
        return "", "", urlunsplit((kind, user.partition(":")[0] + at + address, split.path, "", ""))
    url = urlunsplit((kind, address, split.path, split.query, ""))
    return unquote(split.username or ""), unquote(split.password or ""), url


def checked_subdirectory(text: str) -> str:
    """Return a path below a project's root, normalised. Raises ProjectError: it leads out of it."""
    try:
        return relative_path(text.strip("/") if not text.startswith("//") else text)
    except InvalidParameterError as err:
        raise ProjectError(
            f"invalid subdirectory {text!r}: expected a path below the repository's root, such as 'examples/first', "
            "without '..'"
        ) from err


def without_credentials(url: str) -> str:
    """Return a URL without user, password, token and query; the user of ssh stays, as nobody could clone without it."""
    if "://" not in url:
        return url
    try:
        split = urlsplit(url)
    except ValueError:
        return url.partition("://")[0] + "://..."  # nobody can tell where the secret is in what is no URL
    user, at, host = split.netloc.rpartition("@")
    kept = user.partition(":")[0] + at if split.scheme.lower() in ("ssh", "git+ssh") else ""
    return urlunsplit((split.scheme, kept + host, split.path, "", ""))
