"""Keep the index up to date with the journals, by looks that are cheap where nothing changed."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from mlcore.entities import Run
from mlcore.journal import SUFFIX
from mlcore_store_file.documents import document, input_rows, metric_rows, param_rows, stage_of, tag_rows
from mlcore_store_file.experiment_state import ExperimentState
from mlcore_store_file.experiments import Experiments
from mlcore_store_file.following import Tail
from mlcore_store_file.index import Index
from mlcore_store_file.part import Place
from mlcore_store_file.run_state import RunState
from mlcore_store_file.runs import Runs, stage_events

_SWEEP_S = 10.0
# Times of folders are as coarse as 2 s: one that changed within this time may change again without another time.
_SETTLED_S = 3.0
_AT_ONCE = 200
_IN_STATEMENT = 50  # rows; SQLite of old allows 999 values


class Indexer:
    """Bring the index up to date.

    Each look compares the times of the 256 folders of runs, and the sizes of the journals that somebody may still
    write. Every 10 s, and at the first look, all runs are looked at.
    """

    def __init__(self, place: Place, experiments: Experiments, runs: Runs, index: Index) -> None:
        """Keep *index* up to date."""
        self._place = place
        self._experiments = experiments
        self._runs = runs
        self._index = index
        self._swept: float | None = None

    def catch_up(self, experiment_ids: Sequence[str]) -> None:
        """Take in everything that is in the journals now.

        experiment_ids: whose deletion and restoration matter.
        """
        self._shards_seen: dict[str, int] = {}
        is_sweep = self._swept is None or time.monotonic() - self._swept > _SWEEP_S
        stale = self._changed_folders(is_sweep=is_sweep)
        stages = self._changed_stages(experiment_ids)
        gone = [folder for folder, there in stale.items() if not there]
        fresh = [folder for folder, there in stale.items() if there]
        for start in range(0, len(fresh), _AT_ONCE):
            with self._index.writing() as connection:
                self._take(connection, fresh[start : start + _AT_ONCE])
        if gone or stages or self._shards_seen:
            with self._index.writing() as connection:
                for folder in gone:
                    _forget(connection, folder)
                self._restage(connection, stages)
                connection.executemany("INSERT OR REPLACE INTO shards VALUES (?, ?)", self._shards_seen.items())
        if is_sweep:
            self._swept = time.monotonic()

    def start_again(self) -> None:
        """Look at everything next time: the index is another one."""
        self._swept = None

    def _changed_folders(self, *, is_sweep: bool) -> dict[str, bool]:
        """Return the folders of runs that have to be read, below `runs/`, and whether they are still there."""
        connection = self._index.connection
        stale: dict[str, bool] = {}
        known_shards: dict[str, int] = dict(connection.execute("SELECT name, mtime FROM shards").fetchall())
        for shard, mtime in _folders(self._place.layout.runs):
            if is_sweep or known_shards.get(shard) != mtime:
                stale.update(self._changed_in(shard))
                if _is_settled(mtime) and known_shards.get(shard) != mtime:
                    self._shards_seen[shard] = mtime
        condition = "" if is_sweep else " WHERE journals.settled = 0"
        journals = connection.execute(
            f"SELECT folder, name, size FROM journals JOIN runs ON runs.id = journals.run{condition}"  # noqa: S608 - one of two texts
        )
        root = str(self._place.layout.runs)
        for folder, name, size in journals:
            if folder not in stale:
                try:
                    if os.stat(f"{root}/{folder}/{name}").st_size != size:  # noqa: PTH116 - thousands of them
                        stale[folder] = True
                except OSError:
                    stale[folder] = Path(root, folder).is_dir()
        return stale

    def _changed_in(self, shard: str) -> dict[str, bool]:
        known: dict[str, int] = dict(
            self._index.connection.execute("SELECT folder, mtime FROM runs WHERE shard = ?", (shard,)).fetchall()
        )
        changed: dict[str, bool] = {}
        there = set()
        for name, mtime in _folders(self._place.layout.runs / shard):
            folder = f"{shard}/{name}"
            there.add(folder)
            if known.get(folder) != mtime:
                changed[folder] = True
        changed.update(dict.fromkeys(known.keys() - there, False))
        return changed

    def _take(self, connection: sqlite3.Connection, folders: list[str]) -> None:
        rows = _Rows()
        following = _following_number(connection)
        known = _numbers_of(connection, folders)
        experiments: dict[str, ExperimentState | None] = {}
        for folder in folders:
            place = f"{self._place.layout.runs}/{folder}"
            try:
                mtime = os.stat(place).st_mtime_ns  # noqa: PTH116 - thousands of them
            except OSError:
                continue
            mtime = mtime if _is_settled(mtime) else 0
            number = known.get(folder)
            if number is not None and _is_as_before(connection, number, place):
                connection.execute("UPDATE runs SET mtime = ? WHERE id = ? AND mtime <> ?", (mtime, number, mtime))
                continue
            found = self._runs.read(Path(place), keep=False)
            if number is not None:
                _forget(connection, folder)
            if found is None or found[1].new is None:
                continue
            tail, state = found
            if number is None:
                number, following = following, following + 1
            experiment_id = found[1].new.experiment_id
            if experiment_id not in experiments:
                experiments[experiment_id] = self._experiments.state(experiment_id)
            run = self._runs.shown(state, experiments[experiment_id])
            rows.add(number, folder, mtime, tail, (run, state))
        rows.write(connection)

    def _changed_stages(self, experiment_ids: Sequence[str]) -> dict[str, str]:
        known: dict[str, str] = dict(self._index.connection.execute("SELECT id, stages FROM experiments").fetchall())
        now: dict[str, str] = {}
        for experiment_id in dict.fromkeys(experiment_ids):
            state = self._experiments.state(experiment_id)
            if state is not None and state.stages:
                now[experiment_id] = json.dumps(sorted(state.stages))
        return {experiment_id: text for experiment_id, text in now.items() if known.get(experiment_id) != text}

    def _restage(self, connection: sqlite3.Connection, stages: dict[str, str]) -> None:
        for experiment_id, text in stages.items():
            events = stage_events(self._experiments.state(experiment_id))
            rows = connection.execute("SELECT id, document FROM runs WHERE experiment_id = ?", (experiment_id,))
            changes = [(stage_of(said, events).value, number) for number, said in rows.fetchall()]
            connection.executemany("UPDATE runs SET lifecycle_stage = ? WHERE id = ?", changes)
            connection.execute("INSERT OR REPLACE INTO experiments VALUES (?, ?)", (experiment_id, text))


class _Rows:
    """The rows of many runs, written together."""

    def __init__(self) -> None:
        self._runs: list[tuple[object, ...]] = []
        self._journals: list[tuple[object, ...]] = []
        self._metrics: list[tuple[object, ...]] = []
        self._params: list[tuple[object, ...]] = []
        self._tags: list[tuple[object, ...]] = []
        self._inputs: list[tuple[object, ...]] = []

    def add(self, number: int, folder: str, mtime: int, tail: Tail, found: tuple[Run, RunState]) -> None:
        run, state = found
        info = run.info
        self._runs.append(
            (
                number,
                folder,
                folder.partition("/")[0],
                mtime,
                info.run_id,
                info.experiment_id,
                info.lifecycle_stage.value,
                info.start_time,
                info.end_time,
                info.status.value,
                info.run_name,
                info.user_id,
                document(run, state),
            )
        )
        self._journals += [(number, name, size, settled) for name, (size, settled) in tail.sizes.items()]
        self._metrics += metric_rows(number, state.curves)
        self._params += param_rows(number, run)
        self._tags += tag_rows(number, run)
        self._inputs += input_rows(number, run)

    def write(self, connection: sqlite3.Connection) -> None:
        _insert(connection, "runs", self._runs)
        _insert(connection, "journals", self._journals)
        _insert(connection, "metrics", self._metrics)
        _insert(connection, "params", self._params)
        _insert(connection, "tags", self._tags)
        _insert(connection, "inputs", self._inputs)


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows, many by each statement: one by one would take nearly twice as long."""
    if not rows:
        return
    row = f"({', '.join('?' * len(rows[0]))})"
    for start in range(0, len(rows), _IN_STATEMENT):
        part = rows[start : start + _IN_STATEMENT]
        text = f"INSERT INTO {table} VALUES {', '.join([row] * len(part))}"  # noqa: S608 - names from above
        connection.execute(text, [*chain.from_iterable(part)])


