"""A small scikit-learn model is logged to a run, as both packages do it by default, with signature and environment.

MLflow finds the requirements out by loading the model in another process; mlcore asks the flavor which packages it needs.
"""

import importlib
import json
import resource
import sys
import time

from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

mlflow = importlib.import_module(sys.argv[1])
flavor = importlib.import_module("mlflow.sklearn") if sys.argv[1] == "mlflow" else mlflow.sklearn
frame, target = load_diabetes(return_X_y=True, as_frame=True)
model = Ridge().fit(frame, target)
signature = importlib.import_module(f"{sys.argv[1]}.models").infer_signature(frame, model.predict(frame))
mlflow.set_tracking_uri("sqlite:///fresh.db")
mlflow.set_experiment("models")


def cpu_seconds():
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


with mlflow.start_run():
    mlflow.log_metric("loss", 1.0)  # what opening the store costs is no part of it
    started, before = time.perf_counter(), cpu_seconds()
    flavor.log_model(model, name="model", signature=signature)
    print(json.dumps({"wall": time.perf_counter() - started, "cpu": cpu_seconds() - before}))
