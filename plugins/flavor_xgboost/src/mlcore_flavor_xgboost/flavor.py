"""The flavor `xgboost`: boosters and estimators in XGBoost's own UBJSON or JSON, which hold no code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from mlcore.errors import InvalidParameterError
from mlcore.interfaces import AutologOptions, Predictor, SavedModel
from mlcore.models.environment import distributions_of
from mlcore.models.flavor_files import (
    class_called,
    class_name,
    is_a,
    known_options,
    library,
    model_file,
    one_of,
    reading,
)
from mlcore_flavor_xgboost.ubjson import check_whole

FORMATS = ("ubj", "json")
_BOOSTER = "xgboost.core.Booster"
_ESTIMATORS = ("XGBModel", "XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor")
_CLASSES = frozenset({_BOOSTER, *(f"xgboost.sklearn.{name}" for name in _ESTIMATORS)})


class XgboostFlavor:
    """XGBoost's boosters, and its estimators with scikit-learn's interface."""

    name = "xgboost"

    def can_save(self, model: object) -> bool:
        """Whether *model* is a `Booster`, or an estimator such as `XGBClassifier`."""
        return is_a(model, _BOOSTER, "xgboost.sklearn.XGBModel")

    def save(self, model: object, directory: Path, options: Mapping[str, object]) -> SavedModel:
        """Write `model.ubj`, or `model.json` when *model_format* is `json`.

        options: `model_format`. Raises InvalidParameterError: an unknown option or value, or a model without training.
        """
        form = one_of(known_options(options, ("model_format",), self.name), "model_format", FORMATS)
        path = directory / f"model.{form}"
        try:
            model.save_model(path)  # type: ignore[attr-defined]  # can_save was asked
        except ValueError as err:  # what XGBoost and scikit-learn derive their errors from
            raise InvalidParameterError(f"XGBoost can't save this {type(model).__name__}: {first_line(err)}") from err
        cls = class_name(model)
        return SavedModel(
            config={
                "xgb_version": _xgboost().__version__,
                "data": path.name,
                "model_class": cls,
                "model_format": form,
                "code": None,
            },
            pyfunc={"loader_module": "mlflow.xgboost", "data": path.name},
            requirements=distributions_of({"xgboost", cls, *(() if cls == _BOOSTER else ("sklearn",))}),
        )

    def code_in(self, directory: Path, config: Mapping[str, object]) -> str | None:
        """Name the model's class if it is none of XGBoost's own; the file itself holds no code."""
        del directory
        cls = config.get("model_class", _BOOSTER)
        return None if cls in _CLASSES else f"its class {cls!r} is imported, which is none of XGBoost's own"

    def load(self, directory: Path, config: Mapping[str, object]) -> object:
        """Load the booster or estimator. The kernel has settled trust before."""
        path = model_file(directory, config, "data", self.name)
        _xgboost()
        with reading(path, f"xgboost {config.get('xgb_version')}"):
            model = class_called(str(config.get("model_class", _BOOSTER)))()
            if path.suffix == ".json":
                model.load_model(path)
            else:
                # by the content, as MLflow 2 calls its files `model.xgb`, by which XGBoost does not know their format
                data = path.read_bytes()
                check_whole(data)
                model.load_model(bytearray(data))
        return model

    def predictor(self, directory: Path, config: Mapping[str, object], pyfunc: Mapping[str, object]) -> Predictor:
        """Load the booster or estimator behind its `predict`."""
        del pyfunc
        model = self.load(directory, config)  # first, as it says what to install where the library is missing
        from mlcore_flavor_xgboost.predictor import XgboostPredictor

        return XgboostPredictor(model)

    def autolog(self, options: AutologOptions) -> Callable[[], None]:
        """Record trainings until the returned function is called."""
        _xgboost()
        from mlcore_flavor_xgboost.autolog import start

        return start(options)


def first_line(error: Exception) -> str:
    """Return what XGBoost says is wrong, without its stack of addresses."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rpartition(".h:")[2] or lines[0]


def _xgboost() -> ModuleType:
    return library("xgboost", "xgboost", "xgboost (or xgboost-cpu, which brings nothing for GPUs)")
