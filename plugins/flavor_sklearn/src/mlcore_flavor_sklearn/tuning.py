"""Searches for hyper-parameters: the best candidate in the parent run, the candidates as nested runs."""

from __future__ import annotations

import math

from sklearn.model_selection._search import BaseSearchCV

from mlcore.interfaces import AutologOptions
from mlcore.tracking import fluent, tags
from mlcore.tracking.run_handle import ActiveRun


def is_search(model: object) -> bool:
    """Whether the model is a grid, random or halving search."""
    return isinstance(model, BaseSearchCV)


def record_search(model: object, run: ActiveRun, options: AutologOptions) -> None:
    """Record the best candidate and all scores in *run*, and the best candidates as nested runs."""
    from mlcore_flavor_sklearn.training import write_csv

    results = model.cv_results_  # type: ignore[attr-defined]  # a fitted search
    write_csv(run, results, "cv_results.csv")
    if hasattr(model, "best_params_"):
        run.log_params({f"best_{k}": v for k, v in model.best_params_.items()})
    if hasattr(model, "best_score_"):
        run.log_metric("best_cv_score", float(model.best_score_))
    ranks = next((results[k] for k in results if k == "rank_test_score" or k.startswith("rank_test_")), None)
    order = sorted(range(len(results["params"])), key=lambda i: (int(ranks[i]) if ranks is not None else 0, i))
    for index in order[: options.max_tuning_runs]:
        _record_candidate(model, run, index, options)


def _record_candidate(model: object, parent: ActiveRun, index: int, options: AutologOptions) -> None:
    results = model.cv_results_  # type: ignore[attr-defined]  # a fitted search
    estimator = model.estimator  # type: ignore[attr-defined]  # what is tuned
    given = {
        **options.extra_tags,
        "estimator_name": type(estimator).__name__,
        "estimator_class": f"{type(estimator).__module__}.{type(estimator).__name__}",
        tags.AUTOLOGGING: "sklearn",
    }
    with fluent.start_run(nested=True, parent_run_id=parent.run_id, tags=given) as child:
        child.log_params(results["params"][index])
        numbers = {k: float(v[index]) for k, v in results.items() if k != "params" and not k.startswith("param_")}
        child.log_metrics({k: v for k, v in numbers.items() if not math.isnan(v)})
