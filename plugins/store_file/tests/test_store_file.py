from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mlcore_store_file.registry import FileRegistry
from mlcore_store_file.store import FileStore

from mlcore.interfaces import RegistryStore, TrackingStore
from mlcore.testing.registry_store import RegistryStoreContract
from mlcore.testing.tracking_store import TrackingStoreContract


class TestFileStore(TrackingStoreContract):
    plugin_module = "mlcore_store_file.plugin"

    @pytest.fixture
    def store_uri(self, tmp_path: Path) -> str:
        return f"file://{tmp_path}/runs"

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[TrackingStore]:
        store = FileStore.open(tmp_path / "runs")
        yield store
        store.close()


class TestFileRegistry(RegistryStoreContract):
    plugin_module = "mlcore_store_file.plugin"

    @pytest.fixture
    def registry_uri(self, tmp_path: Path) -> str:
        return f"file://{tmp_path}/models"

    @pytest.fixture
    def registry(self, tmp_path: Path) -> Iterator[RegistryStore]:
        registry = FileRegistry.open(tmp_path / "models")
        yield registry
        registry.close()
