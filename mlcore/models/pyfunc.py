"""Models of any library behind one `predict`. Reached as `mlcore.pyfunc`, with the names of `mlflow.pyfunc`."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from os import PathLike
from pathlib import Path

from mlcore.errors import InvalidParameterError, UnsupportedError
from mlcore.interfaces.flavor import Predictor, SupportsArrays, SupportsStreaming, SupportsWaiting
from mlcore.models.enforce import Validator, compile_signature
from mlcore.models.environment import CONDA_FILE, REQUIREMENTS_FILE
from mlcore.models.example import InputExample, load_example
from mlcore.models.info import ModelInfo
from mlcore.models.loading import Opened, open_model
from mlcore.models.mlmodel import MLModel
from mlcore.models.places import LocalModel, fetched_part
from mlcore.models.python_model import PythonModel, PythonModelContext
from mlcore.models.resources import Resources
from mlcore.models.schema import ModelSignature
from mlcore.models.type_hints import as_rows
from mlcore.plugins import Plugins


class PyFuncModel:
    """A loaded model: `predict` checks the data against the signature, then asks the model."""

    def __init__(self, opened: Opened, predictor: Predictor) -> None:
        """Wrap a loaded *predictor*; `load_model` makes these."""
        self._opened = opened
        self._predictor = predictor
        self.validator: Validator = compile_signature(opened.model.signature)
        # models with type hints such as list[str] take lists where others take frames
        self._takes_rows = opened.model.other.get("is_signature_from_type_hint") is True
        # fetched files may be read as long as the model lives, and not longer
        weakref.finalize(self, LocalModel.discard, opened.local)

    def predict(self, data: object, params: Mapping[str, object] | None = None) -> object:
        """Predict for *data*: a frame, array, dict, list or scalar that fits the signature.

        params: for `predict` of the model; those not given have their defaults.
        Raises SignatureError: the data or a param does not fit; lists every fault.
        """
        validator = self.validator
        return self.predict_checked(validator.enforce(data), validator.params(params))

    def predict_checked(self, data: object, params: Mapping[str, object]) -> object:
        """Predict for data and params that `validator` has checked already."""
        return self._predictor.predict(self._shaped(data), params)

    def predict_stream(self, data: object, params: Mapping[str, object] | None = None) -> Iterator[object]:
        """Yield the answer to one input bit by bit; checked as by `predict`.

        Raises UnsupportedError, SignatureError, InvalidParameterError: the model does not stream, the data does not
        fit, there are several inputs; all of them before the first part.
        """
        validator = self.validator
        return self.stream_checked(validator.enforce(data), validator.params(params))

    def stream_checked(self, data: object, params: Mapping[str, object]) -> Iterator[object]:
        """Yield the answer to data and params that `validator` has checked already."""
        if not isinstance(self._predictor, SupportsStreaming):
            raise UnsupportedError(
                f"a model of flavor {next(iter(self.metadata.flavors))!r} does not stream: use predict"
            )
        return self._predictor.predict_stream(self._shaped(data), params)

    @property
    def is_awaited(self) -> bool:
        """Whether the model is asynchronous, so that `begin_checked` starts it."""
        return isinstance(self._predictor, SupportsWaiting) and self._predictor.is_awaited

    @property
    def takes_arrays(self) -> bool:
        """Whether `predict_checked` takes what `validator.numbers` makes as well as the frame of it."""
        columns = self.validator.number_columns
        return bool(columns) and isinstance(self._predictor, SupportsArrays) and self._predictor.takes_arrays(columns)

    def begin_checked(self, data: object, params: Mapping[str, object]) -> Future[object] | None:
        """Start to predict for checked data where the model is asynchronous; None where `predict_checked` is the way."""
        if not isinstance(self._predictor, SupportsWaiting):
            return None
        return self._predictor.begin(self._shaped(data), params)

    def _shaped(self, data: object) -> object:
        return as_rows(data) if self._takes_rows else data

    @property
    def metadata(self) -> MLModel:
        """What `MLmodel` says."""
        return self._opened.model

    @property
    def model_info(self) -> ModelInfo:
        """The same as a record, with the URI that the model was loaded from."""
        return ModelInfo.of(self._opened.where, self._opened.model)

    @property
    def path(self) -> Path:
        """Where the model's files are on this machine."""
        return self._opened.local.path

    @property
    def input_example(self) -> object:
        """The example that was saved with the model, as `predict` takes it; None when there is none."""
        example = self._example()
        return None if example is None else example.data

    @property
    def input_example_params(self) -> Mapping[str, object] | None:
        """The params of the saved example; None when it has none."""
        example = self._example()
        return None if example is None else example.params

    def _example(self) -> InputExample | None:
        model = self._opened.model
        return load_example(self.path, model.saved_input_example_info, model.signature)

    @property
    def loader_module(self) -> object:
        """The loader module that `MLmodel` names."""
        return self.metadata.pyfunc.get("loader_module")

    @property
    def model_config(self) -> object:
        """The values that were saved for `load_context`."""
        return self.metadata.pyfunc.get("model_config", {})

    @property
    def raw(self) -> object:
        """The library's own object, where the flavor shows it."""
        return getattr(self._predictor, "model", self._predictor)

    def get_raw_model(self) -> object:
        """Return the library's own object; see `raw`."""
        return self.raw

    def unwrap_python_model(self) -> PythonModel:
        """Return the `PythonModel` inside. Raises UnsupportedError: the model is of another flavor."""
        raw = self.raw
        if not isinstance(raw, PythonModel):
            raise UnsupportedError(
                f"the model at {self._opened.where!r} holds no PythonModel but {type(raw).__name__!r}: use raw for it"
            )
        return raw

    def __repr__(self) -> str:
        flavors = ", ".join(self.metadata.flavors)
        return f"<PyFuncModel of {self._opened.where!r}, flavors: {flavors}>"


