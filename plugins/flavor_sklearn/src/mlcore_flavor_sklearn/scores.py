"""Metrics of a fitted model on the data it was trained on, under MLflow's names."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn import metrics
from sklearn.base import is_classifier, is_regressor

PREFIX = "training_"


def training_metrics(model: object, features: object, target: object, weight: object = None) -> dict[str, float]:
    """Return the metrics that fit the kind of model; none when there is nothing to compare with.

    Classifiers: weighted precision, recall and F1, accuracy, and log loss and ROC AUC where there are probabilities.
    Regressors: mean squared and absolute error, root mean squared error, R2. Both: the model's own score.
    """
    if target is None or features is None or not hasattr(model, "predict"):
        return {}
    found: dict[str, float] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an undefined precision of a rare class is no news to the user's log
        if is_classifier(model):
            found = _of_classifier(model, features, target, weight)
        elif is_regressor(model):
            found = _of_regressor(model, features, target, weight)
        if hasattr(model, "score"):
            found["score"] = float(model.score(features, target))
    return {PREFIX + name: value for name, value in found.items()}


def _of_classifier(model: object, features: object, target: object, weight: object) -> dict[str, float]:
    predicted = model.predict(features)  # type: ignore[attr-defined]  # checked by the caller
    averaged = {"average": "weighted", "sample_weight": weight, "zero_division": 0}
    found = {
        "precision_score": float(metrics.precision_score(target, predicted, **averaged)),
        "recall_score": float(metrics.recall_score(target, predicted, **averaged)),
        "f1_score": float(metrics.f1_score(target, predicted, **averaged)),
        "accuracy_score": float(metrics.accuracy_score(target, predicted, sample_weight=weight)),
    }
    if hasattr(model, "predict_proba") and np.asarray(target).ndim == 1:
        chances = model.predict_proba(features)
        classes = list(model.classes_)  # type: ignore[attr-defined]  # every classifier has them
        found["log_loss"] = float(metrics.log_loss(target, chances, labels=classes, sample_weight=weight))
        if len(np.unique(np.asarray(target))) > 1:
            shown = chances[:, 1] if len(classes) == 2 else chances  # two classes: the positive one
            found["roc_auc"] = float(
                metrics.roc_auc_score(
                    target, shown, average="weighted", multi_class="ovo", labels=classes, sample_weight=weight
                )
            )
    return found


def _of_regressor(model: object, features: object, target: object, weight: object) -> dict[str, float]:
    predicted = model.predict(features)  # type: ignore[attr-defined]  # checked by the caller
    squared = float(metrics.mean_squared_error(target, predicted, sample_weight=weight))
    return {
        "mean_squared_error": squared,
        "mean_absolute_error": float(metrics.mean_absolute_error(target, predicted, sample_weight=weight)),
        "root_mean_squared_error": squared**0.5,
        "r2_score": float(metrics.r2_score(target, predicted, sample_weight=weight)),
    }
