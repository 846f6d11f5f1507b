"""Autologging of libraries with a function `train` that takes callbacks: what XGBoost and LightGBM have in common."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

from mlcore.models.trained import Curves, log_trained
from mlcore.models.training import Function, Recorder, Training


class TrainLibrary(Protocol):
    """What a flavor knows of its library's `train`.

    no_params: arguments of `train` that are no params: data, functions, and what holds params of its own.
    save_options: the flavor's options on saving the model.
    """

    no_params: frozenset[str]
    save_options: Mapping[str, object]

    def callback(self, curves: Curves) -> object:
        """Return a callback of the library that records the metrics of every iteration."""
        ...

    def log_data(self, training: Training, given: Mapping[str, object]) -> object:
        """Record the data sets among the arguments of `train`; return some rows that the model predicts for, or None."""
        ...

    def log_end(self, training: Training, model: object, curves: Curves) -> None:
        """Record where the training stopped, and what each feature gave to the model."""
        ...

    def predict(self, model: object, rows: object) -> object:
        """Predict as the flavor does behind `python_function`."""
        ...


def recorded_train(recorder: Recorder, library: TrainLibrary) -> Callable[[Function], Function]:
    """Return what makes, of the library's `train`, one that records.

    Called inside the `fit` of an estimator that is recorded, it adds what is seen here alone: curves and importances.
    """

    def make(original: Function) -> Function:
        def train(*args: object, **kwargs: object) -> object:
            given = _arguments(original, args, kwargs)
            inside = recorder.current()
            if inside is not None:
                return _train(recorder, inside, library, original, given)
            with recorder.training() as training:
                if training is None:
                    return original(*args, **kwargs)
                recorder.attempt(lambda: training.log_params(_own_params(given)))
                # before the training, which may free the data
                rows = recorder.attempt(lambda: library.log_data(training, given))
                model = _train(recorder, training, library, original, given)
                recorder.attempt(lambda: _log_model(recorder, training, library, model, rows))
                return model

        return train

    return make


def _train(
    recorder: Recorder, training: Training, library: TrainLibrary, original: Function, given: Mapping[str, object]
) -> object:
    """Train with one callback more; it comes first, as those behind one that stops are not called."""
    params = {name: value for name, value in given.items() if name not in library.no_params}
    recorder.attempt(lambda: training.log_params(params))
    curves = Curves(recorder, training)
    callbacks = [library.callback(curves), *cast("Sequence[object]", given.get("callbacks") or ())]
    model = original(**{**given, "callbacks": callbacks})
    recorder.attempt(lambda: library.log_end(training, model, curves))
    return model


def _arguments(original: Function, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Mapping[str, object]:
    bound = inspect.signature(original).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.arguments


def _own_params(given: Mapping[str, object]) -> Mapping[str, object]:
    params = given.get("params")
    return dict(params) if isinstance(params, Mapping) else {}


def _log_model(recorder: Recorder, training: Training, library: TrainLibrary, model: object, rows: object) -> None:
    def predict(data: object) -> object:
        return library.predict(model, data)

    log_trained(training, model, recorder.flavor, rows, predict, **library.save_options)
