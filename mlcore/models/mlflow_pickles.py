"""What stands in for the names of MLflow that its pickles of Python models refer to, where MLflow is not installed."""

from __future__ import annotations

from typing import NamedTuple

from mlcore.errors import MlcoreError
from mlcore.models.python_model import FunctionModel, PythonModel, PythonModelContext


class _Remembered:
    """Something that MLflow keeps in its pickles and nobody asks for here."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Take whatever was kept."""
        self.args = args
        self.__dict__.update(kwargs)


class _FuncInfo(NamedTuple):
    """What MLflow's wrapper of a function with type hints looks up."""

    input_type_hint: object = None
    input_param_name: str = ""


def _accepted(args: object, kwargs: object, *_: object) -> tuple[object, object]:
    """Pass the input on; the signature was checked before."""
    return args, kwargs


STAND_INS: dict[tuple[str, str], object] = {
    ("mlflow.pyfunc.model", "PythonModel"): PythonModel,
    ("mlflow.pyfunc.model", "_FunctionPythonModel"): FunctionModel,
    ("mlflow.pyfunc.model", "PythonModelContext"): PythonModelContext,
    ("mlflow.models.signature", "_TypeHints"): _Remembered,
    ("mlflow.pyfunc.utils.data_validation", "FuncInfo"): _FuncInfo,
    ("mlflow.pyfunc.utils.data_validation", "_validate_model_input"): _accepted,
    ("mlflow.exceptions", "MlflowException"): MlcoreError,
}
