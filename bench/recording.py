"""Import, program start, first metric, single metrics, batches."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import Row, Side, alternate, at_most, cost_of, less, more, worker

RSS = """
import sys
for name in sys.argv[1:]:
    __import__(name)
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmRSS")))
"""


# Ours and theirs. CPU seconds differ little between turns, and each of MLflow's takes seconds, on a busy machine ten.
TURNS = (9, 2)


def imports(pair: tuple[Side, Side]) -> Iterator[Row]:
    """Import in a fresh interpreter, gross and net of a bare one; memory; the program's `--version`."""
    here = Path(tempfile.gettempdir())

    def cpu(*code: str) -> list[list[float]]:
        return alternate(
            pair, TURNS, lambda s: cost_of([s.python, "-I", "-c", *[c.format(s.module) for c in code]], here).cpu
        )

    bare, imported = cpu("pass"), cpu("import {}")
    net = [
        [max(value - statistics.median(b), 0.0005) for value in side] for side, b in zip(imported, bare, strict=True)
    ]
    yield less("import, gross", "CPU s", imported[0], imported[1], 30)
    yield less("import, net of a bare interpreter", "CPU s", net[0], net[1], 30)
    started = cpu("import {0}; {0}.start_run")
    yield less("import and the fluent API's first name", "CPU s", started[0], started[1])
    grown = [_rss(side) for side in pair]
    yield at_most("memory of import above bare", "MB", [grown[0]], 15)
    yield less("memory of import above bare", "MB", [max(grown[0], 0.01)], [grown[1]])
    versions = alternate(pair, TURNS, lambda side: cost_of([side.program, "--version"], here).cpu)
    yield less("--version", "CPU s", versions[0], versions[1], 20)


def _rss(side: Side) -> float:
    """MB that the import adds to a bare interpreter; the median of three."""

    def kilobytes(*modules: str) -> int:
        return int(subprocess.check_output([str(side.python), "-I", "-c", RSS, *modules], text=True).split()[-1])

    return statistics.median((kilobytes(side.module) - kilobytes()) / 1024 for _ in range(3))


def first_metric(pair: tuple[Side, Side]) -> list[Row]:
    """Time to the first logged metric in a fresh process on a fresh store."""
    answers: dict[str, list[dict[str, float]]] = {side.module: [] for side in pair}

    def measure(side: Side) -> float:
        answers[side.module].append(worker(side, "first_metric"))
        return 0.0

    alternate(pair, TURNS, measure)
    ours, theirs = (answers[side.module][1:] for side in pair)
    return [
        less("first metric, fresh process and store", "CPU s", [a["cpu"] for a in ours], [a["cpu"] for a in theirs], 8),
        less("first metric, wall", "s", [a["wall"] for a in ours], [a["wall"] for a in theirs]),
    ]


def metrics(pair: tuple[Side, Side]) -> list[Row]:
    """Single calls and batches of 1,000."""
    rows = []
    for kind, unit, counts in (("single", "calls", (5000, 400)), ("batch", "points", (30, 5))):
        answers: list[list[dict[str, float]]] = [[], []]
        for _ in range(3):
            for index, side in enumerate(pair):
                answers[index].append(worker(side, "recording", kind, str(counts[index])))
        name = "log_metric on SQLite" if kind == "single" else "log_batch of 1,000 on SQLite"
        for key, per in (("per_second", "s"), ("per_cpu_second", "CPU s")):
            rows.append(more(name, f"{unit}/{per}", [a[key] for a in answers[0]], [a[key] for a in answers[1]], 10))
    return rows
