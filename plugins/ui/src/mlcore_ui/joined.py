"""Modules that are always loaded together, as one file each: few requests, and still no build.

The text of each module stands in a function of its own, so that names cannot meet. The import map of the page leads
the address of every joined module to the file that it is in; a module whose names another one has too stays a file
that hands on what is in the joined one. Descriptions of types and functions are left out. Modules of forms that are not understood stay as they are.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set

from attrs import evolve, field, frozen

from mlcore_ui.assets import Asset, Assets, made

ROUTES = "app/routes.js"
STYLE = "styles/joined.css"
_SHARED_BY = 3
_SMALL = 2000  # bytes: less than what a request of its own costs
_IMPORT = re.compile(r"""^import\s+(?:([\w{}\s,$]+?)\s+from\s+)?["']([^"']+)["'];?[ \t]*$""", re.MULTILINE)
# descriptions for readers and the type check, on lines of their own
_DOC = re.compile(r"^[ \t]*/\*\*(?:[^*]|\*(?!/))*\*/[ \t]*\n", re.MULTILINE)
_LATER = re.compile(r"""\bimport\(\s*["'](\.{1,2}/[^"']+)["']\s*\)""")
_EXPORT = re.compile(r"^export\s+(default\s+)?((?:async\s+)?function\*?|class|const)\s+(\w+)", re.MULTILINE)
_LIST = re.compile(r"^export\s*\{([^}]*)\};?", re.MULTILINE)
_ANY = re.compile(r"^\s*export\b", re.MULTILINE)
_NAMED = re.compile(r"^(?:(\w+)\s*,?\s*)?(?:\{([^}]*)\})?$")


@frozen
class Joined:
    """Files with joined ones among them.

    style: the path of the sheet that holds all sheets. homes: the joined file that holds a module, by its path.
    """

    assets: Assets
    style: str
    homes: Mapping[str, str] = field(repr=False)


@frozen
class _Module:
    """A module that can be joined: what it imports as (names, path or bare name), its text and what it exports."""

    path: str
    imports: tuple[tuple[str, str], ...]
    body: str
    exports: Mapping[str, str]


def join(assets: Assets, main: str) -> Joined:
    """Join what *main* imports at once with what most pages import, and each page with what it alone imports."""
    texts = {path: asset.body.decode() for path, asset in assets.files.items() if path.endswith(".js")}
    known = {path: found for path, text in texts.items() if (found := _read(path, text)) is not None}
    pages = [_resolved(ROUTES, named) for named in _LATER.findall(texts.get(ROUTES, ""))]
    closures = {page: [path for path in assets.modules(page) if path in known] for page in dict.fromkeys(pages)}
    wanted = Counter(path for closure in closures.values() for path in closure)
    # what pages of one folder share is theirs, and would only make the first load longer
    parts = {path: times for path, times in wanted.items() if not path.startswith("pages/")}
    often = _ordered(known, [main, *(path for path, times in parts.items() if times >= _SHARED_BY)])
    first = _ordered(known, [*often, *(path for path in parts if _small(known[path], often))])
    groups = {main: first}
    for page, closure in closures.items():
        own = {path for path in closure if wanted[path] == 1 and path not in first}
        own -= _asked_elsewhere(known, own, posixpath.dirname(page))
        if page in own:
            groups[page] = [path for path in _ordered(known, [page]) if path in own]
    files = dict(assets.files)
    homes: dict[str, str] = {}
    for home, group in groups.items():
        if len(group) < 2 or home not in known:
            continue
        text, stubs = _text(home, [known[path] for path in group])
        files[home] = made(home, text.encode())
        files.update({path: made(path, stub.encode()) for path, stub in stubs.items()})
        homes.update({path: home for path in group if path != home and path not in stubs})
    files[STYLE] = made(STYLE, b"\n".join(assets.files[path].body for path in assets.styles()))
    return Joined(evolve(assets, digest=_digest(files), files=files), STYLE, homes)


def _small(module: _Module, there: Sequence[str]) -> bool:
    """Tell whether a module is shorter than what asking for it costs, and needs none but those that are there."""
    needed = {_resolved(module.path, named) for _, named in module.imports if named.startswith(".")}
    return len(module.body) < _SMALL and needed <= set(there)


def _asked_elsewhere(known: Mapping[str, _Module], group: Set[str], folder: str) -> set[str]:
    """Return what modules of other pages import too: they should not get this page with it."""
    others = [one for path, one in known.items() if path not in group and posixpath.dirname(path) != folder]
    asked = {_resolved(one.path, named) for one in others for _, named in one.imports if named.startswith(".")}
    found = asked & group
    return found | _asked_elsewhere(known, group - found, folder) if found else found


def _digest(files: Mapping[str, Asset]) -> str:
    digest = hashlib.sha256()
    for path, asset in files.items():
        digest.update(f"{path}\0{len(asset.body)}\0".encode())
        digest.update(asset.body)
    return digest.hexdigest()[:16]


def _read(path: str, text: str) -> _Module | None:
    """Take a module apart; None when it has a form that is not understood."""
    exports: dict[str, str] = {}
    for default, _, name in _EXPORT.findall(text):
        exports["default" if default else name] = name
    for listed in _LIST.findall(text):
        for one in filter(None, (part.strip() for part in listed.split(","))):
            name, _, shown = one.partition(" as ")
            exports[shown.strip() or name.strip()] = name.strip()
    imports = tuple((names, named) for names, named in _IMPORT.findall(text))
    body = _LIST.sub("", _EXPORT.sub(r"\2 \3", _IMPORT.sub("", text)))
    odd = _ANY.search(body) or re.search(r"^import[\s{\"']", body, re.MULTILINE) or path.startswith("vendor/")
    if odd or any(_NAMED.match(names.strip()) is None for names, _ in imports):
        return None
    return _Module(path, imports, body, exports)


def _ordered(known: Mapping[str, _Module], starts: Iterable[str]) -> list[str]:
    """Return the modules that *starts* import, each after what it imports."""
    found: dict[str, None] = {}
    open_: set[str] = set()

    def visit(path: str) -> None:
        if path in found or path not in known or path in open_:
            return
        open_.add(path)
        for _, named in known[path].imports:
            if named.startswith("."):
                visit(_resolved(path, named))
        found[path] = None

    for start in starts:
        visit(start)
    # the file is named after the first: it comes last, after all that it might lead to
    return list(found)


def _text(home: str, modules: list[_Module]) -> tuple[str, dict[str, str]]:
    """Return the joined text, and the modules that stay as files because their names are another's too."""
    places = {module.path: f"$m{at}" for at, module in enumerate(modules)}
    taken = Counter(name for module in modules for name in module.exports)
    outside: dict[str, str] = {}
    bodies: list[str] = []
    stubs: dict[str, str] = {}
    for module in modules:
        own = places[module.path]
        bodies.append(_wrapped(module, home, places, outside))
        unique = all(taken[name] == 1 for name in module.exports) and "default" not in module.exports
        if module.path == home or unique:
            bodies.append(_exported(own, module.exports))
        else:
            bodies.append(f"export {{ {own} }};\n")
            place = _relative(module.path, home)
            stubs[module.path] = f'import {{ {own} }} from "{place}";\n{_exported(own, module.exports)}'
    heads = [f'import * as {name} from "{asked}";' for asked, name in outside.items()]
    return "\n".join([*heads, *bodies]), stubs


