"""What an image with a project in it is built from: the Dockerfile, and the project without what its `.dockerignore` names.

The same content gives the same bytes, whoever owns the files and whenever they were written, so that engines find what
they have built before.
"""

from __future__ import annotations

import io
import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

IGNORE_FILE = ".dockerignore"
_CODE = "code"
_EXECUTABLE, _PLAIN = 0o755, 0o644


def write_build_context(directory: Path, code: str, stream: BinaryIO) -> None:
    """Write the context of `docker build` as a tar archive.

    code: where the project is in the image. The base image is the build argument `IMAGE`.
    """
    dockerfile = f"ARG IMAGE\nFROM ${{IMAGE}}\nCOPY {_CODE} {code}/\nWORKDIR {code}\n".encode()
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(dockerfile)
        archive.addfile(entry, io.BytesIO(dockerfile))
        top = tarfile.TarInfo(_CODE)
        top.type, top.mode = tarfile.DIRTYPE, _EXECUTABLE
        archive.addfile(top)
        for path in _files(directory, ignored_of(directory)):
            _add(archive, directory / path, f"{_CODE}/{path}")


@frozen
class Ignored:
    """The patterns of a `.dockerignore`, of which the last one that fits a path decides.

    rules: a pattern, and whether it leaves out what it fits.
    """

    rules: Sequence[tuple[re.Pattern[str], bool]] = ()

    def covers(self, path: str) -> bool:
        """Return whether *path*, relative to the project, stays out: it fits, or a directory that it is in does."""
        parts = path.split("/")
        above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        decided = False
        for pattern, out in self.rules:
            if decided != out and any(pattern.fullmatch(each) for each in above):
                decided = out
        return decided

    @property
    def has_exceptions(self) -> bool:
        """Whether something in a directory that stays out may be wanted."""
        return any(not out for _, out in self.rules)


def ignored_of(directory: Path) -> Ignored:
    """Read the `.dockerignore` of a project, if it has one."""
    path = directory / IGNORE_FILE
    if not path.is_file():
        return Ignored()
    lines = [line.strip() for line in path.read_text("utf-8", "replace").splitlines() if not line.startswith("#")]
    rules = []
    for line in filter(None, lines):
        text = os.path.normpath(line.removeprefix("!").strip()).replace(os.sep, "/").lstrip("/")
        rules.append((re.compile(_regex(text), re.DOTALL), not line.startswith("!")))
    return Ignored(tuple(rules))


def _regex(pattern: str) -> str:
    """Translate the patterns of Go's `filepath.Match`, and `**` for any number of directories."""
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    found = []
    for token in re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|\\.|.", pattern, re.DOTALL):
        if token in words:
            found.append(words[token])
        elif token.startswith("[") and len(token) > 1:
            found.append(token)
        else:
            found.append(re.escape(token[-1]))
    return "".join(found)


def _files(directory: Path, ignored: Ignored) -> Iterator[str]:
    """Yield what is to be in the image, relative to the project and sorted; directories come before their content."""
    for folder, names, files in os.walk(directory):
        relative = Path(folder).relative_to(directory)
        links = [name for name in names if os.path.islink(os.path.join(folder, name))]  # noqa: PTH114, PTH118  # texts, of many files
        here = [(relative / name).as_posix() for name in sorted([*files, *names])]
        yield from (path for path in here if not ignored.covers(path))
        names[:] = sorted(
            name
            for name in names
            if name not in links and (ignored.has_exceptions or not ignored.covers((relative / name).as_posix()))
        )


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    entry = archive.gettarinfo(path, name)
    if not (entry.isreg() or entry.isdir() or entry.issym() or entry.islnk()):
        return  # a socket or a device is nothing of a project
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = _EXECUTABLE if entry.isdir() or entry.mode & 0o100 else _PLAIN
    if entry.islnk():  # the file again: its other name may be left out
        entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", path.stat().st_size
    if not entry.isreg():
        archive.addfile(entry)
        return
    with path.open("rb") as file:
        archive.addfile(entry, file)
