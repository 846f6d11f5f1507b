"""The pages in a browser: what first looks, sorting, filtering, charts, scrolling and idle tabs cost, beside MLflow's.

`MLCORE_BENCH_RUNS` makes the table and the curves smaller, to try the benchmark itself.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from browsing import Spent, Tab, chromium
from measure import Row, Side, at_most, less, worker
from page_journeys import Journeys, Ours, Theirs
from pages_series import run_ids
from pages_table import FILTER
from tracking_server import Running, running_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RUNS = int(os.environ.get("MLCORE_BENCH_RUNS", "10000"))
CURVES, STEPS = 100, RUNS
TURNS = (3, 2)  # theirs takes minutes
PIXELS, FAR_PIXELS, FRAMES = 240, 1250, 240  # eight rows in a frame; all 10,000 rows within four seconds
IDLE_S = 20
FASTER, SMALLER = 10, 50
# KB as in the budgets: a thousand bytes
LOOK_BYTES, LOOK_REQUESTS, LOOK_MS = 120_000, 35, 400
CHART_BYTES, CHART_MS = 400_000, 400
SERVER_MS, FRAME_MS, IDLE_REQUESTS, IDLE_BYTES = 100, 12, IDLE_S / 5, 2000
LOOK, SORT, CHOOSE, OPEN, CHART = (
    f"first look at {RUNS:,} runs",
    "sort by a metric",
    "filter",
    "open a run",
    f"chart of {CURVES} runs with {STEPS:,} steps",
)


class Costs:
    """What the journeys of one side have cost, turn by turn."""

    def __init__(self) -> None:
        """Begin without any."""
        self.spent: dict[str, list[Spent]] = {}
        self.server_ms: dict[str, list[float]] = {}
        self.outside = 0

    def of(self, name: str, what: str) -> list[float]:
        """Return a number of all turns: `main_ms`, `bytes` or `requests`."""
        return [float(getattr(one, what)) for one in self.spent[name]]


def pages_browser(pair: tuple[Side, Side]) -> Iterator[Row]:
    """Fill both stores, start both servers, and go the same ways through both pages, in turns."""
    with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as folder:
        places = [Path(folder, side.module) for side in pair]
        found: list[tuple[str, str]] = []
        for side, place in zip(pair, places, strict=True):
            place.mkdir()
            runs = worker(side, "fill", str(RUNS), cwd=place)["experiment_id"]
            curves = worker(side, "fill_curves", str(CURVES), str(STEPS), cwd=place)["experiment_id"]
            found.append((str(int(runs)), str(int(curves))))
        yield from filled(pair, places, found)


def filled(pair: tuple[Side, Side], places: list[Path], found: list[tuple[str, str]]) -> Iterator[Row]:
    """Measure stores that are there: `search.db` in *places*, with experiments of many runs and of long curves."""
    with ExitStack() as running:
        options = ((), ("--workers", "1"))
        servers = [running.enter_context(running_server(*one)) for one in zip(pair, places, options, strict=True)]
        curves = [run_ids(server, ids[1]) for server, ids in zip(servers, found, strict=True)]
        ours = Ours(servers[0].port, *found[0], curves[0])
        theirs = Theirs(servers[1].port, *found[1], curves[1])
        browser = running.enter_context(chromium())
        costs = _journeys(browser, ours, theirs, servers)
        yield from _rows(*costs)
        yield from _scrolling(browser, ours, theirs)
        yield from _idle(browser, ours, theirs)


def _journeys(browser: Browser, ours: Ours, theirs: Theirs, servers: list[Running]) -> tuple[Costs, Costs]:
    prepared = Tab(browser)
    theirs.show_all(prepared.page)
    kept = (None, prepared.storage())
    prepared.close()
    costs = (Costs(), Costs())
    for turn in range(max(TURNS)):
        for index, side in enumerate((ours, theirs)):
            if turn < TURNS[index]:
                print(f"pages_browser: turn {turn + 1}, {type(side).__name__.lower()}", file=sys.stderr, flush=True)
                _turn(browser, side, kept[index], servers[index], costs[index])
    return costs


def _turn(browser: Browser, side: Journeys, kept: object, server: Running, into: Costs) -> None:
    tab = Tab(browser)
    ways = {LOOK: side.table, SORT: side.sort, CHOOSE: lambda page: side.filter(page, FILTER), OPEN: side.run}
    for name, way in ways.items():
        before = server.cpu_s
        into.spent.setdefault(name, []).append(tab.spent(way))
        into.server_ms.setdefault(name, []).append((server.cpu_s - before) * 1000)
    into.outside += len(tab.outside)
    tab.close()
    tab = Tab(browser, kept)
    into.spent.setdefault(CHART, []).append(tab.spent(side.chart))
    into.outside += len(tab.outside)
    tab.close()


def _rows(ours: Costs, theirs: Costs) -> Iterator[Row]:
    for name in ours.spent:
        most = {LOOK: LOOK_MS, CHART: CHART_MS}.get(name)
        if most:
            yield at_most(name, "main thread ms", ours.of(name, "main_ms"), most)
        yield less(name, "main thread ms", ours.of(name, "main_ms"), theirs.of(name, "main_ms"), FASTER)
        if name in (LOOK, CHART):
            yield at_most(name, "bytes", ours.of(name, "bytes"), LOOK_BYTES if name == LOOK else CHART_BYTES)
        yield less(name, "bytes", ours.of(name, "bytes"), theirs.of(name, "bytes"), SMALLER if name == LOOK else None)
        requests = [statistics.median(one.of(name, "requests")) for one in (ours, theirs)]
        yield Row(name, "requests", requests[0], requests[1], None, LOOK_REQUESTS if name == LOOK else None)
    for name in (SORT, CHOOSE):
        cpu_ms = [statistics.fmean(one.server_ms[name]) for one in (ours, theirs)]  # counted in hundredths of a second
        yield Row(name, "server CPU ms", cpu_ms[0], cpu_ms[1], None, SERVER_MS)
    yield Row("asked of other machines", "requests", ours.outside, theirs.outside, None, 0)


def _scrolling(browser: Browser, ours: Ours, theirs: Theirs) -> Iterator[Row]:
    found: list[list[float]] = []
    for side, pixels in ((ours, PIXELS), (theirs, PIXELS), (ours, FAR_PIXELS)):
        tab = Tab(browser)
        tab.spent(side.table)
        found.append(tab.frames(side.GRID, pixels, FRAMES))
        tab.close()
    for name, values in (("median", statistics.median), ("slowest of 20", _slow)):
        target = FRAME_MS if values is _slow else None
        yield Row(
            f"scrolling, a frame of eight rows, {name}",
            "main thread ms",
            values(found[0]),
            values(found[1]),
            None,
            target,
        )
    yield Row(
        "flight over all rows, a frame, median", "main thread ms", statistics.median(found[2]), None, None, FRAME_MS
    )
    yield Row("flight over all rows, a frame, slowest of 20", "main thread ms", _slow(found[2]), None, None, None)


def _slow(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _idle(browser: Browser, ours: Ours, theirs: Theirs) -> Iterator[Row]:
    found: list[list[Spent]] = [[], []]
    for index, side in enumerate((ours, theirs)):
        for hidden in (False, True):
            tab = Tab(browser)
            tab.spent(side.table)
            found[index].append(tab.idle(IDLE_S, hidden=hidden))
            tab.close()
    for at, name in enumerate((f"a tab left alone for {IDLE_S} s", f"a hidden tab, {IDLE_S} s")):
        mine, other = found[0][at], found[1][at]
        yield Row(name, "requests", mine.requests, other.requests, None, 0 if at else IDLE_REQUESTS)
        yield Row(name, "bytes", mine.bytes, other.bytes, None, 0 if at else IDLE_BYTES)
        yield Row(name, "main thread ms", mine.main_ms, other.main_ms, None, None)
