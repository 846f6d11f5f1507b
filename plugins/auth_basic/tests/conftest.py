from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the town is a module beside the tests

from auth_basic_town import Clock, Town, quick_authority  # after the path


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def town(state_dir: Path) -> Iterator[Town]:
    clock = Clock()
    made = Town(quick_authority(state_dir, clock), clock)
    yield made
    made.authority.close()
