"""Train by `partial_fit`, and record 100 metrics a step with one tool; print what recording adds to a step, in ms.

Blocks of steps with and without recording take turns, so that both meet the same machine. Afterwards the run ends; what
had been put off until then counts in `whole_ms`. Each tool records in the way its documentation shows for many metrics of
one step: into SQLite (mlcore, MLflow), its own folder (Aim), or offline (Weights & Biases).
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import SGDClassifier

name, count = sys.argv[1], int(sys.argv[2])
BLOCK, METRICS, ROWS, COLUMNS = 20, 100, 2000, 100
HERE = str(Path.cwd())
KEYS = [f"layer_{i // 10}/weight_{i % 10}" for i in range(METRICS)]


def bytes_below(folder):
    """What those have kept whose files only they themselves can read; a byte for each point is the least."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


if name in ("mlcore", "mlflow"):
    import importlib

    tool = importlib.import_module(name)
    tool.set_tracking_uri("sqlite:///training.db")
    run = tool.start_run()

    def record(values, step):
        tool.log_metrics(values, step=step)

    def end():
        tool.end_run()

    def stored():
        client = tool.MlflowClient()
        return sum(len(client.get_metric_history(run.info.run_id, key)) for key in KEYS[::25]) * 25

elif name == "aim":
    import aim

    run = aim.Run(repo=HERE, system_tracking_interval=None, log_system_params=False, capture_terminal_logs=False)

    def record(values, step):
        run.track(values, step=step)

    def end():
        run.close()

    def stored():
        return bytes_below(".aim")

else:
    import wandb

    run = wandb.init(
        project="bench", mode="offline", settings=wandb.Settings(silent=True, console="off", x_disable_stats=True)
    )

    def record(values, step):
        run.log(values, step=step)

    def end():
        run.finish()

    def stored():
        return bytes_below("wandb")


random = np.random.default_rng(0)
model = SGDClassifier(loss="log_loss", random_state=0)
batches = [(random.normal(size=(ROWS, COLUMNS)), random.integers(0, 2, ROWS)) for _ in range(4)]


def block(first, is_recorded):
    wall, cpu = time.perf_counter(), time.process_time()
    for step in range(first, first + BLOCK):
        model.partial_fit(*batches[step % 4], classes=[0, 1])
        values = dict(zip(KEYS, model.coef_[0].tolist(), strict=True))
        if is_recorded:
            record(values, step)
    return time.perf_counter() - wall, time.process_time() - cpu


block(0, is_recorded=False)
block(0, is_recorded=True)  # connections, threads and caches are there from here on
bare, recorded = [0.0, 0.0], [0.0, 0.0]
for first in range(BLOCK, BLOCK + count, BLOCK):
    for total, is_recorded in ((bare, False), (recorded, True)):
        wall, cpu = block(first, is_recorded)
        total[0] += wall
        total[1] += cpu
started = time.perf_counter()
end()
ending = time.perf_counter() - started
assert stored() >= METRICS * (count + BLOCK), "points are missing"
ms = 1000 / count
print()
print(
    json.dumps(
        {
            "bare_ms": bare[0] * ms,
            "added_ms": (recorded[0] - bare[0]) * ms,
            "added_cpu_ms": (recorded[1] - bare[1]) * ms,
            "whole_ms": (recorded[0] - bare[0] + ending) * ms,
        }
    )
)
