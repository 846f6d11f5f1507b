"""What autologging records of a training besides its params: curves, data, importances and the fitted model."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Mapping
from typing import cast

from mlcore.models.training import Function, Recorder, Training
from mlcore.tracking import datasets

EXAMPLE_ROWS = 5
_MOST_BARS = 50


class Curves:
    """The metrics of a training by iteration."""

    def __init__(self, recorder: Recorder, training: Training) -> None:
        """Record into the run of *training*; after a first failure nothing more is recorded."""
        self.values: list[dict[str, float]] = []
        self._recorder = recorder
        self._training = training
        self._failed = False

    def add(self, metrics: Mapping[str, float], step: int) -> None:
        """Record the metrics of one iteration; the name `ndcg@3` becomes `ndcg_at_3`, as in MLflow."""
        if metrics and not self._failed:
            self._failed = self._recorder.attempt(lambda: self._log(metrics, step)) is None

    def _log(self, metrics: Mapping[str, float], step: int) -> bool:
        named = {name.replace("@", "_at_"): float(value) for name, value in metrics.items()}
        self._training.run.log_metrics(named, step=step)
        self.values.append(named)
        return True

    def finish(self, best: int, *, first: int = 0) -> None:
        """Record where early stopping ended: the metrics of the best iteration again, one step behind the last.

        best: index into the iterations that were added. first: the number by which the library calls the first of them.
        """
        if not 0 <= best < len(self.values):
            return
        step = len(self.values)
        run = self._training.run
        run.log_metrics({"stopped_iteration": step - 1 + first, "best_iteration": best + first})
        run.log_metrics(self.values[best], step=step)


def first_rows(data: object) -> object:
    """Return a copy of the first rows of a frame or array; None for anything else."""
    if not hasattr(data, "shape") or hasattr(data, "tocsr"):
        return None
    rows = data.iloc if hasattr(data, "iloc") else data
    head = rows[:EXAMPLE_ROWS]  # type: ignore[index]  # a frame's rows, or an array
    return head.copy() if hasattr(head, "copy") else None


def log_dataset(training: Training, data: object, context: str = "train", name: str | None = None) -> None:
    """Record name, digest and shape of a frame or array, unless that is switched off; anything else is left out."""
    if not training.options.log_datasets:
        return
    if hasattr(data, "dtypes") and hasattr(data, "iloc"):
        described = datasets.from_pandas(data, name=name)  # type: ignore[arg-type]  # a frame, by its members
    elif hasattr(data, "dtype") and hasattr(data, "shape") and not hasattr(data, "tocsr"):
        described = datasets.from_numpy(data, name=name)  # type: ignore[arg-type]  # an array, by its members
    else:
        return
    training.run.log_input(described, context=context)


def log_trained(
    training: Training,
    model: object,
    flavor: str,
    example: object = None,
    predict: Callable[[object], object] | None = None,
    **options: object,
) -> None:
    """Log the fitted model, unless that is switched off, with signature and example as the options say.

    example: some rows of the training's data, if they are known. predict: what the model says to them. options: the
    flavor's own.
    """
    from mlcore.models.infer import infer_signature
    from mlcore.models.saving import log_model

    wanted = training.options
    if not wanted.log_models:
        return
    signature = None
    if wanted.log_model_signatures and example is not None and predict is not None:
        signature = infer_signature(example, predict(example))
    log_model(
        model,
        name="model",
        flavor=flavor,
        signature=signature if wanted.log_model_signatures else False,
        input_example=example if wanted.log_input_examples else None,
        run_id=training.run.run_id,
        registered_model_name=wanted.registered_model_name,
        **options,  # type: ignore[arg-type]  # the flavor's own
    )


def log_importance(training: Training, kind: str, importance: Mapping[str, float]) -> None:
    """Store what each feature gave to the model: `feature_importance_<kind>.json`, and `.png` where matplotlib is.

    The picture shows at most 50 features, the most important ones.
    """
    training.run.log_dict(dict(importance), f"feature_importance_{kind}.json")
    if not importance or importlib.util.find_spec("matplotlib") is None:
        return
    # Figure without pyplot: the user's figures and backend stay as they are
    from matplotlib.figure import Figure

    shown = sorted(importance.items(), key=lambda item: item[1])[-_MOST_BARS:]
    figure = Figure(figsize=(6.4, max(4.8, 1 + 0.25 * len(shown))), layout="constrained")
    axes = figure.add_subplot()
    axes.barh([feature for feature, _ in shown], [value for _, value in shown])
    axes.set_title(f"Feature importance ({kind})")
    training.run.log_figure(figure, f"feature_importance_{kind}.png")


def recorded_fit(recorder: Recorder, **options: object) -> Callable[[Function], Function]:
    """Return what makes, of the `fit` of estimators with scikit-learn's interface, one that records.

    Recorded are params that are set, data sets and the fitted model; *options* are those of the flavor on saving it.
    What the library trains with inside finds the training by `Recorder.current`.
    """

    def make(original: Function) -> Function:
        def fit(self: object, *args: object, **kwargs: object) -> object:
            if not recorder.answers_for(type(self)):
                return original(self, *args, **kwargs)
            with recorder.training() as training:
                if training is None:
                    return original(self, *args, **kwargs)
                recorder.attempt(lambda: log_estimator(training, self))
                result = original(self, *args, **kwargs)
                given = inspect.signature(original).bind_partial(self, *args, **kwargs).arguments
                recorder.attempt(lambda: _log_fit_data(training, given))
                rows = first_rows(given.get("X"))
                predict = cast("Callable[[object], object]", self.predict)  # type: ignore[attr-defined]  # an estimator
                recorder.attempt(lambda: log_trained(training, self, recorder.flavor, rows, predict, **options))
                return result

        return fit

    return make


def log_estimator(training: Training, model: object) -> None:
    """Record class and params of an estimator with scikit-learn's interface; params that are None are left out."""
    cls = type(model)
    training.run.set_tags({"estimator_name": cls.__name__, "estimator_class": f"{cls.__module__}.{cls.__name__}"})
    params = model.get_params(deep=False)  # type: ignore[attr-defined]  # an estimator
    training.log_params({name: value for name, value in params.items() if value is not None})


def _log_fit_data(training: Training, given: Mapping[str, object]) -> None:
    log_dataset(training, given.get("X"))
    evaluated = given.get("eval_set")
    for pair in evaluated if isinstance(evaluated, list) else ():
        log_dataset(training, pair[0], "eval")
