"""Write docs/hooks.md from mlcore/hookspecs.py, from its text alone: nothing is imported."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "mlcore" / "hookspecs.py"
TARGET = ROOT / "docs" / "hooks.md"

INTRO = """\
# Hooks

<!-- Written by `make hooks` from mlcore/hookspecs.py; edit that file. -->

{about}

A plugin's manifest names the module, and the module marks its functions:

```toml
[project.entry-points."mlcore.artifact_repo"]
s3 = "mlcore_artifacts_s3.plugin"
```

```py
from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ArtifactRepo


@hookimpl
def artifact_repo(uri: str) -> ArtifactRepo | None:
    from mlcore_artifacts_s3.repo import S3Repo  # the heavy library is imported here, not above

    return S3Repo.open(uri)
```

Arguments are only ever added, and an implementation names those that it uses. The protocols are in
`mlcore.interfaces`, one module each; their contract suites are in `mlcore.testing`.
"""


def reference(source: str) -> str:
    """Return the page for the text of a hookspecs module."""
    tree = ast.parse(source)
    specs = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "HookSpecs")
    parts = [INTRO.format(about=_code_spans(ast.get_docstring(tree) or ""))]
    headings = _headings(source, specs)
    for node in specs.body:
        if isinstance(node, ast.FunctionDef):
            parts += [text for line, text in headings if line < node.lineno]
            headings = [(line, text) for line, text in headings if line >= node.lineno]
            parts.append(_entry(node))
    return "\n".join(parts)


def _headings(source: str, specs: ast.ClassDef) -> list[tuple[int, str]]:
    """The comments at the level of the class: `# Factories: asked by key, ...` opens a group of hooks."""
    found = []
    for number, line in enumerate(source.splitlines(), 1):
        comment = re.match(r"    # (\w+): (.*)", line)
        if comment and specs.lineno < number <= (specs.end_lineno or 0):
            found.append((number, f"## {comment[1]}\n\n{comment[2][:1].upper()}{comment[2][1:]}\n"))
    return found


def _entry(node: ast.FunctionDef) -> str:
    first, _, rest = (ast.get_docstring(node) or "").partition("\n")
    arguments = ", ".join(ast.unparse(a) for a in node.args.args if a.arg != "self")
    answer = ast.unparse(node.returns) if node.returns else "None"
    lines = [f"### `{node.name}`", "", _code_spans(first), ""]
    lines += ["```py", f"def {node.name}({arguments}) -> {answer}", "```", ""]
    lines += [f"- {_code_spans(item)}" for item in _items(rest)]
    return "\n".join(lines) + "\n"


def _items(text: str) -> list[str]:
    """The lines of a docstring's body; one that begins in lower case goes on with the line before."""
    items: list[str] = []
    for line in filter(None, (raw.strip() for raw in text.splitlines())):
        argument = re.match(r"(\w+): (.*)", line)
        if argument and line[0].islower():
            items.append(f"`{argument[1]}`: {argument[2]}")
        elif items and line[0].islower():
            items[-1] += f" {line}"
        else:
            items.append(re.sub(r"^(Returns|Raises|Since)\b", r"**\1**", line))
    return items


def _code_spans(text: str) -> str:
    return text.replace("``", "`").replace("*uri*", "`uri`").replace("*name*", "`name`")


def main() -> None:
    """Write the page; with `--check`, only say whether it is up to date."""
    page = reference(SOURCE.read_text("utf-8"))
    if "--check" in sys.argv:
        sys.exit(0 if TARGET.exists() and TARGET.read_text("utf-8") == page else f"{TARGET} is out of date: make hooks")
    TARGET.write_text(page, "utf-8")
    print(f"wrote {TARGET.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
