"""The contract over HTTP, at real servers of MLflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest
from mlcore_store_rest.opening import open_tracking_store
from mlcore_store_rest.registry import RestRegistryStore
from mlflow_servers import MlflowServer

from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.testing import RegistryStoreContract, TrackingStoreContract

pytestmark = [
    pytest.mark.filterwarnings("ignore::mlcore_store_rest.peers.MissingAbilityWarning"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


class MlflowTracking(TrackingStoreContract):
    __test__ = False
    plugin_module = "mlcore_store_rest.plugin"
    expected_cases: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def store_uri(self, server: MlflowServer) -> str:
        return server.uri

    @pytest.fixture
    def store(self, server: MlflowServer, store_uri: str) -> Iterator[TrackingStore]:
        server.empty()
        opened = open_tracking_store(store_uri)
        yield opened
        opened.close()


class TestMlflow3Tracking(MlflowTracking):
    __test__ = True

    @pytest.fixture
    def server(self, mlflow_3: MlflowServer) -> MlflowServer:
        return mlflow_3


class TestMlflow2Tracking(MlflowTracking):
    __test__ = True

    @pytest.fixture
    def server(self, mlflow_2: MlflowServer) -> MlflowServer:
        return mlflow_2


class MlflowRegistry(RegistryStoreContract):
    __test__ = False
    plugin_module = "mlcore_store_rest.plugin"
    expected_cases: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture
    def registry(self, server: MlflowServer) -> Iterator[RegistryStore]:
        server.empty()
        opened = RestRegistryStore.open(server.uri)
        yield opened
        opened.close()


class TestMlflow3Registry(MlflowRegistry):
    __test__ = True

    @pytest.fixture
    def server(self, mlflow_3: MlflowServer) -> MlflowServer:
        return mlflow_3


class TestMlflow2Registry(MlflowRegistry):
    __test__ = True

    @pytest.fixture
    def server(self, mlflow_2: MlflowServer) -> MlflowServer:
        return mlflow_2
