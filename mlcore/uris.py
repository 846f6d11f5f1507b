"""URIs of stores, artifacts and models: schemes, joining, local paths, and the one resolver of user-given paths."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path, PurePath
from urllib.parse import quote, unquote, urlsplit

from mlcore.errors import InvalidParameterError

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-]+):")
_DRIVE = re.compile(r"^[A-Za-z]:([\\/]|$)")
_PARTS = re.compile(r"^([^:/?#]+:(?://[^/?#]*)?)([^?#]*)(.*)$", re.DOTALL)
_SQLITE_FILE = re.compile(r"^(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:|[A-Za-z]:[\\/])([^?]+)(.*)$", re.IGNORECASE)
# Nearly every path there is: nothing to decode, to normalise or to refuse.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.\-]*)*")
_SLASHES = re.compile(r"[/\\]")
_MAX_UNQUOTE = 8
_PASSWORD = re.compile(r"(//[^/?#:@]*):[^/?#]+@")
# A user without password, or with the one that says that the user is the token; of http and ftp, where names alone mean
# nothing. Greedy up to the last @ before the path: an @ in it is often left as it is.
_TOKEN_USER = re.compile(
    r"^((?:[a-z0-9.\-]+\+)?(?:https?|ftps?)://)(?!(?:git|hg|svn|anonymous)@|[^/?#:@]*:(?!x-oauth-basic@|@))[^/?#]+@",
    re.IGNORECASE,
)
# Of signed URLs (S3, Google Cloud Storage, Azure), of APIs and of databases; the value ends where the next one begins.
_SECRET_VALUE = re.compile(
    r"([?&;#](?:x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|awsaccesskeyid|googleaccessid"
    r"|signature|sig|[\w\-]*token|[\w\-]*(?:api|access|secret|account|subscription)[_\-]?key|key_?secret|[\w\-]*secret"
    r"|[\w\-]*(?:password|passwd|passphrase)|pwd|auth|authorization|jwt|sas)=)[^&;#\s]+",
    re.IGNORECASE,
)
PROXY_PATH = "/api/2.0/mlflow-artifacts/artifacts"


_PROXY_FORMS = "expected 'mlflow-artifacts:/path' or 'mlflow-artifacts://host:port/path'"


def scheme(uri: str) -> str:
    """Return the lower-case scheme of *uri*; `file` for plain paths, drive letters included.

    A driver is cut off: `postgresql+psycopg://h/db` has the scheme `postgresql`.
    """
    found = _SCHEME.match(uri)
    return found[1].lower().partition("+")[0] if found else "file"


def join(uri: str, *parts: str) -> str:
    """Append path *parts* to *uri*, keeping its query: `s3://b/x?y` + `z` = `s3://b/x/z?y`.

    In a `file:` URI the parts are percent-encoded, as `file_uri` does, so that `local_path` finds them again.
    """
    extra = [p.strip("/") for p in parts if p.strip("/")]
    if not extra:
        return uri
    if not _SCHEME.match(uri):
        return posixpath.join(uri, *extra)
    found = _PARTS.match(uri)
    base, path, rest = found.groups() if found else (uri, "", "")
    encoded = map(quote, extra) if scheme(uri) == "file" else extra
    return base + "/".join([path.rstrip("/"), *encoded]) + rest


def local_path(uri: str) -> Path:
    """Return the local path of a plain path or `file:` URI.

    Raises InvalidParameterError: another scheme, or a `file:` URI with a host that is not this machine.
    """
    if _DRIVE.match(uri) or not _SCHEME.match(uri):
        return Path(uri)
    split = urlsplit(uri)
    if split.scheme.lower() != "file":
        raise InvalidParameterError(
            f"URI {uri!r} is not a local path: expected a plain path or file:, got {split.scheme}:"
        )
    if split.netloc not in ("", "localhost"):
        raise InvalidParameterError(
            f"file URI {uri!r} names the host {split.netloc!r}; write file:///path for a local path"
        )
    if split.query or split.fragment:
        raise InvalidParameterError(
            f"file URI {uri!r} has a query or fragment; percent-encode '?' and '#' that belong to the path"
        )
    return Path(unquote(split.path))


def file_uri(path: str | os.PathLike[str]) -> str:
    """Return the absolute `file:` URI of a local *path*."""
    absolute = Path(path).absolute().as_posix()
    return "file://" + quote(absolute if absolute.startswith("/") else "/" + absolute)


def absolute(uri: str) -> str:
    """Return *uri* with a local relative path made absolute; other URIs unchanged, trailing slashes cut."""
    if _DRIVE.match(uri) or not _SCHEME.match(uri):
        return file_uri(uri)
    return uri.rstrip("/") if len(uri.rstrip("/").partition(":")[2]) > 0 else uri


def anchored(uri: str, directory: Path | None = None) -> str:
    """Return a store's *uri* with a relative path made absolute, so that it means the same in any directory.

    `sqlite:///mlcore.db` becomes `sqlite:////work/mlcore.db`, a plain path a `file:` URI; other URIs stay as they are.
    directory: from where the path is seen; the working directory when not given.
    """
    base = directory or Path.cwd()
    found = _SQLITE_FILE.match(uri)
    if found:
        return found[1] + (base / found[2]).as_posix() + found[3]
    plain = _DRIVE.match(uri) or not _SCHEME.match(uri)
    return absolute(str(base / uri)) if plain else uri


def proxied_url(uri: str, tracking_uri: str) -> str:
    """Return the URL of an `mlflow-artifacts:` URI at the artifact proxy that it belongs to, without credentials.

    uri: `mlflow-artifacts:/path` for the proxy of the tracking server, `mlflow-artifacts://host:port/path` for one of
    another server.
    Raises InvalidParameterError: the tracking URI is no server's, or a host is missing before a port.
    """
    server = urlsplit(tracking_uri)
    if server.scheme not in ("http", "https"):
        raise InvalidParameterError(
            f"artifact URI {redacted(uri)!r} is behind a server's artifact proxy, and the tracking URI "
            f"{redacted(tracking_uri)!r} is no server's: set it to 'http://host:port' or 'https://host'"
        )
    host, path = "", uri.partition(":")[2]
    if path.startswith("//") and not path.startswith("///"):
        host, _, path = path[2:].partition("/")
        if not host or host.startswith(":"):
            raise InvalidParameterError(f"invalid artifact URI {redacted(uri)!r}: it names no host; {_PROXY_FORMS}")
    netloc = host.rpartition("@")[2] or server.netloc.rpartition("@")[2]
    base = f"{server.scheme}://{netloc}{'' if host else server.path.rstrip('/')}"
    rest = path.strip("/")
    return f"{base}{PROXY_PATH}/{quote(rest)}" if rest else base + PROXY_PATH


def redacted(uri: str) -> str:
    """Return *uri* with any password, and any token or signature of its query, replaced by `***`; for logs and errors.

    Of http and ftp so is a user without password, as it is most often a token; `git` and the like stay.
    """
    if not _SCHEME.match(uri):
        return uri
    without_user = _TOKEN_USER.sub(r"\1***@", uri)
    return _SECRET_VALUE.sub(r"\1***", _PASSWORD.sub(r"\1:***@", without_user, count=1))


def relative_path(path: str | os.PathLike[str]) -> str:
    """Check a user-given artifact *path* and return it normalised; the one place where this is decided.

    Accepted: slash-separated names below the root, in any script, with spaces. `''` is the root.
    Raises InvalidParameterError: absolute, `..`, backslash, NUL, drive letter, `~` first, a URI, or a
    percent-encoded spelling of any of these, however often encoded; or neither text nor path.
    """
    if isinstance(path, os.PathLike):
        path = path.as_posix() if isinstance(path, PurePath) else os.fspath(path)
    if not isinstance(path, str):
        raise InvalidParameterError(f"invalid artifact path {path!r}: expected a text such as 'plots/roc.png'")
    if _PLAIN.fullmatch(path):
        return path
    spelled = path
    for _ in range(_MAX_UNQUOTE):
        _refuse_unsafe(path, spelled)
        decoded = unquote(spelled)
        if decoded == spelled:
            break
        spelled = decoded
    else:
        raise InvalidParameterError(
            f"invalid artifact path {path[:80]!r}: percent-encoded more than {_MAX_UNQUOTE} times"
        )
    normal = posixpath.normpath(path)
    return "" if normal == "." else normal


def _refuse_unsafe(path: str, spelled: str) -> None:
    unsafe = (
        spelled.startswith(("/", "~"))
        or "\\" in spelled
        or "\x00" in spelled
        or _DRIVE.match(spelled)
        or re.match(r"^[A-Za-z][A-Za-z0-9+.\-]*:/", spelled)
        or spelled.lower().startswith("file:")
        or any(part.strip() == ".." for part in spelled.split("/"))
        or (not spelled.isascii() and _climbs_in_other_script(spelled))
    )
    if unsafe:
        raise InvalidParameterError(
            f"invalid artifact path {path[:80]!r}: expected a path below the artifact root, such as 'plots/roc.png', "
            "without '..', a leading '/' or '~', backslashes or a scheme"
        )


def _climbs_in_other_script(spelled: str) -> bool:
    """Whether *spelled* has dots and slashes that a store which normalises names would take for `..`."""
    from unicodedata import normalize  # a megabyte that few processes need

    return any(part.strip() == ".." for part in _SLASHES.split(normalize("NFKC", spelled)))
