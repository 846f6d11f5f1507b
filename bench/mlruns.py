"""Search a tree of MLflow's file store: mlcore and MLflow's own store, in processes of their own, CPU seconds.

    python bench/mlruns.py [--runs 1000] [--metrics 20]

MLflow is measured when `make peer` has made an environment with it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

from mlcore_store_file.mlruns import open_tracking

from mlcore.entities import Batch, Metric, NewRun, Param

PEER = Path(__file__).resolve().parent.parent / ".cache" / "peers" / "mlflow" / "bin" / "python"
OURS = """
import json, sys, time
from pathlib import Path
from mlcore.entities import RunQuery
from mlcore_store_file.mlruns import open_tracking
store = open_tracking(Path(sys.argv[1]), None)
def search():
    return len(store.search_runs(RunQuery(("0",), max_results=int(sys.argv[2]))).items)
"""
THEIRS = """
import json, sys, time
from mlflow.store.tracking.file_store import FileStore
store = FileStore(sys.argv[1])
def search():
    return len(store.search_runs(["0"], "", 1, max_results=int(sys.argv[2])))
"""
TIMED = """
spent = []
for _ in range(3):
    began = time.process_time()
    found = search()
    spent.append(time.process_time() - began)
print(json.dumps([found, *spent]))
"""


def main() -> None:
    """Make the tree, search it with both, print seconds of CPU and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--metrics", type=int, default=20)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "mlruns"
        make(root, wanted.runs, wanted.metrics)
        ours = measured(Path(sys.executable), OURS, root, wanted.runs)
        print(f"mlcore  first search {ours[0]:.3f} s, again {min(ours[1:]):.3f} s")
        if not PEER.exists():
            print("MLflow  not installed: make peer")
            return
        theirs = measured(PEER, THEIRS, root, wanted.runs)
        print(f"MLflow  first search {theirs[0]:.3f} s, again {min(theirs[1:]):.3f} s")
        print(f"ratio   first search {theirs[0] / ours[0]:.1f}, again {min(theirs[1:]) / min(ours[1:]):.1f}")


def make(root: Path, runs: int, metrics: int) -> None:
    """Fill a tree, in MLflow's layout."""
    store = open_tracking(root, None, writing=True)
    for number in range(runs):
        run_id = uuid.uuid4().hex
        store.create_run(NewRun("0", run_id, f"run-{number}", "u", number))
        points = tuple(Metric(f"m{key}", number + key / 7, 1_700_000_000_000 + key, key) for key in range(metrics))
        store.log_batch(run_id, Batch(points, tuple(Param(f"p{key}", str(key)) for key in range(5))))


def measured(python: Path, program: str, root: Path, runs: int) -> list[float]:
    """Return CPU seconds of three searches in one process."""
    done = subprocess.run(
        [str(python), "-c", program + TIMED, str(root), str(runs)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "MLFLOW_ALLOW_FILE_STORE": "true"},
    )
    found, *spent = json.loads(done.stdout.splitlines()[-1])
    if found != runs:
        raise SystemExit(f"found {found} of {runs} runs")
    return list(spent)


if __name__ == "__main__":
    main()
