"""Autologging: what an outermost `fit` learns is recorded, and nothing of the user's program changes.

The patches are made on the classes and undone by the function that `start` returns.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable

from mlcore.interfaces import AutologOptions
from mlcore.models.training import Recorder
from mlcore_flavor_sklearn.training import Fit, record

_METHODS = ("fit", "fit_transform", "fit_predict")
# Fitting these prepares data; it is no training of a model.
_PREPARATION = (
    "sklearn.preprocessing",
    "sklearn.impute",
    "sklearn.feature_extraction",
    "sklearn.feature_selection",
    "sklearn.compose",
)


def start(options: AutologOptions) -> Callable[[], None]:
    """Record every outermost fit from now on; return what undoes it."""
    from sklearn.base import BaseEstimator

    recorder = Recorder("sklearn", options)
    for cls in _subclasses(BaseEstimator):
        _patch(cls, recorder)
    before = BaseEstimator.__dict__.get("__init_subclass__")

    def patch_later(cls: type, /, **arguments: object) -> None:
        """Patch estimators that are imported or defined after autologging began."""
        if before is None:
            super(BaseEstimator, cls).__init_subclass__(**arguments)
        else:
            before.__get__(None, cls)(**arguments)
        _patch(cls, recorder)

    BaseEstimator.__init_subclass__ = classmethod(patch_later)

    def undo() -> None:
        if before is not None:
            BaseEstimator.__init_subclass__ = before
        elif "__init_subclass__" in BaseEstimator.__dict__:
            del BaseEstimator.__init_subclass__
        recorder.undo()

    return undo


def _patch(cls: type, recorder: Recorder) -> None:
    if cls.__module__.startswith(_PREPARATION):
        return
    for name in _METHODS:
        # descriptors such as available_if decide on each access; they lead to methods that are patched themselves
        if inspect.isfunction(cls.__dict__.get(name)):
            recorder.patch(cls, name, lambda original: _recorded(original, recorder))


def _recorded(original: Callable[..., object], recorder: Recorder) -> Callable[..., object]:
    def fit(self: object, *args: object, **kwargs: object) -> object:
        if not recorder.answers_for(type(self)):  # an XGBClassifier, while the flavor xgboost records
            return original(self, *args, **kwargs)
        with recorder.training() as training:
            if training is None:
                return original(self, *args, **kwargs)
            begun = recorder.attempt(lambda: Fit.begin(training, self, original, args, kwargs))
            result = original(self, *args, **kwargs)
            if begun is not None:
                recorder.attempt(lambda: record(begun))
            return result

    return fit


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
