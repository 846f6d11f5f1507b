"""The tracking store in memory keeps the contract."""

from __future__ import annotations

import pytest

from mlcore.testing import MemoryTrackingStore, TrackingStoreContract


class TestMemoryTrackingStore(TrackingStoreContract):
    @pytest.fixture
    def store(self) -> MemoryTrackingStore:
        return MemoryTrackingStore()
