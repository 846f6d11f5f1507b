"""Pictures of a fitted model: its parts as a page, and for classifiers the confusion matrix and curves."""

from __future__ import annotations

import importlib.util

import numpy as np
from sklearn import metrics
from sklearn.base import is_classifier
from sklearn.utils import estimator_html_repr

from mlcore.tracking.run_handle import RunHandle

_MOST_CLASSES = 50


def log_pictures(run: RunHandle, model: object, features: object, target: object) -> None:
    """Store `estimator.html`, and the pictures of a classifier where matplotlib is installed."""
    run.log_text(estimator_html_repr(model), "estimator.html")
    if not is_classifier(model) or target is None or np.asarray(target).ndim != 1:
        return
    if importlib.util.find_spec("matplotlib") is None or len(np.unique(np.asarray(target))) > _MOST_CLASSES:
        return
    # Figure without pyplot: the user's figures and backend stay as they are
    from matplotlib.figure import Figure

    predicted = model.predict(features)  # type: ignore[attr-defined]  # every classifier has it
    displays = [(metrics.ConfusionMatrixDisplay.from_predictions, predicted, "training_confusion_matrix.png")]
    if hasattr(model, "predict_proba") and len(model.classes_) == 2:  # type: ignore[attr-defined]  # a classifier
        chances = model.predict_proba(features)[:, 1]
        displays += [
            (metrics.RocCurveDisplay.from_predictions, chances, "training_roc_curve.png"),
            (metrics.PrecisionRecallDisplay.from_predictions, chances, "training_precision_recall_curve.png"),
        ]
    for draw, values, name in displays:
        figure = Figure(layout="constrained")
        draw(target, values, ax=figure.add_subplot())
        run.log_figure(figure, name)
