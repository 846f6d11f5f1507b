"""Predict for arrays with models that were fitted on frames.

For one row, scikit-learn spends four times as long on looking at a frame as on predicting. The signature has checked
names and order before, so a twin of the model that knows no names can take the bare array.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping

# Estimators of these look at numbers only: their columns are positions once they are fitted.
_MODULES = (
    "sklearn.linear_model.",
    "sklearn.ensemble._forest",
    "sklearn.ensemble._gb",
    "sklearn.ensemble._hist_gradient_boosting.",
    "sklearn.ensemble._iforest",
    "sklearn.tree.",
    "sklearn.svm.",
    "sklearn.neighbors.",
    "sklearn.naive_bayes",
    "sklearn.neural_network.",
    "sklearn.discriminant_analysis",
    "sklearn.cluster.",
    "sklearn.decomposition.",
    "sklearn.preprocessing._data",
)


def array_twin(model: object) -> object | None:
    """Return a shallow copy of *model* that takes arrays without a warning and predicts the same; None for others.

    The copy shares all that was learnt; *model* itself stays as it is.
    """
    if f"{type(model).__module__}.{type(model).__name__}" == "sklearn.pipeline.Pipeline":
        return _pipeline_twin(model)
    return _twin(model) if _sees_numbers_only(model) else None


def reads_texts(model: object) -> bool:
    """Whether *model* begins with what reads a list of texts: given a frame, it would read the names of its columns."""
    inner = getattr(model, "best_estimator_", model)
    while getattr(inner, "steps", None):
        inner = inner.steps[0][1]  # type: ignore[attr-defined]  # a pipeline
    return type(inner).__module__ == "sklearn.feature_extraction.text" and type(inner).__name__ != "TfidfTransformer"


def _pipeline_twin(model: object) -> object | None:
    steps = []
    for name, step in model.steps:  # type: ignore[attr-defined]  # a pipeline
        twin = step if step is None or isinstance(step, str) else array_twin(step)
        if twin is None and step is not None:
            return None
        steps.append((name, twin))
    copied = copy.copy(model)
    copied.steps = steps  # type: ignore[attr-defined]  # a pipeline
    return copied


def _twin(model: object) -> object:
    copied = copy.copy(model)
    vars(copied).pop("feature_names_in_", None)
    return copied


def _sees_numbers_only(model: object) -> bool:
    if not type(model).__module__.startswith(_MODULES):
        return False
    learnt = vars(model)
    if "_sklearn_output_config" in learnt:  # it was asked to return frames
        return False
    if learnt.get("is_categorical_") is not None or learnt.get("_preprocessor") is not None:
        return False  # categories are known by the frame's types
    return not any(_knows_names(inner) for value in learnt.values() for inner in _inside(value))


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, (list, tuple)) else (value,)


def _knows_names(value: object) -> bool:
    return hasattr(value, "fit") and hasattr(value, "feature_names_in_")
