"""Import a plugin of MLflow and call it with the arguments that its release knows."""

from __future__ import annotations

import contextlib
import inspect
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint
from importlib.util import find_spec

from mlcore.errors import MissingDependencyError, PluginError
from mlcore.plugin_index import PluginEntry

_opening = threading.RLock()


def load(entry: PluginEntry) -> object:
    """Return the object that the entry point names.

    Raises MissingDependencyError: MLflow is not installed. PluginError: the entry point names nothing. What the
    plugin itself raises passes; the kernel contains it.
    """
    point = entry.foreign
    if point is None:
        raise PluginError(f"{entry} is no entry point of MLflow")
    if find_spec("mlflow") is None:
        raise MissingDependencyError(f"{entry} needs MLflow, which is not installed: pip install mlflow")
    with quiet():
        # MLflow first: plugins that import it import themselves a second time otherwise, by its own discovery
        import_module("mlflow")
        try:
            return EntryPoint(entry.key, point.value, point.group).load()
        except AttributeError as err:
            raise PluginError(
                f"{entry} cannot be used: {err}. Reinstall or remove it: pip uninstall {entry.dist}"
            ) from err


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let what a plugin prints while it is opened go to the standard error: results belong to the program."""
    with _opening, contextlib.redirect_stdout(sys.stderr):
        yield


def fitting(function: Callable[..., object], wanted: Mapping[str, object]) -> dict[str, object]:
    """Return those of the arguments that *function* takes: releases of MLflow differ in what they pass."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return dict(wanted)
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return dict(wanted)
    return {name: value for name, value in wanted.items() if name in parameters}


def built(entry: PluginEntry) -> Callable[..., object]:
    """Load a class or function that makes what is wanted. Raises PluginError: it is neither."""
    found = load(entry)
    if not callable(found):
        raise PluginError(f"{entry} cannot be used: expected a class or function, got a {type(found).__name__}")
    return found
