"""Models written in Python: subclasses of `PythonModel`, and plain functions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    from mlcore.models.schema import ModelSignature


@frozen
class PythonModelContext:
    """What a Python model gets when it is loaded.

    artifacts: local paths by the names given at saving. model_config: values given at saving or loading.
    """

    artifacts: Mapping[str, str] = field(factory=dict)
    model_config: Mapping[str, object] = field(factory=dict)


@frozen
class TypeHints:
    """Type hints of `predict`; part of what MLflow asks a Python model for."""

    input: object = None
    output: object = None


class PythonModel:
    """A model of your own: subclass it and write `predict`.

    Instances are saved by cloudpickle, so what they hold must be picklable; large files go into artifacts.
    """

    def load_context(self, context: PythonModelContext) -> None:
        """Prepare for predictions; called once, after loading."""

    def predict(
        self, context: PythonModelContext, model_input: object, params: Mapping[str, object] | None = None
    ) -> object:
        """Predict for *model_input*, as the signature has it. A subclass may leave out *context* and *params*."""
        raise NotImplementedError(f"{type(self).__name__} has no predict(self, context, model_input, params=None)")

    @property
    def predict_type_hints(self) -> TypeHints:
        """What MLflow asks for when it loads the model; our signature says it all."""
        return TypeHints()


class FunctionModel(PythonModel):
    """A plain function as a model."""

    def __init__(self, func: Callable[..., object]) -> None:
        """Wrap *func*, which takes the input and, if it likes, `params`."""
        self.func = func
        self.signature: ModelSignature | None = None  # MLflow sets and reads it

    def predict(  # type: ignore[override]  # without context, as subclasses may
        self, model_input: object, params: Mapping[str, object] | None = None
    ) -> object:
        """Call the function."""
        if "params" in inspect.signature(self.func).parameters:
            return self.func(model_input, params=params)
        return self.func(model_input)


class PythonPredictor:
    """A Python model behind the one `predict` of `python_function`; knows how its method wants to be called."""

    def __init__(self, model: object, context: PythonModelContext) -> None:
        """Prepare to call *model*, which has `predict`."""
        self.model = model
        self._context = context
        self._predict: Callable[..., object] = model.predict  # type: ignore[attr-defined]  # checked by who loads it
        parameters = inspect.signature(self._predict).parameters
        self._takes_context = "context" in parameters
        self._takes_params = "params" in parameters

    def predict(self, data: object, params: Mapping[str, object]) -> object:
        """Predict for *data*, already cast to the signature."""
        named = {"params": dict(params)} if self._takes_params else {}
        if self._takes_context:
            return self._predict(self._context, data, **named)
        return self._predict(data, **named)
