"""What MLflow's own client writes into file stores and sees in them, in its own process with whatever MLflow that has.

Written for MLflow 1.30 to 3.x and Python 3.9: `python mlruns_mlflow.py THEIRS OURS`. It fills the tree THEIRS, prints what it
sees in both, waits for a line, writes a little into OURS, and prints what it sees in both again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import mlflow
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.tracking import MlflowClient

MAJOR = int(mlflow.__version__.split(".")[0])
BIG = 1000


def main(theirs, ours):
    clients = [opened(place) for place in (theirs, ours)]
    use(clients[0])
    fill(clients[0], Path(theirs).parent)
    say(clients)
    sys.stdin.readline()
    change(clients[1])
    say(clients)


def opened(place):
    uri = Path(place).as_uri()
    client = MlflowClient(uri, **({"registry_uri": uri} if MAJOR > 1 else {}))
    client.uri = uri
    return client


def use(client):
    """MLflow's file registry asks the global URI for logged models."""
    mlflow.set_tracking_uri(client.uri)


def say(clients):
    seen = []
    for client in clients:
        use(client)
        seen.append(view(client))
    print(json.dumps({"version": mlflow.__version__, "theirs": seen[0], "ours": seen[1]}), flush=True)


def fill(client, folder):
    one = client.create_experiment("one", tags={"team": "a", "nested/tag": "ß\n"})
    client.create_experiment("elsewhere", artifact_location=(folder / "elsewhere").as_uri())
    run = client.create_run(one, start_time=1_600_000_000_123, tags={"mlflow.user": "ada", "a/b": "1", "empty": ""})
    run_id = run.info.run_id
    values = [0.1, float("nan"), float("inf"), float("-inf"), -0.0, 5e-324, 1.7976931348623157e308]
    client.log_batch(
        run_id,
        [Metric("loss", value, 1_700_000_000_000 + n, n - 3) for n, value in enumerate(values)]
        + [Metric("val/loss", 2.0, 5, 0), Metric("val/acc", 0.5, 5, 2**40)],
        [Param("lr", "0.1"), Param("model/depth", "3"), Param("text", "two\nlines, ß\r\n")],
        [RunTag("note", "x" * 100)],
    )
    file = folder / f"file-{MAJOR}.txt"
    file.write_text("content")
    client.log_artifact(run_id, str(file), "sub")
    client.set_terminated(run_id, "FAILED", end_time=1_700_000_001_000)
    scheduled = client.create_run(one)
    client.set_terminated(scheduled.info.run_id, "KILLED")
    client.delete_run(client.create_run(one, tags={"gone": "1"}).info.run_id)
    back = client.create_run(one).info.run_id
    client.delete_run(back)
    client.restore_run(back)
    for name in ("binned", "restored"):
        made = client.create_experiment(name)
        client.log_metric(client.create_run(made).info.run_id, "m", 1.0, 7, 1)
        client.delete_run(client.create_run(made).info.run_id)
        client.delete_experiment(made)
        if name == "restored":
            client.restore_experiment(made)
    client.rename_experiment(client.create_experiment("old name"), "new name")
    if MAJOR > 1:
        datasets_of(client, one, run_id)
        registry(client, run_id)
    if MAJOR > 2:
        logged(client, one, run_id)


def datasets_of(client, one, run_id):
    from mlflow.entities import Dataset, DatasetInput, InputTag

    iris = Dataset("iris", "d1", "local", '{"uri": "x"}', schema='{"s": 1}', profile='{"rows": 150}')
    use_of = DatasetInput(iris, [InputTag("mlflow.data.context", "train")])
    client.log_inputs(run_id, [use_of, DatasetInput(Dataset("wine", "d2", "http", "{}"), [])])
    client.log_inputs(client.create_run(one).info.run_id, [use_of])


def registry(client, run_id):
    client.create_registered_model("net", tags={"k": "v"}, description="what it is")
    client.create_registered_model("empty one")
    source = client.get_run(run_id).info.artifact_uri + "/sub"
    for number in range(3):
        client.create_model_version("net", source, run_id, tags={"n": str(number)}, description=f"d{number}")
    client.transition_model_version_stage("net", "1", "Production")
    client.transition_model_version_stage("net", "2", "Production", archive_existing_versions=True)
    client.set_registered_model_alias("net", "best", "2")
    client.set_registered_model_alias("net", "worst", "3")
    client.delete_model_version("net", "3")
    client.create_model_version("net", source, run_id)
    client.update_model_version("net", "1", "changed")
    client.create_registered_model("before")
    client.create_model_version("before", source, run_id)
    client.rename_registered_model("before", "after")


