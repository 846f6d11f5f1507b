"""The static files of the UI: read once, named by the hash of them all, compressed once."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from attrs import field, frozen

# what the operating system believes about .js differs; a module of a wrong type does not run
_KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json"}
_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*["'](\.{1,2}/[^"']+)["']""")
_TEXTS = ("text/", "application/json", "image/svg+xml")


@frozen
class Asset:
    """A file as it is served.

    body: the bytes. zipped: the same, compressed with gzip; None where that saves nothing.
    """

    kind: str
    body: bytes = field(repr=False)
    zipped: bytes | None = field(repr=False)


@frozen
class Assets:
    """All files below one directory.

    digest: 16 hexadecimal digits that differ when any file does; part of every path, so that browsers may keep them.
    files: by path with slashes, such as `app/main.js`.
    """

    digest: str
    files: Mapping[str, Asset] = field(repr=False)

    def styles(self) -> tuple[str, ...]:
        """Return the paths of the style sheets, sorted."""
        return tuple(sorted(path for path in self.files if path.endswith(".css")))

    def modules(self, start: str) -> tuple[str, ...]:
        """Return the modules that *start* imports at once, directly or not, so that a browser can ask for all together.

        Modules that are imported when they are needed, by `import(...)`, are not among them.
        """
        found: dict[str, None] = {start: None}
        waiting = [start]
        while waiting:
            path = waiting.pop()
            for named in _IMPORT.findall(self.files[path].body.decode()):
                target = _resolved(path, named)
                if target in self.files and target not in found:
                    found[target] = None
                    waiting.append(target)
        return tuple(found)


def load(package: str, folder: str = "static") -> Assets:
    """Read the files of a folder of a package. Raises FileNotFoundError: there is no such folder."""
    root = files(package).joinpath(folder)
    if not root.is_dir():
        raise FileNotFoundError(f"the package {package!r} has no folder {folder!r}")
    found = {path: made(path, body) for path, body in sorted(_walk(root, ""))}
    digest = hashlib.sha256()
    for path, asset in found.items():
        digest.update(f"{path}\0{len(asset.body)}\0".encode())
        digest.update(asset.body)
    return Assets(digest.hexdigest()[:16], found)


def _walk(folder: Traversable, above: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.name.startswith((".", "__")):
            continue
        if entry.is_dir():
            yield from _walk(entry, f"{above}{entry.name}/")
        else:
            yield above + entry.name, entry.read_bytes()


def made(path: str, body: bytes) -> Asset:
    """Return a file as it is served: its kind by its name, compressed where that pays."""
    suffix = PurePosixPath(path).suffix
    kind = _KINDS.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    zipped = gzip.compress(body, 9, mtime=0) if kind.startswith(_TEXTS) else None
    return Asset(kind, body, zipped if zipped is not None and len(zipped) < len(body) else None)


def _resolved(path: str, named: str) -> str:
    parts = list(PurePosixPath(path).parent.parts)
    for part in PurePosixPath(named).parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
