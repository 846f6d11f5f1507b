"""Search 10,000 runs."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from measure import Row, Side, less, worker

RUNS = 10_000


def search(pair: tuple[Side, Side]) -> list[Row]:
    """Filter on a metric, a param and a tag, order by a metric, first 100; both sides must find the same."""
    answers: list[dict[str, float]] = []
    for side, repeats in zip(pair, (30, 10), strict=True):
        with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as folder:
            filled = worker(side, "fill", str(RUNS), cwd=Path(folder))
            answers.append(worker(side, "search", str(int(filled["experiment_id"])), str(repeats), cwd=Path(folder)))
    ours, theirs = answers
    if ours["digest"] != theirs["digest"] or ours["found"] != 100:
        sys.exit(f"error: the two sides found different runs: {answers}")
    return [
        less(f"search_runs, {RUNS} runs, first 100", "s", [ours["wall"]], [theirs["wall"]], 10),
        less(f"search_runs, {RUNS} runs, first 100", "CPU s", [ours["cpu"]], [theirs["cpu"]], 10),
        less("search_runs, first call of a process", "s", [ours["first"]], [theirs["first"]]),
    ]
