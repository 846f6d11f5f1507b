"""Record on SQLite: single `log_metric` calls, or batches of 1,000 points; calls or points per second."""

import importlib
import json
import sys
import time

mlflow = importlib.import_module(sys.argv[1])
kind, count = sys.argv[2], int(sys.argv[3])
mlflow.set_tracking_uri("sqlite:///recording.db")
KEYS = [f"metric_{i}" for i in range(10)]


def single(first: int, calls: int) -> None:
    for step in range(first, first + calls):
        mlflow.log_metric("loss", 1.0 / (step + 1), step=step)


def batches(first: int, calls: int) -> None:
    from_module = importlib.import_module(f"{sys.argv[1]}.entities")
    client = mlflow.MlflowClient()
    now = int(time.time() * 1000)
    for batch in range(first, first + calls):
        points = [from_module.Metric(KEYS[i % 10], float(i), now + i, batch * 100 + i // 10) for i in range(1000)]
        client.log_batch(run.info.run_id, metrics=points)


with mlflow.start_run() as run:
    record = single if kind == "single" else batches
    record(0, 3)
    wall, cpu = time.perf_counter(), time.process_time()
    record(3, count)
    mlflow.flush_async_logging()  # both sides: until it is in the store
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    per_call = 1 if kind == "single" else 1000
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss" if kind == "single" else KEYS[0])
    assert len(history) == (count + 3) * (1 if kind == "single" else 100), "points are missing"
print(json.dumps({"per_second": count * per_call / wall, "per_cpu_second": count * per_call / cpu}))
