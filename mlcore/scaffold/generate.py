"""Write a plugin's distribution from the templates that come with the package."""

from __future__ import annotations

import ast
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from attrs import asdict

from mlcore import __version__
from mlcore.errors import AlreadyExistsError, InvalidParameterError
from mlcore.plugin_index import normal
from mlcore.scaffold.kinds import KINDS, Kind

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_.][A-Za-z0-9]+)*")
_KEY = re.compile(r"[a-z][a-z0-9_.-]+")


def generate(kind: str, name: str, folder: Path, *, key: str | None = None) -> Path:
    """Write a complete distribution of a kind; return its folder, `folder/name`.

    kind: the hook that it implements, or `authority`: one of `KINDS`.
    name: of the distribution: `acme-store`.
    key: what the plugin answers to (a scheme, a flavor's or command's name); made from the name by default.
    Raises InvalidParameterError: a kind, name or key that cannot be. AlreadyExistsError: the folder is there.
    """
    if kind not in KINDS:
        raise InvalidParameterError(f"unknown kind of plugin {kind!r}: expected one of {', '.join(KINDS)}")
    if not _NAME.fullmatch(name):
        raise InvalidParameterError(f"invalid name {name!r} of a distribution: expected one such as 'acme-store'")
    words = _words(KINDS[kind], name, key)
    target = folder / words["dist"]
    if target.exists():
        raise AlreadyExistsError(f"{str(target)!r} exists already; remove it or choose another name")
    templates = files("mlcore.scaffold") / "templates"
    for source in (templates / "common", templates / "factory" if KINDS[kind].protocol else None, templates / kind):
        if source is not None and source.is_dir():  # later ones replace what earlier ones wrote
            _copy(source, target, words)
    if KINDS[kind].protocol:
        _start_from_reference(KINDS[kind], target / "src" / words["package"], words)
    return target


def _words(kind: Kind, name: str, key: str | None) -> dict[str, str]:
    dist = normal(name)
    package = dist.replace("-", "_")
    own = key or (package if kind.hook == "flavor" else dist)
    if not _KEY.fullmatch(own):
        raise InvalidParameterError(f"invalid key {own!r}: expected at least two of a-z, 0-9, '-', '_' and '.'")
    low, high = __version__.split(".")[:2]
    return {
        **{name: value for name, value in asdict(kind).items() if isinstance(value, str)},
        "dist": dist,
        "package": package,
        "imports": "from mlcore.uris import scheme\n" if "uri" in kind.foreign else "",
        "key": own,  # after the kind's words, which have it in them
        "Class": "".join(map(str.capitalize, re.split(r"[^a-z0-9]+", package))).removesuffix(kind.role) or "My",
        "requires": f"mlcore-kernel>={low}.{high},<{low}.{int(high) + 1}",
    }


def _copy(source: Traversable, target: Path, words: dict[str, str]) -> None:
    """Write a folder of templates: names and texts have `@word@` where a word of the plugin goes."""
    for item in source.iterdir():
        place = target / _filled(item.name, words).removesuffix(".tmpl")
        if item.is_dir():
            _copy(item, place, words)
        elif item.name.endswith(".tmpl"):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(_filled(item.read_text("utf-8"), words), "utf-8")


def _start_from_reference(kind: Kind, package: Path, words: dict[str, str]) -> None:
    """Copy the reference implementation, which passes the suite, as the plugin's own module."""
    text = (files("mlcore.testing") / f"{kind.source}.py").read_text("utf-8")
    text = text.replace(f"mlcore.testing.{kind.source}", f"{words['package']}.{kind.module}")
    text = text.replace(kind.reference, words["Class"] + kind.role).replace(
        'name = "memory"', f'name = "{words["key"]}"'
    )
    docstring_end = ast.parse(text).body[0].end_lineno or 1
    body = "".join(text.splitlines(keepends=True)[docstring_end:])
    about = f'"""{kind.about}: {words["key"]}. All of it is in memory: replace that, method by method."""\n'
    (package / f"{kind.module}.py").write_text(about + body, "utf-8")


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text
