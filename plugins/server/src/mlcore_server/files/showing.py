"""Files as a browser shows them: what each is, and the sandbox that keeps what is in it from everything else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response

from mlcore_server.config import ServerConfig
from mlcore_server.files.kinds import content_type, disposition

_UTF8 = "; charset=utf-8"
# what `kinds` says is plain text or bytes, because it is sent to be saved, is told as what it is here
_ACTIVE = {
    "html": "text/html",
    "htm": "text/html",
    "xhtml": "application/xhtml+xml",
    "xml": "application/xml",
    "svg": "image/svg+xml",
    "css": "text/css",
    "js": "text/javascript",
    "mjs": "text/javascript",
    "wasm": "application/wasm",
    "json": "application/json",
    "ipynb": "application/json",
    "geojson": "application/geo+json",
    "jsonl": "application/jsonl",
    "ndjson": "application/jsonl",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "md": "text/markdown",
    "parquet": "application/vnd.apache.parquet",
    "npy": "application/x-npy",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "ttf": "font/ttf",
    "otf": "font/otf",
}
_TEXTUAL = re.compile(r"text/|application/(json|jsonl|geo\+json|xml|xhtml\+xml)$|image/svg\+xml$")
_PDF = "application/pdf"
# letters of which no header and no policy can be broken out of
_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(:[0-9]{1,5})?\Z")
_COMMON = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "no-referrer",
    "cache-control": "private, no-store",
    # a page in a sandbox is of no origin, so what it loads is from elsewhere to it; the ticket is what protects
    "cross-origin-resource-policy": "cross-origin",
}


def mime(name: str) -> str:
    """Return the media type of a file called *name*, without parameters."""
    last = name.rpartition("/")[2]
    stem, dot, ending = last.rpartition(".")
    known = _ACTIVE.get(ending.lower()) if dot and stem else None
    return known or content_type(name).partition(";")[0]


def shown(name: str, own_space: str) -> dict[str, str]:
    """Return the headers of a file called *name* that a browser may show.

    own_space: the source, as content policies have them, from which a page may load.
    """
    kind = mime(name)
    return {
        "content-type": kind + _UTF8 if _TEXTUAL.match(kind) else kind,
        "content-disposition": disposition(name, "inline"),
        "content-security-policy": _policy(kind, own_space),
        **_COMMON,
    }


def own_space(headers: Mapping[str, str], config: ServerConfig, ticket: str) -> str:
    """Return the sources of what a ticket opens: narrower than the origin, in which the rest of the server lies.

    Without a scheme a source is of the page's own, also behind a proxy that ends TLS; one that does not hand on the
    host has its origin among those that are allowed. A host that policies have no way to write, such as an IPv6
    address, leaves the origin as a whole.
    """
    hosts = [headers.get("host", ""), *(one.rstrip("/") for one in config.allowed_origins)]
    known = [host for host in hosts if _HOST.match(host.removeprefix("https://").removeprefix("http://"))]
    return " ".join(f"{host}{quote(config.prefix)}/raw/{ticket}/" for host in known) or "'self'"


def refused(status: int, text: str) -> Response:
    """Return an answer that tells people why there is no file."""
    return PlainTextResponse(text + "\n", status, {**_COMMON, "content-security-policy": "sandbox; default-src 'none'"})


def _policy(kind: str, own_space: str) -> str:
    if kind == _PDF:  # not every browser starts its viewer, which runs nothing of the file, in a sandbox
        return "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    return (
        # libraries of charts make functions of texts, and a page that may run any text gains nothing by it
        f"sandbox allow-scripts; default-src {own_space} data: blob: 'unsafe-inline' 'unsafe-eval'; "
        "connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
    )
