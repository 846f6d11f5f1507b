"""Faults of a file system: killed writers, full disks, limits, missing permissions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mlcore_artifacts_local.repo import LocalRepo

from mlcore.artifacts.transfer import download_tree, upload_file, upload_tree
from mlcore.errors import (
    AlreadyExistsError,
    ArtifactWriteError,
    PermissionDeniedError,
)
from mlcore.testing.artifact_repo import get, put


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def repo(root: Path) -> LocalRepo:
    return LocalRepo.open(str(root))


def below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


KILLED = """
import io, os, sys, time
from mlcore_artifacts_local.repo import LocalRepo

class Slow(io.RawIOBase):
    def readable(self): return True
    def read(self, size=-1):
        print("reading", flush=True)
        time.sleep(0.01)
        return b"x" * 1000

repo = LocalRepo.open(sys.argv[1])
if sys.argv[2] == "file":
    repo.write("model/new", Slow(), 10**9)
else:
    with repo.staged("tree") as inner:
        inner.write("a", io.BytesIO(b"1"), 1)
        inner.write("b", Slow(), 10**9)
"""


@pytest.mark.parametrize("what", ["file", "tree"])
def test_a_killed_writer_leaves_nothing_to_see(what: str, repo: LocalRepo, root: Path) -> None:
    put(repo, "model/old", b"old")
    writer = subprocess.Popen([sys.executable, "-c", KILLED, str(root), what], stdout=subprocess.PIPE)
    with writer:
        assert writer.stdout is not None
        for _ in range(5):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)

    assert [info.path for info in repo.list()] == ["model"]
    assert [info.path for info in repo.list("model")] == ["model/old"]
    assert list(root.rglob(".mlcore-staging-*"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, text=True, check=False
        )
        problem = done.stderr.strip() if done.returncode else ""
    except FileNotFoundError:
        problem = "there is no mount program"
    if problem:
        pytest.skip(f"a small file system cannot be mounted here, which takes root on Linux: {problem}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_told_with_needed_and_free_bytes(small_disk: Path, tmp_path: Path) -> None:
    repo = LocalRepo.open(str(small_disk / "root"))
    put(repo, "kept", b"k" * 300_000)
    (tmp_path / "big").write_bytes(b"b" * 2_000_000)

    with pytest.raises(ArtifactWriteError) as caught:
        upload_file(repo, tmp_path / "big", "new/dir/big")

    found = str(caught.value)
    assert found.startswith("cannot store artifact 'new/dir/big': the disk is full; 2000000 bytes are needed, ")
    assert f" bytes are free in '{small_disk}/root'; free some space or choose another artifact root" in found
    free = int(found.split("needed, ")[1].split(" ")[0])
    assert 500_000 < free < 1_000_000
    assert below(small_disk) == ["root", "root/kept"]
    assert get(repo, "kept") == b"k" * 300_000


def test_a_full_disk_leaves_the_old_file(small_disk: Path) -> None:
    repo = LocalRepo.open(str(small_disk))
    put(repo, "f", b"old")

    with pytest.raises(ArtifactWriteError, match="the disk is full"):
        put(repo, "f", b"n" * 2_000_000)

    assert get(repo, "f") == b"old"
    assert below(small_disk) == ["f"]


def test_a_full_disk_publishes_nothing_of_a_tree(small_disk: Path, tmp_path: Path) -> None:
    for name in ("MLmodel", "a", "b"):
        (tmp_path / "model" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "model" / name).write_bytes(b"x" * 500_000)
    repo = LocalRepo.open(str(small_disk / "root"))
    put(repo, "here/kept", b"k")

    for path in ("models/new", "here"):
        with pytest.raises(ArtifactWriteError, match="the disk is full"):
            upload_tree(repo, tmp_path / "model", path)
        repo.delete("here/a") if path == "here" else None

    assert repo.stat("models") is None
    assert repo.stat("here/MLmodel") is None
    assert get(repo, "here/kept") == b"k"


def test_a_full_disk_leaves_nothing_of_a_download(small_disk: Path, tmp_path: Path) -> None:
    repo = LocalRepo.open(str(tmp_path / "root"))
    put(repo, "m/big", b"x" * 2_000_000)

    with pytest.raises(
        ArtifactWriteError, match="cannot store the download of 'm/big': the disk is full; 2000000 bytes"
    ):
        download_tree(repo, "m", small_disk / "out")

    assert below(small_disk) == []


LIMITED = """
import io, resource, sys
from mlcore.errors import ArtifactWriteError
from mlcore_artifacts_local.repo import LocalRepo
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    LocalRepo.open(sys.argv[1]).write("a/f", io.BytesIO(b"x" * 200_000), 200_000)
except ArtifactWriteError as err:
    print(err)
"""


def test_a_limit_on_file_sizes_is_told(root: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED, str(root)], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("cannot store artifact 'a/f': it is larger than the process or the file system may")
    assert "200000 bytes are needed" in done.stdout
    assert not root.exists()


def test_a_file_in_the_way_of_a_directory_is_told(repo: LocalRepo) -> None:
    put(repo, "file", b"x")
    put(repo, "dir/inner", b"x")

    with pytest.raises(ArtifactWriteError, match="cannot store artifact 'file/below': Not a directory"):
        put(repo, "file/below", b"x")
    with pytest.raises(ArtifactWriteError, match="cannot store artifact 'dir': Is a directory"):
        put(repo, "dir", b"x")
    assert [info.path for info in repo.list()] == ["dir", "file"]


def test_a_tree_is_not_staged_over_a_file(repo: LocalRepo, tmp_path: Path) -> None:
    put(repo, "file", b"x")
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "a").write_text("1")

    with (
        pytest.raises(AlreadyExistsError, match=r"artifact 'file' under '/.*' is there already"),
        repo.staged("file") as inner,
    ):
        put(inner, "a", b"1")
    with pytest.raises(ArtifactWriteError, match="cannot store artifact 'file/a': Not a directory"):
        upload_tree(repo, tmp_path / "from", "file")

    assert get(repo, "file") == b"x"


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up root's power over permissions for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_place_without_permission_is_told(repo: LocalRepo, root: Path) -> None:
    put(repo, "f", b"x")
    root.chmod(0)

    with as_nobody():
        with pytest.raises(PermissionDeniedError, match=r"cannot read artifact 'f' under '/.*': Permission denied"):
            repo.read("f")
        with pytest.raises(PermissionDeniedError, match="cannot read artifact '' under"):
            repo.list()
        with pytest.raises(ArtifactWriteError, match="cannot store artifact 'a/g': Permission denied"):
            put(repo, "a/g", b"x")
        with pytest.raises(ArtifactWriteError, match="cannot delete artifact 'f' under '/"):
            repo.delete("f")
        with (
            pytest.raises(ArtifactWriteError, match="cannot store artifact 'tree': Permission denied"),
            repo.staged("tree") as inner,
        ):
            put(inner, "a", b"1")

    root.chmod(0o700)
    assert get(repo, "f") == b"x"
