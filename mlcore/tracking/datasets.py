"""Datasets to log with a run: name, digest of the content, source, schema and profile. Reached as `mlcore.data`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from mlcore.entities import Dataset, DatasetInput, InputTag
from mlcore.errors import InvalidParameterError
from mlcore.tracking import tags as names
from mlcore.wire import limits

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_DIGEST_LENGTH = 8
_MAX_ROWS = 10_000
_COLUMN_TYPES = {"b": "boolean", "i": "long", "u": "long", "f": "double", "M": "datetime"}


@frozen
class LoggedDataset:
    """A dataset as `log_input` takes it."""

    record: Dataset

    @property
    def name(self) -> str:
        """What the dataset is called."""
        return self.record.name

    @property
    def digest(self) -> str:
        """A short hash of the content: the same data has the same digest."""
        return self.record.digest

    def as_input(self, context: str | None, tags: Mapping[str, str]) -> DatasetInput:
        """Return the dataset's use in a run; *context* says what for."""
        given = {**dict(limits.pairs("tags", tags)), **({names.DATASET_CONTEXT: context} if context else {})}
        return DatasetInput(self.record, tuple(InputTag(k, str(v)) for k, v in given.items()))


def as_inputs(
    datasets: Sequence[LoggedDataset],
    contexts: Sequence[str | None] | None,
    tags_list: Sequence[Mapping[str, str] | None] | None,
) -> list[DatasetInput]:
    """Return the use of each dataset with its context and tags, both given for all datasets or for none.

    Raises InvalidParameterError: something that is no dataset, or lists of different lengths.
    """
    for dataset in datasets:
        if not isinstance(dataset, LoggedDataset):
            raise InvalidParameterError(
                f"can't log an input of type {type(dataset).__name__}: expected a dataset such as mlcore.data.from_pandas(df)"
            )
    for what, given in (("contexts", contexts), ("tags_list", tags_list)):
        if given and len(given) != len(datasets):
            raise InvalidParameterError(
                f"{what} has {len(given)} entries for {len(datasets)} datasets: give one for each"
            )
    every_context = contexts or [None] * len(datasets)
    every_tags = tags_list or [None] * len(datasets)
    return [d.as_input(c, t or {}) for d, c, t in zip(datasets, every_context, every_tags, strict=True)]


def from_pandas(
    df: pd.DataFrame, source: str | None = None, targets: str | None = None, name: str | None = None
) -> LoggedDataset:
    """Describe a DataFrame.

    source: where it was read from, a path or URI; `code` when not given.
    targets: the column that is to be predicted.
    The digest covers column names, types and at most 10,000 rows, so that large frames stay cheap.
    """
    import pandas as pd

    if not isinstance(df, pd.DataFrame):
        raise InvalidParameterError(f"can't describe a {type(df).__name__} as a table: expected a pandas DataFrame")
    hashed = hashlib.sha256()
    hashed.update(repr([(str(c), str(t)) for c, t in df.dtypes.items()]).encode())
    hashed.update(repr(df.shape).encode())
    sample = df.head(_MAX_ROWS)
    columns = []
    for place, (column, dtype) in enumerate(df.dtypes.items()):  # by place: two columns may have one name
        series = sample.iloc[:, place]
        if pd.api.types.is_object_dtype(dtype) and series.map(lambda v: isinstance(v, (list, dict, set))).any():
            series = series.astype(str)  # pandas hashes what Python can hash
        hashed.update(pd.util.hash_pandas_object(series, index=False).to_numpy().tobytes())
        kind, required = _COLUMN_TYPES.get(dtype.kind, "string"), not df.iloc[:, place].isna().any()
        columns.append({"type": kind, "name": str(column), "required": required})
    profile = {"num_rows": len(df), "num_elements": int(df.size)}
    return _dataset(name, hashed, source, {"mlflow_colspec": columns}, profile, targets)


def from_numpy(
    features: np.ndarray | Mapping[str, np.ndarray],
    source: str | None = None,
    targets: np.ndarray | None = None,
    name: str | None = None,
) -> LoggedDataset:
    """Describe one array, or arrays by name, of any shape and dtype, with optional targets.

    Lists of numbers are taken as arrays.
    """
    import numpy as np

    given = dict(features) if isinstance(features, Mapping) else {"": features}
    if any(array is None for array in given.values()):
        raise InvalidParameterError(
            "can't describe None as an array: expected a numpy array, or a dict of arrays by name"
        )
    arrays = {key: np.asarray(array) for key, array in given.items()}
    hashed = hashlib.sha256()
    for key, array in [*arrays.items(), *([] if targets is None else [("\0targets", np.asarray(targets))])]:
        hashed.update(f"{key} {array.dtype} {array.shape}".encode())
        sample = array[:_MAX_ROWS] if array.ndim else array
        hashed.update(np.ascontiguousarray(sample).tobytes() if array.dtype != object else repr(array).encode())
    specs = [_tensor(key, array) for key, array in arrays.items()]
    schema = {"mlflow_tensorspec": {"features": json.dumps(specs), "targets": None}}
    profile = {"features_shape": {k or "features": list(a.shape) for k, a in arrays.items()}}
    return _dataset(name, hashed, source, schema, profile, None)


def _tensor(key: str, array: np.ndarray) -> dict[str, object]:
    shape = [-1, *array.shape[1:]] if array.ndim else []
    spec: dict[str, object] = {"type": "tensor", "tensor-spec": {"dtype": array.dtype.name, "shape": shape}}
    return {"name": key, **spec} if key else spec


def _dataset(
    name: str | None,
    hashed: hashlib._Hash,
    source: str | None,
    schema: Mapping[str, object],
    profile: Mapping[str, object],
    targets: str | None,
) -> LoggedDataset:
    described = {**profile, **({"targets": targets} if targets else {})}
    return LoggedDataset(
        Dataset(
            name=str(name or "dataset"),
            digest=hashed.hexdigest()[:_DIGEST_LENGTH],
            source_type="local" if source else "code",
            source=json.dumps({"uri": source} if source else {"tags": {}}),
            schema=json.dumps(schema),
            profile=json.dumps(described),
        )
    )
