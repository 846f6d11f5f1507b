"""Which types in a skops file are harmless to make, beyond those that skops itself knows."""

from __future__ import annotations

import importlib
from collections.abc import Iterable

# Classes of these hold numbers and settings; making one runs nothing that a file could choose.
_CLASSES = ("sklearn.", "scipy.sparse.", "scipy.interpolate.", "scipy.stats.", "numpy.random.")
# Functions are put where the model calls them, so only pure ones of these few places pass.
_FUNCTIONS = ("sklearn.metrics.", "sklearn.feature_selection._univariate_selection.", "sklearn.cluster._kmeans.")
_NAMES = frozenset(
    {
        "builtins.object",
        "functools.partial",  # of a function that is looked at by itself
        "numpy.dtype",
        "numpy.max",
        "numpy.mean",
        "numpy.median",
        "numpy.min",
        "numpy.sum",
        "scipy._lib.array_api_compat.numpy._aliases.asarray",
        "sklearn.utils.validation.check_array",
    }
)
_BROUGHT = frozenset({"sklearn", "numpy", "scipy", "joblib", "threadpoolctl"})
_TEST_PARTS = frozenset({"tests", "_testing", "conftest", "externals"})


def foreign(names: Iterable[str]) -> list[str]:
    """Return those of *names* (`module.Class`, `module.function`) that need somebody's trust."""
    return [name for name in names if not _is_harmless(name)]


def modules(names: Iterable[str]) -> set[str]:
    """Return the modules that *names* come from."""
    return {name.rpartition(".")[0] for name in names}


def beyond_sklearn(modules: Iterable[str]) -> set[str]:
    """Return those of *modules* that scikit-learn neither is nor brings along."""
    return {module for module in modules if module.partition(".")[0] not in _BROUGHT}


def _is_harmless(name: str) -> bool:
    if name in _NAMES:
        return True
    module, _, attribute = name.rpartition(".")
    if not name.startswith(_CLASSES) or _TEST_PARTS & set(module.split(".")):
        return False
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return False
    # a name that is only imported there, such as a class of `subprocess`, is not the library's own
    if not str(getattr(found, "__module__", "")).startswith(_CLASSES):
        return False
    return isinstance(found, type) or (callable(found) and name.startswith(_FUNCTIONS))