def logged(client, one, run_id):
    from mlflow.entities import LoggedModelInput, LoggedModelOutput

    made = client.create_logged_model(one, "cnn", run_id, tags={"t": "1"}, params={"p": "2"}, model_type="agent")
    client.finalize_logged_model(made.model_id, "READY")
    points = [
        Metric("acc", 0.5, 5, 1, model_id=made.model_id, dataset_name="iris", dataset_digest="d1", run_id=run_id),
        Metric("acc", 0.6, 6, 2, model_id=made.model_id, dataset_name="iris", dataset_digest="d1", run_id=run_id),
        Metric("acc", 0.7, 5, 1, model_id=made.model_id, run_id=run_id),
    ]
    client.log_batch(run_id, points)
    client.log_outputs(run_id, [LoggedModelOutput(made.model_id, 3)])
    client.log_inputs(run_id, models=[LoggedModelInput(made.model_id)])
    gone = client.create_logged_model(one, "gone")
    client.delete_logged_model(gone.model_id)


def change(client):
    """What MLflow does to a tree that mlcore wrote."""
    use(client)
    one = client.get_experiment_by_name("one")
    runs = client.search_runs([one.experiment_id], "tags.note = 'n'")
    run_id = runs[0].info.run_id
    for step in range(50):  # while mlcore does the same
        client.log_metric(run_id, "both", 0.5, 1_700_000_000_000, step)
    client.log_metric(run_id, "loss", 0.25, 1_700_000_009_999, 99)
    client.set_tag(run_id, "by", "mlflow")
    client.set_tag(run_id, "mlflow.runName", "renamed by mlflow")
    client.log_param(run_id, "late", "1")
    client.delete_tag(run_id, "empty")
    client.create_run(one.experiment_id, tags={"made": "by mlflow"})
    client.restore_experiment(client.get_experiment_by_name("binned").experiment_id)
    client.delete_experiment(client.get_experiment_by_name("elsewhere").experiment_id)
    if MAJOR > 1:
        client.create_model_version("net", "s3://b/new", run_id)
        client.set_registered_model_alias("net", "best", "1")


def view(client):
    found = {}
    ids = []
    for each in client.search_experiments(view_type=ViewType.ALL):
        ids.append(each.experiment_id)
        found[each.name] = {
            "id": each.experiment_id,
            "location": each.artifact_location,
            "stage": each.lifecycle_stage,
            "times": [each.creation_time, each.last_update_time],
            "tags": each.tags,
        }
    runs = {run.info.run_id: run_view(client, run) for run in client.search_runs(ids, "", ViewType.ALL, BIG)}
    seen = {"experiments": found, "runs": runs}
    if MAJOR > 1:
        seen["models"] = {model.name: model_view(client, model) for model in client.search_registered_models()}
    if MAJOR > 2:
        seen["logged"] = {each.model_id: logged_view(each) for each in client.search_logged_models(ids)}
    return seen


def run_view(client, run):
    info = run.info
    names = (
        "experiment_id",
        "run_name",
        "user_id",
        "status",
        "start_time",
        "end_time",
        "artifact_uri",
        "lifecycle_stage",
    )
    seen = {name: getattr(info, name) for name in names}
    seen["params"], seen["tags"] = run.data.params, run.data.tags
    seen["latest"] = {key: repr(value) for key, value in run.data.metrics.items()}
    seen["histories"] = {
        key: sorted([p.timestamp, p.step, repr(p.value)] for p in client.get_metric_history(info.run_id, key))
        for key in run.data.metrics
    }
    seen["found by id"] = client.get_run(info.run_id).info.status
    if MAJOR > 1:
        seen["inputs"] = sorted(
            [
                u.dataset.name,
                u.dataset.digest,
                u.dataset.source_type,
                u.dataset.source,
                u.dataset.schema,
                u.dataset.profile,
                *sorted([tag.key, tag.value] for tag in u.tags),
            ]
            for u in run.inputs.dataset_inputs
        )
    if MAJOR > 2:
        seen["models read"] = sorted(each.model_id for each in run.inputs.model_inputs or [])
        seen["models made"] = sorted([each.model_id, each.step] for each in run.outputs.model_outputs or [])
    return seen


def model_view(client, model):
    versions = {
        each.version: [
            each.source,
            each.run_id or "",
            each.current_stage,
            each.description or "",
            each.status,
            dict(each.tags),
            sorted(each.aliases),
            [each.creation_timestamp, each.last_updated_timestamp],
        ]
        for each in client.search_model_versions(f"name = '{model.name}'")
    }
    return {
        "description": model.description or "",
        "tags": dict(model.tags),
        "aliases": {alias: str(version) for alias, version in model.aliases.items()},
        "latest": sorted([each.current_stage, str(each.version)] for each in model.latest_versions),
        "times": [model.creation_timestamp, model.last_updated_timestamp],
        "versions": {str(number): told for number, told in versions.items()},
    }


def logged_view(model):
    metrics = [
        [m.key, repr(m.value), m.timestamp, m.step, m.run_id, m.dataset_name or "", m.dataset_digest or ""]
        for m in model.metrics or []
    ]
    return {
        "name": model.name,
        "experiment": model.experiment_id,
        "location": model.artifact_location,
        "times": [model.creation_timestamp, model.last_updated_timestamp],
        "status": str(model.status),
        "type": model.model_type or "",
        "source run": model.source_run_id or "",
        "params": dict(model.params or {}),
        "tags": dict(model.tags or {}),
        "metrics": sorted(metrics),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
