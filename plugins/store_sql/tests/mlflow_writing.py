"""Run by MLflow's own Python: fill a database by MLflow's client, then print what that client reads of it.

Arguments: the directory to work in. MLflow 1.30 to 3.x; what a release does not have is left out.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def fill(client: Any, modern: bool) -> None:
    from mlflow.entities import Metric, Param, RunTag

    first = client.create_experiment("first", artifact_location="s3://bucket/first", tags={"team": "ß"})
    gone = client.create_experiment("gone")
    run = client.create_run(first, start_time=1_600_000_000_123, tags={"mlflow.user": "ada", "mlflow.runName": "calm"})
    run_id = run.info.run_id
    points = [Metric("loss", 1 / (step + 1), 1_600_000_000_000 + step // 3, step - 5) for step in range(50)]
    odd = [Metric("odd", value, 5, step) for step, value in enumerate((float("nan"), float("inf"), -1.5, float("nan")))]
    client.log_batch(run_id, points + odd, [Param("lr", "0.1"), Param("ü", "x" * 250)], [RunTag("t", "1\n2")])
    client.log_metric(run_id, "only nan", float("nan"), 7, 3)
    client.set_terminated(run_id, "FAILED", 1_600_000_009_999)
    client.create_run(first, start_time=1_600_000_000_124)
    deleted = client.create_run(first, start_time=5)
    client.delete_run(deleted.info.run_id)
    client.create_run(gone, start_time=6)
    client.delete_experiment(gone)
    if hasattr(client, "log_inputs"):
        use_datasets(client, run_id)
    register(client, run_id)
    if modern:
        log_models(client, first, run_id)


def use_datasets(client: Any, run_id: str) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    used = [
        DatasetInput(
            Dataset("d1", "abc", "local", '{"a": 1}', "schema", None), [InputTag("mlflow.data.context", "train")]
        ),
        DatasetInput(Dataset("d2", "def", "http", "{}"), []),
    ]
    client.log_inputs(run_id, used)


def register(client: Any, run_id: str) -> None:
    client.create_registered_model("model a", {"k": "v"}, "what it is")
    client.create_registered_model("empty")
    for number in range(4):
        client.create_model_version(
            "model a", f"s3://bucket/{number}", run_id, tags={"n": str(number)}, description=f"number {number}"
        )
    client.delete_model_version("model a", "2")
    client.transition_model_version_stage("model a", "1", "Production")
    client.transition_model_version_stage("model a", "3", "Staging")
    if hasattr(client, "set_registered_model_alias"):
        client.set_registered_model_alias("model a", "champion", "1")
        client.set_registered_model_alias("model a", "blue", "1")


def log_models(client: Any, experiment_id: str, run_id: str) -> None:
    from mlflow.entities import LoggedModelInput, LoggedModelOutput, Metric

    made = client.create_logged_model(
        experiment_id, name="forest", source_run_id=run_id, tags={"t": "1"}, params={"p": "2"}, model_type="Agent"
    )
    client.finalize_logged_model(made.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(made.model_id, step=3)])
    client.log_inputs(run_id, models=[LoggedModelInput(made.model_id)])
    client.log_batch(
        run_id, [Metric("acc", 0.5, 1, 1, model_id=made.model_id), Metric("acc", 0.7, 2, 2, model_id=made.model_id)]
    )


def told(client: Any, modern: bool) -> dict[str, Any]:
    from mlflow.entities import ViewType

    experiments = client.search_experiments(view_type=ViewType.ALL)
    ids = [each.experiment_id for each in experiments]
    runs = [client.get_run(run.info.run_id) for run in client.search_runs(ids, run_view_type=ViewType.ALL)]
    models = [client.get_registered_model(each.name) for each in client.search_registered_models()]
    return {
        "experiments": [
            [
                e.experiment_id,
                e.name,
                e.artifact_location,
                e.lifecycle_stage,
                e.creation_time,
                e.last_update_time,
                dict(e.tags),
            ]
            for e in experiments
        ],
        "runs": [told_run(client, run) for run in runs],
        "models": [
            [
                m.name,
                m.creation_timestamp,
                m.last_updated_timestamp,
                m.description or "",
                dict(m.tags),
                {alias: str(number) for alias, number in getattr(m, "aliases", {}).items()},
            ]
            for m in models
        ],
        "latest": {m.name: sorted([v.current_stage, str(v.version)] for v in m.latest_versions or []) for m in models},
        "versions": [told_version(v, m) for m in models for v in client.search_model_versions(f"name = '{m.name}'")],
        "logged": told_logged(client, ids) if modern else [],
    }


def told_run(client: Any, run: Any) -> dict[str, Any]:
    info = run.info
    fields = (info.run_id, info.experiment_id, info.run_name, info.user_id, info.status, info.start_time, info.end_time)
    inputs, outputs = getattr(run, "inputs", None), getattr(run, "outputs", None)
    return {
        "info": [*fields, info.artifact_uri, info.lifecycle_stage],
        "metrics": {key: repr(value) for key, value in run.data.metrics.items()},
        "params": dict(run.data.params),
        "tags": dict(run.data.tags),
        "curves": {
            key: sorted([p.timestamp, p.step, repr(p.value)] for p in client.get_metric_history(info.run_id, key))
            for key in run.data.metrics
        },
        "datasets": sorted(
            [
                [
                    used.dataset.name,
                    used.dataset.digest,
                    used.dataset.source_type,
                    used.dataset.source,
                    used.dataset.schema,
                    used.dataset.profile,
                    sorted([tag.key, tag.value] for tag in used.tags),
                ]
                for used in (inputs.dataset_inputs if inputs else ())
            ],
            key=str,
        ),
        "read": [used.model_id for used in getattr(inputs, "model_inputs", None) or ()],
        "made": [[made.model_id, made.step] for made in getattr(outputs, "model_outputs", None) or ()],
    }


def told_version(v: Any, model: Any) -> list[Any]:
    aliases = sorted(alias for alias, number in getattr(model, "aliases", {}).items() if str(number) == str(v.version))
    return [
        v.name,
        str(v.version),
        v.source,
        v.creation_timestamp,
        v.last_updated_timestamp,
        v.run_id,
        v.run_link or "",
        v.current_stage,
        v.status,
        v.status_message or "",
        v.description or "",
        dict(v.tags),
        aliases,
    ]


def told_logged(client: Any, ids: list[str]) -> list[Any]:
    return [
        [
            m.model_id,
            m.experiment_id,
            m.name,
            m.artifact_location,
            m.creation_timestamp,
            m.last_updated_timestamp,
            m.status.value,
            m.model_type,
            m.source_run_id,
            dict(m.params),
            dict(m.tags),
            sorted([p.key, p.step, p.timestamp, repr(p.value), p.run_id] for p in m.metrics or ()),
        ]
        for m in client.search_logged_models(experiment_ids=ids)
    ]


def main(directory: str) -> None:
    os.chdir(directory)
    import mlflow
    from mlflow.tracking import MlflowClient

    mlflow.set_tracking_uri(f"sqlite:///{directory}/mlflow.db")
    client = MlflowClient()
    modern = mlflow.__version__.startswith("3")
    fill(client, modern)
    Path("told.json").write_text(json.dumps(told(client, modern)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
