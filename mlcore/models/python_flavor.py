"""The flavor of Python models, built into the kernel: cloudpickle, artifacts, and foreign loader modules."""

from __future__ import annotations

import importlib
import importlib.util
import pickle
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, cast

import cloudpickle

from mlcore.errors import InvalidParameterError, MissingDependencyError, ModelFormatError
from mlcore.interfaces.flavor import Predictor, SavedModel
from mlcore.models.environment import distributions_of
from mlcore.models.mlflow_pickles import STAND_INS
from mlcore.models.mlmodel import FILE, PYFUNC
from mlcore.models.pickled import modules_in_code, modules_in_pickle
from mlcore.models.python_model import FunctionModel, PythonModel, PythonModelContext, PythonPredictor, streams, waited
from mlcore.uris import local_path, relative_path

MODEL_FILE = "python_model.pkl"
LOADER = "mlflow.pyfunc.model"
_OPTIONS = ("artifacts", "model_config")


class PythonFlavor:
    """Save and load `PythonModel` instances and functions; load what names a loader module."""

    name = PYFUNC

    def can_save(self, model: object) -> bool:
        """Whether *model* is a `PythonModel` or a plain function."""
        return isinstance(model, PythonModel) or (callable(model) and hasattr(model, "__code__"))

    def save(self, model: object, directory: Path, options: Mapping[str, object]) -> SavedModel:
        """Write the pickle and copies of the artifacts.

        options: `artifacts`, local paths or `file:` URIs by name; `model_config`, plain values for `load_context`.
        Raises InvalidParameterError: an unknown option, something that is no model, or that can't be pickled.
        """
        unknown = sorted(name for name, value in options.items() if value is not None and name not in _OPTIONS)
        if unknown:
            raise InvalidParameterError(
                f"unknown options {unknown!r} for a Python model: known are {', '.join(_OPTIONS)}"
            )
        if not hasattr(model, "predict") and not self.can_save(model):
            raise InvalidParameterError(
                f"can't save an object of type {type(model).__name__!r} as a Python model: expected a PythonModel or a function"
            )
        saved = model if hasattr(model, "predict") else FunctionModel(cast("Callable[..., object]", model))
        path = directory / MODEL_FILE
        try:
            with path.open("wb") as file:
                cloudpickle.dump(saved, file)
        except (TypeError, AttributeError, pickle.PicklingError, RecursionError) as err:
            raise InvalidParameterError(
                f"can't pickle the model {type(model).__name__!r}: {err}. Keep files, locks and connections out of it: open "
                "them in load_context"
            ) from err
        config: dict[str, object] = {
            "loader_module": LOADER,
            "python_model": MODEL_FILE,
            "cloudpickle_version": cloudpickle.__version__,
        }
        artifacts = _copied(_mapping(options, "artifacts"), directory)
        config |= {"artifacts": artifacts} if artifacts else {}
        model_config = _mapping(options, "model_config")
        config |= {"model_config": dict(model_config)} if model_config else {}
        config |= {"streamable": True} if streams(saved) else {}
        return SavedModel({}, config, ("cloudpickle", *_requirements(model, path)))

    def code_in(self, directory: Path, config: Mapping[str, object]) -> str | None:  # noqa: ARG002  # of the contract
        """Python models are code."""
        if config.get("model_code_path"):
            return f"{config['model_code_path']} is a Python program"
        if config.get("python_model"):
            return f"{config['python_model']} is a pickle of a Python model"
        return f"its loader module {config.get('loader_module')!r} is imported and run"

    def load(self, directory: Path, config: Mapping[str, object]) -> object:
        """Load the `PythonModel`, or what a foreign loader module returns."""
        return self._loaded(directory, config)[0]

    def predictor(self, directory: Path, config: Mapping[str, object], pyfunc: Mapping[str, object]) -> Predictor:
        """Load the model behind `predict`."""
        model, context = self._loaded(directory, {**config, **pyfunc})
        if not callable(getattr(model, "predict", None)):
            raise ModelFormatError(f"the model at {str(directory)!r} has no predict: got {type(model).__name__!r}")
        return PythonPredictor(model, context)

    def _loaded(self, directory: Path, config: Mapping[str, object]) -> tuple[object, PythonModelContext]:
        if config.get("model_code_path"):
            raise ModelFormatError(
                f"the model at {str(directory)!r} is a program ({config['model_code_path']!r}), which can't be loaded: save "
                "the object that it makes with mlcore.models.save_model"
            )
        model_config = _mapping(config, "model_config")
        if not config.get("python_model"):
            return _by_loader(directory, config, model_config), PythonModelContext({}, model_config)
        context = PythonModelContext(_artifact_paths(directory, config), model_config)
        with _inside(directory, config["python_model"], "python_model").open("rb") as file:
            model = _unpickled(file, directory)
        load_context = getattr(model, "load_context", None)
        if callable(load_context):
            waited(load_context(context))
        return model, context


