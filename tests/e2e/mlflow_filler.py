"""Fill a store of MLflow's own, and print as JSON what MLflow itself reads back from it.

Written for MLflow 1.30 to 3.x and Python 3.8: run as `python mlflow_filler.py FOLDER TRACKING_URI...`.
"""

import json
import pathlib
import sys

import mlflow
from mlflow.entities import ViewType
from mlflow.tracking import MlflowClient

FOLDER, URIS = sys.argv[1], sys.argv[2:]
T0 = 1700000000000


def metric(key, value, timestamp, step):
    return mlflow.entities.Metric(key, value, timestamp, step)


def fill(client):
    wine = client.create_experiment("wine", tags={"team": "\u00fc"})
    gone = client.create_experiment("gone")
    parent = client.create_run(wine, start_time=T0, tags={"mlflow.user": "ann", "mlflow.runName": "parent"})
    run_id = parent.info.run_id
    odd = [float("nan"), float("inf"), -float("inf"), -1e300, 0.1 + 0.2]
    points = [metric("odd", value, T0 + i // 2, i // 3) for i, value in enumerate(odd)]
    points += [metric("loss/train", 1 / (i + 1), T0 + i, i) for i in range(150)]
    client.log_batch(run_id, metrics=points)
    for key, value in (("p", "1"), ("unicode", "\u65e5\u672c"), ("deep/path", "x" * 200)):
        client.log_param(run_id, key, value)
    client.set_tag(run_id, "note", "two\nlines: 'x'")
    path = pathlib.Path(FOLDER) / "a b.txt"
    path.write_text("content", encoding="utf-8")
    client.log_artifact(run_id, str(path), "model/data")
    client.set_terminated(run_id, "FINISHED", end_time=T0 + 500)
    child = client.create_run(wine, start_time=T0 + 1, tags={"mlflow.parentRunId": run_id})
    client.log_metric(child.info.run_id, "m", 2.5, timestamp=T0, step=-3)
    client.set_terminated(child.info.run_id, "KILLED", end_time=T0 + 9)
    binned = client.create_run(wine, start_time=T0 + 2)
    client.set_terminated(binned.info.run_id, "FAILED", end_time=T0 + 3)
    client.delete_run(binned.info.run_id)
    client.create_run("0", start_time=T0 + 4)
    last = client.create_run(gone, start_time=T0 + 5)
    client.log_param(last.info.run_id, "a", "b")
    client.set_terminated(last.info.run_id, "FINISHED", end_time=T0 + 6)
    client.delete_experiment(gone)
    if HAS_REGISTRY:
        register(client, parent)


def register(client, run):
    client.create_registered_model("forest", tags={"owner": "ann"}, description="of trees")
    for _ in range(3):
        client.create_model_version("forest", run.info.artifact_uri + "/model", run.info.run_id, tags={"k": "v"})
    client.delete_model_version("forest", "2")
    client.transition_model_version_stage("forest", "3", "Production")
    if hasattr(client, "set_registered_model_alias"):
        client.set_registered_model_alias("forest", "champion", "3")


def experiments(client):
    if hasattr(client, "search_experiments"):
        return client.search_experiments(view_type=ViewType.ALL)
    return client.list_experiments(view_type=ViewType.ALL)


def read(client):
    found, runs = experiments(client), {}
    for each in found:
        for run in client.search_runs([each.experiment_id], run_view_type=ViewType.ALL):
            runs[run.info.run_id] = {
                "experiment": each.name,
                "user": run.info.user_id,
                "status": str(run.info.status),
                "start": run.info.start_time,
                "end": run.info.end_time,
                "stage": run.info.lifecycle_stage,
                "params": run.data.params,
                "tags": run.data.tags,
                "histories": {key: history(client, run, key) for key in run.data.metrics},
                "artifacts": sorted(files(client, run, "")),
            }
    return {
        "experiments": {each.name: {"stage": each.lifecycle_stage, "tags": each.tags} for each in found},
        "runs": runs,
        "models": {
            model.name: registered(client, model)
            for model in (client.search_registered_models() if HAS_REGISTRY else ())
        },
    }


def history(client, run, key):
    points = client.get_metric_history(run.info.run_id, key)
    return sorted(repr((point.timestamp, point.step, repr(point.value))) for point in points)


def files(client, run, folder):
    for each in client.list_artifacts(run.info.run_id, folder):
        if each.is_dir:
            yield from files(client, run, each.path)
        else:
            yield each.path


def registered(client, model):
    aliases = getattr(client.get_registered_model(model.name), "aliases", {})
    versions = client.search_model_versions(f"name = '{model.name}'")
    return {
        "description": model.description,
        "tags": model.tags,
        "aliases": {alias: str(number) for alias, number in aliases.items()},
        "versions": {
            str(each.version): {
                "stage": each.current_stage,
                "run": each.run_id,
                "tags": each.tags,
                "times": each.creation_timestamp,
            }
            for each in versions
        },
    }


for uri in URIS:
    mlflow.set_tracking_uri(uri)
    # the first releases keep registered models in databases only
    HAS_REGISTRY = uri.startswith("sqlite") or not mlflow.__version__.startswith("1.")
    chosen = MlflowClient()
    fill(chosen)
    print("READ BACK", json.dumps(read(chosen)))
