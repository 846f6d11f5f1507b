"""What a model says of itself is read where neither its flavor nor its library is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import mlcore
from mlcore.models.saving import save_model
from mlcore.tracking.session import current_session

GONE = ("sklearn", "skops", "scipy", "numpy", "pandas", "pyarrow", "joblib")

# an installation without the libraries, seen from inside: any import of them fails
BARE = f"""
import importlib.abc, json, sys

class Gone(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {GONE!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Gone())
from pathlib import Path
import mlcore
from mlcore.cli import main

uri = sys.argv[1]
info = mlcore.models.get_model_info(uri)
told = {{
    "flavors": sorted(info.flavors),
    "inputs": info.signature.inputs.to_dict(),
    "params": info.signature.params.to_dict(),
    "metadata": info.metadata,
    "requirements": Path(mlcore.pyfunc.get_model_dependencies(uri)).read_text(),
    "verified": mlcore.models.verify(uri).passed,
}}
Path("told.json").write_text(json.dumps(told))
for loading in (mlcore.pyfunc.load_model, mlcore.models.scan):
    try:
        loading(uri)
    except mlcore.errors.MlcoreError as err:
        Path(f"{{loading.__name__}}.txt").write_text(str(err))
sys.exit(main(["models", "show", uri, "--json"]))
"""


@pytest.mark.parametrize("place", ["path", "run", "registered"])
def test_a_model_is_described_and_verified_without_its_library(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1, 0, 3]})
    fitted = LinearRegression().fit(frame, frame.a + frame.b)
    signature = mlcore.models.infer_signature(frame, fitted.predict(frame), {"limit": 3})
    if place == "path":
        uri = str(tmp_path / "m")
        save_model(fitted, uri, signature=signature, metadata={"team": "a"})
    else:
        with mlcore.start_run():
            info = mlcore.log_model(
                fitted, name="m", signature=signature, metadata={"team": "a"}, registered_model_name="sums"
            )
        current_session().flush()
        uri = info.model_uri if place == "run" else "models:/sums/1"

    if place == "path":
        monkeypatch.setenv("MLCORE_DISABLE_PLUGINS", "mlcore-flavor-sklearn")

    done = subprocess.run([sys.executable, "-c", BARE, uri], capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "told.json").read_text())
    shown = json.loads(done.stdout.splitlines()[-1])
    assert told["flavors"] == ["python_function", "sklearn"]
    assert [column["name"] for column in told["inputs"]] == ["a", "b"]
    assert told["params"][0]["name"] == "limit"
    assert told["metadata"] == shown["metadata"] == {"team": "a"}
    assert "scikit-learn==" in told["requirements"]
    assert told["verified"] is True
    assert any(line.startswith("scikit-learn==") for line in shown["requirements"])
    missing = "mlcore-flavor-sklearn" if place == "path" else "pip install"
    assert missing in (tmp_path / "load_model.txt").read_text()
    assert "needs numpy: pip install 'mlcore-kernel[scan]'" in (tmp_path / "scan.txt").read_text()
