"""Read the source code of the kernel and the plugins as syntax trees, for the tests of the architecture."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One module.

    name: as it is imported: `mlcore.wire.limits`; a package has no `__init__` in it.
    """

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """The distribution's import name: `mlcore` or `mlcore_store_sql`."""
        return self.name.partition(".")[0]

    @property
    def part(self) -> str:
        """The module or subpackage below the root package: `tracking`; empty for the root itself."""
        return self.name.split(".")[1] if "." in self.name else ""

    def at(self, line: int) -> str:
        """Return `path:line` for a message."""
        return f"{self.path.relative_to(ROOT)}:{line}"


@dataclass(frozen=True)
class Import:
    """One imported module.

    module: the absolute name; `from mlcore import errors` gives `mlcore.errors` when there is such a module.
    names: what is taken from it; empty for `import module`.
    at_load: whether importing the file imports it: not inside a function, not under TYPE_CHECKING.
    """

    module: str
    names: tuple[str, ...]
    line: int
    at_load: bool
    typing_only: bool

    @property
    def top(self) -> str:
        """The top-level package."""
        return self.module.partition(".")[0]


@functools.cache
def kernel() -> tuple[Source, ...]:
    """Return the modules of the kernel."""
    return tuple(_sources(ROOT / "mlcore", ROOT))


@functools.cache
def plugins() -> tuple[Source, ...]:
    """Return the modules of all plugins."""
    found: list[Source] = []
    for folder in plugin_folders():
        found += _sources(folder / "src", folder / "src")
    return tuple(found)


def plugin_folders() -> tuple[Path, ...]:
    """Return the folders of the plugins."""
    return tuple(sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml")))


def _sources(folder: Path, root: Path) -> Iterator[Source]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text("utf-8")
        yield Source(name, path, text, ast.parse(text, str(path)))


def imports(source: Source) -> list[Import]:
    """Return every import of a module, wherever it stands."""
    found: list[Import] = []
    _walk(source, source.tree, True, False, found)
    return found


def _walk(source: Source, node: ast.AST, at_load: bool, typing_only: bool, found: list[Import]) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            found += [Import(a.name, (), child.lineno, at_load, typing_only) for a in child.names]
        elif isinstance(child, ast.ImportFrom):
            found += _from(source, child, at_load, typing_only)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for statement in child.body:
                _walk(source, ast.Module([statement], []), False, True, found)
            for statement in child.orelse:
                _walk(source, ast.Module([statement], []), at_load, typing_only, found)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            _walk(source, child, at_load and not inside, typing_only, found)


def _from(source: Source, node: ast.ImportFrom, at_load: bool, typing_only: bool) -> list[Import]:
    base = node.module or ""
    if node.level:
        is_package = source.path.name == "__init__.py"
        parts = source.name.split(".")
        kept = parts[: len(parts) - node.level + (1 if is_package else 0)]
        base = ".".join([*kept, *([base] if base else [])])
    known = {s.name for s in (*kernel(), *plugins())} if base.startswith("mlcore") else set()
    names = [alias.name for alias in node.names]
    modules = [name for name in names if f"{base}.{name}" in known]
    others = tuple(name for name in names if name not in modules)
    found = [Import(f"{base}.{name}", (), node.lineno, at_load, typing_only) for name in modules]
    if others:
        found.append(Import(base, others, node.lineno, at_load, typing_only))
    return found


def public_definitions(source: Source) -> Iterator[tuple[str, ast.ClassDef | FunctionNode]]:
    """Yield the public classes, functions and methods of a module with their dotted names."""
    if any(part.startswith("_") for part in source.name.split(".")):
        return
    yield from _definitions(source.tree.body, "")


def _definitions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.ClassDef | FunctionNode]]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            yield from _definitions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield prefix + node.name, node


def functions(source: Source) -> Iterator[FunctionNode]:
    """Yield every function and method of a module."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def decorators(node: ast.ClassDef | FunctionNode) -> set[str]:
    """Return the last words of a definition's decorators: `overload`, `setter`, `property`."""
    return {ast.unparse(d).partition("(")[0].rpartition(".")[2] for d in node.decorator_list}
