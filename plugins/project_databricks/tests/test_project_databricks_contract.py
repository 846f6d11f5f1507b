"""The Databricks backend keeps the contract of project backends, before a stand-in of a workspace."""

from __future__ import annotations

import pytest
from databricks_places import CLUSTER

from mlcore.interfaces import ProjectBackend
from mlcore.projects.polling import Patience
from mlcore.testing import ProjectBackendContract


class TestDatabricksBackend(ProjectBackendContract):
    plugin_module = "mlcore_project_databricks.plugin"

    @pytest.fixture
    def backend(self, standin: object) -> ProjectBackend:
        from mlcore_project_databricks.backend import DatabricksBackend

        return DatabricksBackend(Patience(0.02, 0.2, 20.0), {"new_cluster": CLUSTER})
