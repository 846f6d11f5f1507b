"""A scikit-learn model behind `python_function`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from mlcore.errors import InvalidParameterError
from mlcore_flavor_sklearn.arrays import array_twin, reads_texts

if TYPE_CHECKING:
    import pandas as pd


class SklearnPredictor:
    """Call the chosen function of a fitted model."""

    def __init__(self, model: object, function: str) -> None:
        """Bind *function*, such as `predict_proba`, of *model*.

        Raises InvalidParameterError: the model has no such function.
        """
        self.model: object = model
        self._function = _bound(model, function)
        # A model that was fitted on an array complains about the names of a frame, once per request. One that tells
        # neither (its first step is the user's own) may need them.
        self._fitted_on_array = hasattr(model, "n_features_in_") and not hasattr(model, "feature_names_in_")
        self._names = [str(name) for name in getattr(model, "feature_names_in_", ())]
        twin = array_twin(model) if self._names else None
        self._on_arrays = None if twin is None else _bound(twin, function)
        self._takes_texts = reads_texts(model)
        self._known_columns: object = None

    def takes_arrays(self, columns: Sequence[str | None]) -> bool:
        """Whether the model looks at numbers only, and learnt just these columns, or no names at all."""
        if self._takes_texts:
            return False
        return self._fitted_on_array or (self._on_arrays is not None and [*columns] == self._names)

    def predict(self, data: object, params: Mapping[str, object]) -> object:
        """Predict for a frame or array of shape (rows, features).

        params: passed on by name to the function.
        Returns an array of shape (rows,) or (rows, outputs); for `score` one number.
        """
        if not hasattr(data, "to_numpy"):
            numbers = getattr(getattr(data, "dtype", None), "kind", None) in ("f", "i", "u")
            chosen = self._on_arrays if self._on_arrays is not None and numbers else self._function
            return chosen(data, **params)
        frame = cast("pd.DataFrame", data)
        if self._takes_texts and getattr(frame, "ndim", 1) == 2 and frame.shape[1] == 1:
            return self._function(frame.iloc[:, 0], **params)
        if self._fitted_on_array:
            return self._function(frame.to_numpy(), **params)
        if self._on_arrays is not None and self._has_my_columns(frame):
            array = frame.to_numpy()
            if array.dtype.kind in "fiu":
                return self._on_arrays(array, **params)
        return self._function(frame, **params)

    def _has_my_columns(self, frame: pd.DataFrame) -> bool:
        """Whether the columns are those of the training, in order; the answer is kept for the index of the last frame."""
        columns = getattr(frame, "columns", None)
        if columns is None:
            return False
        if columns is not self._known_columns:
            if list(columns) != self._names:
                return False
            self._known_columns = columns
        return True


def _bound(model: object, function: str) -> Callable[..., object]:
    found = getattr(model, function, None)
    if not callable(found):
        raise InvalidParameterError(
            f"the model, a {type(model).__name__}, has no function {function!r}; save it with another pyfunc_predict_fn"
        )
    return cast("Callable[..., object]", found)
