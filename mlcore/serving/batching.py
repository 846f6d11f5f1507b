"""Predict for several requests at once: what arrives while the model is busy waits together.

A lonely request never waits for company, unless asked to: batches grow by themselves as the load does.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, cast

from attrs import frozen

from mlcore.serving.payload import Payload
from mlcore.serving.scorer import ModelScorer

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from mlcore.models.pyfunc import PyFuncModel


@frozen
class Batching:
    """How requests are put together.

    most_rows: of one prediction. wait_s: how long the first request of a batch waits for others; 0 for not at all.
    """

    most_rows: int = 1024
    wait_s: float = 0.0


@frozen
class _Waiting:
    data: object
    rows: int
    params: dict[str, object]
    answer: Future[object]


class BatchingScorer:
    """Score with a model whose predictions for a row do not depend on the other rows.

    Requests with params, and data that has no rows to put together, are predicted one by one.
    """

    def __init__(self, model: PyFuncModel, batching: Batching) -> None:
        """Score with *model*; the thread that predicts ends with the process."""
        self._scorer = ModelScorer(model)
        self._batching = batching
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None

    def score(self, request: Payload) -> object:
        """Return the predictions of one request. Raises what the model raises, SignatureError for this request only."""
        data, params = self._scorer.checked(request)
        rows = _rows(data)
        if rows is None or request.params:
            return self._scorer.predict(data, params)
        one = _Waiting(data, rows, params, Future())
        with self._wake:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mlcore-batches", daemon=True)
                self._thread.start()
            self._waiting.append(one)
            self._wake.notify()
        return one.answer.result()

    def begin(self, request: Payload) -> Future[object] | None:
        """Start to predict with an asynchronous model, which needs no batches; None when `score` is the way."""
        return self._scorer.begin(request)

    def stream(self, request: Payload) -> Iterator[object]:
        """Yield the parts of the answer to one request. Raises as `score`, and UnsupportedError."""
        return self._scorer.stream(request)

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting:
                    self._wake.wait()
                if self._batching.wait_s and sum(one.rows for one in self._waiting) < self._batching.most_rows:
                    self._wake.wait(self._batching.wait_s)
                batch = self._take()
            self._settle(batch)

    def _take(self) -> list[_Waiting]:
        batch = [self._waiting.popleft()]
        rows = batch[0].rows
        while self._waiting and rows + self._waiting[0].rows <= self._batching.most_rows:
            if not _alike(batch[0].data, self._waiting[0].data):
                break
            batch.append(self._waiting.popleft())
            rows += batch[-1].rows
        return batch

    def _settle(self, batch: Sequence[_Waiting]) -> None:
        if len(batch) > 1:
            try:
                found = self._scorer.predict(_together([one.data for one in batch]), batch[0].params)
                parts = _apart(found, [one.rows for one in batch])
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException:  # noqa: BLE001  # one bad row must not fail the others: each is asked alone below
                parts = None
            if parts is not None:
                for one, part in zip(batch, parts, strict=True):
                    one.answer.set_result(part)
                return
        for one in batch:
            try:
                one.answer.set_result(self._scorer.predict(one.data, one.params))
            except (KeyboardInterrupt, GeneratorExit):
                raise
            except BaseException as err:  # noqa: BLE001  # whoever waits has to hear of it
                one.answer.set_exception(err)


def _rows(data: object) -> int | None:
    """Return how many rows a frame or array has; None for anything else."""
    shape = getattr(data, "shape", None)
    is_table = hasattr(data, "iloc") or hasattr(data, "reshape")
    return int(shape[0]) if is_table and shape else None


def _alike(first: object, second: object) -> bool:
    """Whether two frames, or two arrays, can be stacked without changing a type."""
    if hasattr(first, "iloc") != hasattr(second, "iloc"):
        return False
    if hasattr(first, "iloc"):
        one, other = cast("pd.DataFrame", first), cast("pd.DataFrame", second)
        return list(one.dtypes.items()) == list(other.dtypes.items())
    array, more = cast("NDArray[np.generic]", first), cast("NDArray[np.generic]", second)
    return bool(array.dtype == more.dtype and array.shape[1:] == more.shape[1:])


def _together(parts: Sequence[object]) -> object:
    if hasattr(parts[0], "iloc"):
        import pandas as pd

        return pd.concat(cast("list[pd.DataFrame]", list(parts)), ignore_index=True)
    import numpy as np

    return np.concatenate(cast("list[NDArray[np.generic]]", list(parts)))


def _apart(found: object, sizes: Sequence[int]) -> list[object] | None:
    """Cut predictions into those of each request; None when they are not one for each row."""
    total = sum(sizes)
    is_sequence = isinstance(found, (list, tuple)) or hasattr(found, "shape")
    if not is_sequence or len(found) != total:  # type: ignore[arg-type]  # it has a length
        return None
    pick = found.iloc if hasattr(found, "iloc") else found
    parts, start = [], 0
    for size in sizes:
        part = pick[start : start + size]  # type: ignore[index]  # a sequence
        parts.append(part.reset_index(drop=True) if hasattr(part, "reset_index") else part)
        start += size
    return parts
