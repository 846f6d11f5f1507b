"""Bring data of any shape into the frame of columns that a model takes, checked and cast once.

A model whose columns are all one number type is the common case: rows become one numpy block and the frame is made
of it, without work per column.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from attrs import frozen

from mlcore.models import cells
from mlcore.models.data_types import AnyType, Array, DataType, Map, Object
from mlcore.models.faults import Misfit, mismatch, shown
from mlcore.models.schema import ColSpec, Schema
from mlcore.models.series import convert_array, convert_series

if TYPE_CHECKING:
    import pandas as pd

    from mlcore.models.series import Values

_MAX_PLANS = 64
_SHOWN = 20
_EXACT_TYPES = frozenset((int,))
_FLOAT_TYPES = frozenset((int, float, type(None)))


@frozen(eq=False, slots=False)
class _Plan:
    """Where each column of the model stands among the columns that somebody sent.

    places: positions, in the model's order. named: whether the frame to make has the names, or positions.
    identity: whether the columns were sent just as the model wants them.
    """

    specs: tuple[ColSpec, ...]
    places: tuple[int, ...]
    named: bool
    width: int
    identity: bool

    @cached_property
    def labels(self) -> pd.Index | None:
        """The one index of all frames made by this plan, None for positions."""
        import pandas as pd

        return pd.Index([s.name for s in self.specs]) if self.named else None


class ColumnValidator:
    """The columns that a model takes."""

    def __init__(self, schema: Schema) -> None:
        """Compile *schema*."""
        self._specs = schema.columns
        self._named = schema.has_input_names()
        self._names = tuple(s.name for s in self._specs if s.name is not None)
        kinds = {s.type for s in self._specs}
        only = next(iter(kinds)) if len(kinds) == 1 else None
        self._block = only if isinstance(only, DataType) and only.is_number else None
        self._fast_types = _FLOAT_TYPES if self._block in (DataType.float, DataType.double) else _EXACT_TYPES
        self._plans: dict[tuple[Hashable, ...] | int, _Plan] = {}

    def frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame that the model takes; *frame* itself when it is that already.

        Raises SignatureError: lists every column that is missing or does not fit.
        """
        plan = self._plan(tuple(frame.columns) if self._named else len(frame.columns))
        dtypes = frame.dtypes.tolist()
        cast_at_once = self._cast_block(frame, plan, dtypes)
        if cast_at_once is not None:
            return cast_at_once
        faults: list[str] = []
        changed: dict[int, object] = {}
        for i, (spec, place) in enumerate(zip(plan.specs, plan.places, strict=True)):
            if _fits(dtypes[place], spec):
                continue
            series = frame.iloc[:, place]
            try:
                converted = convert_series(series, spec.type)
            except Misfit as err:
                faults.append(f"{_called(spec, place)}: {err}")
            else:
                if converted is not series:
                    changed[i] = converted
        self._raise(faults)
        chosen = frame if plan.identity and not changed else frame.take(list(plan.places), axis=1)
        for i, column in changed.items():
            chosen.isetitem(i, column)  # type: ignore[arg-type]  # columns of several kinds
        return chosen

    def _cast_block(self, frame: pd.DataFrame, plan: _Plan, dtypes: Sequence[object]) -> pd.DataFrame | None:
        """The frame cast as one block of numbers; None when it needs no cast, or a closer look."""
        import numpy as np
        import pandas as pd

        kind, first = self._block, dtypes[0] if dtypes else None
        if kind is None or not isinstance(first, np.dtype) or first.kind not in "iuf" or first == kind.numpy_name:
            return None
        if any(dtype != first for dtype in dtypes):
            return None
        values = cast("Values", frame.to_numpy())
        try:
            block = convert_array(values if plan.identity else values[:, plan.places], kind)
        except Misfit:  # the way by columns says where
            return None
        if block.dtype != kind.numpy_name:  # integers with missing values stay what they are, column by column
            return None
        columns = frame.columns if plan.identity else frame.columns.take(list(plan.places))
        return pd.DataFrame(block, index=frame.index, columns=columns, copy=False)

    def split(
        self,
        columns: Sequence[Hashable] | None,
        rows: Sequence[Sequence[object]],
        index: Sequence[Hashable] | None = None,
    ) -> pd.DataFrame:
        """Make the frame from *rows* of JSON values under *columns* (None: by position).

        Raises SignatureError: lists every column that is missing or does not fit, or the row of another length.
        """
        plan = self._sent(columns, rows)
        block = self._numbers(plan, rows)
        if block is None:
            return self._from_rows(plan, columns, rows, index)
        import pandas as pd

        return pd.DataFrame(block, index=cast("list[Hashable] | None", index), columns=plan.labels, copy=False)

    def numbers(self, columns: Sequence[Hashable] | None, rows: Sequence[Sequence[object]]) -> Values | None:
        """Return what would be the values of the frame that `split` makes, without the frame.

        Returns an array of shape (rows, columns of the model); None when the columns are not all there and of one number
        type, or the rows need a closer look. Raises SignatureError: columns are missing.
        """
        plan = self._sent(columns, rows)
        return self._numbers(plan, rows) if len(plan.specs) == len(self._specs) else None

    @property
    def of_one_number_type(self) -> bool:
        """Whether all columns are numbers of one type."""
        return self._block is not None

    def records(self, records: Sequence[Mapping[str, object]]) -> pd.DataFrame:
        """Make the frame from a list of JSON objects; a name that only some of them have is a missing value there.

        Raises SignatureError: as `split`.
        """
        if not self._named:
            names = tuple(dict.fromkeys(name for record in records for name in record))
            return self.split(names, [[record.get(n) for n in names] for record in records])
        if self._names and len(self._names) > 1:
            try:
                rows = list(map(itemgetter(*self._names), records))
            except KeyError:
                pass
            else:
                return self.split(self._names, rows)
        sent = set(chain.from_iterable(records)) if records else set(self._names)
        names = tuple(n for n in self._names if n in sent)
        return self.split(names, [[record.get(n) for n in names] for record in records])

    def columns(self, columns: Mapping[str, object]) -> pd.DataFrame:
        """Make the frame from a mapping of column names to lists or arrays, or of names to the values of one row.

        Raises SignatureError: as `split`.
        """
        values = list(columns.values())
        lists = [v for v in values if isinstance(v, list)]
        if self._block is not None and len(lists) == len(values) and len(set(map(len, lists))) == 1:
            return self.split(tuple(columns), list(zip(*lists, strict=True)))
        plan = self._plan(tuple(columns) if self._named else len(columns))
        picked = [values[p] for p in plan.places]
        if all(_is_cell(v, spec) for v, spec in zip(picked, plan.specs, strict=True)):
            picked = [[v] for v in picked]
        faults: list[str] = []
        found: dict[Hashable, object] = {}
        for spec, place, given in zip(plan.specs, plan.places, picked, strict=True):
            try:
                found[spec.name if spec.name is not None else place] = _column(given, spec)
            except Misfit as err:
                faults.append(f"{_called(spec, place)}: {err}")
        lengths = {n: len(cast("Sequence[object]", c)) for n, c in found.items()}
        if len(set(lengths.values())) > 1:
            faults.append(f"columns differ in length: {lengths!r}")
        self._raise(faults)
        return _assemble(found, None)

    def rows(self, rows: Sequence[object]) -> pd.DataFrame:
        """Make the frame from a list of records, of rows by position, or of single values for a model of one column.

        Raises SignatureError: as `split`.
        """
        if rows and all(isinstance(row, Mapping) for row in rows) and not self._takes_objects():
            return self.records(cast("Sequence[Mapping[str, object]]", rows))
        if len(self._specs) == 1 and all(_is_cell(row, self._specs[0]) for row in rows):
            return self.split(None, [[row] for row in rows])
        return self.split(None, [cast("Sequence[object]", r.tolist() if hasattr(r, "tolist") else r) for r in rows])

    def array(self, array: Values) -> pd.DataFrame:
        """Make the frame from a numpy array: one row per entry of its first axis, columns by position.

        Raises SignatureError: as `split`.
        """
        import pandas as pd

        table = array.reshape(-1, 1) if array.ndim <= 1 else array
        if table.ndim > 2:
            return self.rows(array.tolist())
        plan = self._plan(table.shape[1])
        if self._block is None or table.dtype.kind == "O":
            return self.frame(pd.DataFrame({plan.labels[i] if plan.labels is not None else i: table[:, p]
                                            for i, p in enumerate(plan.places)}))  # fmt: skip
        try:
            block = convert_array(table[:, : len(plan.places)], self._block)
        except Misfit as err:
            raise mismatch([str(err)], self.takes) from err
        return pd.DataFrame(block, columns=plan.labels)

    @property
    def takes(self) -> str:
        """What the model takes, for the end of a message."""
        listed = ", ".join(str(s) for s in self._specs[:_SHOWN])
        more = f" and {len(self._specs) - _SHOWN} more" if len(self._specs) > _SHOWN else ""
        how = "order does not matter" if self._named else "they go by position"
        return f"The model takes the columns {listed}{more}; extra columns are dropped, {how}"

    def _takes_objects(self) -> bool:
        return len(self._specs) == 1 and not self._named and isinstance(self._specs[0].type, (Object, Map, AnyType))

    def _plan(self, sent: tuple[Hashable, ...] | int) -> _Plan:
        """Find each column among those *sent*: names, or how many there are by position."""
        plan = self._plans.get(sent)
        if plan is None:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            plan = self._plans[sent] = self._by_position(sent) if isinstance(sent, int) else self._by_name(sent)
        return plan

    def _by_name(self, sent: tuple[Hashable, ...]) -> _Plan:
        places: dict[str, int] = {}
        faults: list[str] = []
        for i, label in enumerate(sent):
            name = label if isinstance(label, str) else str(label)
            if name in places and name in self._names:
                faults.append(f"column {name!r} is there more than once")
            places[name] = i
        present = tuple(s for s in self._specs if s.name in places)
        faults += [f"column {s.name!r} is missing (expected {s.type})" for s in self._specs
                   if s.required and s.name not in places]  # fmt: skip
        self._raise(faults, sent)
        order = tuple(places[cast(str, s.name)] for s in present)
        labels = [s.name for s in present]
        return _Plan(present, order, named=True, width=len(sent), identity=list(sent) == labels)

    def _by_position(self, width: int) -> _Plan:
        required = max((i + 1 for i, s in enumerate(self._specs) if s.required), default=0)
        if width < required:
            raise mismatch([f"expected {required} columns, got {width}"], self.takes)
        present = self._specs[:width]
        places = tuple(range(len(present)))
        return _Plan(present, places, named=self._named, width=width, identity=len(present) == width)

    def _sent(self, columns: Sequence[Hashable] | None, rows: Sequence[Sequence[object]]) -> _Plan:
        named = columns is not None and self._named
        return self._plan(tuple(columns or ()) if named else _width(columns, rows, len(self._specs)))

    def _numbers(self, plan: _Plan, rows: Sequence[Sequence[object]]) -> Values | None:
        """The rows as one numpy block; None when there is none, or they need a closer look."""
        if self._block is None or not rows:
            return None
        import numpy as np

        try:
            if not self._fast_types.issuperset(map(type, chain.from_iterable(rows))):
                return None
            dtype = np.int64 if self._fast_types is _EXACT_TYPES else np.float64
            block: Values = np.array(rows, dtype=dtype)
            if block.ndim != 2 or block.shape[1] != plan.width:
                return None
            if not plan.identity:
                block = block[:, plan.places]
            if self._block in (DataType.float, DataType.integer):
                block = (
                    convert_array(block, self._block) if self._block is DataType.integer else cells.to_float32(block)
                )
        except (ValueError, OverflowError, TypeError):  # Misfit among them: the slow way says where
            return None
        return block

    def _from_rows(
        self,
        plan: _Plan,
        columns: Sequence[Hashable] | None,
        rows: Sequence[Sequence[object]],
        index: Sequence[Hashable] | None,
    ) -> pd.DataFrame:
        for i, row in enumerate(rows):
            if not isinstance(row, (list, tuple)):
                raise mismatch([f"row {i}: expected a list of {plan.width} values, got {shown(row)}"], self.takes)
            if len(row) != plan.width:
                raise mismatch([f"row {i} has {len(row)} values, expected {plan.width}"], self.takes)
        faults: list[str] = []
        found: dict[Hashable, object] = {}
        for i, (spec, place) in enumerate(zip(plan.specs, plan.places, strict=True)):
            label = spec.name if spec.name is not None else i if columns is None else columns[place]
            try:
                found[label] = cells.convert([row[place] for row in rows], spec.type)
            except Misfit as err:
                faults.append(f"{_called(spec, place)}: {err}")
        self._raise(faults)
        return _assemble(found, index)

    def _raise(self, faults: list[str], sent: Sequence[Hashable] | None = None) -> None:
        if not faults:
            return
        extra = [c for c in sent or () if str(c) not in self._names]
        also = f". Not known to the model: {extra[:_SHOWN]!r}" if extra else ""
        raise mismatch(faults, also[2:] + ". " * bool(also) + self.takes)


