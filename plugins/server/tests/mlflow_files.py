"""What users of MLflow do with artifacts; runs under the Python of an MLflow client: `mlflow_files.py URL DIRECTORY`."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import mlflow
from mlflow.tracking import MlflowClient

NAMES = ["plain.txt", "empty", "sub/deep/er.bin", "with space.csv", "Grüße.txt", "MLmodel", "page.html"]


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def main(url, work):
    mlflow.set_tracking_uri(url)
    client = MlflowClient(url)
    source = work / "source"
    for name in NAMES:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(b"" if name == "empty" else name.encode() * 1000)
    large = work / "large.bin"
    large.write_bytes(os.urandom(12 * 2**20))
    seen = {"version": mlflow.__version__}
    with mlflow.start_run() as run:
        run_id = run.info.run_id
        mlflow.log_artifact(str(large), "big")
        mlflow.log_artifacts(str(source), "tree")
        mlflow.log_text("hello", "texts/hello.txt")
        mlflow.log_dict({"a": 1}, "texts/dict.json")
        seen["uri"] = mlflow.get_artifact_uri() == f"mlflow-artifacts:/0/{run_id}/artifacts"
        model = log_model()
    seen["root"] = [one.path for one in client.list_artifacts(run_id) if one.path not in ("model",)]
    seen["tree"] = {one.path: one.file_size for one in client.list_artifacts(run_id, "tree")}
    seen["of a file"] = client.list_artifacts(run_id, "tree/plain.txt")
    (work / "got").mkdir()
    got = Path(client.download_artifacts(run_id, "tree", str(work / "got")))
    seen["same tree"] = all(sha256(got / name) == sha256(source / name) for name in NAMES)
    one = client.download_artifacts(run_id, "big/large.bin", str(work / "got"))
    seen["same file"] = sha256(one) == sha256(large)
    try:
        client.download_artifacts(run_id, "missing", str(work / "got"))
        seen["missing"] = "found"
    except Exception:  # noqa: BLE001  # each release has its own
        seen["missing"] = "refused"
    client.log_artifact(run_id, str(source / "plain.txt"))
    seen["again"] = sha256(client.download_artifacts(run_id, "plain.txt", str(work / "got")))
    seen["model"] = [int(one) for one in mlflow.pyfunc.load_model(model).predict([1, 2, 3])]
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    get_artifact_repository(client.get_run(run_id).info.artifact_uri).delete_artifacts("tree")
    seen["deleted"] = [one.path for one in client.list_artifacts(run_id, "tree")]
    print(json.dumps(seen))


class Doubling(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [2 * one for one in model_input]


def log_model():
    name = {"name": "model"} if mlflow.__version__.startswith("3") else {"artifact_path": "model"}
    made = mlflow.pyfunc.log_model(python_model=Doubling(), pip_requirements=[], **name)
    return made.model_uri


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
