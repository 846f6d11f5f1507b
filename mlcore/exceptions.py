"""The names of `mlflow.exceptions`, for code that catches them; everything is defined in `mlcore.errors`."""

from __future__ import annotations

from mlcore.errors import MlcoreError as MlflowException
from mlcore.errors import MlcoreError as RestException
from mlcore.errors import UnsupportedError as MlflowNotImplementedException

__all__ = ["MlflowException", "MlflowNotImplementedException", "RestException"]
