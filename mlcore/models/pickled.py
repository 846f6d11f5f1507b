"""Look into pickles and functions for the modules that they need, without running anything."""

from __future__ import annotations

import dis
import pickletools
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType

_SUBIMPORTS = ("subimport", "dynamic_subimport")


def modules_in_pickle(path: Path) -> frozenset[str]:
    """Return the modules whose members, or which themselves, the pickle at *path* refers to."""
    found: set[str] = set()
    for module, name, argument in _globals(path.read_bytes()):
        found.add(module)
        if module.startswith("cloudpickle") and name in _SUBIMPORTS and argument:
            found.add(argument)
    return frozenset(found)


def modules_in_code(value: object) -> frozenset[str]:
    """Return the modules that a function, or the methods of a class, import when they run."""
    found: set[str] = set()
    for code in _codes(value):
        for instruction in dis.get_instructions(code):
            if instruction.opname == "IMPORT_NAME" and isinstance(instruction.argval, str):
                found.add(instruction.argval)
    return frozenset(name for name in found if name)


def _codes(value: object) -> Iterator[CodeType]:
    if isinstance(value, CodeType):
        yield value
        for constant in value.co_consts:
            if isinstance(constant, CodeType):
                yield from _codes(constant)
    elif isinstance(value, FunctionType):
        yield from _codes(value.__code__)
    elif isinstance(value, type):
        for member in vars(value).values():
            inner = getattr(member, "__func__", getattr(member, "fget", member))
            if isinstance(inner, FunctionType):
                yield from _codes(inner)


def _globals(data: bytes) -> Iterator[tuple[str, str, str | None]]:
    """Yield (module, name, the next text) for every global of a pickle: what is called and, often, with what."""
    memo: dict[int, str] = {}
    texts: list[str | None] = []
    pending: tuple[str, str] | None = None
    for opcode, argument, _ in pickletools.genops(data):
        name = opcode.name
        text = argument if isinstance(argument, str) and "UNICODE" in name else None
        if name in ("BINGET", "LONG_BINGET", "GET"):
            text = memo.get(int(str(argument)))
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"):
            key = len(memo) if name == "MEMOIZE" else int(str(argument))
            memo[key] = (texts[-1] if texts else None) or ""
            continue
        if pending is not None and name not in ("MARK",):
            yield (*pending, text)
            pending = None
        if name == "GLOBAL":
            module, _, member = str(argument).partition(" ")
            pending = (module, member)
        elif name == "STACK_GLOBAL" and len(texts) > 1 and texts[-2]:
            pending = (texts[-2], texts[-1] or "")
        texts = [*texts[-3:], text]
    if pending is not None:
        yield (*pending, None)
