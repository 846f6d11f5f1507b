"""MLflow saves two models and loads two of ours; the last line it prints is what all four said.

Written for MLflow 1.30 to 3.x and Python 3.8: run as `python mlflow_models.py FOLDER OURS`.
"""

import json
import os
import pathlib
import sys
import warnings

import mlflow
import mlflow.pyfunc
import mlflow.sklearn
from mlflow.models import Model, infer_signature
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore")
os.chdir(sys.argv[1])
ours = pathlib.Path(sys.argv[2])
sys.path.insert(0, str(ours / "own"))
from tripling import Tripled  # noqa: E402  # a module that the test wrote

features, target = load_wine(return_X_y=True, as_frame=True)
few = features.iloc[::40]
linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(features, target)
pip = {"pip_requirements": ["scikit-learn"]}  # else MLflow looks for them, which takes long
code = "code_path" if mlflow.__version__.startswith("1.") else "code_paths"
signature = infer_signature(features, linear.predict(features))
mlflow.sklearn.save_model(linear, "linear", signature=signature, input_example=few, **pip)
mlflow.pyfunc.save_model(
    "tripled",
    python_model=Tripled(),
    artifacts={"factor": str(ours / "own" / "factor.txt")},
    signature=infer_signature(few, few["alcohol"]),
    input_example=few,
    **{code: [str(ours / "own" / "tripling.py")]},
    **pip,
)


def predicted(path):
    """Predict for the example of a model; None when this environment's libraries cannot read its file."""
    try:
        model = mlflow.pyfunc.load_model(path)
    except ModuleNotFoundError as err:
        if "numpy._core" in str(err):  # pickled with numpy 2
            return None
        raise
    return [float(value) for value in model.predict(Model.load(path).load_input_example(path))]


print()
print(
    json.dumps(
        {
            "theirs": {name: predicted(name) for name in ("linear", "tripled")},
            "ours": {name: predicted(str(ours / name)) for name in ("linear", "tripled")},
        }
    )
)
