"""Public names are documented and typed, modules and functions are small, and exceptions to the linters have reasons."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import sourcecode

ROOT = sourcecode.ROOT
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 40

# The self of a hook spec is not the caller's; pluggy knows no more. An attrs field stands where its own type is expected.
MAY_SAY_ANY = {
    ("mlcore.plugins", "Plugins.first"),
    ("mlcore.plugins", "Plugins.every"),
    ("mlcore.plugins", "Plugins.strictly"),
    ("mlcore.wire.messages", "required"),
    ("mlcore.wire.messages", "optional"),
}

EVERYTHING = (*sourcecode.kernel(), *sourcecode.plugins())
NOT_OURS = {".venv", ".cache", "site", "dist", "build", ".git"}


def _python_files() -> list[Path]:
    return [path for path in sorted(ROOT.rglob("*.py")) if not NOT_OURS.intersection(path.relative_to(ROOT).parts)]


def test_every_module_says_what_it_is() -> None:
    silent = [source.name for source in EVERYTHING if (ast.get_docstring(source.tree) or "TODO").startswith("TODO")]

    assert not silent, "\n".join(silent)


def test_every_public_class_function_and_method_has_a_docstring() -> None:
    silent = [
        f"{source.at(node.lineno)}: {name}"
        for source in EVERYTHING
        for name, node in sourcecode.public_definitions(source)
        if not ast.get_docstring(node)
        and not sourcecode.decorators(node) & {"overload", "setter", "hookimpl", "fixture"}
        and not node.name.startswith("test_")  # in contract suites the name is the sentence
    ]

    assert not silent, "\n".join(silent)


def test_no_public_signature_of_the_kernel_says_any() -> None:
    vague = [
        f"{source.at(node.lineno)}: {name}"
        for source in sourcecode.kernel()
        for name, node in sourcecode.public_definitions(source)
        if not isinstance(node, ast.ClassDef) and (source.name, name) not in MAY_SAY_ANY and _says_any(node)
    ]

    assert not vague, "\n".join(vague)


def _says_any(node: sourcecode.FunctionNode) -> bool:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
    annotations = [a.annotation for a in arguments if a is not None] + [node.returns]
    return any(re.search(r"\bAny\b", ast.unparse(a)) for a in annotations if a is not None)


def test_modules_are_short_enough_to_read() -> None:
    long = [
        f"{source.name}: {len(source.text.splitlines())} lines"
        for source in EVERYTHING
        if len(source.text.splitlines()) > MAX_MODULE_LINES
    ]

    assert not long, "\n".join(long)


def test_functions_are_short_enough_to_read() -> None:
    long = [
        f"{source.at(node.lineno)}: {node.name} has {_code_lines(node)} lines"
        for source in EVERYTHING
        for node in sourcecode.functions(source)
        if _code_lines(node) > MAX_FUNCTION_LINES
    ]

    assert not long, "\n".join(long)


def _code_lines(node: sourcecode.FunctionNode) -> int:
    """The lines of the body, without the docstring."""
    first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
    return (node.end_lineno or 0) - first.lineno + 1


def test_no_module_is_a_heap_of_leftovers() -> None:
    heaps = [
        source.name
        for source in EVERYTHING
        if re.fullmatch(r"(utils?|helpers?|misc|common)", source.name.split(".")[-1])
    ]

    assert not heaps, "\n".join(heaps)


def test_an_exception_to_the_linter_or_the_type_checker_has_a_code_and_a_reason() -> None:
    bare = []
    for path in _python_files():
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            comment = line.partition("# ")[2] if "# " in line else ""
            marked = re.match(r"(noqa|type: ignore|pyright: ignore)\b(.*)", comment)
            if marked and not re.match(r"(: [A-Z]+[0-9]+(, ?[A-Z]+[0-9]+)*|\[[\w, -]+\])\s+(#|--?) \S+", marked[2]):
                bare.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")

    assert not bare, "\n".join(bare)
