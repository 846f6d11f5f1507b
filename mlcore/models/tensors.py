"""Check arrays against tensor specs: dtype, without losing anything, and shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from mlcore.models.faults import Misfit, mismatch
from mlcore.models.schema import Schema, TensorSpec

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlcore.models.series import Values


class TensorValidator:
    """One array without a name, or several by name."""

    def __init__(self, schema: Schema) -> None:
        """Know the tensors that the model takes."""
        self._specs = schema.tensors
        self._takes = f"The model takes {schema}"

    def enforce(self, data: object) -> object:
        """Return the array, or the dict of arrays, that the model takes.

        data: numpy array, nested lists, DataFrame or sparse matrix; a dict of these, or a DataFrame, for tensors
        with names. Raises SignatureError: names each tensor that is missing or does not fit.
        """
        if self._specs[0].name is None:
            return self._one(data, self._specs[0])
        by_name = _by_name(data)
        if by_name is None and len(self._specs) == 1:
            by_name = {self._specs[0].name: data}
        if by_name is None:
            names = [s.name for s in self._specs]
            raise mismatch([f"expected tensors by name ({names!r}), got {type(data).__name__}"], self._takes)
        faults: list[str] = []
        found: dict[str, object] = {}
        for spec in self._specs:
            name = cast(str, spec.name)
            if name not in by_name:
                faults.append(f"tensor {name!r} is missing (expected {_described(spec)})")
                continue
            try:
                found[name] = convert_tensor(by_name[name], spec)
            except Misfit as err:
                faults.append(f"tensor {name!r}: {err}")
        if faults:
            raise mismatch(faults, self._takes)
        return found

    def _one(self, data: object, spec: TensorSpec) -> object:
        if isinstance(data, Mapping) and len(data) == 1:
            data = next(iter(data.values()))
        try:
            return convert_tensor(data, spec)
        except Misfit as err:
            raise mismatch([str(err)], self._takes) from err


def convert_tensor(data: object, spec: TensorSpec) -> object:
    """Return *data* as the array that *spec* describes; sparse matrices stay sparse.

    Raises Misfit: another shape, or a dtype that can't be cast without loss.
    """
    import numpy as np

    sparse = hasattr(data, "tocsr") and hasattr(data, "nnz")
    array = cast("Values", data) if sparse or isinstance(data, np.ndarray) else _array(data, spec)
    _check_shape(array.shape, spec)
    if array.dtype.name == spec.type or spec.type == _family(array.dtype):
        return array
    return _cast(array, spec, rounds=not sparse and not isinstance(data, np.ndarray) and not hasattr(data, "to_numpy"))


def _by_name(data: object) -> Mapping[str, object] | None:
    if isinstance(data, Mapping):
        return cast("Mapping[str, object]", data)
    if type(data).__name__ == "DataFrame":
        frame = cast("pd.DataFrame", data)
        return {str(name): frame[name].tolist() for name in frame.columns}
    if isinstance(data, Sequence) and data and all(isinstance(row, Mapping) for row in data):
        names = dict.fromkeys(name for row in data for name in row)  # rows of {name: value}
        return {str(n): [row.get(n) for row in data] for n in names}
    return None


def _array(data: object, spec: TensorSpec) -> Values:
    import numpy as np

    if hasattr(data, "to_numpy"):
        return cast("Values", data.to_numpy())
    try:
        made = np.asarray(data, dtype="datetime64" if spec.type.startswith("datetime64") else None)
    except ValueError as err:
        raise Misfit(f"expected {_described(spec)}, got lists that make no array: {err}") from None
    if made.dtype.kind == "O" and spec.type.startswith("float"):
        # JSON has no NaN: what is missing comes as null
        plain = all(value is None or isinstance(value, (int, float)) for value in made.flat)
        try:
            return made.astype(np.float64) if plain else made
        except OverflowError as err:
            raise Misfit(f"expected {_described(spec)}, got an integer that no float can hold: {err}") from None
    return made


def _check_shape(shape: tuple[int, ...], spec: TensorSpec) -> None:
    if len(shape) != len(spec.shape) or any(want not in (-1, n) for want, n in zip(spec.shape, shape, strict=True)):
        raise Misfit(f"expected shape {spec.shape}, got {shape} (-1 stands for any length)")


def _family(dtype: np.dtype[np.generic]) -> str:
    return {"U": "str", "S": "bytes", "O": "object", "T": "str"}.get(dtype.kind, dtype.name)


def _cast(array: Values, spec: TensorSpec, *, rounds: bool) -> Values:
    """Cast to the dtype of *spec*, refusing to lose anything; *rounds* allows a float to be rounded to fewer digits."""
    import numpy as np

    target = np.dtype(spec.type)
    source = array.dtype
    if target.kind == "O":
        return array.astype(object)
    if np.can_cast(source, target, "safe") and (source.kind == target.kind or source.kind in "iuf"):
        return array.astype(target)
    comparable = source.kind in "iuf" and target.kind in "iuf"
    temporal = source.kind == "M" and target.kind == "M"
    if source.kind == "O" and array.size and target.kind in "SU":
        raise Misfit(f"expected {_described(spec)}, got mixed values")
    if not comparable and not temporal:
        raise Misfit(f"expected {_described(spec)}, got {_family(source)}")
    with np.errstate(invalid="ignore", over="ignore"):
        made = array.astype(target)
    same = (made == array) | ((made != made) & (array != array))  # NaN and NaT stay what they are
    finite = not rounds or target.kind != "f" or bool(np.isfinite(made[np.isfinite(array)]).all())
    if not (bool(same.all()) or (rounds and target.kind == "f" and finite)):
        lost = array[~same].flat[0]
        raise Misfit(f"expected {_described(spec)}, got {source} with {lost!s}, which {spec.type} can't hold")
    return made


def _described(spec: TensorSpec) -> str:
    return f"{spec.type} with shape {spec.shape}"