def _by_loader(directory: Path, config: Mapping[str, object], model_config: Mapping[str, object]) -> object:
    module = config.get("loader_module")
    if not isinstance(module, str):
        raise ModelFormatError(
            f"field `flavors.{PYFUNC}.loader_module` of {directory / FILE} must be a string, got {module!r}"
        )
    part = config.get("data", config.get("model_path"))
    path = directory if part is None else _inside(directory, part, "data")
    try:
        load = getattr(importlib.import_module(module), "_load_pyfunc", None)
    except ImportError as err:
        raise MissingDependencyError(
            f"the model at {str(directory)!r} is loaded by the module {module!r}, which can't be imported: {err}. Install what "
            "brings it; the model's requirements.txt lists what it was saved with"
        ) from err
    if not callable(load):
        raise ModelFormatError(f"loader module {module!r} of {directory / FILE} has no function _load_pyfunc")
    loaded: object = load(str(path), dict(model_config)) if model_config else load(str(path))
    return loaded


class _Unpickler(pickle.Unpickler):
    """Reads what MLflow pickled where MLflow is not installed: what models get from it is ours then."""

    def find_class(self, module: str, name: str) -> object:
        """Return a class or function by name, with ours in place of MLflow's where MLflow is absent."""
        ours = STAND_INS.get((module, name))
        if ours is not None and importlib.util.find_spec("mlflow") is None:
            return ours
        return super().find_class(module, name)


def _unpickled(file: BinaryIO, directory: Path) -> object:
    try:
        model: object = _Unpickler(file).load()
    except ImportError as err:
        raise MissingDependencyError(
            f"the model at {str(directory)!r} needs a module that can't be imported: {err}. Its requirements.txt lists what "
            "it was saved with; modules of your own are saved along with code_paths=[...]"
        ) from err
    except (pickle.UnpicklingError, EOFError, AttributeError, TypeError, ValueError, IndexError) as err:
        raise ModelFormatError(
            f"the pickle {Path(file.name).name!r} of the model at {str(directory)!r} can't be read: {type(err).__name__}: {err}. It may be cut short, or "
            "made by other versions than those installed; see its requirements.txt"
        ) from err
    return model


def _requirements(model: object, path: Path) -> tuple[str, ...]:
    code = model if hasattr(model, "__code__") else type(model)
    return distributions_of(modules_in_pickle(path) | modules_in_code(code))


def _copied(artifacts: Mapping[str, object], directory: Path) -> dict[str, object]:
    copied: dict[str, object] = {}
    for name, place in artifacts.items():
        source = local_path(str(place))
        if not source.exists():
            raise InvalidParameterError(f"artifact {name!r}: there is no local file or directory {str(place)!r}")
        # two artifacts may have files of the same name
        target = directory / "artifacts" / source.name
        if target.exists():
            target = directory / "artifacts" / relative_path(name) / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
        copied[name] = {"path": target.relative_to(directory).as_posix(), "uri": str(place)}
    return copied


def _artifact_paths(directory: Path, config: Mapping[str, object]) -> dict[str, str]:
    paths = {}
    for name, entry in _mapping(config, "artifacts").items():
        part = entry.get("path") if isinstance(entry, Mapping) else None
        paths[name] = str(_inside(directory, part, f"artifacts.{name}.path"))
    return paths


def _inside(directory: Path, part: object, name: str) -> Path:
    """A path of the model's own files; never one outside of its directory."""
    if not isinstance(part, str):
        raise ModelFormatError(f"field `flavors.{PYFUNC}.{name}` of {directory / FILE} must be a string, got {part!r}")
    path = directory / relative_path(part)
    if not path.exists():
        raise ModelFormatError(
            f"field `flavors.{PYFUNC}.{name}` of {directory / FILE} names {part!r}, which is missing"
        )
    return path


def _mapping(values: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = values.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise InvalidParameterError(f"{name} must be a mapping, got {found!r}")
    return found
