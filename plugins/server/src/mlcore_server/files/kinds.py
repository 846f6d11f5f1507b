"""What a file is said to be when it is sent: never anything that a browser would run."""

from __future__ import annotations

from urllib.parse import quote

_BINARY = "application/octet-stream"
_TEXT = "text/plain; charset=utf-8"
# Everything that is readable as text is sent as plain text: pages, drawings and scripts would be active otherwise.
_TEXTS = frozenset(
    "txt log err cfg conf cnf cf ini properties prop hocon toml yaml yml xml json jsonl js mjs ts py py3 pyi csv tsv md "
    "rst ipynb html htm xhtml shtml svg css sql sh r java scala go c h cpp env lock tex bib geojson MLmodel MLproject "
    "Dockerfile Makefile LICENSE README".split()
)
# A fixed table: what the machine has in its own would make answers differ from server to server.
_PASSIVE = {
    "avif": "image/avif",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "ico": "image/x-icon",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "ogv": "video/ogg",
    "webm": "video/webm",
    "pdf": "application/pdf",
    "gz": "application/gzip",
    "tar": "application/x-tar",
    "zip": "application/zip",
}


def content_type(name: str) -> str:
    """Return the media type for a file called *name*: plain text, something passive, or just bytes."""
    last = name.rpartition("/")[2]
    stem, dot, ending = last.rpartition(".")
    kind = ending if dot and stem else last
    if kind in _TEXTS or kind.lower() in _TEXTS:
        return _TEXT
    return _PASSIVE.get(kind.lower(), _BINARY)


def disposition(name: str, kind: str = "attachment") -> str:
    """Return the header that lets a browser save a file under its *name* and, unless *kind* is `inline`, never show it.

    RFC 6266: an ASCII stand-in for old clients, and the name itself percent-encoded; nothing in a name can end the
    header or add another.
    """
    last = name.rpartition("/")[2]
    plain = "".join(char if char.isascii() and char.isprintable() and char not in '"\\%;' else "_" for char in last)
    value = f'{kind}; filename="{plain}"'
    if plain != last:
        value += f"; filename*=UTF-8''{quote(last, safe='', errors='replace')}"
    return value
