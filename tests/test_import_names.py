"""Names that classic code imports as modules, and for which there are no files."""

from __future__ import annotations

import subprocess
import sys

import pytest


def _run(code: str) -> subprocess.CompletedProcess[str]:
    # importing leaves something behind in the process
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    "code",
    [
        "import mlcore.pyfunc; assert mlcore.pyfunc.load_model",
        "import mlcore.pyfunc as pyfunc; assert pyfunc.__name__ == pyfunc.__spec__.name == 'mlcore.models.pyfunc'",
        "from mlcore.pyfunc import PythonModel; import mlcore; assert PythonModel is mlcore.pyfunc.PythonModel",
        "import mlcore.data; from mlcore.entities import Run",
    ],
)
def test_a_name_of_mlflow_is_imported_as_a_module(code: str) -> None:
    done = _run(code)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import mlcore.sklearn; assert mlcore.sklearn.log_model",
        "import mlcore.sklearn as flavor; assert flavor.flavor_name == 'sklearn'",
        "from mlcore.sklearn import log_model, autolog",
    ],
)
def test_a_flavor_is_imported_as_a_module(code: str) -> None:
    pytest.importorskip("mlcore_flavor_sklearn", reason="pip install mlcore-flavor-sklearn")

    done = _run(code)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["no_such_flavor", "log_param", "Client", "_nothing"])
def test_what_is_no_module_is_not_imported_as_one(name: str) -> None:
    done = _run(f"import mlcore.{name}")

    assert f"ModuleNotFoundError: No module named 'mlcore.{name}'" in done.stderr
