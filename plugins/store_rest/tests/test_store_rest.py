"""The contract over HTTP, at our own server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mlcore_store_rest.opening import open_tracking_store
from mlcore_store_rest.registry import RestRegistryStore
from own_server import OwnServer

from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.testing import RegistryStoreContract, TrackingStoreContract

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


class TestRestTracking(TrackingStoreContract):
    plugin_module = "mlcore_store_rest.plugin"

    @pytest.fixture
    def store_uri(self, own: OwnServer) -> str:
        own.empty()
        return own.uri

    @pytest.fixture
    def store(self, store_uri: str) -> Iterator[TrackingStore]:
        opened = open_tracking_store(store_uri)
        yield opened
        opened.close()


class TestRestRegistry(RegistryStoreContract):
    plugin_module = "mlcore_store_rest.plugin"

    @pytest.fixture
    def registry(self, own: OwnServer) -> Iterator[RegistryStore]:
        own.empty()
        opened = RestRegistryStore.open(own.uri)
        yield opened
        opened.close()
