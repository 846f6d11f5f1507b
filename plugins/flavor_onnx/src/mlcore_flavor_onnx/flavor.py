"""The flavor `onnx`: graphs of operators, which hold no code, and ONNX Runtime to predict with them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from mlcore.errors import InvalidParameterError, ModelFormatError
from mlcore.interfaces import Predictor, SavedModel
from mlcore.models.flavor_files import is_a, known_options, library, model_file, reading, warn_of_other_version

if TYPE_CHECKING:
    from onnx import ModelProto

_FILE = "model.onnx"
_OPTIONS = ("onnx_execution_providers", "onnx_session_options", "save_as_external_data")
_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")
_MOST_BYTES = 2**31 - 1  # of one protobuf message
SESSION_OPTIONS = ("inter_op_num_threads", "intra_op_num_threads", "execution_mode", "graph_optimization_level")
_EXTRA = "extra_session_config"


class OnnxFlavor:
    """Models of ONNX, of whatever library they were converted from."""

    name = "onnx"

    def can_save(self, model: object) -> bool:
        """Whether *model* is an ONNX model."""
        return is_a(model, "onnx.ModelProto")

    def save(self, model: object, directory: Path, options: Mapping[str, object]) -> SavedModel:
        """Write `model.onnx`, and its weights beside it when it is larger than 2 GB.

        options: `onnx_execution_providers`, names, or pairs of a name and its options; `onnx_session_options`, a
        mapping; `save_as_external_data`, whether weights go into a file of their own.
        Raises InvalidParameterError: an unknown option, or one of a wrong kind.
        """
        given = known_options(options, _OPTIONS, self.name)
        providers = _providers(given.get("onnx_execution_providers", _PROVIDERS))
        session = _session_options(given.get("onnx_session_options"))
        onnx = library("onnx", self.name, "onnx")
        graph = cast("ModelProto", model)
        path = directory / _FILE
        if given.get("save_as_external_data") or graph.ByteSize() > _MOST_BYTES:
            onnx.save_model(graph, path, save_as_external_data=True, location=f"{_FILE}.data")
            # the model given is left without its weights; that was no wish of its owner
            onnx.load_external_data_for_model(graph, str(directory))
        else:
            onnx.save_model(graph, path)
        return SavedModel(
            config={
                "onnx_version": onnx.__version__,
                "data": _FILE,
                "providers": providers,
                "onnx_session_options": session,
            },
            pyfunc={"loader_module": "mlflow.onnx", "data": _FILE},
            requirements=("onnx", "onnxruntime", "numpy"),
        )

    def code_in(self, directory: Path, config: Mapping[str, object]) -> str | None:
        """Say which settings of the runtime may name libraries to load; the graph itself holds no code."""
        model_file(directory, config, "data", self.name)
        for provider in _providers(config.get("providers") or _PROVIDERS):
            if not isinstance(provider, str) and provider[1]:
                return f"the execution provider {provider[0]!r} is given options, which may name libraries to load"
        extra = (_session_options(config.get("onnx_session_options")) or {}).get(_EXTRA)
        return f"{_EXTRA} of onnx_session_options sets what may name files and libraries" if extra else None

    def load(self, directory: Path, config: Mapping[str, object]) -> object:
        """Load the ONNX model."""
        path = model_file(directory, config, "data", self.name)
        onnx = library("onnx", self.name, "onnx")
        warn_of_other_version("onnx", config.get("onnx_version"), onnx.__version__)
        with reading_graph(path, config):
            return onnx.load_model(path)

    def predictor(self, directory: Path, config: Mapping[str, object], pyfunc: Mapping[str, object]) -> Predictor:  # noqa: ARG002  # of the contract
        """Load the model into a session of ONNX Runtime."""
        path = model_file(directory, config, "data", self.name)
        library("onnxruntime", self.name, "onnxruntime")
        from mlcore_flavor_onnx.predictor import OnnxPredictor

        providers = _providers(config.get("providers") or _PROVIDERS)
        with reading_graph(path, config):
            return OnnxPredictor(path, providers, _session_options(config.get("onnx_session_options")) or {})


@contextmanager
def reading_graph(path: Path, config: Mapping[str, object]) -> Iterator[None]:
    """Name the file in what ONNX and its runtime raise over it, which is of classes of their own."""
    saved_with = f"onnx {config.get('onnx_version')}"
    with reading(path, saved_with):
        try:
            yield
        except _faults() as err:
            raise ModelFormatError(
                f"{path.name} can't be loaded: {type(err).__name__}: {str(err)[:500]}; it was saved with {saved_with}"
            ) from err


def _faults() -> tuple[type[Exception], ...]:
    from google.protobuf.message import DecodeError
    from onnx.checker import ValidationError

    runtime = sys.modules.get("onnxruntime.capi.onnxruntime_pybind11_state")
    own = [each for each in vars(runtime).values() if isinstance(each, type)] if runtime else []
    return (DecodeError, ValidationError, *(each for each in own if issubclass(each, Exception)))


def _providers(given: object) -> list[str | list[object]]:
    """Return execution providers as `MLmodel` holds them: names, or lists of a name and its options."""
    each: list[object] = [given] if isinstance(given, str) else list(given) if isinstance(given, Sequence) else [given]
    found: list[str | list[object]] = []
    for one in each:
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, Sequence) and len(one) == 2 and isinstance(one[0], str) and isinstance(one[1], Mapping):
            found.append([one[0], dict(one[1])])
        else:
            raise InvalidParameterError(
                f"invalid execution provider {one!r}: expected a name such as 'CPUExecutionProvider', or a pair of name "
                "and options"
            )
    return found


def _session_options(given: object) -> dict[str, object] | None:
    if given is None:
        return None
    known = (*SESSION_OPTIONS, _EXTRA)
    if not isinstance(given, Mapping) or not set(given) <= set(known):
        raise InvalidParameterError(f"invalid onnx_session_options {given!r}: expected a mapping of {', '.join(known)}")
    return dict(given)
