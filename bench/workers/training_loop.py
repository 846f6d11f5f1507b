"""Train by `partial_fit`, and record 100 metrics a step with one tool; print what recording adds to a step, in ms.

Blocks of steps with and without recording take turns, so that both meet the same machine. Afterwards the run ends; what
had been put off until then counts in `whole_ms`. Each tool records in the way its documentation shows for many metrics of
one step: into SQLite (mlcore, MLflow), its own folder (Aim), or offline (Weights & Biases).
"""

import json
import struct
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import SGDClassifier

name, count = sys.argv[1], int(sys.argv[2])
BLOCK, METRICS, ROWS, COLUMNS = 20, 100, 2000, 100
HERE = str(Path.cwd())
KEYS = [f"layer_{i // 10}/weight_{i % 10}" for i in range(METRICS)]


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

    kept = []

    def end():
        run.close()

    def before_end():  # afterwards its reader finds nothing
        kept.append(sum(len(metric.values.sparse_list()[0]) for metric in run.metrics()))

    def stored():
        return kept[0]

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
        from wandb.proto.wandb_internal_pb2 import Record

        found = (Record.FromString(whole) for file in Path("wandb").rglob("*.wandb") for whole in logged(file))
        return sum(
            item.nested_key[0].startswith("layer_") if item.nested_key else item.key.startswith("layer_")
            for record in found
            if record.WhichOneof("record_type") == "history"
            for item in record.history.item
        )


def logged(path):
    """The records of a file in the log format of LevelDB: blocks of 32 KiB, in them parts with checksum, size and kind."""
    data, at, whole = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, size, kind = struct.unpack_from("<IHB", data, at)
        whole, at = whole + data[at + 7 : at + 7 + size], at + 7 + size
        if kind in (1, 4):  # all of a record, or its last part
            yield whole
            whole = b""


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
if name == "aim":
    before_end()
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
