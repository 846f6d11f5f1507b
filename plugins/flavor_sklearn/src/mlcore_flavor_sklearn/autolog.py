"""Autologging: what an outermost `fit` learns is recorded, and nothing of the user's program changes.

The patches are made on the classes and undone by the function that `start` returns.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from mlcore.errors import MlcoreError
from mlcore.interfaces import AutologOptions
from mlcore_flavor_sklearn.training import Training, record

T = TypeVar("T")

_METHODS = ("fit", "fit_transform", "fit_predict")
# Fitting these prepares data; it is no training of a model.
_PREPARATION = (
    "sklearn.preprocessing",
    "sklearn.impute",
    "sklearn.feature_extraction",
    "sklearn.feature_selection",
    "sklearn.compose",
)
# What recording may raise. Training goes on and the user is told; anything else is a fault of ours to be seen.
_RECORDING_FAULTS = (
    MlcoreError,
    ArithmeticError,
    AttributeError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


class AutologWarning(UserWarning):
    """Training went on, but a part of it is not recorded."""


class _Outermost:
    """Knows whether a `fit` is the one that the user called, or one that it calls in turn.

    Inner calls happen on the same thread, or on threads that the outer call started (joblib's pools).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[int, frozenset[int]] = {}
        self.own_runs: set[str] = set()

    @contextmanager
    def entered(self) -> Iterator[bool]:
        """Yield whether this call is an outermost one."""
        me = threading.get_ident()
        with self._lock:
            inner = me in self._running or any(me not in before for before in self._running.values())
            if not inner:
                self._running[me] = frozenset(t.ident for t in threading.enumerate() if t.ident is not None)
        try:
            yield not inner
        finally:
            if not inner:
                with self._lock:
                    del self._running[me]


def start(options: AutologOptions) -> Callable[[], None]:
    """Record every outermost fit from now on; return what undoes it."""
    from sklearn.base import BaseEstimator

    patches = _Patches(options)
    for cls in _subclasses(BaseEstimator):
        patches.patch(cls)
    before = BaseEstimator.__dict__.get("__init_subclass__")

    def patch_later(cls: type, /, **arguments: object) -> None:
        """Patch estimators that are imported or defined after autologging began."""
        if before is None:
            super(BaseEstimator, cls).__init_subclass__(**arguments)
        else:
            before.__get__(None, cls)(**arguments)
        patches.patch(cls)

    BaseEstimator.__init_subclass__ = classmethod(patch_later)

    def undo() -> None:
        if before is not None:
            BaseEstimator.__init_subclass__ = before
        elif "__init_subclass__" in BaseEstimator.__dict__:
            del BaseEstimator.__init_subclass__
        patches.undo()

    return undo


class _Patches:
    """The methods that were replaced, and by what they were before."""

    def __init__(self, options: AutologOptions) -> None:
        self._options = options
        self._outermost = _Outermost()
        self._originals: list[tuple[type, str, object]] = []

    def patch(self, cls: type) -> None:
        if cls.__module__.startswith(_PREPARATION):
            return
        for name in _METHODS:
            original = cls.__dict__.get(name)
            # descriptors such as available_if decide on each access; they lead to methods that are patched themselves
            if inspect.isfunction(original) and not hasattr(original, "_mlcore_autolog"):
                self._originals.append((cls, name, original))
                setattr(cls, name, _recorded(original, self._outermost, self._options))

    def undo(self) -> None:
        while self._originals:
            cls, name, original = self._originals.pop()
            if hasattr(cls.__dict__.get(name), "_mlcore_autolog"):
                setattr(cls, name, original)


def _recorded(original: Callable[..., object], outermost: _Outermost, options: AutologOptions) -> Callable[..., object]:
    @functools.wraps(original)
    def fit(self: object, *args: object, **kwargs: object) -> object:
        with outermost.entered() as is_outermost:
            if not is_outermost:
                return original(self, *args, **kwargs)
            training = _attempt(
                options, lambda: Training.begin(self, original, args, kwargs, options, outermost.own_runs)
            )
            try:
                result = original(self, *args, **kwargs)
            except BaseException as err:
                if training is not None:
                    failed, error = training, err
                    _attempt(options, lambda: failed.end(error))
                    outermost.own_runs.discard(failed.run.run_id)
                raise
            if training is not None:
                done = training
                _attempt(options, lambda: record(done, options))
                _attempt(options, lambda: done.end(None))
                outermost.own_runs.discard(done.run.run_id)
            return result

    fit._mlcore_autolog = True  # type: ignore[attr-defined]  # marks the patch, so that it is made once
    return fit


def _attempt(options: AutologOptions, action: Callable[[], T]) -> T | None:
    try:
        return action()
    except _RECORDING_FAULTS as err:
        if not options.silent:
            warnings.warn(
                f"autologging of scikit-learn left something out, training goes on: {type(err).__name__}: {err}",
                AutologWarning,
                stacklevel=3,
            )
        return None


def _subclasses(cls: type) -> list[type]:
    """All subclasses that are imported, each once; importing the rest of scikit-learn would take seconds."""
    found: dict[type, None] = {}
    waiting: list[type] = [cls]
    while waiting:
        subclasses: list[type] = waiting.pop().__subclasses__()
        for sub in subclasses:
            if sub not in found and sys.modules.get(sub.__module__) is not None:
                found[sub] = None
                waiting.append(sub)
    return list(found)
