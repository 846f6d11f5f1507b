"""From a request to predictions: the signature's validator, then the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Protocol, cast

from mlcore.serving.payload import ARROW, CSV, PARQUET, Payload

if TYPE_CHECKING:
    from mlcore.models.pyfunc import PyFuncModel


class Scorer(Protocol):
    """What answers a request."""

    def score(self, request: Payload) -> object:
        """Return the predictions. Raises MlcoreError for a request that does not fit the model."""
        ...


class ModelScorer:
    """Score with a model behind `python_function`."""

    def __init__(self, model: PyFuncModel) -> None:
        """Score with *model*."""
        self._model = model
        self._is_awaited = model.is_awaited
        self._takes_arrays = model.takes_arrays

    def score(self, request: Payload) -> object:
        """Return the predictions. Raises SignatureError: the request does not fit; lists every fault."""
        return self.predict(*self.checked(request))

    def begin(self, request: Payload) -> Future[object] | None:
        """Start to predict with an asynchronous model; None when `score` is the way. Raises as `score`."""
        return self._model.begin_checked(*self.checked(request)) if self._is_awaited else None

    def stream(self, request: Payload) -> Iterator[object]:
        """Yield the parts of the answer. Raises as `score`, and UnsupportedError: the model does not stream."""
        return self._model.stream_checked(*self.checked(request))

    def checked(self, request: Payload) -> tuple[object, dict[str, object]]:
        """Return data and params of a request as the model takes them. Raises SignatureError."""
        params = self._model.validator.params(request.params)
        return self._data(request), params

    def predict(self, data: object, params: dict[str, object]) -> object:
        """Return the predictions for checked data."""
        return self._model.predict_checked(data, params)

    def _data(self, request: Payload) -> object:
        validator = self._model.validator
        if self._takes_arrays and isinstance(request.data, list) and request.kind != "dataframe_records":
            numbers = validator.numbers(request.columns, request.data)
            if numbers is not None:
                return numbers
        if request.kind == "dataframe_split":
            return validator.split(request.columns, cast("Sequence[Sequence[object]]", request.data))
        if request.kind == "dataframe_records":
            return validator.records(cast("Sequence[Mapping[str, object]]", request.data))
        if request.kind == CSV:
            return validator.csv(cast(bytes, request.data))
        if request.kind in (ARROW, PARQUET):
            from mlcore.serving import tables

            return validator.frame(tables.frame(request.kind, cast(bytes, request.data)))
        return validator.json(request.data)
