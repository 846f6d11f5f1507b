"""Search 10,000 runs."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from measure import Row, Side, less, worker

RUNS = 10_000
FILTERS = ("metric", "metric, param, tag")


def search(pair: tuple[Side, Side]) -> list[Row]:
    """Filter, order by a metric, first 100; both sides must find the same runs in the same order.

    Both databases are as their owners leave them. The last line gives MLflow's what it does not do itself, an
    ANALYZE, which changes SQLite's plans.
    """
    with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as folder:
        places = [Path(folder) / side.module for side in pair]
        ids = []
        for side, place in zip(pair, places, strict=True):
            place.mkdir()
            ids.append(str(int(worker(side, "fill", str(RUNS), cwd=place)["experiment_id"])))

        def ask(index: int, name: str) -> dict[str, float]:
            repeats = "30" if index == 0 else "7"
            return worker(pair[index], "search", ids[index], name, repeats, cwd=places[index])

        rows: list[Row] = []
        for name in FILTERS:
            rows += _compare(name, ask(0, name), ask(1, name))
        with closing(sqlite3.connect(places[1] / "search.db")) as database:
            database.execute("analyze")
        ours, theirs = ask(0, FILTERS[-1]), ask(1, FILTERS[-1])
        return [*rows, less("search_runs, theirs after ANALYZE", "s", [ours["wall"]], [theirs["wall"]])]


def _compare(name: str, ours: dict[str, float], theirs: dict[str, float]) -> list[Row]:
    if ours["digest"] != theirs["digest"] or ours["found"] != 100:
        sys.exit(f"error: the two sides found different runs: {ours}, {theirs}")
    return [
        less(f"search_runs by {name}", "s", [ours["wall"]], [theirs["wall"]], 10),
        less(f"search_runs by {name}", "CPU s", [ours["cpu"]], [theirs["cpu"]], 10),
        less("search_runs, first call of a process", "s", [ours["first"]], [theirs["first"]]),
    ]
