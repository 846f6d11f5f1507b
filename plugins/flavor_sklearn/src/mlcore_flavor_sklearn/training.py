"""One training under autologging: the run it goes to, and what is recorded of it."""

from __future__ import annotations

import inspect
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import frozen

from mlcore.interfaces import AutologOptions
from mlcore.tracking import datasets, fluent, tags
from mlcore.tracking.endings import ending_of
from mlcore.tracking.run_handle import ActiveRun
from mlcore_flavor_sklearn import pictures, scores
from mlcore_flavor_sklearn.tuning import is_search, record_search

_EXAMPLE_ROWS = 5


@frozen
class Training:
    """An outermost fit that is being recorded.

    features, target, weight: what `fit` was called with; None when it was not given.
    owned: whether autologging started the run, and so ends it.
    """

    model: object
    features: object
    target: object
    weight: object
    run: ActiveRun
    owned: bool

    @staticmethod
    def begin(
        model: object,
        fit: Callable[..., object],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        options: AutologOptions,
        own_runs: set[str],
    ) -> Training | None:
        """Choose the run and record the parameters; None when the active run is the user's and is to be left alone.

        own_runs: ids of the open runs that autologging started. A thread without a run of its own sees the one open run
        of the process, which must not be that of a training in another thread.
        """
        active = fluent.active_run()
        if active is not None and active.run_id in own_runs:
            active = None
        if active is not None and options.exclusive:
            return None
        given = inspect.signature(fit).bind_partial(model, *args, **kwargs).arguments
        values = list(given.values())
        run = active
        if run is None:
            run = fluent.start_run(tags=options.extra_tags)
            own_runs.add(run.run_id)
        training = Training(
            model=model,
            features=values[1] if len(values) > 1 else None,
            target=given.get("y", given.get("Y")),
            weight=given.get("sample_weight"),
            run=run,
            owned=active is None,
        )
        run.set_tags(
            {
                "estimator_name": type(model).__name__,
                "estimator_class": f"{type(model).__module__}.{type(model).__name__}",
                tags.AUTOLOGGING: "sklearn",
            }
        )
        _log_new_params(training, model.get_params(deep=True))  # type: ignore[attr-defined]  # an estimator
        return training

    def end(self, error: BaseException | None) -> None:
        """End the run if autologging started it."""
        if self.owned:
            self.run.end_as(ending_of(error))


def record(training: Training, options: AutologOptions) -> None:
    """Record what the fitted model shows: metrics, pictures, data set, model, and the candidates of a search."""
    run, model = training.run, training.model
    metrics = scores.training_metrics(model, training.features, training.target, training.weight)
    if metrics:
        run.log_metrics(metrics)
    pictures.log_pictures(run, model, training.features, training.target)
    if options.log_datasets:
        _log_dataset(training)
    if is_search(model):
        record_search(model, run, options)
    if options.log_models:
        _log_model(training, options)


def _log_new_params(training: Training, params: Mapping[str, object]) -> None:
    """Log the params; in a run of the user's, those that it already has with other values are left as they are."""
    texts = {key: str(value) for key, value in params.items()}
    if not training.owned:
        known = training.run.as_known().data.params
        clash = [k for k, v in texts.items() if k in known and known[k] != v[: len(known[k]) or None]]
        if clash:
            warnings.warn(
                f"run {training.run.run_id} already has other values of the params {clash[:5]}: the new ones are not logged",
                stacklevel=2,
            )
        texts = {k: v for k, v in texts.items() if k not in known}
    training.run.log_params(texts)


def _log_dataset(training: Training) -> None:
    features = training.features
    if hasattr(features, "dtypes"):
        data = datasets.from_pandas(features)  # type: ignore[arg-type]  # a frame, by its dtypes
    elif hasattr(features, "dtype") and hasattr(features, "shape") and not hasattr(features, "tocsr"):
        data = datasets.from_numpy(features)  # type: ignore[arg-type]  # an array, by its dtype
    else:
        return
    training.run.log_input(data, context="train")


def _log_model(training: Training, options: AutologOptions) -> None:
    from mlcore.models.infer import infer_signature
    from mlcore.models.saving import log_model

    model = training.model
    if is_search(model):
        if not hasattr(model, "best_estimator_"):
            return  # without a refit there is nothing that predicts
        log_model(model.best_estimator_, name="best_estimator", flavor="sklearn", run_id=training.run.run_id)
    example = _first_rows(training.features)
    signature = None
    if options.log_model_signatures and example is not None and hasattr(model, "predict"):
        signature = infer_signature(example, model.predict(example))
    log_model(
        model,
        name="model",
        flavor="sklearn",
        signature=signature,
        input_example=example if options.log_input_examples else None,
        run_id=training.run.run_id,
    )


def _first_rows(features: object) -> object:
    if features is None or not hasattr(features, "shape") or hasattr(features, "tocsr"):
        return None
    rows = features.iloc if hasattr(features, "iloc") else features
    return rows[:_EXAMPLE_ROWS]  # type: ignore[index]  # a frame's rows, or an array


def write_csv(run: ActiveRun, columns: Mapping[str, object], name: str) -> None:
    """Store columns as a CSV artifact of the run."""
    import pandas as pd

    with tempfile.TemporaryDirectory(prefix="mlcore-") as folder:
        path = Path(folder) / name
        pd.DataFrame(dict(columns)).to_csv(path, index=False)
        run.log_artifact(path)
