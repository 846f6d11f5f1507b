"""The hooks of mlcore-project-databricks."""

from __future__ import annotations

from mlcore.hookspecs import hookimpl
from mlcore.interfaces import ProjectBackend


@hookimpl
def project_backend(name: str) -> ProjectBackend | None:
    """Open the Databricks backend; no workspace is asked before the first job."""
    if name != "databricks":
        return None
    from mlcore_project_databricks.backend import DatabricksBackend

    return DatabricksBackend()
