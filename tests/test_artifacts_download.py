"""Downloads: whole or not at all, measured, and nowhere but where they were meant to go."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import pytest

from mlcore.artifacts.transfer import Transfer, download_file, download_tree
from mlcore.entities import FileInfo
from mlcore.errors import (
    ArtifactNotFoundError,
    CorruptStoreError,
    InvalidParameterError,
    StoreUnavailableError,
)
from mlcore.testing.memory_repo import MemoryRepo


class Recording:
    """Progress that notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []
        self.bytes = 0

    def start(self, total_bytes: int | None, total_files: int) -> None:
        self.heard.append(("start", total_bytes, total_files))

    def advance(self, size_bytes: int) -> None:
        self.bytes += size_bytes

    def done(self) -> None:
        self.heard.append(("done",))


def tree(root: Path, **files: str) -> Path:
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def names_below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_download_tells_size_and_hash(tmp_path: Path) -> None:
    repo, progress = MemoryRepo(), Recording()
    repo.files["a/f"] = b"abc" * 1_000_000

    got = download_file(repo, "a/f", tmp_path / "deep" / "er" / "f", progress=progress)

    assert (tmp_path / "deep" / "er" / "f").read_bytes() == repo.files["a/f"]
    assert got == Transfer("a/f", 3_000_000, hashlib.sha256(repo.files["a/f"]).hexdigest())
    assert (progress.heard, progress.bytes) == ([("start", 3_000_000, 1), ("done",)], 3_000_000)


def test_a_download_that_breaks_off_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    class BreaksOff(MemoryRepo):
        def read(self, path: str) -> BinaryIO:
            class Part(io.BytesIO):
                def read(self, size: int | None = -1, /) -> bytes:
                    raise OSError(5, "Input/output error")

            return Part()

    repo = BreaksOff()
    repo.files["f"] = b"new"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "f").write_text("old")

    with pytest.raises(StoreUnavailableError, match="'f' cannot be read: Input/output error"):
        download_file(repo, "f", tmp_path / "out" / "f")

    assert names_below(tmp_path / "out") == ["f"]
    assert (tmp_path / "out" / "f").read_text() == "old"


class CutsOnReading(MemoryRepo):
    """Gives less than it lists."""

    def read(self, path: str) -> BinaryIO:
        return io.BytesIO(self.files[path][:2])


def test_a_short_download_is_refused(tmp_path: Path) -> None:
    repo = CutsOnReading()
    repo.files["f"] = b"12345"

    with pytest.raises(StoreUnavailableError, match="'f' came incomplete: expected 5 bytes, got 2; try again"):
        download_file(repo, "f", tmp_path / "out" / "f")

    assert names_below(tmp_path / "out") == []


def test_a_missing_artifact_or_directory_is_no_file(tmp_path: Path) -> None:
    repo = MemoryRepo()
    repo.files["d/f"] = b"x"

    with pytest.raises(ArtifactNotFoundError, match="no artifact file 'missing': it is not there"):
        download_file(repo, "missing", tmp_path / "f")
    with pytest.raises(ArtifactNotFoundError, match="no artifact file 'd': it is a directory; use download_tree"):
        download_file(repo, "d", tmp_path / "f")


def test_a_directory_in_the_way_is_named(tmp_path: Path) -> None:
    repo = MemoryRepo()
    repo.files["f"] = b"x"

    with pytest.raises(InvalidParameterError, match=r"cannot download 'f' as .*: that is a directory"):
        download_file(repo, "f", tmp_path)


def test_a_tree_comes_down_to_a_new_directory(tmp_path: Path) -> None:
    repo, progress = MemoryRepo(), Recording()
    repo.files = {"m/MLmodel": b"1", "m/data/x y": b"22", "other": b"3"}

    got = download_tree(repo, "m", tmp_path / "a" / "b", progress=progress)

    assert names_below(tmp_path / "a") == ["b/MLmodel", "b/data/x y"]
    assert [t.path for t in got] == ["m/MLmodel", "m/data/x y"]
    assert (progress.heard[0], progress.bytes) == (("start", 3, 2), 3)


def test_a_tree_comes_down_into_a_directory_that_is_there(tmp_path: Path) -> None:
    repo = MemoryRepo()
    repo.files = {"MLmodel": b"new", "data/x": b"new"}
    out = tree(tmp_path / "out", mine="mine", data__x="old", data__y="mine")

    download_tree(repo, "", out)

    assert names_below(out) == ["MLmodel", "data/x", "data/y", "mine"]
    assert (out / "data" / "x").read_text() == "new"


def test_a_tree_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    repo = CutsOnReading()
    repo.files = {"m/a": b"1", "m/b": b"22345"}
    existing = tree(tmp_path / "out" / "existing", a="old")

    for target in (tmp_path / "out" / "new", existing):
        with pytest.raises(StoreUnavailableError, match="'m/b' came incomplete"):
            download_tree(repo, "m", target)

    assert [p.name for p in (tmp_path / "out").iterdir()] == ["existing"]
    assert (names_below(existing), (existing / "a").read_text()) == (["a"], "old")


def test_nothing_to_download_is_named(tmp_path: Path) -> None:
    repo = MemoryRepo()
    repo.files["f"] = b"x"

    with pytest.raises(ArtifactNotFoundError, match="no artifact directory 'missing': it is not there"):
        download_tree(repo, "missing", tmp_path / "x")
    with pytest.raises(InvalidParameterError, match="artifact 'f' is a file; use download_file"):
        download_tree(repo, "f", tmp_path / "x")
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidParameterError, match="expected a directory, found a file"):
        download_tree(repo, "", tmp_path / "file")


def test_an_empty_repository_comes_down_as_an_empty_directory(tmp_path: Path) -> None:
    assert download_tree(MemoryRepo(), "", tmp_path / "new") == ()
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("listed", ["../evil", "m/../../evil", "/etc/evil", "other/evil", "m/a/b", "m", "m/", "mevil"])
def test_a_listing_that_leads_elsewhere_is_refused(listed: str, tmp_path: Path) -> None:
    class Evil(MemoryRepo):
        def list(self, path: str = "") -> Sequence[FileInfo]:
            return [FileInfo(listed, is_dir=False, file_size=1)]

        def read(self, path: str) -> BinaryIO:
            return io.BytesIO(b"x")

    with pytest.raises((CorruptStoreError, InvalidParameterError), match=r"which it is not|invalid artifact path"):
        download_tree(Evil(), "m", tmp_path / "out" / "m")

    assert not (tmp_path / "out").exists()


def test_downloads_are_never_writable_for_others(tmp_path: Path) -> None:
    repo = MemoryRepo()
    repo.files = {"m/deep/f": b"x"}
    before = os.umask(0)
    try:
        download_tree(repo, "m", tmp_path / "a" / "b")
        download_file(repo, "m/deep/f", tmp_path / "c" / "d" / "f")
    finally:
        os.umask(before)

    made = [p for top in ("a", "c") for p in (tmp_path / top, *(tmp_path / top).rglob("*"))]
    assert len(made) == 7
    assert [p for p in made if p.stat().st_mode & 0o022] == []
