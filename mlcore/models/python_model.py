"""Models written in Python: subclasses of `PythonModel`, and plain functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, cast

from attrs import field, frozen

from mlcore.errors import InvalidParameterError, UnsupportedError
from mlcore.models.type_hints import TypeHints, as_hinted, as_rows, hints_of

if TYPE_CHECKING:
    from mlcore.models.schema import ModelSignature


@frozen
class PythonModelContext:
    """What a Python model gets when it is loaded.

    artifacts: local paths by the names given at saving. model_config: values given at saving or loading.
    """

    artifacts: Mapping[str, str] = field(factory=dict)
    model_config: Mapping[str, object] = field(factory=dict)


class PythonModel:
    """A model of your own: subclass it and write `predict`.

    Instances are saved by cloudpickle, so what they hold must be picklable; large files go into artifacts.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Prepare for predictions; called once, after loading."""

    def predict(
        self, context: PythonModelContext, model_input: object, params: Mapping[str, object] | None = None
    ) -> object:
        """Predict for *model_input*, as the signature has it. A subclass may leave out *context* and *params*.

        It may be `async def`: it is awaited then, on one event loop of the process.
        """
        raise NotImplementedError(f"{type(self).__name__} has no predict(self, context, model_input, params=None)")

    def predict_stream(
        self, context: PythonModelContext, model_input: object, params: Mapping[str, object] | None = None
    ) -> Iterator[object]:
        """Yield the answer to one input bit by bit. A subclass that streams writes it, as `async def` if it likes."""
        raise NotImplementedError(
            f"{type(self).__name__} has no predict_stream(self, context, model_input, params=None)"
        )

    @property
    def predict_type_hints(self) -> TypeHints:
        """What MLflow asks for when it loads the model."""
        return hints_of(predicted_by(self))


class FunctionModel(PythonModel):
    """A plain function as a model."""

    def __init__(self, func: Callable[..., object]) -> None:
        """Wrap *func*, which takes the input and, if it likes, `params`."""
        self.func = func
        self.signature: ModelSignature | None = None  # MLflow sets and reads it

    def predict(  # type: ignore[override]  # without context, as subclasses may
        self, model_input: object, params: Mapping[str, object] | None = None
    ) -> object:
        """Call the function, which may be asynchronous or a generator."""
        if "params" in inspect.signature(self.func).parameters:
            return self.func(model_input, params=params)
        return self.func(model_input)


def predicted_by(model: object) -> Callable[..., object]:
    """Return the function that the user wrote: `predict`, or the function that is the model."""
    func = getattr(model, "func", None) if isinstance(model, FunctionModel) else None
    return cast("Callable[..., object]", func or getattr(model, "predict", model))


def waited(value: object) -> object:
    """Return what a coroutine returns, an iterator for an asynchronous one, and anything else as it is."""
    if not inspect.iscoroutine(value) and not inspect.isasyncgen(value):
        return value
    from mlcore.models import awaiting  # asyncio is not what a model pays for that awaits nothing

    return awaiting.waited(value)


def streams(model: object) -> bool:
    """Whether the model has a `predict_stream` of its own."""
    own = getattr(type(model), "predict_stream", None)
    # that of MLflow's base class does nothing but raise
    return own is not None and own is not PythonModel.predict_stream and not own.__module__.startswith("mlflow.")


class PythonPredictor:
    """A Python model behind the one `predict` of `python_function`; knows how its methods want to be called."""

    def __init__(self, model: object, context: PythonModelContext) -> None:
        """Prepare to call *model*, which has `predict`."""
        self.model = model
        self._context = context
        self._predict = _Method(model.predict, context)  # type: ignore[attr-defined]  # checked by who loads it
        self._stream = _Method(model.predict_stream, context) if streams(model) else None  # type: ignore[attr-defined]  # it has it
        written = predicted_by(model)
        self._hint = hints_of(written).input
        self.is_awaited: bool = inspect.iscoroutinefunction(written)
        self._yields = inspect.isgeneratorfunction(written) or inspect.isasyncgenfunction(written)

    def predict(self, data: object, params: Mapping[str, object]) -> object:
        """Predict for *data*, already cast to the signature; what the model awaits is waited for."""
        return waited(self._predict(as_hinted(data, self._hint), params))

    def begin(self, data: object, params: Mapping[str, object]) -> Future[object] | None:
        """Start to predict where the model is asynchronous; None where it is not."""
        if not self.is_awaited:
            return None
        from mlcore.models.awaiting import begin

        found = self._predict(as_hinted(data, self._hint), params)
        return begin(found) if inspect.iscoroutine(found) else None

    def predict_stream(self, data: object, params: Mapping[str, object]) -> Iterator[object]:
        """Yield what `predict_stream` of the model yields for one input, or what a `predict` that is a generator yields.

        Raises UnsupportedError: the model has neither. InvalidParameterError: there are several inputs.
        """
        if self._stream is not None:
            return _iterator(waited(self._stream(_one(data), params)))
        if self._yields:
            return _iterator(self.predict(data, params))
        raise UnsupportedError(
            f"this model, a {type(self.model).__name__}, does not stream: it has no predict_stream; use predict"
        )


class _Method:
    """A method of a model, with the arguments that it takes."""

    def __init__(self, method: Callable[..., object], context: PythonModelContext) -> None:
        parameters = inspect.signature(method).parameters
        self._method = method
        self._before = (context,) if "context" in parameters else ()
        self._takes_params = "params" in parameters

    def __call__(self, data: object, params: Mapping[str, object]) -> object:
        named = {"params": dict(params)} if self._takes_params else {}
        return self._method(*self._before, data, **named)


def _iterator(found: object) -> Iterator[object]:
    """What is no iterator is the only part."""
    return found if isinstance(found, Iterator) else iter([found])


def _one(data: object) -> object:
    """The only input; several can't be told apart in one stream."""
    rows = as_rows(data)
    if not isinstance(rows, list):
        return rows
    if len(rows) != 1:
        raise InvalidParameterError(f"predict_stream takes one input, got {len(rows)}: ask for one at a time")
    return rows[0]
