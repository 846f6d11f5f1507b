"""Lines of requirements files: nested files put in their place, and local paths in them made absolute."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlcore.errors import ProjectError

_COMMENT = re.compile(r"(^|\s+)#.*$")
_OPTION = re.compile(r"^(?P<name>-[A-Za-z](?=[^-])|--[a-z-]+)(?:\s*=\s*|\s+|(?<=^-[A-Za-z]))(?P<value>.+)$")
_ARCHIVE = re.compile(r"\.(whl|zip|tar\.gz|tgz|tar\.bz2|tar)$")
_PATH = re.compile(r"^(?P<path>[^;\[\]]+?)(?P<rest>(\[[^\]]*\])?\s*(;.*|--\S.*)?)$")
_DIRECT = re.compile(r"^(?P<name>[A-Za-z0-9][\w.\-]*\s*(?:\[[^\]]*\])?)\s*@\s*(?P<where>\S+)(?P<rest>.*)$")
_LONG = {"-r": "--requirement", "-c": "--constraint", "-e": "--editable", "-f": "--find-links", "-i": "--index-url"}


def read(file: Path) -> tuple[str, ...]:
    """Return the lines of the requirements file *file*, with those of the files that it names.

    Raises ProjectError: a file is not there, is no text, or names itself.
    """
    return tuple(_read(file.absolute(), ()))


def absolute(lines: Iterable[str], base: Path) -> tuple[str, ...]:
    """Return requirement *lines* seen from the directory *base*: without comments, files read, paths absolute.

    Options such as `--index-url` and `--hash` are kept. Raises ProjectError: as `read`.
    """
    return tuple(_absolute(lines, base.absolute(), ()))


def option(line: str) -> tuple[str, str] | None:
    """Split an option line into its long name and its value; None when *line* is a requirement."""
    found = _OPTION.match(line)
    if found is None:
        return (line, "") if line.startswith("-") else None
    return _LONG.get(found["name"], found["name"]), found["value"].strip().strip("\"'")


def local_paths(line: str) -> tuple[Path, ...]:
    """Return the files and directories that an absolute requirement line names."""
    split = option(line)
    if split is not None:
        name, value = split
        if name not in ("--constraint", "--editable", "--find-links", "--requirement"):
            return ()
        where = value
    else:
        direct = _DIRECT.match(line)
        where = direct["where"] if direct else line
    if where.startswith("file:"):
        from mlcore.uris import local_path

        return (local_path(where.partition("#")[0]),)
    found = _PATH.match(where)
    path = found["path"].strip() if found else where
    return (Path(path),) if Path(path).is_absolute() else ()


def _read(file: Path, above: tuple[Path, ...]) -> Iterator[str]:
    if file in above:
        raise ProjectError(f"requirements file {str(file)!r} names itself: {' -> '.join(map(str, (*above, file)))}")
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError as err:
        raise ProjectError(f"requirements file {str(file)!r} is no UTF-8 text: {err}") from err
    except OSError as err:
        inside = f", named in {str(above[-1])!r}" if above else ""
        raise ProjectError(f"requirements file {str(file)!r}{inside} can't be read: {err.strerror}") from err
    joined = re.sub(r"[ \t]*\\\r?\n\s*", " ", text)
    yield from _absolute(joined.splitlines(), file.parent, (*above, file))


def _absolute(lines: Iterable[str], base: Path, above: tuple[Path, ...]) -> Iterator[str]:
    for raw in lines:
        line = _COMMENT.sub("", raw).strip()
        if not line:
            continue
        split = option(line)
        if split is None:
            yield _requirement(line, base)
        elif split[0] == "--requirement" and "://" not in split[1]:
            yield from _read(_joined(split[1], base), above)
        elif split[0] in ("--constraint", "--find-links") and "://" not in split[1] and split[1]:
            yield f"{split[0]} {_joined(split[1], base)}"
        elif split[0] == "--editable":
            yield f"--editable {_requirement(split[1], base, is_path=True)}"
        else:
            yield line


def _requirement(line: str, base: Path, *, is_path: bool = False) -> str:
    direct = _DIRECT.match(line)
    if direct:
        where = direct["where"].removeprefix("file:") if direct["where"].startswith("file:.") else direct["where"]
        if ":" in where.partition("/")[0]:
            return line
        return f"{direct['name'].strip()} @ {_joined(where, base).as_uri()}{direct['rest']}"
    found = _PATH.match(line)
    if found is None or "://" in line or line.startswith("git+"):
        return line
    path = found["path"].strip()
    if is_path or path.startswith((".", "/", "~")) or _ARCHIVE.search(path) or "/" in path or "\\" in path:
        return f"{_joined(path, base)}{found['rest']}"
    return line


def _joined(path: str, base: Path) -> Path:
    # resolved, so that the same place is the same line from wherever it is seen
    return (base / Path(path).expanduser()).resolve()
