"""Autologging: what the outermost `fit` of a model learns is recorded."""

from __future__ import annotations

import inspect
import numbers
import warnings
from collections.abc import Callable, Mapping

import statsmodels.api  # noqa: F401  # imports the models whose fits are to be recorded
from statsmodels.base.model import Model

from mlcore.interfaces import AutologOptions
from mlcore.models.flavor_files import known_options
from mlcore.models.trained import first_rows, log_dataset, log_trained
from mlcore.models.training import Function, Recorder, Training
from mlcore_flavor_statsmodels.predictor import StatsmodelsPredictor

_METRICS = (
    "aic", "bic", "centered_tss", "condition_number", "df_model", "df_resid", "ess", "f_pvalue", "fvalue", "llf", "mse_model",
    "mse_resid", "mse_total", "rsquared", "rsquared_adj", "scale", "ssr", "uncentered_tss",
)  # fmt: skip


def start(options: AutologOptions) -> Callable[[], None]:
    """Record every outermost fit from now on; return what undoes it."""
    known_options(options.flavor_options, (), "statsmodels")
    recorder = Recorder("statsmodels", options)
    waiting: list[type] = [Model]
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        if inspect.isfunction(vars(cls).get("fit")):
            recorder.patch(cls, "fit", lambda original: _recorded(original, recorder))
    return recorder.undo


def _recorded(original: Function, recorder: Recorder) -> Function:
    def fit(self: object, *args: object, **kwargs: object) -> object:
        with recorder.training() as training:
            if training is None:
                return original(self, *args, **kwargs)
            recorder.attempt(
                lambda: _log_params(training, self, inspect.signature(original).bind(self, *args, **kwargs))
            )
            result = original(self, *args, **kwargs)
            recorder.attempt(lambda: _log_result(training, result))
            recorder.attempt(lambda: _log_data(training, self, result))
            return result

    return fit


def _log_params(training: Training, model: object, given: inspect.BoundArguments) -> None:
    training.run.set_tags(
        {"estimator_name": type(model).__name__, "estimator_class": f"{type(model).__module__}.{type(model).__name__}"}
    )
    given.apply_defaults()
    params: dict[str, object] = {}
    for name, value in given.arguments.items():
        params |= value if isinstance(value, Mapping) else {name: value}
    training.log_params({n: v for n, v in params.items() if v is None or isinstance(v, (str, bool, numbers.Number))})


def _log_result(training: Training, result: object) -> None:
    found: dict[str, float] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a metric thinks of the data is the user's to ask for
        for name in _METRICS:
            value = _metric(result, name)
            if value is not None:
                found[name] = value
        summary = getattr(result, "summary", None)
        text = summary().as_text() if callable(summary) else None
    training.run.log_metrics(found)
    if text is not None:
        training.run.log_text(text, "model_summary.txt")


def _metric(result: object, name: str) -> float | None:
    try:
        value = getattr(result, name, None)
    except (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError):
        return None  # it is not defined for this model
    return float(value) if isinstance(value, numbers.Real) else None


def _log_data(training: Training, model: object, result: object) -> None:
    data = getattr(getattr(model, "data", None), "orig_exog", None)
    rows = None if getattr(model, "formula", None) else first_rows(data)
    if rows is None or not hasattr(result, "predict"):
        log_trained(training, result, "statsmodels")
        return
    log_dataset(training, data)
    predictor = StatsmodelsPredictor(result)
    log_trained(training, result, "statsmodels", rows, lambda data: predictor.predict(data, {}))
