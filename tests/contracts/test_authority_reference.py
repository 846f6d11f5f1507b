"""The authority in memory keeps the contract."""

from __future__ import annotations

import pytest

from mlcore.testing import AuthorityContract, MemoryAuthority


class TestMemoryAuthority(AuthorityContract):
    @pytest.fixture
    def case(self) -> MemoryAuthority:
        return MemoryAuthority()
