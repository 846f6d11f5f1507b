"""Batches of several callers in one transaction: the path of a server under load.

What a batch may be refused for is looked up before anything of it is written, so that a refusal undoes nothing.
Points and tags of all batches are then written together; their order shows in tags and params only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field

from mlcore.entities import Batch
from mlcore.errors import InvalidParameterError, InvalidStateError, MlcoreError, NotFoundError, ParamConflictError
from mlcore.wire.filter_values import param_number
from mlcore_store_sql.dialects import Cursor
from mlcore_store_sql.recording import Curves, RecordingPart, curves_of, param_conflict

Items = Sequence[tuple[str, Batch]]
Outcomes = list[MlcoreError | None]
# Metric keys that are new in this transaction, with their numbers.
NewKeys = dict[str, int]

_REFUSALS = (NotFoundError, InvalidStateError, ParamConflictError)


@define
class _Gathered:
    """What the accepted batches add, by the number of the run.

    params: the params that each run will have; read when the first batch with params comes.
    """

    runs: dict[str, int] = field(factory=dict)
    curves: Curves = field(factory=dict)
    params: dict[int, dict[str, str]] = field(factory=dict)
    new_params: list[tuple[object, ...]] = field(factory=list)
    tags: dict[int, dict[str, str]] = field(factory=dict)


class GroupPart(RecordingPart):
    """The store's method that records for many callers at once."""

    def log_batches(self, items: Items) -> Outcomes:
        """Record pairs of run id and batch, in order, each all or nothing; return one outcome per pair."""
        try:
            return self._in_one_transaction(items, self._together)
        except InvalidParameterError:
            # The driver did not take a value, and does not say whose it was.
            return self._in_one_transaction(items, self._one_by_one)

    def _in_one_transaction(self, items: Items, work: Callable[[Cursor, Items, NewKeys], Outcomes]) -> Outcomes:
        new: NewKeys = {}
        with self._db.write() as cursor:
            outcomes = work(cursor, items, new)
        if new:
            self._db.key_numbers.update(new)  # only now that they are committed
        return outcomes

    def _together(self, cursor: Cursor, items: Items, new: NewKeys) -> Outcomes:
        found = _Gathered()
        outcomes: Outcomes = []
        for run_id, batch in items:
            try:
                self._gather(cursor, run_id, batch, found)
            except _REFUSALS as error:
                outcomes.append(error)
            else:
                outcomes.append(None)
        if found.new_params:
            cursor.executemany(self._texts.insert_param, found.new_params)
        if found.curves:
            new.update(self._add_points(cursor, found.curves, self._db.key_numbers))
        for run, values in found.tags.items():
            self._set_tags(cursor, run, values)
        return outcomes

    def _gather(self, cursor: Cursor, run_id: str, batch: Batch, found: _Gathered) -> None:
        run = found.runs.get(run_id)
        if run is None:
            run = found.runs[run_id] = self._writable_run(cursor, run_id)[0]
        if batch.params:
            self._gather_params(cursor, run_id, run, batch, found)
        if batch.metrics:
            curves_of(run, batch.metrics, found.curves)
        if batch.tags:
            found.tags.setdefault(run, {}).update((tag.key, tag.value) for tag in batch.tags)

    def _gather_params(self, cursor: Cursor, run_id: str, run: int, batch: Batch, found: _Gathered) -> None:
        before = found.params.get(run)
        if before is None:
            cursor.execute(self._texts.params_of_run, (run,))
            before = dict(cursor.fetchall())
        after = dict(before)
        for param in batch.params:
            after.setdefault(param.key, param.value)
        error = param_conflict(run_id, after, batch.params)
        if error is not None:
            raise error
        found.params[run] = after
        found.new_params += [(run, key, after[key], param_number(after[key])) for key in after if key not in before]

    def _one_by_one(self, cursor: Cursor, items: Items, new: NewKeys) -> Outcomes:
        outcomes: Outcomes = []
        refusals: tuple[type[Exception], ...] = (*_REFUSALS, *self._db.dialect.unstorable)
        for run_id, batch in items:
            cursor.execute("SAVEPOINT item")
            try:
                added = self._add_batch(cursor, run_id, batch, self._db.key_numbers | new)
            except refusals as error:
                cursor.execute("ROLLBACK TO item")
                outcomes.append(error if isinstance(error, MlcoreError) else self._db.dialect.translate(error))
            else:
                outcomes.append(None)
                new.update(added)
            cursor.execute("RELEASE item")
        return outcomes
