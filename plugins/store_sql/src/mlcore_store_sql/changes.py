"""Which runs have changed, by the numbers that `schema_changes` tells of."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlcore.entities import Changes
from mlcore_store_sql.dialects import Cursor
from mlcore_store_sql.part import Part, number_of

# experiment and number up to which all is known; of what came in pieces, also the last run of that number
_KNOWN = re.compile(r"([0-9]{1,19})\.([0-9]{1,18})(?:\.([0-9]{1,18}))?")
_NOTHING = (-1, 0)
_EVERY_RUN = 2**63 - 1

Known = tuple[int, int]


class ChangesPart(Part):
    """The store's method that tells what has changed."""

    def changes(self, experiment_ids: tuple[str, ...], since: str | None, limit: int) -> Changes:
        """Return what has happened to the runs of some experiments since a cursor."""
        experiments = [number for number in map(number_of, dict.fromkeys(experiment_ids)) if number is not None]
        before = None if since is None else _known(since)
        with self._db.read() as cursor:
            if not self._moved_on(cursor, experiments):
                return self._changes(cursor, experiments, before, limit)
        with self._db.write() as cursor:
            for experiment, number in self._moved_on(cursor, experiments):
                cursor.execute(self._texts.set_change_number, (experiment, number))
            return self._changes(cursor, experiments, before, limit)

    def _moved_on(self, cursor: Cursor, experiments: Sequence[int]) -> list[tuple[int, int]]:
        """Return the numbers that experiments need before their changes can be told, of those that have others."""
        found = []
        for experiment in experiments:
            latest = self._latest(cursor, experiment)
            cursor.execute(self._texts.change_number, (experiment,))
            ((number,),) = cursor.fetchall()
            if latest >= number:
                found.append((experiment, latest + 1))
        return found

    def _changes(
        self, cursor: Cursor, experiments: Sequence[int], before: dict[int, Known] | None, limit: int
    ) -> Changes:
        told: dict[int, Known] = {}
        run_ids: list[str] = []
        more = False
        running = 0
        for experiment in experiments:
            cursor.execute(self._texts.count_running, (experiment,))
            ((going_on,),) = cursor.fetchall()
            running += going_on
            latest = (self._latest(cursor, experiment), _EVERY_RUN)
            told[experiment] = latest
            if before is None:
                continue
            known = before.get(experiment, _NOTHING)
            if known > latest:  # of another database
                known = _NOTHING
            room = limit - len(run_ids)
            cursor.execute(self._texts.changes, (experiment, known[0], *known, room + 1))
            found = cursor.fetchall()
            if len(found) > room:
                more = True
                found = found[:room]
                told[experiment] = (found[-1][1], found[-1][2]) if found else known
            run_ids += [run_id for run_id, _, _ in found]
        return Changes(_cursor(told), tuple(run_ids), more, running)

    def _latest(self, cursor: Cursor, experiment: int) -> int:
        cursor.execute(self._texts.latest_change, (experiment,))
        ((latest,),) = cursor.fetchall()
        return latest or 0


def _cursor(told: dict[int, Known]) -> str:
    parts = []
    for experiment, (number, run) in told.items():
        if number >= 0:
            parts.append(f"{experiment}.{number}" + (f".{run}" if run != _EVERY_RUN else ""))
    return "_".join(parts) or "-"


def _known(cursor: str) -> dict[int, Known]:
    """Return what a cursor remembers, by experiment; of one that is none, nothing."""
    found = [_KNOWN.fullmatch(part) for part in cursor.split("_")]
    return {int(one[1]): (int(one[2]), int(one[3]) if one[3] else _EVERY_RUN) for one in found if one is not None}
