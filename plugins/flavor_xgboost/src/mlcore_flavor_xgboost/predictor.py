"""An XGBoost model behind `python_function`."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import xgboost

from mlcore.errors import InvalidParameterError
from mlcore.models.flavor_files import as_frame, in_order, is_frame, with_categories
from mlcore_flavor_xgboost.flavor import first_line

if TYPE_CHECKING:
    import pandas as pd


class XgboostPredictor:
    """Predict for frames and arrays; a `DMatrix` is made of them where the model takes nothing else."""

    def __init__(self, model: object) -> None:
        """Wrap a booster, or an estimator with scikit-learn's interface."""
        self.model: object = model
        self._booster = cast("xgboost.Booster", model if isinstance(model, xgboost.Booster) else _booster(model))
        self._names = self._booster.feature_names
        self._categories = _categories(self._booster)

    def predict(self, data: object, params: Mapping[str, object]) -> object:
        """Predict for a frame or array of shape (rows, features).

        params: passed on by name to the model's `predict`.
        Returns an array of shape (rows,) or (rows, outputs).
        Raises InvalidParameterError: XGBoost refuses the data, or a category is unknown. SignatureError: columns are missing.
        """
        frame = is_frame(data)
        if frame:
            data = self._suited(as_frame(data))
        try:
            if self.model is not self._booster:
                return self.model.predict(data, **params)  # type: ignore[attr-defined]  # an estimator
            return self._booster.predict(self._matrix(data, frame), **params)
        except xgboost.core.XGBoostError as err:
            raise InvalidParameterError(f"XGBoost can't predict for the data: {first_line(err)}") from err

    def _suited(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the columns of the training, with categories where it had them.

        XGBoost 3.2 takes a category that it never saw for the next one in the alphabet: such are refused here.
        """
        if self._names:
            frame = in_order(frame, self._names)
        frame = with_categories(frame, list(self._categories))
        for place, known in self._categories.items():
            column = frame.iloc[:, place]
            if not known.issuperset(column.cat.categories):
                strange = sorted({repr(value) for value in column.dropna().unique() if value not in known})
                if strange:
                    raise InvalidParameterError(
                        f"column {str(column.name)!r} holds categories that the model never saw: {', '.join(strange[:5])}; "
                        f"it knows {', '.join(sorted(map(repr, known))[:10])}"
                    )
        return frame

    def _matrix(self, data: object, frame: bool) -> xgboost.DMatrix:
        if isinstance(data, xgboost.DMatrix):
            return data
        if frame:
            return xgboost.DMatrix(data, enable_categorical=True)
        # an array has no names, and the model asks for those that it learnt
        return xgboost.DMatrix(data, feature_names=self._names, feature_types=self._booster.feature_types)


def _booster(model: object) -> object:
    return model.get_booster()  # type: ignore[attr-defined]  # an estimator


def _categories(booster: xgboost.Booster) -> dict[int, frozenset[object]]:
    """The categories that the model learnt, by the place of their column.

    Releases before 3.1 keep the codes that a frame gave to categories, which mean something else in another frame.
    """
    if "c" not in (booster.feature_types or ()) or not hasattr(booster, "get_categories"):
        return {}
    if importlib.util.find_spec("pyarrow") is None:
        return dict(_written_categories(booster))
    learnt = booster.get_categories(export_to_arrow=True).to_arrow()
    return {n: frozenset(values.to_pylist()) for n, (_, values) in enumerate(learnt) if values is not None}


def _written_categories(booster: xgboost.Booster) -> Iterator[tuple[int, frozenset[object]]]:
    """Read the categories where XGBoost writes them: numbers as they are, texts as bytes that offsets divide."""
    part = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    written = part.get("gbtree", part)["model"]["cats"]["enc"]  # what is boosted with dart holds a part of gbtree
    for place, learnt in enumerate(written):
        values = learnt["values"]
        if "offsets" in learnt:
            text = bytes(value % 256 for value in values)  # they are signed
            values = [text[start:end].decode() for start, end in pairwise(learnt["offsets"])]
        if values:
            yield place, frozenset(values)
