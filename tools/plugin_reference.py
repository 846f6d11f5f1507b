"""Write docs/plugins/: a page per protocol from mlcore/interfaces, and the table of first-party plugins from manifests."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INTERFACES = ROOT / "mlcore" / "interfaces"
TARGET = ROOT / "docs" / "plugins"
HOOKS = {"authority": "web"}  # protocols that are brought by a hook of another name
# modules of abilities alone, and the protocol whose page tells of them
ABILITIES = {
    "page_feeds": "tracking_store",
    "registry_moves": "registry_store",
    "run_tables": "tracking_store",
}
NOTE = "<!-- Written by `make hooks` from {source}; edit that. -->\n"


def pages() -> dict[Path, str]:
    """Return every generated page by its path."""
    found = {TARGET / "first-party.md": first_party()}
    for path in sorted(INTERFACES.glob("*.py")):
        if path.stem != "__init__" and path.stem not in ABILITIES:
            found[TARGET / f"{path.stem}.md"] = protocol_page(path.stem, path.read_text("utf-8"))
    return found


def protocol_page(module: str, source: str) -> str:
    """Return the page for the text of one module of `mlcore.interfaces`."""
    tree = ast.parse(source)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    protocols = [c for c in classes if any("Protocol" in ast.unparse(base) for base in c.bases)]
    main = next(c for c in protocols if _is_main(c, module))
    abilities = [c for c in protocols if c is not main and c.name.startswith("Supports")]
    others = [c for c in protocols if c is not main and c not in abilities]
    for extra in (name for name, owner in ABILITIES.items() if owner == module):
        tree_of_extra = ast.parse((INTERFACES / f"{extra}.py").read_text("utf-8"))
        abilities += [node for node in tree_of_extra.body if isinstance(node, ast.ClassDef)]
    records = [c for c in classes if c not in protocols]
    hook = HOOKS.get(module, module)
    parts = [f"# {main.name}\n", NOTE.format(source=f"mlcore/interfaces/{module}.py"), _text(tree), ""]
    parts += [
        f"Hook: [`{hook}`](../hooks.md#{hook}). Protocol: `mlcore.interfaces.{main.name}`. "
        f"To start one: `mlcore plugins new {module} NAME`. Each method below is required unless it says otherwise.",
        "",
        _text(main),
        "",
        "## Required methods\n",
        *_methods(main),
    ]
    if abilities:
        parts += ["## Optional abilities\n", "Found by `isinstance`; without one, the kernel does what it can.\n"]
        for ability in abilities:
            parts += [f"### {ability.name}\n", _text(ability), "", *_methods(ability)]
    if others or records:
        parts += ["## Records and further protocols\n"]
        for node in [*others, *records]:
            parts += [f"### {node.name}\n", _text(node), "", *_methods(node)]
            parts += _fields(node)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts)).rstrip() + "\n"


def _is_main(node: ast.ClassDef, module: str) -> bool:
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", node.name).lower()
    return words.startswith(module)


def _methods(node: ast.ClassDef) -> list[str]:
    parts = []
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
            parts += ["```py", _signature(method), "```", "", _text(method), ""]
    return parts


def _signature(method: ast.FunctionDef) -> str:
    answer = ast.unparse(method.returns) if method.returns else "None"
    if any(ast.unparse(decorator) == "property" for decorator in method.decorator_list):
        return f"{method.name}: {answer}"
    return f"def {method.name}({ast.unparse(method.args).removeprefix('self, ').removeprefix('self')}) -> {answer}"


def _fields(node: ast.ClassDef) -> list[str]:
    # as the formatter quotes; no default here holds a quote of its own
    lines = [ast.unparse(item).replace("'", '"') for item in node.body if isinstance(item, ast.AnnAssign | ast.Assign)]
    return ["```py", *lines, "```", ""] if lines else []


def _text(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> str:
    """The docstring: arguments as a list, paragraphs as they are."""
    lines = []
    for line in (ast.get_docstring(node) or "").splitlines():
        found = re.match(r"([a-z_][a-z_0-9]*(?:, [a-z_0-9]+)*): (.*)", line)
        lines.append(f"- `{found[1]}`: {found[2]}" if found else re.sub(r"^(Raises|Returns) ", r"\n**\1** ", line))
    return re.sub(
        r"\*(uri|path|name|source_uri|target_uri|argv|timeout_s|alias|model|data)\*", r"`\1`", "\n".join(lines)
    )


def first_party() -> str:
    """Return the table of the plugins in this repository."""
    rows = []
    for path in sorted((ROOT / "plugins").glob("*/pyproject.toml")):
        project = tomllib.loads(path.read_text("utf-8"))["project"]
        rows.append(f"| `{project['name']}` | {_answers(project['entry-points'])} | {project['description']} |")
    head = ["# First-party plugins\n", NOTE.format(source="plugins/*/pyproject.toml")]
    about = (
        "Each is a distribution of its own that uses the kernel's public names only, as yours does. All have the kernel's\n"
        "version and need `mlcore-kernel` of the same minor version.\n"
    )
    return "\n".join([*head, about, "| distribution | hook and keys | what it brings |", "|---|---|---|", *rows]) + "\n"


def _answers(groups: Mapping[str, Mapping[str, str]]) -> str:
    shown = []
    for group, entries in groups.items():
        hook = group.partition(".")[2]
        shown.append(f"`{hook}`: {', '.join(f'`{key}`' for key in entries)}" if hook else "always on")
    return "; ".join(shown)


def main() -> None:
    """Write the pages; with `--check`, only say whether they are up to date."""
    for path, text in pages().items():
        if "--check" in sys.argv:
            if not path.exists() or path.read_text("utf-8") != text:
                sys.exit(f"{path} is out of date: make hooks")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
