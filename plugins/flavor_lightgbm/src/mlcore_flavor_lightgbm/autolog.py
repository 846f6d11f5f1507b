"""Autologging by LightGBM's callbacks: params, metrics of every iteration, early stopping, importances, the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import lightgbm
import lightgbm.sklearn
from lightgbm.callback import CallbackEnv

from mlcore.interfaces import AutologOptions
from mlcore.models.boosting import recorded_train
from mlcore.models.flavor_files import known_options
from mlcore.models.trained import Curves, first_rows, log_dataset, log_importance, recorded_fit
from mlcore.models.training import Recorder, Training
from mlcore_flavor_lightgbm.predictor import LightgbmPredictor


def start(options: AutologOptions) -> Callable[[], None]:
    """Record every training from now on; return what undoes it."""
    known_options(options.flavor_options, (), "lightgbm")
    recorder = Recorder("lightgbm", options)
    for module in (lightgbm, lightgbm.sklearn):
        recorder.patch(module, "train", recorded_train(recorder, _Lightgbm()))
    for name in ("LGBMModel", "LGBMRegressor", "LGBMClassifier", "LGBMRanker"):
        recorder.patch(getattr(lightgbm.sklearn, name), "fit", recorded_fit(recorder))
    return recorder.undo


class _Recording:
    """Records the metrics of every iteration."""

    order = 1  # before early stopping, which raises

    def __init__(self, curves: Curves) -> None:
        self.curves = curves

    def __call__(self, env: CallbackEnv) -> None:
        results = cast("Sequence[tuple[str, str, float]]", env.evaluation_result_list or ())
        self.curves.add({f"{result[0]}-{result[1]}": result[2] for result in results}, env.iteration)


class _Lightgbm:
    """What is to be known of `lightgbm.train`."""

    no_params = frozenset({"params", "train_set", "valid_sets", "valid_names", "feval", "init_model", "callbacks"})
    save_options: Mapping[str, object] = {}

    def callback(self, curves: Curves) -> object:
        return _Recording(curves)

    def log_data(self, training: Training, given: Mapping[str, object]) -> object:
        train_set = cast("lightgbm.Dataset", given["train_set"])
        log_dataset(training, train_set.data)
        valid = cast("Sequence[lightgbm.Dataset]", given["valid_sets"] or ())
        names = cast("Sequence[str]", given["valid_names"] or ())
        for number, dataset in enumerate([valid] if isinstance(valid, lightgbm.Dataset) else valid):
            if dataset is not train_set:
                named = number < len(names) and not isinstance(names, str)
                log_dataset(training, dataset.data, "eval", names[number] if named else None)
        return first_rows(train_set.data)

    def log_end(self, training: Training, model: object, curves: Curves) -> None:
        booster = cast("lightgbm.Booster", model)
        if booster.best_iteration > 0:
            curves.finish(booster.best_iteration - 1, first=1)
        for kind in ("split", "gain"):
            values = booster.feature_importance(importance_type=kind).tolist()
            log_importance(training, kind, dict(zip(booster.feature_name(), values, strict=True)))

    def predict(self, model: object, rows: object) -> object:
        return LightgbmPredictor(model).predict(rows, {})
