"""What skops trusts of some names, told without making its lists of all that it trusts.

A test holds the answers against the lists of skops for every name in them, and for the classes beside them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Mapping

# Parts of scikit-learn that it leaves out when it lists its estimators.
_LEFT_OUT = frozenset({"tests", "externals", "setup", "conftest", "experimental", "estimator_checks"})
# Fitted models of gradient boosting hold these; skops names each of them in its source.
_INTERNALS = {
    "sklearn._loss.link": ("HalfLogitLink", "IdentityLink", "Interval", "LogitLink", "LogLink", "MultinomialLogit"),
    "sklearn._loss.loss": (
        "AbsoluteError", "ExponentialLoss", "HalfBinomialLoss", "HalfGammaLoss", "HalfMultinomialLoss", "HalfPoissonLoss",
        "HalfSquaredError", "HuberLoss", "PinballLoss",
    ),
    "sklearn.ensemble._hist_gradient_boosting.binning": ("_BinMapper",),
}  # fmt: skip
_INTERNAL_NAMES = frozenset(f"{module}.{name}" for module, found in _INTERNALS.items() for name in found)
_PRIMITIVES = ("builtins.int", "builtins.float", "builtins.str", "builtins.bool")
_CONTAINERS = ("builtins.list", "builtins.set", "builtins.map", "builtins.tuple")


def trusted(names: Collection[str]) -> Mapping[str, list[str]]:
    """Return the lists of skops by their names, each with no more than what it holds of *names*."""
    return {name: found(names) for name, found in LISTS.items()}


def _estimators(names: Collection[str]) -> list[str]:
    return [name for name in names if name.startswith("sklearn.") and _is_public_estimator(name)]


def _is_public_estimator(name: str) -> bool:
    """Whether `module.Class` is what `sklearn.utils.all_estimators` finds; imports the public module around it."""
    module, _, attribute = name.rpartition(".")
    parts = module.split(".")
    if attribute.startswith("_") or _LEFT_OUT & {*parts}:
        return False
    private = next((place for place, part in enumerate(parts) if part.startswith("_")), len(parts))
    try:
        found = getattr(importlib.import_module(".".join(parts[:private])), attribute, None)
    except ImportError:
        return False
    from sklearn.base import BaseEstimator

    return (
        isinstance(found, type)
        and issubclass(found, BaseEstimator)
        and found is not BaseEstimator
        and f"{found.__module__}.{found.__name__}" == name
        and not getattr(found, "__abstractmethods__", None)
    )


def _internals(names: Collection[str]) -> list[str]:
    return [name for name in names if name in _INTERNAL_NAMES]


def _numpy_ufuncs(names: Collection[str]) -> list[str]:
    return [name for name in names if _is_ufunc(name, "numpy")]


def _scipy_ufuncs(names: Collection[str]) -> list[str]:
    return [name for name in names if name.startswith("scipy.") and _is_ufunc(name, "scipy.special")]


def _is_ufunc(name: str, module: str) -> bool:
    """Whether *name* is how skops calls a public ufunc of *module*, which is not always by that module."""
    import numpy as np
    from skops.io._utils import get_type_name
    from skops.utils._fixes import get_scipy_ufunc_wrapper_type

    known = tuple(kind for kind in (np.ufunc, get_scipy_ufunc_wrapper_type()) if kind is not None)
    # not getattr, which for some names warns or imports
    found = vars(importlib.import_module(module)).get(name.rpartition(".")[2])
    return isinstance(found, known) and get_type_name(found) == name


def _dtypes(_names: Collection[str]) -> list[str]:
    import numpy as np

    named = {f"{dtype.__module__}.{dtype.__name__}" for dtype in np.sctypeDict.values()}
    return sorted(name for name in named if name.startswith("numpy"))


def _bit_generators(_names: Collection[str]) -> list[str]:
    """All of them: files name them in places of their own."""
    from numpy import random

    public = {name: getattr(random, name) for name in dir(random)}
    classes = {name: found for name, found in public.items() if isinstance(found, type)}
    base = random.BitGenerator
    return sorted(
        f"numpy.random.{name}" for name, found in classes.items() if issubclass(found, base) and found is not base
    )


LISTS: Mapping[str, Callable[[Collection[str]], list[str]]] = {
    "PRIMITIVE_TYPE_NAMES": lambda _: [*_PRIMITIVES],
    "CONTAINER_TYPE_NAMES": lambda _: [*_CONTAINERS],
    "SKLEARN_ESTIMATOR_TYPE_NAMES": _estimators,
    "SKLEARN_INTERNAL_TYPE_NAMES": _internals,
    "SCIPY_UFUNC_TYPE_NAMES": _scipy_ufuncs,
    "NUMPY_UFUNC_TYPE_NAMES": _numpy_ufuncs,
    "NUMPY_DTYPE_TYPE_NAMES": _dtypes,
    "NUMPY_RANDOM_BIT_GENERATOR_TYPE_NAMES": _bit_generators,
}
