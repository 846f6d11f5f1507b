"""What all parts of the store share."""

from __future__ import annotations

import time

from mlcore.errors import InvalidStateError, NotFoundError
from mlcore_store_sql.database import Database
from mlcore_store_sql.dialects import Cursor
from mlcore_store_sql.places import Places

ACTIVE, DELETED = "active", "deleted"


class Part:
    """A part of the store: methods of one topic over a shared database."""

    def __init__(self, database: Database, places: Places) -> None:
        """Work on *database*, with artifacts below *places*."""
        self._db = database
        self._places = places
        self._texts = database.texts

    def _writable_run(self, cursor: Cursor, run_id: str) -> tuple[int, int]:
        """Return the numbers of an active run, which is about to be changed, and of its experiment.

        Raises NotFoundError: there is no such run. InvalidStateError: it is deleted.
        """
        cursor.execute(self._texts.run_for_write, (run_id,))
        row = cursor.fetchone()
        if row is None:
            raise no_run(run_id)
        number, stage, experiment = row
        if stage != ACTIVE:
            raise InvalidStateError(
                f"the run {run_id!r} must be in the 'active' state, but it is {stage!r}; restore it first"
            )
        self._touch(cursor, number, experiment)
        return number, experiment

    def _touch(self, cursor: Cursor, run: int, experiment: int) -> None:
        """Note that a run changes."""
        cursor.execute(self._texts.touch_run, (run, experiment, experiment))

    def _writable_experiment(self, cursor: Cursor, experiment_id: str) -> tuple[int, str | None]:
        """Return the number of an active experiment and its stored location.

        Raises NotFoundError: there is no such experiment. InvalidStateError: it is deleted.
        """
        number = number_of(experiment_id)
        if number is not None:
            cursor.execute(self._texts.experiment_by_id, (number,))
            row = cursor.fetchone()
            if row is not None:
                location, stage = row[2:4]
                if stage == ACTIVE:
                    return number, location
                raise InvalidStateError(
                    f"the experiment {experiment_id!r} must be in the 'active' state, but it is {stage!r}; "
                    "restore it first"
                )
        raise no_experiment(experiment_id)


def now_ms() -> int:
    """Return the time, ms since the epoch."""
    return time.time_ns() // 1_000_000


def no_run(run_id: str) -> NotFoundError:
    """Return the error for a run that does not exist."""
    return NotFoundError(f"run with id={run_id!r} not found; search_runs() lists those that there are")


def no_experiment(experiment_id: str) -> NotFoundError:
    """Return the error for an experiment that does not exist."""
    return NotFoundError(
        f"no experiment with id={experiment_id!r} exists; search_experiments() lists those that there are"
    )


_GREATEST = 2**63 - 1  # what a column holds; the ids that a file store computes have up to 63 bits, too


def number_of(text: str) -> int | None:
    """Return the number that an id of an experiment or a version stands for; None when it cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    number = int(text)
    return number if number <= _GREATEST and str(number) == text else None
