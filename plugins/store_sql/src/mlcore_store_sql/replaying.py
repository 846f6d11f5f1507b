"""Entries of a journal, stored once: with them goes, in one transaction, how far the journal has been taken.

What the entries add up to is worked out first and written at the end, so that a hundred thousand of them cost
little more than their points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field

from mlcore.entities import Batch, Entry, InputsUse, Metric, Param, Recorded, RunChange, RunStatus, TagRemoval
from mlcore.errors import (
    InvalidParameterError,
    InvalidStateError,
    MlcoreError,
    NotFoundError,
    ParamConflictError,
)
from mlcore.wire.filter_values import param_number
from mlcore_store_sql.dialects import Cursor, Row
from mlcore_store_sql.long_curves import LongCurvesPart
from mlcore_store_sql.part import ACTIVE, DELETED, now_ms
from mlcore_store_sql.recording import param_conflict
from mlcore_store_sql.runs import RUN_NAME_TAG, RunsPart

Refused = list[tuple[int, MlcoreError]]
NewKeys = dict[str, int]

_KINDS: dict[str, type[MlcoreError]] = {
    kind.__name__: kind for kind in (InvalidParameterError, InvalidStateError, NotFoundError, ParamConflictError)
}


@define
class _Outcome:
    """What a run becomes by the entries that were looked at so far.

    tags: None for one that goes. changed: whether anything of the run's own row is another.
    """

    number: int
    run_id: str
    experiment: int
    name: str
    status: str
    end_time: int | None
    stage: str
    changed: bool = False
    points: list[Metric] = field(factory=list)
    params: dict[str, str] | None = None
    new_params: list[tuple[object, ...]] = field(factory=list)
    tags: dict[str, str | None] = field(factory=dict)

    @classmethod
    def of(cls, row: Row) -> _Outcome:
        """Begin with what is stored."""
        return cls(row[0], row[1], row[2], row[3], row[5], row[7], row[9])

    def check_active(self) -> None:
        """Raise InvalidStateError if the run is deleted."""
        if self.stage != ACTIVE:
            raise InvalidStateError(
                f"the run {self.run_id!r} must be in the 'active' state, but it is {self.stage!r}; restore it first"
            )


class ReplayPart(LongCurvesPart, RunsPart):
    """The store's method that takes stretches of journals."""

    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        """Store entries of one journal, in order, in one step; those that were stored by an earlier call are skipped.

        Those that an earlier call refused are refused again, in the words of then.
        """
        try:
            return self._replayed(run_id, writer, entries, self._at_once)
        except InvalidParameterError:
            # The driver did not take a value, and does not say whose it was.
            return self._replayed(run_id, writer, entries, self._apart)

    def _replayed(
        self,
        run_id: str,
        writer: str,
        entries: Sequence[Entry],
        work: Callable[[Cursor, str, Sequence[Entry], NewKeys], Refused],
    ) -> Refused:
        new: NewKeys = {}
        with self._db.write() as cursor:
            run = self._run_row(cursor, run_id)
            number = run[0]
            cursor.execute(self._texts.delivered, (number, writer))
            row = cursor.fetchone()
            position = None if row is None else int(row[0])
            fresh = entries if position is None else [entry for entry in entries if entry.sequence > position]
            refused: Refused = []
            if len(fresh) < len(entries):
                refused = self._refused_before(cursor, number, writer, entries)
            if fresh:
                self._touch(cursor, number, run[2])
                found = work(cursor, run_id, fresh, new)
                rows = [(number, writer, at, type(error).__name__, str(error)) for at, error in found]
                cursor.executemany(self._texts.insert_refusal, rows)
                cursor.execute(self._texts.set_delivered, (number, writer, fresh[-1].sequence))
                refused += found
        if new:
            self._db.key_numbers.update(new)  # only now that they are committed
        return refused

    def _refused_before(self, cursor: Cursor, run: int, writer: str, entries: Sequence[Entry]) -> Refused:
        cursor.execute(self._texts.refusals, (run, writer))
        asked = {entry.sequence for entry in entries}
        return [(at, _KINDS.get(kind, MlcoreError)(message)) for at, kind, message in cursor.fetchall() if at in asked]

    def _apart(self, cursor: Cursor, run_id: str, entries: Sequence[Entry], new: NewKeys) -> Refused:
        refused: Refused = []
        for entry in entries:
            added: NewKeys = {}
            cursor.execute("SAVEPOINT entry")
            try:
                refused += self._at_once(cursor, run_id, [entry], added, new)
            except self._db.dialect.unstorable as error:
                cursor.execute("ROLLBACK TO entry")
                refused.append((entry.sequence, self._db.dialect.translate(error)))
            else:
                new.update(added)
            cursor.execute("RELEASE entry")
        return refused

    def _at_once(
        self, cursor: Cursor, run_id: str, entries: Sequence[Entry], new: NewKeys, known: NewKeys | None = None
    ) -> Refused:
        outcome = _Outcome.of(self._run_row(cursor, run_id))
        refused: Refused = []
        points = outcome.points
        for entry in entries:
            recorded = entry.recorded
            if type(recorded) is Batch and outcome.stage == ACTIVE and not (recorded.params or recorded.tags):
                points += recorded.metrics  # most entries, the short way
                continue
            try:
                self._take(cursor, recorded, outcome)
            except (InvalidStateError, ParamConflictError) as error:
                refused.append((entry.sequence, error))
        if points:
            keys = self._db.key_numbers
            new.update(self._add_long(cursor, outcome.number, points, keys | known if known else keys))
        self._write_outcome(cursor, outcome)
        return refused

    def _take(self, cursor: Cursor, recorded: Recorded, outcome: _Outcome) -> None:
        if isinstance(recorded, RunChange):
            _change(recorded, outcome)
            return
        outcome.check_active()
        if isinstance(recorded, Batch):
            if recorded.params:
                self._take_params(cursor, recorded.params, outcome)
            if recorded.metrics:
                outcome.points += recorded.metrics
            for tag in recorded.tags:
                outcome.tags[tag.key] = tag.value
                if tag.key == RUN_NAME_TAG:
                    outcome.name, outcome.changed = tag.value, True
        elif isinstance(recorded, TagRemoval):
            outcome.tags[recorded.key] = None
        elif isinstance(recorded, InputsUse):
            for used in recorded.inputs:
                self._add_input(cursor, outcome.number, outcome.experiment, used)
        else:
            raise TypeError(f"cannot replay {recorded!r}: expected a Batch, RunChange, TagRemoval or InputsUse")

    def _take_params(self, cursor: Cursor, params: tuple[Param, ...], outcome: _Outcome) -> None:
        before = outcome.params
        if before is None:
            cursor.execute(self._texts.params_of_run, (outcome.number,))
            before = outcome.params = dict(cursor.fetchall())
        added: dict[str, str] = {}
        for param in params:
            if param.key not in before:
                added.setdefault(param.key, param.value)
        error = param_conflict(outcome.run_id, {**before, **added} if added else before, params)
        if error is not None:
            raise error
        before.update(added)
        outcome.new_params += [(outcome.number, key, value, param_number(value)) for key, value in added.items()]

    def _write_outcome(self, cursor: Cursor, outcome: _Outcome) -> None:
        number = outcome.number
        if outcome.new_params:
            cursor.executemany(self._texts.insert_param, outcome.new_params)
        gone = [key for key, value in outcome.tags.items() if value is None]
        if gone:
            cursor.executemany(self._texts.delete_tag, [(number, key) for key in gone])
        kept = [(number, key, value) for key, value in outcome.tags.items() if value is not None]
        if kept:
            cursor.executemany(self._texts.set_tag, kept)
        if outcome.changed:
            deleted_time = now_ms() if outcome.stage == DELETED else None
            values = (outcome.name, outcome.status, outcome.end_time, outcome.stage, deleted_time, number)
            cursor.execute(self._texts.update_run, values)


def _change(change: RunChange, outcome: _Outcome) -> None:
    """Change a run as `update_run` does."""
    stage = str(change.lifecycle_stage or outcome.stage)
    if change == RunChange(lifecycle_stage=change.lifecycle_stage) and stage == outcome.stage:
        return
    if stage == outcome.stage == DELETED:
        outcome.check_active()
    if change.run_name is not None:
        outcome.name = outcome.tags[RUN_NAME_TAG] = change.run_name
    if change.status is not None:
        outcome.status = str(change.status)
    if change.end_time is not None or change.status is RunStatus.RUNNING:
        outcome.end_time = change.end_time
    outcome.stage, outcome.changed = stage, True
