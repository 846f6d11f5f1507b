"""Fill a file store, make its index again, and search it, on one side: module, runs, repeats."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

KEYS = 50
FILTER = "metrics.metric_7 > 100 AND params.param_5 = '3' AND tags.team = 'b'"
ORDER = ["metrics.metric_9 DESC"]


def main(module: str, runs: int, repeats: int) -> None:
    """Print one line of numbers."""
    root = Path("runs").absolute()
    side = ours if module == "mlcore" else theirs
    print(json.dumps(side(root, runs, repeats)))


def ours(root: Path, runs: int, repeats: int) -> dict[str, float]:
    """Measure mlcore."""
    from mlcore_store_file.store import FileStore

    from mlcore.entities import Batch, Metric, NewRun, Param, RunChange, RunQuery, RunStatus, RunTag
    from mlcore.wire.filter_parser import parse_run_filter, parse_run_order

    store = FileStore.open(root)
    began = time.perf_counter()
    for number in range(runs):
        run_id = f"{number:032x}"
        store.create_run(NewRun("0", run_id, "n", "u", 1_700_000_000_000 + number))
        metrics = tuple(Metric(f"metric_{key}", number * key / 7, 1_700_000_000_000, 1) for key in range(KEYS))
        params = tuple(Param(f"param_{key}", str(number % (key + 1))) for key in range(KEYS))
        store.log_batch(run_id, Batch(metrics, params, (RunTag("team", "ab"[number % 2]),)))
        store.update_run(run_id, RunChange(status=RunStatus.FINISHED, end_time=1_700_000_000_001))
    filled = time.perf_counter() - began
    store.close()
    shutil.rmtree(root / ".index", ignore_errors=True)
    newest = RunQuery(("0",), max_results=100)
    filtered = RunQuery(("0",), parse_run_filter(FILTER), parse_run_order(tuple(ORDER)), max_results=100)
    rebuild, cpu = _timed(lambda: store.search_runs(newest))
    store.close()
    again = FileStore.open(root)
    cold, _ = _timed(lambda: again.search_runs(newest))
    return {
        "fill": runs / filled,
        "rebuild": runs / rebuild,
        "rebuild_cpu": runs / cpu,
        "cold": cold,
        "page": _median(lambda: again.search_runs(newest), repeats),
        "filtered": _median(lambda: again.search_runs(filtered), repeats),
    }


def theirs(root: Path, runs: int, repeats: int) -> dict[str, float]:
    """Measure MLflow's file store, which has no index."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    from mlflow.entities import Metric, Param, RunStatus, RunTag
    from mlflow.entities.view_type import ViewType
    from mlflow.store.tracking.file_store import FileStore

    store = FileStore(str(root))
    began = time.perf_counter()
    for number in range(runs):
        run = store.create_run("0", "u", 1_700_000_000_000 + number, [], "n")
        metrics = [Metric(f"metric_{key}", number * key / 7, 1_700_000_000_000, 1) for key in range(KEYS)]
        params = [Param(f"param_{key}", str(number % (key + 1))) for key in range(KEYS)]
        store.log_batch(run.info.run_id, metrics, params, [RunTag("team", "ab"[number % 2])])
        store.update_run_info(run.info.run_id, RunStatus.FINISHED, 1_700_000_000_001, None)
    filled = time.perf_counter() - began

    def search(text: str, order: list[str]) -> object:
        return store.search_runs(["0"], text, ViewType.ACTIVE_ONLY, max_results=100, order_by=order)

    cold, _ = _timed(lambda: search("", []))
    return {
        "fill": runs / filled,
        "cold": cold,
        "page": _median(lambda: search("", []), repeats),
        "filtered": _median(lambda: search(FILTER, ORDER), repeats),
    }


def _timed(call: Callable[[], object]) -> tuple[float, float]:
    began, used = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - began, time.process_time() - used


def _median(call: Callable[[], object], repeats: int) -> float:
    return statistics.median(_timed(call)[0] for _ in range(repeats))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