def load_model(
    model_uri: str | PathLike[str],
    suppress_warnings: bool = False,  # noqa: ARG001  # part of MLflow's signature
    dst_path: str | PathLike[str] | None = None,
    model_config: Mapping[str, object] | None = None,
    *,
    trust: bool = False,
    plugins: Plugins | None = None,
) -> PyFuncModel:
    """Load a model for predictions.

    model_uri: local path, `runs:/<run id>/<path>`, or any URI that an artifact plugin opens.
    model_config: overrides values that were saved for the `load_context` of a Python model.
    trust: whether code that the model brings may run; see docs/models.md.
    Raises UntrustedModelError: loading would run code and the model is not trusted. ChecksumError: a file was changed.
    PluginNotFoundError: names the plugin to install. ModelFormatError: it is no model, or broken.
    """
    opened = open_model(model_uri, trust=trust, dst_path=dst_path, plugins=plugins)
    try:
        return PyFuncModel(opened, opened.predictor(model_config))
    except BaseException:
        opened.local.discard()
        raise


def save_model(
    path: str | PathLike[str],
    *,
    python_model: object = None,
    artifacts: Mapping[str, str] | None = None,
    model_config: Mapping[str, object] | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: object = None,
    pip_requirements: Sequence[str] | str | None = None,
    extra_pip_requirements: Sequence[str] | str | None = None,
    conda_env: Mapping[str, object] | str | None = None,
    code_paths: Sequence[str | PathLike[str]] | None = None,
    metadata: Mapping[str, object] | None = None,
    resources: Resources = None,
    prove: bool = False,
) -> ModelInfo:
    """Save a `PythonModel` or function into the new directory *path*; see `mlcore.models.saving.save_model`."""
    from mlcore.models import saving

    return saving.save_model(
        _given(python_model),
        path,
        flavor="python_function",
        signature=signature,
        input_example=input_example,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        conda_env=conda_env,
        code_paths=code_paths,
        metadata=metadata,
        resources=resources,
        prove=prove,
        artifacts=artifacts,
        model_config=model_config,
    )


def log_model(
    artifact_path: str | None = None,
    *,
    name: str | None = None,
    python_model: object = None,
    artifacts: Mapping[str, str] | None = None,
    model_config: Mapping[str, object] | None = None,
    signature: ModelSignature | bool | None = None,
    input_example: object = None,
    pip_requirements: Sequence[str] | str | None = None,
    extra_pip_requirements: Sequence[str] | str | None = None,
    conda_env: Mapping[str, object] | str | None = None,
    code_paths: Sequence[str | PathLike[str]] | None = None,
    metadata: Mapping[str, object] | None = None,
    resources: Resources = None,
    run_id: str | None = None,
    registered_model_name: str | None = None,
    await_registration_for: int | None = 300,
    prove: bool = False,
) -> ModelInfo:
    """Log a `PythonModel` or function to a run; see `mlcore.models.saving.log_model`."""
    from mlcore.models import saving

    return saving.log_model(
        _given(python_model),
        artifact_path,
        name=name,
        run_id=run_id,
        flavor="python_function",
        signature=signature,
        input_example=input_example,
        pip_requirements=pip_requirements,
        extra_pip_requirements=extra_pip_requirements,
        conda_env=conda_env,
        code_paths=code_paths,
        metadata=metadata,
        resources=resources,
        registered_model_name=registered_model_name,
        await_registration_for=await_registration_for,
        prove=prove,
        artifacts=artifacts,
        model_config=model_config,
    )


def get_model_dependencies(model_uri: str | PathLike[str], format: str = "pip") -> str:
    """Return the local path of a copy of the model's requirements file, or of its conda environment.

    format: `pip` or `conda`.
    """
    if format not in ("pip", "conda"):
        raise InvalidParameterError(f"invalid format {format!r}: expected 'pip' or 'conda'")
    import shutil
    import tempfile

    name = REQUIREMENTS_FILE if format == "pip" else CONDA_FILE
    with fetched_part(model_uri, name) as path:
        target = Path(tempfile.mkdtemp(prefix="mlcore-")) / name
        shutil.copyfile(path, target)
    return str(target)


def _given(python_model: object) -> object:
    if python_model is None:
        raise InvalidParameterError("python_model is missing: expected a PythonModel or a function")
    return python_model


__all__ = [
    "PyFuncModel",
    "PythonModel",
    "PythonModelContext",
    "get_model_dependencies",
    "load_model",
    "log_model",
    "save_model",
]
