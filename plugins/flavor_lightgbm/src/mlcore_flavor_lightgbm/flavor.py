"""The flavor `lightgbm`: boosters as LightGBM's own text, estimators as skops files; neither holds code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

from mlcore.errors import ModelFormatError
from mlcore.interfaces import AutologOptions, Predictor, SavedModel
from mlcore.models.environment import distributions_of
from mlcore.models.flavor_files import (
    class_name,
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

FORMATS = ("skops", "cloudpickle")
_FILES = {"skops": "model.skops", "cloudpickle": "model.pkl"}
_BOOSTER = "lightgbm.basic.Booster"
# Classes of these hold numbers, texts and settings; making one runs nothing that a file could choose.
_HARMLESS = frozenset(
    {
        "collections.OrderedDict",
        "collections.defaultdict",
        _BOOSTER,
        *(f"lightgbm.sklearn.{name}" for name in ("LGBMModel", "LGBMClassifier", "LGBMRegressor", "LGBMRanker")),
    }
)


class LightgbmFlavor:
    """LightGBM's boosters, and its estimators with scikit-learn's interface."""

    name = "lightgbm"

    def can_save(self, model: object) -> bool:
        """Whether *model* is a `Booster`, or an estimator such as `LGBMClassifier`."""
        return is_a(model, _BOOSTER, "lightgbm.sklearn.LGBMModel")

    def save(self, model: object, directory: Path, options: Mapping[str, object]) -> SavedModel:
        """Write `model.lgb` for a booster, `model.skops` or `model.pkl` for an estimator.

        options: `serialization_format` of estimators, `skops` or `cloudpickle`.
        Raises InvalidParameterError: an unknown option or value, or an estimator that skops can't write.
        """
        form = one_of(known_options(options, ("serialization_format",), self.name), "serialization_format", FORMATS)
        booster = is_a(model, _BOOSTER)
        path = directory / ("model.lgb" if booster else _FILES[form])
        modules = {"lightgbm"}
        config: dict[str, object] = {
            "lgb_version": _lightgbm().__version__,
            "data": path.name,
            "model_class": class_name(model),
            "code": None,
        }
        if booster:
            model.save_model(path)  # type: ignore[attr-defined]  # a Booster
        elif form == "skops":
            types = dump_skops(model, path)
            modules |= {"sklearn", "skops", *(name.rpartition(".")[0] for name in types)}
            # the types are for MLflow, which trusts what the file itself lists; loading here does not
            config |= {"serialization_format": form, "skops_trusted_types": types}
        else:
            modules |= {"sklearn", "cloudpickle", *dump_pickle(model, path)}
            config |= {"serialization_format": form, "skops_trusted_types": None}
        pyfunc = {"loader_module": "mlflow.lightgbm", "data": path.name}
        return SavedModel(config=config, pyfunc=pyfunc, requirements=distributions_of(modules))

    def code_in(self, directory: Path, config: Mapping[str, object]) -> str | None:
        """Say which types in a skops file are none of LightGBM's, or that the file is a pickle."""
        path = model_file(directory, config, "data", self.name)
        if _is_booster(config):
            return None
        if not _is_skops(path, config):
            return f"{path.name} is a pickle"
        return foreign_types(path, [name for name in unlisted_types(path) if name not in _HARMLESS], "LightGBM")

    def load(self, directory: Path, config: Mapping[str, object]) -> object:
        """Load the booster or estimator. The kernel has settled trust before."""
        path = model_file(directory, config, "data", self.name)
        lightgbm, saved = _lightgbm(), config.get("lgb_version")
        with reading(path, f"lightgbm {saved}"):
            if _is_booster(config):
                _check_whole(path)
                return lightgbm.Booster(model_file=path)
            warn_of_other_version("lightgbm", saved, lightgbm.__version__)
            return load_skops(path) if _is_skops(path, config) else load_pickle(path)

    def predictor(self, directory: Path, config: Mapping[str, object], pyfunc: Mapping[str, object]) -> Predictor:
        """Load the booster or estimator behind its `predict`."""
        del pyfunc
        model = self.load(directory, config)  # first, as it says what to install where the library is missing
        from mlcore_flavor_lightgbm.predictor import LightgbmPredictor

        return LightgbmPredictor(model)

    def autolog(self, options: AutologOptions) -> Callable[[], None]:
        """Record trainings until the returned function is called."""
        _lightgbm()
        from mlcore_flavor_lightgbm.autolog import start

        return start(options)


def _lightgbm() -> ModuleType:
    return library("lightgbm", "lightgbm", "lightgbm")


def _is_booster(config: Mapping[str, object]) -> bool:
    return config.get("model_class", _BOOSTER) == _BOOSTER


def _is_skops(path: Path, config: Mapping[str, object]) -> bool:
    return config.get("serialization_format") == "skops" or path.suffix == ".skops"


def _check_whole(path: Path) -> None:
    """Refuse a text that is cut short: LightGBM reads on behind its end."""
    data = path.read_bytes()
    sizes = re.search(rb"^tree_sizes=([\d ]*)$", data, re.MULTILINE)
    first, end = data.find(b"\nTree=0\n"), data.rfind(b"\nend of trees")
    expected = sum(map(int, sizes[1].split())) if sizes else None
    whole = data.startswith(b"tree\n") and end >= 0 and (not expected or end - first == expected)
    if not whole or (b"\nparameters:" in data and b"\nend of parameters" not in data):
        raise ModelFormatError(f"{path.name} is no whole model of LightGBM; save or fetch it again")