def _wrapped(module: _Module, home: str, places: Mapping[str, str], outside: dict[str, str]) -> str:
    """Return a module as a function that is called at once; *outside* gets what it imports from other files."""
    lines: list[str] = []
    for names, named in module.imports:
        target = _resolved(module.path, named) if named.startswith(".") else named
        source = places.get(target)
        if source is None:
            asked = _relative(home, target) if named.startswith(".") else named
            source = outside.setdefault(asked, f"$o{len(outside)}")
        lines.extend(_bindings(names.strip(), source))

    def moved(found: re.Match[str]) -> str:
        return f'import("{_relative(home, _resolved(module.path, found[1]))}")'

    body = _LATER.sub(moved, _DOC.sub("", module.body))
    handed = ", ".join(f"{shown}: {name}" for shown, name in module.exports.items())
    head = f"// {module.path}\nconst {places[module.path]} = (() => {{\n{' '.join(lines)}"
    return f"{head}\n{body}\nreturn {{ {handed} }};\n}})();\n"


def _exported(own: str, exports: Mapping[str, str]) -> str:
    """Hand on names without having them: one such as `history` would hide the browser's from all modules."""
    inner = ", ".join(f"{name}: {own}_{name}" for name in exports if name != "default")
    outer = ", ".join(f"{own}_{name} as {name}" for name in exports if name != "default")
    default = f"export default {own}.default;\n" if "default" in exports else ""
    return (f"const {{ {inner} }} = {own};\nexport {{ {outer} }};\n" if inner else "") + default


def _bindings(names: str, source: str) -> list[str]:
    found = _NAMED.match(names)
    if found is None or not names:
        return []
    lines = [f"const {found[1]} = {source}.default;"] if found[1] else []
    parts = [part.strip().replace(" as ", ": ") for part in (found[2] or "").split(",") if part.strip()]
    return [*lines, f"const {{ {', '.join(parts)} }} = {source};"] if parts else lines


def _resolved(path: str, named: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), named))


def _relative(path: str, target: str) -> str:
    found = posixpath.relpath(target, posixpath.dirname(path) or ".")
    return found if found.startswith(".") else f"./{found}"