def _following_number(connection: sqlite3.Connection) -> int:
    (greatest,) = connection.execute("SELECT max(id) FROM runs").fetchone()
    return (greatest or 0) + 1


def _numbers_of(connection: sqlite3.Connection, folders: Sequence[str]) -> dict[str, int]:
    """Return the numbers of those runs that are in the index."""
    places = ", ".join("?" * len(folders))
    found = connection.execute(f"SELECT folder, id FROM runs WHERE folder IN ({places})", folders)  # noqa: S608 - marks
    return dict(found.fetchall())


def _is_as_before(connection: sqlite3.Connection, number: int, place: str) -> bool:
    """Tell whether a run's journals have the sizes that they had."""
    known = dict(connection.execute("SELECT name, size FROM journals WHERE run = ?", (number,)).fetchall())
    try:
        with os.scandir(place) as listing:
            now = {each.name: each.stat().st_size for each in listing if each.name.endswith(SUFFIX)}
    except OSError:
        return False
    return now == known


def _forget(connection: sqlite3.Connection, folder: str) -> None:
    row = connection.execute("SELECT id FROM runs WHERE folder = ?", (folder,)).fetchone()
    if row is None:
        return
    for table in ("journals", "metrics", "params", "tags", "inputs"):
        connection.execute(f"DELETE FROM {table} WHERE run = ?", row)  # noqa: S608 - names from the line above
    connection.execute("DELETE FROM runs WHERE id = ?", row)


def _folders(place: Path) -> Iterator[tuple[str, int]]:
    """Yield name and time of change, in ns, of each folder in *place*."""
    try:
        with os.scandir(place) as listing:
            for each in listing:
                if each.is_dir():
                    yield each.name, each.stat().st_mtime_ns
    except OSError:
        return


def _is_settled(mtime_ns: int) -> bool:
    return time.time() - mtime_ns / 1e9 > _SETTLED_S
