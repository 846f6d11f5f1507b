"""What several tests of the kernel share."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlcore.plugins import Plugins
from mlcore.settings import Settings
from mlcore.tracking.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    """Open a session with the settings of the test's own folder and all plugins that are installed."""
    opened = Session(Settings.load(), Plugins.discover())
    yield opened
    opened.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of one megabyte, or skip."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("mounts a tmpfs, which only root may")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False)
    if done.returncode:
        pytest.skip("cannot mount a tmpfs here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
