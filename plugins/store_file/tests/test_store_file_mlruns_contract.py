"""MLflow's own file layout as a store of mlcore: the contract suites."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlcore_store_file.plugin import registry_store, tracking_store

from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.testing import RegistryStoreContract, TrackingStoreContract


class TestMlrunsTracking(TrackingStoreContract):
    plugin_module = "mlcore_store_file.plugin"

    @pytest.fixture
    def store_uri(self, tmp_path: Path) -> str:
        return f"{(tmp_path / 'mlruns').as_uri()}?layout=mlflow"

    @pytest.fixture
    def store(self, store_uri: str) -> TrackingStore:
        opened = tracking_store(store_uri, None)
        assert opened is not None
        return opened


_NAME = "MLflow refuses registered models with ':' or '%' in their name, and could list no model beside such a one"


class TestMlrunsRegistry(RegistryStoreContract):
    plugin_module = "mlcore_store_file.plugin"
    expected_failures = {
        "test_a_created_model_is_read_back": _NAME,
        "test_searches_find_the_models_that_the_reference_finds_in_its_order": _NAME,
        "test_searches_find_the_versions_that_the_reference_finds_in_its_order": _NAME,
    }

    @pytest.fixture
    def registry_uri(self, tmp_path: Path) -> str:
        return f"{(tmp_path / 'mlruns').as_uri()}?layout=mlflow"

    @pytest.fixture
    def registry(self, registry_uri: str) -> RegistryStore:
        opened = registry_store(registry_uri)
        assert opened is not None
        return opened
