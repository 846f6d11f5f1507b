"""Write runs with one long curve each into `search.db` in the working directory; print the experiment's id."""

import importlib
import json
import random
import sqlite3
import sys

START = 1_700_000_000_000
module, runs, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
mlflow = importlib.import_module(module)
entities = importlib.import_module(f"{module}.entities")
mlflow.set_tracking_uri("sqlite:///search.db")
client = mlflow.MlflowClient()
experiment_id = client.create_experiment("curves")
rng = random.Random(7)
for number in range(runs):
    run_id = client.create_run(experiment_id, start_time=START, run_name=f"run-{number:03d}").info.run_id
    value, points = 1.0, []
    for step in range(steps):
        value = value * 0.9995 + rng.gauss(0, 0.01)
        points.append((value, START + 50 * step, step))
    if module == "mlcore":
        for start in range(0, steps, 1000):
            batch = [entities.Metric("loss", *point) for point in points[start : start + 1000]]
            client.log_batch(run_id, metrics=batch)
    else:  # by way of its client this takes minutes
        client.log_batch(run_id, metrics=[entities.Metric("loss", *points[-1])])
        with sqlite3.connect("search.db", timeout=60) as database:
            insert = (
                "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES ('loss', ?, ?, ?, ?, 0)"
            )
            database.executemany(insert, [(value, time, run_id, step) for value, time, step in points[:-1]])
        database.close()
print(json.dumps({"experiment_id": int(experiment_id)}))
