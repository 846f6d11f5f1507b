"""What a user of MLflow's Python client does, in its own process with whatever MLflow that has; prints what it saw.

Written for MLflow 1.30 to 3.x and Python 3.8: run as `python mlflow_client.py TRACKING_URI`.
"""

import json
import os
import sys
import tempfile
import time

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

MAJOR = int(mlflow.__version__.split(".")[0])


def main(uri):
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    seen = {"version": mlflow.__version__}
    name = "flow-" + mlflow.__version__
    for step in (experiments, fluent, by_client, search, artifacts, models, registry):
        seen[step.__name__] = step(client, name)
    print(json.dumps(seen))


def experiments(client, name):
    mlflow.set_experiment(name)
    found = client.get_experiment_by_name(name)
    client.set_experiment_tag(found.experiment_id, "team", "red")
    other = client.create_experiment(name + "-other", tags={"a": "b"})
    client.rename_experiment(other, name + "-renamed")
    client.delete_experiment(other)
    deleted = client.get_experiment(other).lifecycle_stage
    client.restore_experiment(other)
    try:
        client.create_experiment(name)
        twice = "made"
    except MlflowException as err:
        twice = err.error_code
    names = [e.name for e in client.search_experiments(filter_string="name LIKE 'flow-%'")]
    return {
        "twice": twice,
        "deleted": deleted,
        "restored": client.get_experiment(other).lifecycle_stage,
        "names": sorted(n for n in names if n.startswith(name)),
        "tags": dict(client.get_experiment(found.experiment_id).tags),
        "missing": client.get_experiment_by_name("no such thing"),
    }


def fluent(client, name):
    with mlflow.start_run(run_name="first") as run:
        mlflow.log_param("depth", 3)
        mlflow.log_params({"lr": 0.1, "kind": "tree"})
        for step in range(5):
            mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
        mlflow.log_metrics({"auc": 0.75, "nan": float("nan"), "inf": float("inf")})
        mlflow.set_tag("mood", "good")
        mlflow.set_tags({"a": "1", "b": "2"})
        with mlflow.start_run(nested=True) as child:
            mlflow.log_metric("loss", 9)
    try:
        client.log_param(run.info.run_id, "depth", 4)
        conflict = "stored"
    except MlflowException as err:
        conflict = err.error_code
    try:
        with mlflow.start_run():
            {}["broken on purpose"]
    except KeyError:
        pass
    got = client.get_run(run.info.run_id)
    return {
        "conflict": conflict,
        "status": got.info.status,
        "params": got.data.params,
        "loss": got.data.metrics["loss"],
        "is_nan": got.data.metrics["nan"] != got.data.metrics["nan"],
        "mood": got.data.tags["mood"],
        "run_name": got.data.tags["mlflow.runName"],
        "parent": client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == run.info.run_id,
        "history": [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "loss")],
    }


def by_client(client, name):
    from mlflow.entities import Metric, Param, RunTag

    experiment = client.get_experiment_by_name(name)
    run = client.create_run(experiment.experiment_id, tags={"made": "by client"})
    now = int(time.time() * 1000)
    metrics = [Metric("m%d" % (i % 7), float(i), now, i) for i in range(1000)]
    client.log_batch(run.info.run_id, metrics=metrics)
    client.log_batch(
        run.info.run_id,
        params=[Param("p%d" % i, str(i)) for i in range(100)],
        tags=[RunTag("t%d" % i, str(i)) for i in range(100)],
    )
    client.delete_tag(run.info.run_id, "t7")
    client.set_terminated(run.info.run_id, status="KILLED")
    client.delete_run(run.info.run_id)
    deleted = client.get_run(run.info.run_id).info.lifecycle_stage
    client.restore_run(run.info.run_id)
    got = client.get_run(run.info.run_id)
    try:
        client.get_run("0" * 32)
        unknown = "found"
    except MlflowException as err:
        unknown = err.error_code
    return {
        "deleted": deleted,
        "status": got.info.status,
        "counts": [len(got.data.metrics), len(got.data.params), "t7" in got.data.tags],
        "last": got.data.metrics["m6"],
        "unknown": unknown,
    }


