"""The project backend in memory keeps the contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlcore.testing import MemoryBackend, ProjectBackendContract


class TestMemoryBackend(ProjectBackendContract):
    @pytest.fixture
    def backend(self) -> Iterator[MemoryBackend]:
        backend = MemoryBackend()
        yield backend
        backend.close()
