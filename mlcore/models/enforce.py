"""A model's signature, compiled once into what checks and casts every input of `predict`.

Rules: a value is accepted when its type can hold it without loss; missing values are accepted everywhere; columns go
by name where the signature has names; all faults are listed at once.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Hashable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Literal, Protocol, cast

from mlcore.errors import SignatureError
from mlcore.models.columns import ColumnValidator
from mlcore.models.data_types import DataType
from mlcore.models.params import ParamValidator
from mlcore.models.schema import ModelSignature, Schema
from mlcore.models.tensors import TensorValidator

if TYPE_CHECKING:
    import pandas as pd

    from mlcore.models.series import Values

    class _Sparse(Protocol):
        """A scipy sparse matrix or array."""

        def toarray(self) -> Values: ...


class Validator:
    """Bring data into the form that the model takes; without a schema, data passes as it is.

    `enforce` takes what Python code has; the other methods take what a request holds.
    """

    def __init__(self, signature: ModelSignature | None) -> None:
        """Compile *signature*; see `compile_signature`."""
        self.signature = signature
        self.schema: Schema | None = signature.inputs if signature and signature.inputs else None
        self._tensors = TensorValidator(self.schema) if self.schema and self.schema.is_tensor_spec() else None
        self._columns = ColumnValidator(self.schema) if self.schema and self._tensors is None else None
        self._params = ParamValidator(signature.params if signature else None)

    @property
    def is_tensor(self) -> bool:
        """Whether the model takes arrays rather than a frame."""
        return self._tensors is not None

    def enforce(self, data: object) -> object:
        """Return *data* as the model takes it: a frame for columns, an array or dict of arrays for tensors.

        data: DataFrame, Series, numpy array, sparse matrix, dict, list, or a scalar.
        Raises SignatureError: lists every fault with column, expected and got.
        """
        if self._tensors is not None:
            return self._tensors.enforce(data)
        columns = self._columns
        if columns is None:
            return data
        if hasattr(data, "iloc"):
            pandas_data = cast("pd.DataFrame | pd.Series", data)
            return columns.frame(pandas_data if pandas_data.ndim == 2 else self._series_frame(pandas_data))  # type: ignore[arg-type]  # two axes make a frame
        if hasattr(data, "tocsr") and hasattr(data, "nnz"):
            return columns.array(cast("_Sparse", data).toarray())
        if hasattr(data, "to_pandas"):  # arrow, polars
            return columns.frame(data.to_pandas())
        if hasattr(data, "ndim") and hasattr(data, "dtype"):
            return columns.array(cast("Values", data))
        if isinstance(data, Mapping):
            return columns.columns(cast("Mapping[str, object]", data))
        if isinstance(data, (list, tuple)):
            return columns.rows(data)
        return columns.rows([data])

    def frame(self, frame: pd.DataFrame) -> object:
        """Return a frame as the model takes it. Raises SignatureError."""
        return self.enforce(frame)

    def split(
        self,
        columns: Sequence[Hashable] | None,
        rows: Sequence[Sequence[object]],
        index: Sequence[Hashable] | None = None,
    ) -> object:
        """Take `dataframe_split`: *rows* of JSON values under *columns*. Raises SignatureError."""
        if self._columns is not None:
            return self._columns.split(columns, rows, index)
        return self._unchecked(
            lambda pd: pd.DataFrame(list(rows), index=cast("list[Hashable] | None", index), columns=columns)
        )

    def numbers(self, columns: Sequence[Hashable] | None, rows: Sequence[Sequence[object]]) -> Values | None:
        """Return the values of the frame that `split` makes as an array of numbers, None when it is no such frame.

        Returns an array of shape (rows, columns of the model). Raises SignatureError: columns are missing.
        """
        return None if self._columns is None else self._columns.numbers(columns, rows)

    @property
    def number_columns(self) -> tuple[str | None, ...]:
        """The names of the columns, in order, if all are numbers of one type; else nothing."""
        if self._columns is None or self.schema is None or not self._columns.of_one_number_type:
            return ()
        return tuple(column.name for column in self.schema.columns)

    @property
    def makes_frames(self) -> bool:
        """Whether the model takes frames, as its signature has columns."""
        return self._columns is not None

    def records(self, records: Sequence[Mapping[str, object]]) -> object:
        """Take `dataframe_records`: a list of JSON objects. Raises SignatureError."""
        if self._columns is not None:
            return self._columns.records(records)
        return self._unchecked(lambda pd: pd.DataFrame.from_records([dict(r) for r in records]))

    def json(self, value: object) -> object:
        """Take `instances` or `inputs`: lists of rows, records or values, or a dict of columns; tensors alike.

        Without a schema, lists of numbers become arrays, records a frame, and dicts of lists dicts of arrays.
        Raises SignatureError.
        """
        return self.enforce(value) if self.schema else _guessed(value)

    def csv(self, text: str | bytes) -> object:
        """Take CSV with a header; texts, times and base64 are read by the signature, so `007` stays a text.

        Raises SignatureError: not CSV, or as `frame`.
        """
        import pandas as pd

        columns = self.schema.columns if self.schema else ()
        as_text = {
            s.name: str for s in columns if s.name and s.type in (DataType.string, DataType.datetime, DataType.binary)
        }
        stream = io.BytesIO(text) if isinstance(text, bytes) else io.StringIO(text)
        try:
            frame: pd.DataFrame = pd.read_csv(stream, dtype=as_text, **_exact_floats(pd.__version__))  # type: ignore[call-overload]  # one option, or none
        except (ValueError, UnicodeDecodeError) as err:  # pandas' parser errors are ValueErrors
            raise SignatureError(f"the data is not CSV with a header: {err}") from err
        return self.frame(frame)

    def params(self, given: Mapping[str, object] | None = None) -> dict[str, object]:
        """Return all params of `predict`, defaults filled in.

        Unknown ones are dropped with a SignatureWarning. Raises SignatureError: wrong types; names each.
        """
        return self._params.enforce(given)

    def _series_frame(self, series: pd.Series) -> pd.DataFrame:
        name = series.name
        if self.schema and len(self.schema) == 1 and self.schema.has_input_names() and name is None:
            name = self.schema.input_names()[0]
        return series.to_frame(name)

    def _unchecked(self, make: Callable[[ModuleType], pd.DataFrame]) -> object:
        import pandas as pd

        try:
            made = make(pd)
        except (ValueError, TypeError) as err:
            raise SignatureError(f"the data makes no table: {err}") from err
        return self._tensors.enforce(made) if self._tensors is not None else made


def compile_signature(signature: ModelSignature | None) -> Validator:
    """Return the validator of *signature*; None, or one without inputs, lets everything pass.

    Make it once per model: it keeps what it learns about the columns that callers send.
    """
    return Validator(signature)


def _exact_floats(pandas_version: str) -> dict[str, Literal["round_trip"]]:
    # pandas 3 reads floats exactly by default, and warns of the option that older versions need for it
    return {} if int(pandas_version.partition(".")[0]) >= 3 else {"float_precision": "round_trip"}


def _guessed(value: object) -> object:
    """What MLflow makes of JSON for a model without a signature; the JSON itself where there is no numpy."""
    try:
        import numpy as np
    except ImportError:
        return value  # the model needs none either

    if isinstance(value, Mapping) and value and all(isinstance(v, list) for v in value.values()):
        return {k: np.asarray(v) for k, v in value.items()}
    if isinstance(value, list) and value and all(isinstance(v, Mapping) for v in value):
        import pandas as pd

        return pd.DataFrame(value)
    if isinstance(value, list):
        try:
            return np.asarray(value)
        except ValueError:
            return value  # lists of different lengths make no array
    return value
