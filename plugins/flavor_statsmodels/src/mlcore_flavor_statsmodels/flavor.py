"""The flavor `statsmodels`: results of a fit, for which the library knows no format but pickle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from mlcore.errors import InvalidParameterError
from mlcore.interfaces import AutologOptions, Predictor, SavedModel
from mlcore.models.environment import distributions_of
from mlcore.models.flavor_files import is_a, known_options, library, model_file, reading, warn_of_other_version
from mlcore.models.pickled import modules_in_pickle

_FILE = "model.statsmodels"


class StatsmodelsFlavor:
    """Results of statsmodels, such as `RegressionResults`."""

    name = "statsmodels"

    def can_save(self, model: object) -> bool:
        """Whether *model* is what a `fit` of statsmodels returns."""
        return is_a(model, "statsmodels.base.wrapper.ResultsWrapper", "statsmodels.base.model.Results")

    def save(self, model: object, directory: Path, options: Mapping[str, object]) -> SavedModel:
        """Write `model.statsmodels`, a pickle.

        options: `remove_data`, whether arrays as long as the training's data are left out, so that the file is small.
        Raises InvalidParameterError: an unknown option, or a result that can't be pickled.
        """
        given = known_options(options, ("remove_data",), self.name)
        path = directory / _FILE
        try:
            model.save(path, remove_data=bool(given.get("remove_data")))  # type: ignore[attr-defined]  # a result
        except (AttributeError, TypeError, ValueError, NotImplementedError) as err:
            raise InvalidParameterError(f"statsmodels can't save this {type(model).__name__}: {err}") from err
        return SavedModel(
            config={"statsmodels_version": _statsmodels().__version__, "data": _FILE, "code": None},
            pyfunc={"loader_module": "mlflow.statsmodels", "data": _FILE},
            requirements=distributions_of({"statsmodels", *modules_in_pickle(path)}),
        )

    def code_in(self, directory: Path, config: Mapping[str, object]) -> str | None:
        """Say that the file is a pickle."""
        return f"{_model_file(directory, config).name} is a pickle"

    def load(self, directory: Path, config: Mapping[str, object]) -> object:
        """Load the result. The kernel has settled trust before."""
        path = _model_file(directory, config)
        saved = config.get("statsmodels_version")
        warn_of_other_version("statsmodels", saved, _statsmodels().__version__)
        with reading(path, f"statsmodels {saved}"):
            from statsmodels.iolib.smpickle import load_pickle  # reads pickles of its older releases, too

            loaded: object = load_pickle(path)
        return loaded

    def predictor(self, directory: Path, config: Mapping[str, object], pyfunc: Mapping[str, object]) -> Predictor:
        """Load the result behind its `predict`."""
        del pyfunc
        model = self.load(directory, config)  # first, as it says what to install where the library is missing
        from mlcore_flavor_statsmodels.predictor import StatsmodelsPredictor

        return StatsmodelsPredictor(model)

    def autolog(self, options: AutologOptions) -> Callable[[], None]:
        """Record trainings until the returned function is called."""
        _statsmodels()
        from mlcore_flavor_statsmodels.autolog import start

        return start(options)


def _model_file(directory: Path, config: Mapping[str, object]) -> Path:
    return model_file(directory, {"data": _FILE, **config}, "data", StatsmodelsFlavor.name)


def _statsmodels() -> ModuleType:
    return library("statsmodels", "statsmodels", "statsmodels")
