"""Read skops files without importing the whole of scikit-learn first.

When `skops.io` is imported it lists all that it trusts: it imports every module of scikit-learn for its estimators, and looks
for each ufunc in every module there is. That is half of the time that a server of one model needs to start. The flavor
judges the types of a file itself, so for its own reading short lists do; for everybody else those of skops are made as
soon as they are looked at.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
import threading
from collections import UserList
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Names = UserList[str]
else:
    Names = UserList

_MODULE = "skops.io._trusted_types"
_RELEASE = "0.16."  # whose modules were looked at; others are imported as they are
_PLAIN = {
    "PRIMITIVE_TYPE_NAMES": ("builtins.int", "builtins.float", "builtins.str", "builtins.bool"),
    "CONTAINER_TYPE_NAMES": ("builtins.list", "builtins.set", "builtins.map", "builtins.tuple"),
}
_JUDGED_HERE = (
    "SKLEARN_ESTIMATOR_TYPE_NAMES",
    "SKLEARN_INTERNAL_TYPE_NAMES",
    "SCIPY_UFUNC_TYPE_NAMES",
    "NUMPY_UFUNC_TYPE_NAMES",
)
_here: ContextVar[bool] = ContextVar("mlcore_reads_skops", default=False)
_lock = threading.RLock()


class _Names(Names):
    """One list of skops: short while the flavor reads, otherwise as skops makes it."""

    def __init__(self, name: str, short: Callable[[], list[str]]) -> None:
        self._name = name
        self._short_maker = short
        self._short: list[str] | None = None
        self._full: list[str] | None = None

    @property
    def data(self) -> list[str]:  # type: ignore[override]  # an attribute of UserList
        if _here.get():
            if self._short is None:
                self._short = self._short_maker()
            return self._short
        with _lock:
            if self._full is None:
                self._full = list(getattr(_real_lists(), self._name))
        return self._full

    def __add__(self, other: Iterable[str]) -> list[str]:  # type: ignore[override]  # skops adds lists
        return [*self.data, *other]

    def __radd__(self, other: Iterable[str]) -> list[str]:  # type: ignore[override]  # to either side
        return [*other, *self.data]


def types_beyond_skops(path: Path) -> list[str]:
    """Return the types and functions in a skops file; those that skops trusts may or may not be among them."""
    with _reading() as io:
        return list(io.get_untrusted_types(file=path))


def load(path: Path, trusted: list[str]) -> object:
    """Load a skops file that holds *trusted* types, as `types_beyond_skops` names them."""
    with _reading() as io:
        found: object = io.load(path, trusted=trusted)
        return found


@contextmanager
def _reading() -> Iterator[ModuleType]:
    io = _imported()
    token = _here.set(True)
    try:
        yield io
    finally:
        _here.reset(token)


def _imported() -> ModuleType:
    if "skops.io" not in sys.modules:
        import skops

        with _lock:
            if "skops.io" not in sys.modules and skops.__version__.startswith(_RELEASE):
                sys.modules[_MODULE] = _stand_in()
    return importlib.import_module("skops.io")


def _stand_in() -> ModuleType:
    made = ModuleType(_MODULE, "The lists of skops, made when they are looked at.")
    short: dict[str, Callable[[], list[str]]] = dict.fromkeys(_JUDGED_HERE, list)
    short |= {name: lambda plain=plain: list(plain) for name, plain in _PLAIN.items()}  # type: ignore[misc]  # bound now
    short |= {"NUMPY_DTYPE_TYPE_NAMES": _dtypes, "NUMPY_RANDOM_BIT_GENERATOR_TYPE_NAMES": _bit_generators}
    for name, maker in short.items():
        setattr(made, name, _Names(name, maker))
    return made


def _real_lists() -> ModuleType:
    import skops.io

    spec = importlib.machinery.PathFinder.find_spec(_MODULE, skops.io.__path__)
    if spec is None or spec.loader is None:
        raise ImportError(f"skops has no module {_MODULE}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _dtypes() -> list[str]:
    import numpy as np

    named = {f"{dtype.__module__}.{dtype.__name__}" for dtype in np.sctypeDict.values()}
    return sorted(name for name in named if name.startswith("numpy"))


def _bit_generators() -> list[str]:
    from numpy import random

    public = {name: getattr(random, name) for name in dir(random)}
    classes = {name: found for name, found in public.items() if isinstance(found, type)}
    base = random.BitGenerator
    return sorted(
        f"numpy.random.{name}" for name, found in classes.items() if issubclass(found, base) and found is not base
    )
