"""Many runs and long curves, copied inside of the server's SQLite file: through a client they would take minutes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from mlcore.entities import Metric, Param
from mlcore.testing.live_server import LiveServer
from mlcore.tracking.client import Client

START_MS = 1_700_000_000_000
_KEYS = {"params": 10, "metrics": 6, "tags": 5}


def many_runs(server: LiveServer, count: int) -> str:
    """Record an experiment of *count* runs that have ended, with 10 params, 6 metrics and 5 tags each; return its id."""
    client = Client(server.store_uri)
    experiment_id = client.create_experiment("many")
    run = client.create_run(experiment_id, START_MS, {f"t{at}": "v" for at in range(_KEYS["tags"])}, "run-0")
    client.log_batch(
        run.info.run_id,
        metrics=[Metric(f"m{at}", 0.5, START_MS, 0) for at in range(_KEYS["metrics"])],
        params=[Param(f"p{at}", "v0") for at in range(_KEYS["params"])],
    )
    client.set_terminated(run.info.run_id, end_time=START_MS + 500)
    client.close()
    _multiply(server.directory / "mlcore.db", run.info.run_id, count)
    return experiment_id


def _multiply(path: Path, run_id: str, count: int) -> None:
    with closing(sqlite3.connect(path, timeout=60)) as database, database:
        [(first,)] = database.execute("SELECT id FROM mlcore_runs WHERE run_id = ?", (run_id,))
        database.execute(
            "WITH RECURSIVE n(at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < ? - 1)"
            " INSERT INTO mlcore_runs (run_id, experiment, name, user_id, status, start_time, end_time, artifact_uri,"
            " lifecycle_stage, deleted_with_experiment) SELECT lower(hex(randomblob(16))), experiment, 'run-' || at, user_id,"
            " status, start_time + at * 60000, end_time + at * 60000, artifact_uri, lifecycle_stage, 0"
            " FROM mlcore_runs, n WHERE id = ?",
            (count, first),
        )
        others = "FROM mlcore_runs r JOIN mlcore_runs f ON f.experiment = r.experiment AND f.id = ? AND r.id != f.id"
        for statement in (
            f"INSERT INTO mlcore_params SELECT r.id, p.key, 'v' || (r.id * 7 % 5), NULL {others} JOIN mlcore_params p ON p.run = f.id",
            f"INSERT INTO mlcore_tags SELECT r.id, t.key, t.value {others} JOIN mlcore_tags t ON t.run = f.id",
            "INSERT INTO mlcore_metrics SELECT r.id, m.key, m.step, m.timestamp, (r.id * (7919 + m.key) % 10007) / 10007.0, 0"
            f" {others} JOIN mlcore_metrics m ON m.run = f.id",
            "INSERT INTO mlcore_latest_metrics SELECT m.run, m.key, m.step, m.timestamp, m.value, 0, m.value, m.value, 1"
            f" {others} JOIN mlcore_metrics m ON m.run = r.id",
            f"INSERT INTO mlcore_changes SELECT r.id, r.experiment, c.number {others} JOIN mlcore_changes c ON c.run = f.id",
        ):
            database.execute(statement, (first,))
        database.execute("ANALYZE")


def long_curves(server: LiveServer, runs: int, steps: int) -> tuple[str, tuple[str, ...]]:
    """Record an experiment of runs with a curve of `loss` each; return its id and those of the runs."""
    client = Client(server.store_uri)
    experiment_id = client.create_experiment("curves")
    made = [client.create_run(experiment_id, START_MS, run_name=f"run-{at}").info.run_id for at in range(runs)]
    client.log_batch(made[0], metrics=[Metric("loss", 1 / (1 + at), START_MS + at, at) for at in range(steps)])
    for run_id in made:
        client.set_terminated(run_id, end_time=START_MS + steps)
    client.close()
    with closing(sqlite3.connect(server.directory / "mlcore.db", timeout=60)) as database, database:
        [(first,)] = database.execute("SELECT id FROM mlcore_runs WHERE run_id = ?", (made[0],))
        others = "FROM mlcore_runs r JOIN mlcore_runs f ON f.experiment = r.experiment AND f.id = ? AND r.id != f.id"
        database.execute(
            "INSERT INTO mlcore_metrics SELECT r.id, m.key, m.step, m.timestamp, m.value + (r.id % 100) * 0.01"
            f" + abs(random() % 1000) / 20000.0, 0 {others} JOIN mlcore_metrics m ON m.run = f.id",
            (first,),
        )
        database.execute(
            "INSERT INTO mlcore_latest_metrics SELECT r.id, m.key, m.step, m.timestamp, m.value, 0, m.min, m.max, m.count"
            f" {others} JOIN mlcore_latest_metrics m ON m.run = f.id",
            (first,),
        )
    return experiment_id, tuple(made)
