"""The contract over HTTP, at our own server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest
from mlcore_store_rest.opening import open_registry_store, open_tracking_store
from own_server import OwnServer

from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.testing import RegistryStoreContract, TrackingStoreContract

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


class TestRestTracking(TrackingStoreContract):
    plugin_module = "mlcore_store_rest.plugin"
    expected_failures: ClassVar[Mapping[str, str]] = {
        "test_a_created_logged_model_is_pending_and_read_back": "the server wants to know the model's source run",
        "test_a_deleted_logged_model_is_hidden_and_can_be_deleted_again_and_restored": (
            "the protocol neither tells whether a logged model is deleted nor restores one"
        ),
        "test_searches_find_the_logged_models_that_the_reference_finds_in_its_order": (
            "servers refuse names of models with quotes"
        ),
    }

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
    expected_failures: ClassVar[Mapping[str, str]] = {
        "test_a_created_model_is_read_back": "servers refuse ':' in names of registered models",
    }

    @pytest.fixture
    def registry(self, own: OwnServer) -> Iterator[RegistryStore]:
        own.empty()
        opened = open_registry_store(own.uri)
        yield opened
        opened.close()
