"""Runs of 50 metrics and 50 params in a directory: mlcore's file store and MLflow's."""

from __future__ import annotations

from measure import Row, Side, at_most, less, more, worker

RUNS = 10_000
PEERS_RUNS = 300  # MLflow's makes a hundred files for each, and reads all of them for every search


def file_store(pair: tuple[Side, Side]) -> list[Row]:
    """Fill, make the index again, and search.

    MLflow's store has no index: its searches take time in proportion to the runs. It is measured with fewer, and the
    same number on our side stands beside it.
    """
    many = worker(pair[0], "file_store", str(RUNS), "15")
    few = [worker(side, "file_store", str(PEERS_RUNS), "5") for side in pair]
    size = f"{PEERS_RUNS} runs"
    return [
        at_most(f"file store, {RUNS:,} runs: first page, warm", "s", [many["page"]], 0.1),
        at_most(f"file store, {RUNS:,} runs: first page, new process", "s", [many["cold"]], 2),
        Row(f"file store, {RUNS:,} runs: filtered, ordered, warm", "s", many["filtered"], None, None, None),
        at_most("file store, index made again, ms per run (2,000/s)", "ms", [1000 / many["rebuild"]], 0.5),
        Row("file store, index made again", "runs/CPU s", many["rebuild_cpu"], None, None, None),
        more("file store, runs recorded", "runs/s", [few[0]["fill"]], [few[1]["fill"]], 5),
        less(f"file store, {size}: first page, warm", "s", [few[0]["page"]], [few[1]["page"]], 10),
        less(f"file store, {size}: filtered, ordered", "s", [few[0]["filtered"]], [few[1]["filtered"]], 10),
    ]
