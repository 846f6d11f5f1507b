"""A scikit-learn model behind `python_function`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from mlcore.errors import InvalidParameterError


class SklearnPredictor:
    """Call the chosen function of a fitted model."""

    def __init__(self, model: object, function: str) -> None:
        """Bind *function*, such as `predict_proba`, of *model*.

        Raises InvalidParameterError: the model has no such function.
        """
        self.model = model
        self._name = function
        found = getattr(model, function, None)
        if not callable(found):
            raise InvalidParameterError(
                f"the model, a {type(model).__name__}, has no function {function!r}; save it with another pyfunc_predict_fn"
            )
        self._function = cast("Callable[..., object]", found)
        # A model that was fitted on an array complains about the names of a frame, once per request. One that tells
        # neither (its first step is the user's own) may need them.
        self._fitted_on_array = hasattr(model, "n_features_in_") and not hasattr(model, "feature_names_in_")

    def predict(self, data: object, params: Mapping[str, object]) -> object:
        """Predict for a frame or array of shape (rows, features).

        params: passed on by name to the function.
        Returns an array of shape (rows,) or (rows, outputs); for `score` one number.
        """
        features = data.to_numpy() if self._fitted_on_array and hasattr(data, "to_numpy") else data
        return self._function(features, **params)
