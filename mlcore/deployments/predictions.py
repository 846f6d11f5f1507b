"""What goes to a deployment and what comes back: payloads from whatever people have, predictions in the form they want."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from mlcore.errors import CorruptStoreError, InvalidParameterError
from mlcore.wire.plain import dumps

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

JSON = "application/json"
_KEYS = ("dataframe_split", "dataframe_records", "instances", "inputs")


def payload(inputs: object) -> tuple[bytes, str]:
    """Return *inputs* as the body of a scoring request, with its content type.

    inputs: a data frame; an array or list, which becomes `inputs`; a dict that has one of the keys dataframe_split,
    dataframe_records, instances and inputs, or that becomes `inputs` itself; bytes and texts are sent as they are.
    Raises InvalidParameterError: there is nothing to send.
    """
    if inputs is None:
        raise InvalidParameterError("predict was called without inputs: give a data frame, an array, a list or a dict")
    if isinstance(inputs, (bytes, str)):
        return inputs if isinstance(inputs, bytes) else inputs.encode(), JSON
    to_json = getattr(inputs, "to_json", None)
    if to_json is not None and hasattr(inputs, "columns"):
        # pandas writes dates, NaN and its own numbers; the index is no input of a model
        split = json.loads(to_json(orient="split", date_format="iso", index=False))
        return dumps({"dataframe_split": split}).encode(), JSON
    if isinstance(inputs, Mapping) and any(key in inputs for key in _KEYS):
        return dumps(dict(inputs)).encode(), JSON
    to_list = getattr(inputs, "tolist", None)
    return dumps({"inputs": to_list() if to_list is not None else inputs}).encode(), JSON


class PredictionsResponse(dict[str, object]):
    """The answer of a deployment: a dict with the key `predictions`."""

    @classmethod
    def from_json(cls, json_str: str | bytes) -> PredictionsResponse:
        """Read an answer; a bare list of predictions gets its key.

        Raises CorruptStoreError: it is no JSON.
        """
        try:
            parsed = json.loads(json_str)
        except ValueError as err:
            raise CorruptStoreError(
                f"the deployment answered with what is no JSON: {json_str[:120]!r}. Look at the log of its container"
            ) from err
        return cls(parsed if isinstance(parsed, dict) else {"predictions": parsed})

    def to_json(self, path: str | None = None) -> str | None:
        """Return the answer as JSON text, or write it to the file *path* and return None."""
        text = json.dumps(self)
        if path is None:
            return text
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123  # the caller's path, of any kind that open takes
            file.write(text)
        return None

    def get_predictions(
        self, predictions_format: Literal["dataframe", "ndarray"] = "dataframe", dtype: object = None
    ) -> pd.DataFrame | np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
        """Return the predictions as a pandas data frame or numpy array.

        dtype: as `pandas.DataFrame` and `numpy.array` take it; inferred when None.
        Raises InvalidParameterError: another format, or the answer has no predictions.
        """
        if "predictions" not in self:
            raise InvalidParameterError(f"the answer has no 'predictions': its keys are {sorted(self)!r}")
        if predictions_format == "dataframe":
            import pandas as pd

            return pd.DataFrame(self["predictions"], dtype=dtype)  # type: ignore[call-overload,no-any-return]  # any dtype
        if predictions_format == "ndarray":
            import numpy as np

            return np.array(self["predictions"], dtype=dtype)  # type: ignore[call-overload,no-any-return]  # any dtype
        raise InvalidParameterError(f"predictions_format is {predictions_format!r}: expected 'dataframe' or 'ndarray'")