def _width(columns: Sequence[Hashable] | None, rows: Sequence[Sequence[object]], default: int) -> int:
    if columns is not None:
        return len(columns)
    first = rows[0] if rows else None
    return len(first) if isinstance(first, (list, tuple)) else default


def _is_cell(value: object, spec: ColSpec) -> bool:
    """Whether *value* is one value of the column rather than a list of them."""
    plain = isinstance(value, (list, tuple)) or (hasattr(value, "ndim") and value.ndim > 0)
    if isinstance(spec.type, Array):
        nested = (
            plain and len(cast("Sequence[object]", value)) > 0 and _is_list(next(iter(cast("Sequence[object]", value))))
        )
        return plain and (not nested or isinstance(spec.type.items, Array))
    return not plain


def _is_list(value: object) -> bool:
    return isinstance(value, (list, tuple)) or (hasattr(value, "ndim") and value.ndim > 0)


def _column(given: object, spec: ColSpec) -> object:
    if hasattr(given, "dtype") and isinstance(spec.type, DataType):
        if type(given).__name__ == "Series":
            converted = convert_series(cast("pd.Series", given), spec.type)
            return converted.array if converted is given else converted  # type: ignore[union-attr]  # it is a Series
        return convert_array(cast("Values", given), spec.type)
    listed = given.tolist() if hasattr(given, "tolist") else given
    if not isinstance(listed, (list, tuple)):
        raise Misfit(f"expected a list of {spec.type}, got {shown(given)}")
    return cells.convert(list(listed), spec.type)


def _fits(dtype: object, spec: ColSpec) -> bool:
    """Whether a column of *dtype* needs no look at its values."""
    kind = spec.type
    if isinstance(kind, AnyType):
        return True
    if kind is DataType.string:
        return type(dtype).__name__ == "StringDtype"
    return isinstance(kind, DataType) and kind is not DataType.binary and dtype == kind.numpy_name


def _called(spec: ColSpec, place: int) -> str:
    return f"column {place}" if spec.name is None else f"column {spec.name!r}"


def _assemble(found: Mapping[Hashable, object], index: object) -> pd.DataFrame:
    import pandas as pd

    made: pd.DataFrame = pd.DataFrame(dict(found), index=index, copy=False)  # type: ignore[call-overload]  # columns of several kinds
    return made
