"""A LightGBM model behind `python_function`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import lightgbm

from mlcore.errors import InvalidParameterError
from mlcore.models.flavor_files import as_frame, in_order, is_frame, with_categories


class LightgbmPredictor:
    """Predict for frames and arrays."""

    def __init__(self, model: object) -> None:
        """Wrap a booster, or an estimator with scikit-learn's interface."""
        self.model: object = model
        self._is_estimator = not isinstance(model, lightgbm.Booster)
        inner = model.booster_ if self._is_estimator else model  # type: ignore[attr-defined]  # of estimators alone
        booster = cast("lightgbm.Booster", inner)
        names = booster.feature_name()
        # how LightGBM calls the columns of an array
        self._names = [] if names == [f"Column_{n}" for n in range(len(names))] else names
        self._categories = _categorical(booster)

    def predict(self, data: object, params: Mapping[str, object]) -> object:
        """Predict for a frame or array of shape (rows, features).

        params: passed on by name to the model's `predict`.
        Returns an array of shape (rows,) or (rows, outputs).
        Raises InvalidParameterError: LightGBM refuses the data. SignatureError: columns are missing.
        """
        try:
            return self.model.predict(self._suited(data), **params)  # type: ignore[attr-defined]  # boosters and estimators have it
        except lightgbm.basic.LightGBMError as err:
            raise InvalidParameterError(f"LightGBM can't predict for the data: {err}") from err

    def _suited(self, data: object) -> object:
        """Return the data as the training had it: scikit-learn complains of frames in place of arrays, and the reverse."""
        if is_frame(data):
            frame = as_frame(data)
            if self._names:
                return with_categories(in_order(frame, self._names, blank="_"), self._categories)
            return frame.to_numpy() if self._is_estimator else frame
        if self._is_estimator and self._names and getattr(data, "ndim", 0) == 2 and not hasattr(data, "tocsr"):
            import pandas as pd

            names = self.model.feature_names_in_  # type: ignore[attr-defined]  # it was fitted on a frame
            return pd.DataFrame(cast("Sequence[Sequence[float]]", data), columns=names)
        return data


def _categorical(booster: lightgbm.Booster) -> list[int]:
    """The places of the columns that were categories of a frame in training."""
    # under one name as trained, under the other as loaded
    places = booster.params.get("categorical_column", booster.params.get("categorical_feature"))
    known = booster.pandas_categorical or ()
    return list(places) if isinstance(places, list) and len(places) == len(known) else []
