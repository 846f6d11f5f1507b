"""One fit under autologging: what is recorded of it."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import frozen

from mlcore.models.trained import first_rows, log_dataset, log_trained
from mlcore.models.training import Training
from mlcore.tracking.run_handle import ActiveRun
from mlcore_flavor_sklearn import pictures, scores
from mlcore_flavor_sklearn.tuning import is_search, record_search


@frozen
class Fit:
    """An outermost fit that is being recorded.

    features, target, weight: what `fit` was called with; None when it was not given.
    """

    training: Training
    model: object
    features: object
    target: object
    weight: object

    @staticmethod
    def begin(
        training: Training,
        model: object,
        fit: Callable[..., object],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> Fit:
        """Record what is known before the fit."""
        given = inspect.signature(fit).bind_partial(model, *args, **kwargs).arguments
        values = list(given.values())
        training.run.set_tags(
            {
                "estimator_name": type(model).__name__,
                "estimator_class": f"{type(model).__module__}.{type(model).__name__}",
            }
        )
        training.log_params(model.get_params(deep=True))  # type: ignore[attr-defined]  # an estimator
        return Fit(
            training=training,
            model=model,
            features=values[1] if len(values) > 1 else None,
            target=given.get("y", given.get("Y")),
            weight=given.get("sample_weight"),
        )


def record(fit: Fit) -> None:
    """Record what the fitted model shows: metrics, pictures, data set, model, and the candidates of a search."""
    run, model = fit.training.run, fit.model
    metrics = scores.training_metrics(model, fit.features, fit.target, fit.weight)
    if metrics:
        run.log_metrics(metrics)
    pictures.log_pictures(run, model, fit.features, fit.target)
    log_dataset(fit.training, fit.features)
    if is_search(model):
        record_search(model, run, fit.training.options)
        if not _log_best(fit):
            return
    log_trained(fit.training, model, "sklearn", first_rows(fit.features), getattr(model, "predict", None))


def _log_best(fit: Fit) -> bool:
    """Log the best candidate of a search; return whether there is one, without which nothing predicts."""
    from mlcore.models.saving import log_model

    best = getattr(fit.model, "best_estimator_", None)
    if best is not None and fit.training.options.log_models:
        log_model(best, name="best_estimator", run_id=fit.training.run.run_id)
    return best is not None


def write_csv(run: ActiveRun, columns: Mapping[str, object], name: str) -> None:
    """Store columns as a CSV artifact of the run."""
    import pandas as pd

    with tempfile.TemporaryDirectory(prefix="mlcore-") as folder:
        path = Path(folder) / name
        pd.DataFrame(dict(columns)).to_csv(path, index=False)
        run.log_artifact(path)
