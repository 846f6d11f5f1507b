"""A result of statsmodels behind `python_function`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from statsmodels.base.data import PandasData
from statsmodels.tsa.base.tsa_model import TimeSeriesModel

from mlcore.errors import SignatureError
from mlcore.models.flavor_files import as_frame, in_order, is_frame

if TYPE_CHECKING:
    import pandas as pd


class StatsmodelsPredictor:
    """Predict for rows, or for a span of time."""

    def __init__(self, result: object) -> None:
        """Wrap what a `fit` returned."""
        self.model: object = result
        fitted = result.model  # type: ignore[attr-defined]  # every result has it
        self._is_series = isinstance(fitted, TimeSeriesModel)
        data = getattr(fitted, "data", None)
        # a formula finds its columns by their names; other models take what stands in their places
        by_place = isinstance(data, PandasData) and getattr(fitted, "formula", None) is None
        self._names = [str(name) for name in fitted.exog_names or ()] if by_place and not self._is_series else []

    def predict(self, data: object, params: Mapping[str, object]) -> object:
        """Predict for a frame or array of shape (rows, features); of a series for a frame with one row: `start`, `end`.

        params: passed on by name to the result's `predict`.
        Returns a series or array of shape (rows,), or of the length of the span.
        Raises SignatureError: columns are missing, or no span is given.
        """
        predict = self.model.predict  # type: ignore[attr-defined]  # every result has it
        if self._is_series:
            start, end = _span(data)
            return predict(start=start, end=end, **params)
        if is_frame(data) and self._names:
            data = in_order(as_frame(data), self._names)
        return predict(data, **params)


def _span(data: object) -> tuple[object, object]:
    if not is_frame(data) or len(as_frame(data)) != 1 or not {"start", "end"} <= set(as_frame(data).columns):
        raise SignatureError(
            f"a model of a time series predicts for one row with the columns 'start' and 'end', got a {type(data).__name__}"
            + (f" of {len(as_frame(data))} rows with {[*as_frame(data).columns][:10]!r}" if is_frame(data) else "")
        )
    row = cast("pd.DataFrame", data).iloc[0]
    return row["start"], row["end"]
