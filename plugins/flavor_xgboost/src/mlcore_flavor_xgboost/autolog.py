"""Autologging by XGBoost's callbacks: params, metrics of every iteration, early stopping, importances, the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, cast

import numpy as np
import xgboost
import xgboost.callback
import xgboost.sklearn

from mlcore.errors import InvalidParameterError
from mlcore.interfaces import AutologOptions
from mlcore.models.boosting import recorded_train
from mlcore.models.flavor_files import known_options, one_of
from mlcore.models.trained import Curves, first_rows, log_dataset, log_importance, recorded_fit
from mlcore.models.training import Function, Recorder, Training
from mlcore_flavor_xgboost.flavor import FORMATS
from mlcore_flavor_xgboost.predictor import XgboostPredictor

_Evals: TypeAlias = Mapping[str, Mapping[str, Sequence[float] | Sequence[tuple[float, float]]]]

_ROWS = "_mlcore_first_rows"
_MOST_CELLS = 10_000_000


def start(options: AutologOptions) -> Callable[[], None]:
    """Record every training from now on; return what undoes it.

    options: `importance_types`, of XGBoost, `weight` by default; `model_format`, as on saving.
    """
    given = known_options(options.flavor_options, ("importance_types", "model_format"), "xgboost")
    form = one_of(given, "model_format", FORMATS)
    kinds = given.get("importance_types", ["weight"])
    if not isinstance(kinds, list):
        raise InvalidParameterError(f"importance_types must be a list such as ['weight', 'gain'], got {kinds!r}")
    recorder = Recorder("xgboost", options)
    for matrix in (xgboost.DMatrix, xgboost.QuantileDMatrix):
        recorder.patch(matrix, "__init__", _keeping_rows)
    for module in (xgboost, xgboost.sklearn):
        recorder.patch(module, "train", recorded_train(recorder, _Xgboost(kinds, form)))
    for estimator in (xgboost.XGBModel, xgboost.XGBClassifier, xgboost.XGBRanker):
        recorder.patch(estimator, "fit", recorded_fit(recorder, model_format=form))
    return recorder.undo


class _Recording(xgboost.callback.TrainingCallback):
    """Records the metrics of every iteration."""

    def __init__(self, curves: Curves) -> None:
        self.curves = curves

    def after_iteration(self, model: object, epoch: int, evals_log: _Evals) -> bool:
        del model
        named = {f"{data}-{name}": values for data, metrics in evals_log.items() for name, values in metrics.items()}
        latest = {name: values[-1] for name, values in named.items()}
        # of a cross-validation there are mean and deviation
        self.curves.add({n: v[0] if isinstance(v, tuple) else v for n, v in latest.items()}, epoch)
        return False  # the training goes on


class _Xgboost:
    """What is to be known of `xgboost.train`."""

    no_params = frozenset(
        {"params", "dtrain", "evals", "obj", "custom_metric", "evals_result", "xgb_model", "callbacks"}
    )

    def __init__(self, kinds: Sequence[str], form: str) -> None:
        self.save_options: Mapping[str, object] = {"model_format": form}
        self._kinds = kinds

    def callback(self, curves: Curves) -> object:
        return _Recording(curves)

    def log_data(self, training: Training, given: Mapping[str, object]) -> object:
        log_dataset(training, _array(given["dtrain"]))
        for matrix, name in cast("Sequence[tuple[object, str]]", given["evals"] or ()):
            log_dataset(training, _array(matrix), "eval", name)
        return getattr(given["dtrain"], _ROWS, None)

    def log_end(self, training: Training, model: object, curves: Curves) -> None:
        booster = cast("xgboost.Booster", model)
        best = booster.attr("best_iteration")
        if best is not None:
            curves.finish(int(best))
        for kind in self._kinds:
            scores = booster.get_score(importance_type=kind)
            # a linear model of several classes has one number for each
            log_importance(training, kind, {name: float(np.abs(value).sum()) for name, value in scores.items()})

    def predict(self, model: object, rows: object) -> object:
        return XgboostPredictor(model).predict(rows, {})


def _keeping_rows(original: Function) -> Function:
    """Keep the first rows of the data: the matrix that is made of them knows neither their types nor their texts."""

    def init(self: object, *args: object, **kwargs: object) -> object:
        vars(self)[_ROWS] = first_rows(args[0] if args else kwargs.get("data"))
        return original(self, *args, **kwargs)

    return init


def _array(matrix: object) -> object:
    """The content of a matrix; None for those that hold bins of it, or are too large to be looked at."""
    if type(matrix) is not xgboost.DMatrix or matrix.num_row() * matrix.num_col() > _MOST_CELLS:
        return None
    return matrix.get_data().toarray()
