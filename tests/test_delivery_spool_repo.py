"""Files of runs that wait in the spool: the contract of repositories, and what delivery needs besides."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from mlcore.delivery.spool_repo import SpoolRepo
from mlcore.entities import SpooledArtifact
from mlcore.interfaces import ArtifactRepo
from mlcore.testing.artifact_repo import ArtifactRepoContract, get, paths, put


class TestSpoolRepo(ArtifactRepoContract):
    @pytest.fixture
    def repo(self, tmp_path: Path) -> ArtifactRepo:
        return SpoolRepo(tmp_path / "spool" / "artifacts")


def spooled(path: str, content: bytes) -> SpooledArtifact:
    return SpooledArtifact(path, len(content), hashlib.sha256(content).hexdigest())


def test_each_written_file_is_told_with_size_and_checksum(tmp_path: Path) -> None:
    told: list[SpooledArtifact] = []
    repo = SpoolRepo(tmp_path / "artifacts", told.append)

    put(repo, "plots/a.png", b"abc")
    put(repo, "b", b"")

    assert told == [spooled("plots/a.png", b"abc"), spooled("b", b"")]


def test_spooled_files_are_for_their_user_alone(tmp_path: Path) -> None:
    repo = SpoolRepo(tmp_path / "artifacts")

    put(repo, "a/b", b"x")

    modes = [stat.S_IMODE((tmp_path / "artifacts" / part).stat().st_mode) for part in ("", "a", "a/b")]
    assert modes == [0o700, 0o700, 0o600]


def test_a_delivered_file_goes_with_the_folders_that_it_leaves_empty(tmp_path: Path) -> None:
    repo = SpoolRepo(tmp_path / "artifacts")
    put(repo, "a/b/c", b"x")
    put(repo, "a/d", b"y")

    repo.drop(spooled("a/b/c", b"x"))

    assert paths(repo.files()) == ["a/d"]
    assert paths(repo.list("a")) == ["a/d"]
    repo.drop(spooled("a/d", b"y"))
    assert not (tmp_path / "artifacts").exists()


def test_a_later_file_stays_when_the_earlier_one_is_delivered(tmp_path: Path) -> None:
    repo = SpoolRepo(tmp_path / "artifacts")
    put(repo, "a/b", b"earlier")
    put(repo, "a/b", b"later")

    repo.drop(spooled("a/b", b"earlier"))

    assert not repo.holds(spooled("a/b", b"earlier"))
    assert repo.holds(spooled("a/b", b"later"))
    assert get(repo, "a/b") == b"later"
    assert repo.local_file("a/b").read_bytes() == b"later"