def search(client, name):
    experiment = client.get_experiment_by_name(name)
    pages, token = [], None
    for i in range(7):
        run = client.create_run(experiment.experiment_id, tags={"page": "yes", "mlflow.runName": "p%d" % i})
        client.log_metric(run.info.run_id, "rank", float(i))
    while True:
        page = client.search_runs(
            [experiment.experiment_id],
            filter_string="tags.page = 'yes' and metrics.rank >= 1",
            order_by=["metrics.rank DESC"],
            max_results=2,
            page_token=token,
        )
        pages.append([run.data.metrics["rank"] for run in page])
        token = page.token
        if not token:
            break
    failed = client.search_runs([experiment.experiment_id], filter_string="attributes.status = 'FAILED'")
    try:
        client.search_runs([experiment.experiment_id], filter_string="nonsense ~ 3")
        bad = "fine"
    except MlflowException as err:
        bad = err.error_code
    frame = mlflow.search_runs([experiment.experiment_id], filter_string="params.kind = 'tree'")
    return {"pages": [p for p in pages if p], "failed": len(failed), "bad": bad, "frame": len(frame)}


def artifacts(client, name):
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "notes/a.txt")
        mlflow.log_dict({"a": [1, 2]}, "notes/b.json")
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "deep", "er"))
            for path in ("one.bin", "deep/two.bin", "deep/er/\u00fc three.bin"):
                with open(os.path.join(folder, path), "wb") as out:
                    out.write(os.urandom(1000))
            with open(os.path.join(folder, "big.bin"), "wb") as out:
                out.write(b"x" * 5_000_000)
            mlflow.log_artifacts(folder, "files")
    listed = sorted(f.path for f in client.list_artifacts(run.info.run_id, "files"))
    sizes = {f.path: f.file_size for f in client.list_artifacts(run.info.run_id, "files") if not f.is_dir}
    with tempfile.TemporaryDirectory() as folder:
        if MAJOR < 2:
            got = client.download_artifacts(run.info.run_id, "", folder)
        else:
            got = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="", dst_path=folder)
        with open(os.path.join(got, "notes", "a.txt"), encoding="utf-8") as text:
            content = text.read()
        found = sorted(
            os.path.relpath(os.path.join(where, file), got) for where, _, files in os.walk(got) for file in files
        )
    return {
        "uri": run.info.artifact_uri.split("/")[0],
        "listed": listed,
        "big": sizes["files/big.bin"],
        "content": content,
        "found": found,
    }


class Doubler(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [2 * x for x in model_input]


def models(client, name):
    with mlflow.start_run() as run:
        if MAJOR < 3:
            mlflow.pyfunc.log_model("model", python_model=Doubler(), pip_requirements=["cloudpickle"])
            uri = "runs:/%s/model" % run.info.run_id
        else:
            uri = mlflow.pyfunc.log_model(
                name="model", python_model=Doubler(), pip_requirements=["cloudpickle"]
            ).model_uri
    loaded = mlflow.pyfunc.load_model(uri)
    return {"predicted": list(loaded.predict([1, 2])), "files": len(client.list_artifacts(run.info.run_id, "model"))}


def registry(client, name):
    model = "model-" + mlflow.__version__
    with mlflow.start_run() as run:
        mlflow.log_text("x", "model/MLmodel")
        uri = run.info.artifact_uri + "/model"
    client.create_registered_model(model, tags={"a": "b"}, description="about")
    versions = [client.create_model_version(model, uri, run.info.run_id).version for _ in range(3)]
    client.transition_model_version_stage(model, "1", "Production")
    client.transition_model_version_stage(model, "2", "Production", archive_existing_versions=True)
    client.set_model_version_tag(model, "3", "k", "v")
    client.update_model_version(model, "3", description="third")
    client.delete_model_version(model, "1")
    out = {
        "versions": [str(v) for v in versions],
        "latest": sorted((v.current_stage, str(v.version)) for v in client.get_latest_versions(model)),
        "production": [str(v.version) for v in client.get_latest_versions(model, ["Production"])],
        "search": [str(v.version) for v in client.search_model_versions("name = '%s'" % model)],
        "tags": dict(client.get_model_version(model, "3").tags),
        "description": client.get_model_version(model, "3").description,
        "named": [m.name for m in client.search_registered_models("name = '%s'" % model)],
        "download": client.get_model_version_download_uri(model, "3").split(":")[0],
    }
    if MAJOR >= 2:
        client.set_registered_model_alias(model, "champion", "2")
        out["alias"] = str(client.get_model_version_by_alias(model, "champion").version)
        client.delete_registered_model_alias(model, "champion")
    client.rename_registered_model(model, model + "-new")
    client.delete_registered_model(model + "-new")
    try:
        client.get_registered_model(model + "-new")
        out["gone"] = "found"
    except MlflowException as err:
        out["gone"] = err.error_code
    return out


if __name__ == "__main__":
    main(sys.argv[1])
