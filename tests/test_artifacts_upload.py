"""Uploads: whole or not at all, measured, and nothing but the tree that was meant."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from mlcore.artifacts.measured import MeasuredReader
from mlcore.artifacts.transfer import Transfer, upload_file, upload_tree
from mlcore.errors import (
    AlreadyExistsError,
    ArtifactWriteError,
    InvalidParameterError,
)
from mlcore.interfaces import ArtifactRepo
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


class Staging(MemoryRepo):
    """Publishes trees at once; *meanwhile* happens just before."""

    def __init__(self, meanwhile: dict[str, bytes] | None = None) -> None:
        super().__init__()
        self.meanwhile = meanwhile or {}
        self.published: list[str] = []

    @contextmanager
    def staged(self, path: str) -> Iterator[ArtifactRepo]:
        inner = MemoryRepo()
        yield inner
        self.files.update(self.meanwhile)
        if self.stat(path):
            raise AlreadyExistsError(f"{path!r} is there")
        self.published.append(path)
        self.files.update({f"{path}/{name}" if path else name: content for name, content in inner.files.items()})


class Failing(MemoryRepo):
    """Refuses to store one path."""

    def __init__(self, refused: str) -> None:
        super().__init__()
        self.refused = refused
        self.order: list[str] = []

    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        if path == self.refused:
            raise ArtifactWriteError("the disk is full")
        super().write(path, source, size_bytes)
        self.order.append(path)


def tree(root: Path, **files: str) -> Path:
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def test_an_upload_tells_size_and_hash(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "model.bin").write_bytes(content)
    repo, progress = MemoryRepo(), Recording()

    sent = upload_file(repo, tmp_path / "model.bin", "a/model.bin", progress=progress)

    assert sent == Transfer("a/model.bin", 3_000_000, hashlib.sha256(content).hexdigest())
    assert repo.files == {"a/model.bin": content}
    assert progress.heard == [("start", 3_000_000, 1), ("done",)]
    assert progress.bytes == 3_000_000


def test_an_upload_that_fails_ends_its_progress(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    progress = Recording()

    with pytest.raises(ArtifactWriteError, match="the disk is full"):
        upload_file(Failing("f"), tmp_path / "f", "f", progress=progress)

    assert progress.heard[-1] == ("done",)


@pytest.mark.parametrize("path", ["", ".", "../x", "/x", "a/%2e%2e/b"])
def test_an_unsafe_target_is_refused(path: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")

    with pytest.raises(InvalidParameterError, match="invalid artifact path"):
        upload_file(MemoryRepo(), tmp_path / "f", path)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(InvalidParameterError, match=r"cannot upload .*missing': No such file"):
        upload_file(MemoryRepo(), tmp_path / "missing", "x")
    with pytest.raises(InvalidParameterError, match="as a file: it is a directory"):
        upload_file(MemoryRepo(), tmp_path, "x")
    with pytest.raises(InvalidParameterError, match="pipe': expected a regular file, found a socket, pipe or device"):
        upload_file(MemoryRepo(), tmp_path / "pipe", "x")


@pytest.mark.parametrize("change", [b"longer than before", b"s"], ids=["grown", "shrunk"])
def test_a_file_that_changes_during_the_upload_is_not_stored(change: bytes, tmp_path: Path) -> None:
    source = tmp_path / "log.txt"
    source.write_bytes(b"at first")

    class ChangesIt(MemoryRepo):
        def write(self, path: str, source_: BinaryIO, size_bytes: int) -> None:
            source.write_bytes(change)
            super().write(path, source_, size_bytes)

    repo = ChangesIt()

    with pytest.raises(ArtifactWriteError, match=rf"log.txt' changed while .* it had 8 bytes, now {len(change)}"):
        upload_file(repo, source, "log.txt")

    assert repo.files == {}


def test_a_repository_that_stores_too_little_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("content")

    class Cuts(MemoryRepo):
        def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
            self.files[path] = source.read()[:3]

    with pytest.raises(ArtifactWriteError, match="'f' was sent with 7 bytes, but the repository shows a file of 3"):
        upload_file(Cuts(), tmp_path / "f", "f")


def test_a_reader_may_be_rewound_and_counts_once(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    counted: list[int] = []

    with (tmp_path / "f").open("rb") as file:
        reader = MeasuredReader(file, "f", counted.append)
        reader.read(4)
        reader.seek(2)
        rest = reader.read()
        reader.seek(0)
        again = reader.read(100)

    assert (rest, again, sum(counted)) == (b"23456789", b"0123456789", 10)
    assert reader.sha256() == hashlib.sha256(b"0123456789").hexdigest()


def test_a_reader_hashes_what_was_skipped(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    buffer = bytearray(4)

    with (tmp_path / "f").open("rb") as file:
        reader = MeasuredReader(file, "f", lambda _: None)
        reader.seek(-4, os.SEEK_END)
        filled = reader.readinto(buffer)
        digest = reader.sha256()

    assert (filled, bytes(buffer), digest) == (4, b"6789", hashlib.sha256(b"0123456789").hexdigest())


def test_a_new_tree_is_published_at_once(tmp_path: Path) -> None:
    repo = Staging()

    sent = upload_tree(repo, tree(tmp_path / "t", MLmodel="m", data__x="1"), "model")

    assert repo.published == ["model"]
    assert repo.files == {"model/MLmodel": b"m", "model/data/x": b"1"}
    assert [t.path for t in sent] == ["model/MLmodel", "model/data/x"]


def test_a_tree_goes_to_the_root_too(tmp_path: Path) -> None:
    repo = Staging()

    upload_tree(repo, tree(tmp_path / "t", a="1"))

    assert (repo.published, repo.files) == ([""], {"a": b"1"})


def test_a_tree_whose_place_is_taken_meanwhile_joins_it(tmp_path: Path) -> None:
    repo = Staging(meanwhile={"model/theirs": b"t"})

    upload_tree(repo, tree(tmp_path / "t", mine="m"), "model")

    assert repo.published == []
    assert repo.files == {"model/theirs": b"t", "model/mine": b"m"}


def test_without_staging_the_marker_file_comes_last(tmp_path: Path) -> None:
    repo = Failing("")

    sent = upload_tree(repo, tree(tmp_path / "t", A="", MLmodel="", z="", sub__MLmodel="", sub__b=""), "m")

    assert repo.order == ["m/A", "m/sub/b", "m/z", "m/MLmodel", "m/sub/MLmodel"]
    assert [t.path for t in sent] == sorted(repo.order)


def test_a_new_tree_that_fails_half_way_is_taken_back(tmp_path: Path) -> None:
    repo = Failing("m/b")
    repo.files["other"] = b"stays"

    with pytest.raises(ArtifactWriteError, match="the disk is full") as caught:
        upload_tree(repo, tree(tmp_path / "t", a="1", b="2"), "m")

    assert repo.files == {"other": b"stays"}
    assert caught.value.__notes__ == ["1 of 2 files were stored before, and were removed again"]


def test_a_tree_that_joins_another_and_fails_tells_what_stays(tmp_path: Path) -> None:
    repo = Failing("m/b")
    repo.files["m/old"] = b"old"

    with pytest.raises(ArtifactWriteError) as caught:
        upload_tree(repo, tree(tmp_path / "t", a="1", b="2"), "m")

    assert repo.files == {"m/old": b"old", "m/a": b"1"}
    assert caught.value.__notes__ == ["1 of 2 files were stored before, and stay"]


def test_an_empty_tree_stores_nothing(tmp_path: Path) -> None:
    (tmp_path / "t" / "empty").mkdir(parents=True)
    repo = Staging()

    assert upload_tree(repo, tmp_path / "t", "m") == ()
    assert repo.files == {}


def test_a_missing_tree_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterError, match="missing': it is not a directory"):
        upload_tree(MemoryRepo(), tmp_path / "missing", "m")


def test_links_inside_the_tree_are_followed(tmp_path: Path) -> None:
    root = tree(tmp_path / "t", blobs__one="1", snapshots__x="x")
    (root / "snapshots" / "one").symlink_to("../blobs/one")
    (root / "all").symlink_to("blobs")
    repo = MemoryRepo()

    upload_tree(repo, root)

    assert repo.files == {"blobs/one": b"1", "snapshots/x": b"x", "snapshots/one": b"1", "all/one": b"1"}


def test_the_tree_itself_may_be_a_link(tmp_path: Path) -> None:
    tree(tmp_path / "real", a="1")
    (tmp_path / "link").symlink_to("real")
    repo = MemoryRepo()

    upload_tree(repo, tmp_path / "link", "m")

    assert repo.files == {"m/a": b"1"}


@pytest.mark.parametrize("target", ["/etc/passwd", "../secret", "/etc", ".."])
def test_a_link_out_of_the_tree_is_refused_by_name(target: str, tmp_path: Path) -> None:
    tree(tmp_path, secret="s", t__ok="1")
    (tmp_path / "t" / "bad").symlink_to(target)
    repo = MemoryRepo()

    with pytest.raises(InvalidParameterError, match=r"t/bad': the link leads out of the tree, to '/.*; put the file"):
        upload_tree(repo, tmp_path / "t", "m")

    assert repo.files == {}


def test_a_tree_whose_name_begins_like_the_root_is_outside(tmp_path: Path) -> None:
    tree(tmp_path, tree2__x="1", tree__ok="1")
    (tmp_path / "tree" / "bad").symlink_to("../tree2/x")

    with pytest.raises(InvalidParameterError, match="leads out of the tree"):
        upload_tree(MemoryRepo(), tmp_path / "tree")


def test_links_that_lead_nowhere_or_in_circles_are_refused(tmp_path: Path) -> None:
    for name, link, target in (("dead", "x", "gone"), ("self", "x", "x"), ("up", "sub/x", ".."), ("root", "x", ".")):
        root = tree(tmp_path / name, sub__f="1")
        (root / link).symlink_to(target)
        with pytest.raises(InvalidParameterError, match=r"the link leads (to '.*', which is not there|in a circle)"):
            upload_tree(MemoryRepo(), root)


def test_two_links_to_each_others_directories_are_a_circle(tmp_path: Path) -> None:
    root = tree(tmp_path / "t", a__f="1", b__f="1")
    (root / "a" / "to_b").symlink_to("../b")
    (root / "b" / "to_a").symlink_to("../a")

    with pytest.raises(InvalidParameterError, match="in a circle"):
        upload_tree(MemoryRepo(), root)


def test_pipes_and_sockets_in_a_tree_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path / "p", ok="1")
    os.mkfifo(tmp_path / "p" / "pipe")
    tree(tmp_path / "s", ok="1")
    monkeypatch.chdir(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("sock")
        for name in ("p", "s"):
            with pytest.raises(InvalidParameterError, match="found a socket, pipe or device"):
                upload_tree(MemoryRepo(), tmp_path / name)


def test_a_name_that_no_store_can_keep_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    root = tree(tmp_path / "t", a="1")
    repo = MemoryRepo()
    (root / "back\\slash").write_text("x")

    with pytest.raises(InvalidParameterError, match="invalid artifact path 'm/back"):
        upload_tree(repo, root, "m")

    (root / "back\\slash").rename(root / os.fsdecode(b"caf\xe9"))
    with pytest.raises(InvalidParameterError, match="its name is not valid UTF-8; rename the file"):
        upload_tree(repo, root, "m")
    assert repo.files == {}


def test_leftovers_of_interrupted_transfers_are_not_sent(tmp_path: Path) -> None:
    repo = MemoryRepo()
    root = tree(tmp_path / "t", a="1")
    tree(root / ".mlcore-staging-0123", b="2")

    upload_tree(repo, root)

    assert repo.files == {"a": b"1"}
