"""The flavor `sklearn`: skops files, which hold no code, unless cloudpickle is asked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from mlcore.errors import ModelFormatError
from mlcore.interfaces import AutologOptions, Predictor, SavedModel
from mlcore.models.deferring import deferred
from mlcore.models.environment import distributions_of
from mlcore.models.flavor_files import (
    dump_pickle,
    is_a,
    known_options,
    library,
    load_pickle,
    model_file,
    one_of,
    reading,
    warn_of_other_version,
)
from mlcore.models.skops_files import dump_skops, foreign_types, load_skops, unlisted_types
from mlcore_flavor_sklearn import skops_types

_FILES = {"skops": "model.skops", "cloudpickle": "model.pkl"}
_OPTIONS = ("serialization_format", "pyfunc_predict_fn")
PREDICT_FUNCTIONS = (
    "predict", "predict_proba", "predict_log_proba", "predict_joint_log_proba", "decision_function", "score", "transform",
)  # fmt: skip


class SklearnFlavor:
    """scikit-learn estimators and pipelines, and those that follow its interface."""

    name = "sklearn"

    def can_save(self, model: object) -> bool:
        """Whether *model* is a scikit-learn estimator."""
        return is_a(model, "sklearn.base.BaseEstimator")

    def save(self, model: object, directory: Path, options: Mapping[str, object]) -> SavedModel:
        """Write `model.skops`, or `model.pkl` when *serialization_format* is `cloudpickle`.

        options: `serialization_format` (`skops` or `cloudpickle`), `pyfunc_predict_fn` (one of `PREDICT_FUNCTIONS`).
        Raises InvalidParameterError: an unknown option or value, or a model that skops can't write.
        """
        form, predict = _checked(options)
        path = directory / _FILES[form]
        unlisted = dump_skops(model, path) if form == "skops" else []
        modules = skops_types.modules(unlisted) if form == "skops" else dump_pickle(model, path)
        return SavedModel(
            config={
                "pickled_model": path.name,
                "sklearn_version": _sklearn().__version__,
                "serialization_format": form,
                "code": None,
                # for MLflow, which trusts what the file itself lists; loading here does not
                "skops_trusted_types": unlisted or None,
            },
            pyfunc={"loader_module": "mlflow.sklearn", "model_path": path.name, "predict_fn": predict},
            requirements=(
                "scikit-learn",
                "skops" if form == "skops" else "cloudpickle",
                *distributions_of(skops_types.beyond_sklearn(modules)),
            ),
        )

    def code_in(self, directory: Path, config: Mapping[str, object]) -> str | None:
        """Say which types outside of scikit-learn a skops file holds, or that the file is a pickle."""
        path = model_file(directory, config, "pickled_model", self.name)
        if not _is_skops(path, config):
            return f"{path.name} is a pickle"
        return foreign_types(path, skops_types.foreign(unlisted_types(path)), "scikit-learn")

    def load(self, directory: Path, config: Mapping[str, object]) -> object:
        """Load the estimator. The kernel has settled trust before."""
        path = model_file(directory, config, "pickled_model", self.name)
        sklearn = _sklearn()
        saved = config.get("sklearn_version")
        warn_of_other_version("scikit-learn", saved, sklearn.__version__)
        with reading(path, f"scikit-learn {saved}"):
            return _loaded(path, config)

    def predictor(self, directory: Path, config: Mapping[str, object], pyfunc: Mapping[str, object]) -> Predictor:
        """Load the estimator behind the function that it was saved with, `predict` unless said otherwise."""
        from mlcore_flavor_sklearn.predictor import SklearnPredictor

        function = pyfunc.get("predict_fn") or "predict"
        if function not in PREDICT_FUNCTIONS:
            raise ModelFormatError(
                f"field `flavors.python_function.predict_fn` of {directory / 'MLmodel'} must be one of "
                f"{', '.join(PREDICT_FUNCTIONS)}, got {function!r}"
            )
        return SklearnPredictor(self.load(directory, config), str(function))

    def autolog(self, options: AutologOptions) -> Callable[[], None]:
        """Record trainings until the returned function is called."""
        known_options(options.flavor_options, (), self.name)
        _sklearn()
        from mlcore_flavor_sklearn.autolog import start

        return start(options)


def _checked(options: Mapping[str, object]) -> tuple[str, str]:
    given = known_options(options, _OPTIONS, "sklearn")
    return one_of(given, "serialization_format", tuple(_FILES)), one_of(given, "pyfunc_predict_fn", PREDICT_FUNCTIONS)


def _loaded(path: Path, config: Mapping[str, object]) -> object:
    if _is_skops(path, config):
        return load_skops(path)
    with warnings.catch_warnings():
        # it warns once per estimator; the flavor has warned of the version once
        warnings.filterwarnings("ignore", message="Trying to unpickle estimator")
        return load_pickle(path)


def _is_skops(path: Path, config: Mapping[str, object]) -> bool:
    return config.get("serialization_format") == "skops" or path.suffix == ".skops"


def _sklearn() -> ModuleType:
    with deferred("pandas"):
        return library("sklearn", "sklearn", "scikit-learn")
