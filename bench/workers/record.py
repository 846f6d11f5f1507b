"""What a call of `log_metric` costs the job that makes it, on SQLite: microseconds of each call, then how many go in a second.

Of our own side also the same bytes by a bare, unbuffered `file.write`, in turns with the calls.
"""

import importlib
import json
import statistics
import sys
import time
from pathlib import Path

mlflow = importlib.import_module(sys.argv[1])
calls = int(sys.argv[2])
is_ours = sys.argv[1] == "mlcore"
mlflow.set_tracking_uri("sqlite:///record.db")
clock = time.perf_counter_ns
FRAME = b"x" * 39  # head, numbers and the key `loss`


def timed(first: int) -> list[float]:
    """Microseconds of each call, as a training loop makes them: with something else between."""
    taken = []
    log = mlflow.log_metric
    for step in range(first, first + calls):
        begun = clock()
        log("loss", 1.0 / (step + 1), step=step)
        taken.append((clock() - begun) / 1000)
        if step % 100 == 0:
            time.sleep(0.002)
    return taken


def bare() -> list[float]:
    taken = []
    with Path("bare").open("ab", buffering=0) as file:
        write = file.write
        for step in range(calls):
            begun = clock()
            write(FRAME)
            taken.append((clock() - begun) / 1000)
            if step % 100 == 0:
                time.sleep(0.002)
    return taken


def per_second(points: int, record) -> float:
    begun = time.perf_counter()
    record()
    return points / (time.perf_counter() - begun)


told = {}
with mlflow.start_run() as run:
    timed(0)
    found = timed(calls)
    told["p50_us"], told["p99_us"] = statistics.median(found), statistics.quantiles(found, n=100)[98]
    if is_ours:
        told["bare_us"] = statistics.median(bare())
    mlflow.flush_async_logging()
    values = {f"m{i}": float(i) for i in range(100)}
    mlflow.log_metrics(values, step=0)
    many = 2000 if is_ours else 5

    def batches() -> None:
        for step in range(1, many + 1):
            mlflow.log_metrics(values, step=step)

    def singles() -> None:
        for step in range(2 * calls, 2 * calls + many * 20):
            mlflow.log_metric("loss", 1.0, step=step)

    told["batch_per_second"] = per_second(many * 100, batches)
    mlflow.flush_async_logging()
    told["single_per_second"] = per_second(many * 20, singles)
    mlflow.flush_async_logging()
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
    assert len(history) == 2 * calls + many * 20, f"points are missing: {len(history)}"
print(json.dumps(told))
