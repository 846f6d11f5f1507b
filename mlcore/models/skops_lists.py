"""Use skops without importing the whole of scikit-learn first.

When `skops.io` is imported it lists all that it trusts: it imports every module of scikit-learn for its estimators, with
PyTorch and CuPy where they are installed, and looks for each ufunc in every module there is. That is half of the time
that a server of one model needs to start. What skops trusts of the few names in one file is known without that; for
everybody else who uses skops its lists are made as soon as they are looked at.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
import threading
from collections import UserList
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import TYPE_CHECKING

from mlcore.models.deferring import deferred
from mlcore.models.skops_trusted import LISTS, trusted

if TYPE_CHECKING:
    Names = UserList[str]
else:
    Names = UserList

_MODULE = "skops.io._trusted_types"
_RELEASE = "0.16."  # whose modules were looked at; others are imported as they are
_of_file: ContextVar[Mapping[str, list[str]] | None] = ContextVar("mlcore_skops_lists", default=None)
_lock = threading.RLock()


class _Names(Names):
    """One list of skops: short while a file is looked at here, otherwise as skops makes it."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def data(self) -> list[str]:  # type: ignore[override]  # an attribute of UserList
        short = _of_file.get()
        if short is not None:
            return short[self._name]
        found: list[str] = getattr(_full_lists(), self._name)
        return found

    def __add__(self, other: Iterable[str]) -> list[str]:  # type: ignore[override]  # skops adds lists
        return [*self.data, *other]

    def __radd__(self, other: Iterable[str]) -> list[str]:  # type: ignore[override]  # to either side
        return [*other, *self.data]


def skops_io() -> ModuleType:
    """Import `skops.io`, which lists what it trusts only when somebody looks."""
    if "skops.io" not in sys.modules:
        import skops

        with _lock:
            if "skops.io" not in sys.modules and skops.__version__.startswith(_RELEASE):
                sys.modules[_MODULE] = _stand_in()
    with deferred("pandas"):  # it imports scikit-learn
        return importlib.import_module("skops.io")


@contextmanager
def trusting_of(names: Collection[str]) -> Iterator[ModuleType]:
    """Give `skops.io`, whose lists hold inside the block what skops trusts among *names*, and nothing else.

    So it judges a file that holds *names* as it would by its full lists, which are used where skops is of another
    release or was imported by somebody before.
    """
    io = skops_io()
    if not isinstance(sys.modules.get(_MODULE), _StandIn):
        yield io
        return
    token = _of_file.set(trusted(names))
    try:
        yield io
    finally:
        _of_file.reset(token)


class _StandIn(ModuleType):
    full: ModuleType | None = None  # what it stands for, once that was made


def _stand_in() -> ModuleType:
    made = _StandIn(_MODULE, "The lists of skops, made when they are looked at.")
    for name in LISTS:
        setattr(made, name, _Names(name))
    return made


def _full_lists() -> ModuleType:
    """Make the module of skops that the stand-in stands for, once."""
    import skops.io

    stand_in = sys.modules[_MODULE]
    with _lock:
        if not isinstance(stand_in, _StandIn):
            return stand_in
        if stand_in.full is None:
            spec = importlib.machinery.PathFinder.find_spec(_MODULE, skops.io.__path__)
            if spec is None or spec.loader is None:
                raise ImportError(f"skops has no module {_MODULE}")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            stand_in.full = module
        return stand_in.full
