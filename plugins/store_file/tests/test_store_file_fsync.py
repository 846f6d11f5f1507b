"""When a file store's journals are forced to the disk: as the setting says."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

import mlcore
from mlcore.settings import Settings
from mlcore.tracking.session import Session, using


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the files that were forced to the disk."""
    sizes: list[int] = []
    really = os.fsync
    called = threading.Lock()

    def fsync(fd: int) -> None:
        really(fd)
        with called:
            sizes.append(os.fstat(fd).st_size)

    monkeypatch.setattr(os, "fsync", fsync)
    return sizes


def _record(place: Path, fsync: str, during: threading.Event | None = None) -> None:
    settings = Settings.load({"tracking_uri": place.as_uri(), "fsync": fsync}, environ={}, directory=place.parent)
    with using(Session(settings)), mlcore.start_run():
        for step in range(20):
            mlcore.log_metric("m", step, step=step)
        if during is not None:
            during.wait(30)


def test_the_system_decides_by_default(forced: list[int], tmp_path: Path) -> None:
    _record(tmp_path / "store", "never")

    assert forced == []


def test_each_call_is_forced_when_asked_for(forced: list[int], tmp_path: Path) -> None:
    _record(tmp_path / "store", "always")

    assert len(set(forced)) >= 20


def test_what_was_written_is_forced_after_so_many_milliseconds(
    forced: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = threading.Event()
    counted = os.fsync

    def fsync(fd: int) -> None:
        counted(fd)
        seen.set()

    monkeypatch.setattr(os, "fsync", fsync)

    _record(tmp_path / "store", "5", seen)

    assert seen.is_set()
    assert forced
