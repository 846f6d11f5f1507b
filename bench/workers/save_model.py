"""Train a model of 10 columns on measurements of diabetes patients; save it with its signature into `model`.

`model.joblib` is the same model for servers that know no signatures.
"""

import importlib
import json
import sys

import joblib
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

sklearn_flavor = importlib.import_module(f"{sys.argv[1]}.sklearn") if sys.argv[1] == "mlflow" else None
mlflow = importlib.import_module(sys.argv[1])
frame, target = load_diabetes(return_X_y=True, as_frame=True)
model = Ridge().fit(frame, target)
signature = importlib.import_module(f"{sys.argv[1]}.models").infer_signature(frame, model.predict(frame))
mlflow.sklearn.save_model(model, "model", signature=signature)
joblib.dump(model, "model.joblib")
print(json.dumps({"prediction": float(model.predict(frame[:1])[0])}))
