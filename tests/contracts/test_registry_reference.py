"""The registry store in memory keeps the contract."""

from __future__ import annotations

import pytest

from mlcore.testing import MemoryRegistryStore, RegistryStoreContract


class TestMemoryRegistryStore(RegistryStoreContract):
    @pytest.fixture
    def registry(self) -> MemoryRegistryStore:
        return MemoryRegistryStore()
