"""Search `search.db` in the working directory: filter, order, first 100; the median of repeated calls in one process."""

import hashlib
import importlib
import json
import statistics
import sys
import time

from search_data import FILTERS, ORDER

mlflow = importlib.import_module(sys.argv[1])
experiment_id, text, repeats = sys.argv[2], FILTERS[sys.argv[3]], int(sys.argv[4])
mlflow.set_tracking_uri("sqlite:///search.db")
client = mlflow.MlflowClient()
walls, cpus = [], []
for _ in range(repeats + 1):
    wall, cpu = time.perf_counter(), time.process_time()
    page = client.search_runs([experiment_id], filter_string=text, order_by=ORDER, max_results=100)
    walls.append(time.perf_counter() - wall)
    cpus.append(time.process_time() - cpu)
    found = [run.info.run_name for run in page]
    assert all(len(run.data.params) == 10 and len(run.data.metrics) == 10 for run in page)
answer = {
    "wall": statistics.median(walls[1:]),
    "cpu": statistics.median(cpus[1:]),
    "first": walls[0],
    "found": len(found),
    "digest": int(hashlib.sha256(" ".join(found).encode()).hexdigest()[:12], 16),
}
print(json.dumps(answer))
