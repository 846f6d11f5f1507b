"""A file is hashed from its start while it arrives in any order; what nobody announced is hashed at the end."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from mlcore.artifacts.following import Follower

PIECE = 1000


@pytest.mark.parametrize("announced", [0, 7, 40], ids=["nothing", "some", "all"])
def test_the_hash_is_of_the_whole_file_whatever_was_announced_in_whatever_order(tmp_path: Path, announced: int) -> None:
    content = random.Random(1).randbytes(40 * PIECE)
    local = tmp_path / "file"
    local.write_bytes(bytes(len(content)))
    starts = list(range(0, len(content), PIECE))
    random.Random(2).shuffle(starts)
    heard: list[int] = []

    with Follower(local, heard.append) as follower, local.open("r+b", buffering=0) as target:
        for index, start in enumerate(starts):
            target.seek(start)
            target.write(content[start : start + PIECE])
            if index < announced:
                follower.arrived(start, PIECE)
        found = follower.finish()

    assert found == (len(content), hashlib.sha256(content).hexdigest())
    assert sum(heard) == announced * PIECE


def test_a_file_that_vanishes_is_told_at_the_end(tmp_path: Path) -> None:
    local = tmp_path / "file"

    with Follower(local, lambda _: None) as follower:
        follower.arrived(0, 10)
        with pytest.raises(FileNotFoundError):
            follower.finish()


def test_the_thread_ends_when_the_transfer_breaks(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "file", lambda _: None)

    with pytest.raises(ValueError, match="broke"), follower:
        raise ValueError("broke")

    assert not follower._thread.is_alive()
