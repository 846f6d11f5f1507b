"""Fill `search.db` with runs: ours through its client, MLflow's by inserts into the tables that it made itself.

MLflow's own client needs about ten minutes for 10,000 such runs; what is measured is the search.
"""

import importlib
import json
import sqlite3
import sys
import uuid
from pathlib import Path

from search_data import runs

COUNT = int(sys.argv[2])
mlflow = importlib.import_module(sys.argv[1])
mlflow.set_tracking_uri("sqlite:///search.db")
client = mlflow.MlflowClient()
experiment_id = client.create_experiment("search")


def fill_by_client() -> None:
    entities = importlib.import_module("mlcore.entities")
    for name, start, params, metrics, tags in runs(COUNT):
        run = client.create_run(experiment_id, start_time=start, run_name=name, tags=tags)
        client.log_batch(
            run.info.run_id,
            params=[entities.Param(k, v) for k, v in params.items()],
            metrics=[entities.Metric(k, v, start, 0) for k, v in metrics.items()],
        )
        client.set_terminated(run.info.run_id, end_time=start + 500)


def fill_by_insert() -> None:
    database = sqlite3.connect("search.db")
    root = Path.cwd() / "mlruns" / experiment_id
    with database:
        for name, start, params, metrics, tags in runs(COUNT):
            run_id = uuid.uuid4().hex
            database.execute(
                "insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,"
                " end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
                " values (?, ?, 'UNKNOWN', '', '', 'bench', 'FINISHED', ?, ?, '', 'active', ?, ?)",
                (run_id, name, start, start + 500, f"{root}/{run_id}/artifacts", int(experiment_id)),
            )
            database.executemany("insert into params values (?, ?, ?)", [(k, v, run_id) for k, v in params.items()])
            points = [(k, v, start, run_id) for k, v in metrics.items()]
            database.executemany(
                'insert into metrics ("key", value, timestamp, run_uuid, step, is_nan) values (?, ?, ?, ?, 0, 0)',
                points,
            )
            database.executemany(
                'insert into latest_metrics ("key", value, timestamp, run_uuid, step, is_nan) values (?, ?, ?, ?, 0, 0)',
                points,
            )
            named = {**tags, "mlflow.runName": name}
            database.executemany("insert into tags values (?, ?, ?)", [(k, v, run_id) for k, v in named.items()])
    database.close()


fill_by_client() if sys.argv[1] == "mlcore" else fill_by_insert()
print(json.dumps({"experiment_id": int(experiment_id)}))
