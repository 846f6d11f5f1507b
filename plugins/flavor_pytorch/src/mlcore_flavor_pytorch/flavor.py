"""The flavor `pytorch`: exported programs and safetensors, which hold no code, unless pickle is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

from mlcore.errors import InvalidParameterError, ModelFormatError
from mlcore.interfaces import AutologOptions, Predictor, SavedModel
from mlcore.models.environment import distributions_of
from mlcore.models.flavor_files import is_a, known_options, library, model_file, reading, warn_of_other_version
from mlcore.models.pickled import modules_in_code
from mlcore_flavor_pytorch import program

if TYPE_CHECKING:
    import torch

_FILES = {"pt2": "model.pt2", "safetensors": "model.safetensors", "pickle": "model.pth"}
_PICKLER = "pickle_module_info.txt"
_OPTIONS = ("serialization_format", "export_example")
_DATA = "data"


class PytorchFlavor:
    """Modules, exported programs (`torch.export`), and state dicts."""

    name = "pytorch"
    library = "torch"

    def can_save(self, model: object) -> bool:
        """Whether *model* is a module, an exported program, or a mapping of names to tensors."""
        if isinstance(model, Mapping):
            return bool(model) and all(is_a(value, "torch.Tensor") for value in model.values())
        return is_a(model, "torch.nn.Module", "torch.export.ExportedProgram")

    def save(self, model: object, directory: Path, options: Mapping[str, object]) -> SavedModel:
        """Write a model without an input example; see `save_by_example`."""
        return self.save_by_example(model, directory, options, None)

    def save_by_example(
        self, model: object, directory: Path, options: Mapping[str, object], example: object
    ) -> SavedModel:
        """Write `data/model.pt2`, `data/model.safetensors` for a state dict, or `data/model.pth` if pickle is asked for.

        options: `serialization_format` (`pt2`, `safetensors`, `pickle`); `export_example`, an input to export a module
        with, where it is not to be saved. example: the same, where it is. Its first dimension, the rows, is left open.
        Raises InvalidParameterError: an unknown option, a module without an example, or one that can't be exported.
        """
        torch = _torch()
        form = _form(model, options)
        path = directory / _DATA / _FILES[form]
        path.parent.mkdir()
        modules: frozenset[str] = frozenset()
        if form == "pt2":
            program.save(model, path, example if example is not None else options.get("export_example"))
        elif form == "safetensors":
            _save_tensors(model, path)
        else:
            modules = _save_pickle(model, path)
        return SavedModel(
            config={"model_data": _DATA, "pytorch_version": str(torch.__version__), "serialization_format": form},
            pyfunc={"loader_module": "mlflow.pytorch", "data": _DATA, "model_config": {"device": None}},
            requirements=(
                "torch", "numpy",
                *{"pt2": (), "safetensors": ("safetensors",), "pickle": ("cloudpickle",)}[form],
                *(name for name in distributions_of(modules) if name not in ("torch", "cloudpickle")),
            ),
        )  # fmt: skip

    def code_in(self, directory: Path, config: Mapping[str, object]) -> str | None:
        """Say that the model is a pickle, or what an exported program holds beyond tensors and PyTorch's own operators."""
        path = _file(directory, config)
        if path.suffix == ".safetensors":
            return None
        return program.code_in(path) if path.suffix == ".pt2" else f"{_DATA}/{path.name} is a pickle"

    def load(self, directory: Path, config: Mapping[str, object]) -> object:
        """Load the exported program, the state dict, or the module. The kernel has settled trust before."""
        path = _file(directory, config)
        torch = _torch()
        saved = config.get("pytorch_version")
        warn_of_other_version("torch", saved, str(torch.__version__))
        with reading(path, f"torch {saved}"):
            if path.suffix == ".pt2":
                return program.load(path)
            if path.suffix == ".safetensors":
                return _load_tensors(path)
            # the kernel asked code_in, and somebody trusts the source
            return torch.load(path, map_location="cpu", weights_only=False)

    def predictor(self, directory: Path, config: Mapping[str, object], pyfunc: Mapping[str, object]) -> Predictor:
        """Load the model behind `predict`; `model_config` may name a `device`."""
        path, model = _file(directory, config), self.load(directory, config)
        if path.suffix == ".safetensors":
            raise ModelFormatError(
                f"{path.name} holds the weights of a module and not the module, so it can't predict: load it with "
                "mlcore.pytorch.load_model and give it to load_state_dict of the module"
            )
        from mlcore_flavor_pytorch.predictor import ModulePredictor

        given = pyfunc.get("model_config")
        device = given.get("device") if isinstance(given, Mapping) else None
        return ModulePredictor(model, str(device) if device else None)

    def autolog(self, options: AutologOptions) -> Callable[[], None]:
        """Record what Lightning trains until the returned function is called."""
        from mlcore_flavor_pytorch.autolog import start

        return start(options)


def _torch() -> ModuleType:
    return library("torch", "pytorch", "torch")


def _form(model: object, options: Mapping[str, object]) -> str:
    given = known_options(options, _OPTIONS, "pytorch").get("serialization_format")
    possible: tuple[str, ...]
    if isinstance(model, Mapping):
        possible = ("safetensors",)
    elif is_a(model, "torch.export.ExportedProgram"):
        possible = ("pt2",)
    else:
        possible = ("pt2", "pickle")
    if given is not None and given not in possible:
        raise InvalidParameterError(
            f"serialization_format {given!r} does not fit a {type(model).__name__}: expected {' or '.join(possible)}"
        )
    return str(given or possible[0])


def _save_tensors(model: object, path: Path) -> None:
    from safetensors.torch import save_file

    # tensors that share memory, or are views of others, are written as their own
    tensors = cast("Mapping[str, torch.Tensor]", model)
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}, path)


def _load_tensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as err:
        raise ModelFormatError(f"{path.name} is not a safetensors file, or a broken one: {err}") from err


def _save_pickle(model: object, path: Path) -> frozenset[str]:
    import cloudpickle

    torch = _torch()
    torch.save(model, path, pickle_module=cloudpickle)
    # by which MLflow loads it; what cloudpickle writes is read by pickle
    (path.parent / _PICKLER).write_text("pickle", "utf-8")
    return modules_in_code(type(model)) | {type(model).__module__}


def _file(directory: Path, config: Mapping[str, object]) -> Path:
    """Return the model's file. MLflow does not tell which of the formats it is."""
    data = model_file(directory, config, "model_data", "pytorch")
    for name in _FILES.values():
        if (data / name).is_file():
            return data / name
    expected = _FILES.get(str(config.get("serialization_format")))
    named = [expected] if expected else list(_FILES.values())
    raise ModelFormatError(f"the model file {_DATA}/{' or '.join(named)} is missing in {directory}")
