"""The contract suite of artifact repositories.

To use it, inherit in a test module and give a fixture `repo`, an empty repository for each test:

    class TestMyRepo(ArtifactRepoContract):
        @pytest.fixture
        def repo(self, tmp_path: Path) -> ArtifactRepo: ...
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import io
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from mlcore.artifacts.transfer import download_tree, upload_file, upload_tree
from mlcore.entities import FileInfo
from mlcore.errors import AlreadyExistsError, ArtifactNotFoundError, ArtifactWriteError, MlcoreError
from mlcore.interfaces import ArtifactRepo, SupportsStaging
from mlcore.testing.plugin_module import PluginModuleContract

NAMES = (
    "plain.txt",
    "with space.txt",
    "co:lon.txt",
    "Grüße-日本語-🎉.txt",
    "hash#question?semi;colon.txt",
    "per%cent%20.txt",
    "plus+amp&equals=.txt",
    "-leading-dash",
    ".hidden",
    "...",
    "quote'\".txt",
    "x" * 200,
)
# Paths that lead out of where they begin, in the spellings that some layer below may resolve.
HOSTILE = (
    "dir/../victim",
    "dir/%2e%2e/victim",
    "dir/%2E%2E%2Fvictim",
    "dir/%252e%252e/victim",
    "dir\\..\\victim",
    "dir/..\\victim",
    "dir/..%5cvictim",
    "dir/\uff0e\uff0e/victim",
    "dir/.. /victim",
    "dir/%c0%ae%c0%ae/victim",
    "//victim",
    "file:victim",
    "victim\0",
    "dir/%00/../../victim",
)
_BIG = bytes(range(256)) * 4096 * 3 + b"tail"


class _BreaksOff(io.RawIOBase):
    """A source whose reading fails after some bytes."""

    def __init__(self, good: bytes) -> None:
        self._good = io.BytesIO(good)

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        data = self._good.read(size)
        if not data:
            raise ArtifactWriteError("the source broke off")
        return data


def put(repo: ArtifactRepo, path: str, content: bytes) -> None:
    """Store *content* as *path*."""
    repo.write(path, io.BytesIO(content), len(content))


def get(repo: ArtifactRepo, path: str) -> bytes:
    """Return the content of *path*."""
    with repo.read(path) as file:
        return file.read()


def paths(infos: Iterable[FileInfo]) -> list[str]:
    """Return the paths of *infos*, in their order."""
    return [info.path for info in infos]


def _all_files(repo: ArtifactRepo, folder: str = "") -> list[str]:
    found: list[str] = []
    for info in repo.list(folder):
        found += _all_files(repo, info.path) if info.is_dir else [info.path]
    return found


class FilesContract(PluginModuleContract):
    """What one file at a time has to do."""

    @pytest.mark.parametrize("content", [b"", b"x", _BIG], ids=["empty", "one byte", "three megabytes"])
    def test_what_was_written_is_read_back(self, repo: ArtifactRepo, content: bytes) -> None:
        put(repo, "a/b/file.bin", content)

        assert get(repo, "a/b/file.bin") == content
        assert repo.stat("a/b/file.bin") == FileInfo("a/b/file.bin", is_dir=False, file_size=len(content))

    @pytest.mark.parametrize("name", NAMES)
    def test_names_come_back_as_they_were(self, repo: ArtifactRepo, name: str) -> None:
        put(repo, f"dir/{name}", b"content")

        assert paths(repo.list("dir")) == [f"dir/{name}"]
        assert get(repo, f"dir/{name}") == b"content"

    def test_writing_again_replaces(self, repo: ArtifactRepo) -> None:
        put(repo, "file", b"a longer old content")

        put(repo, "file", b"new")

        assert get(repo, "file") == b"new"
        assert paths(repo.list()) == ["file"]

    def test_a_file_is_read_in_parts(self, repo: ArtifactRepo) -> None:
        put(repo, "file", b"abcdef")

        with repo.read("file") as file:
            parts = [file.read(4), file.read(4), file.read(4)]

        assert b"".join(parts) == b"abcdef"
        assert parts[2] == b""

    @pytest.mark.parametrize("path", ["missing", "dir/missing", "missing/missing", "dir"])
    def test_reading_what_is_no_file_names_the_path(self, repo: ArtifactRepo, path: str) -> None:
        put(repo, "dir/file", b"x")

        with pytest.raises(ArtifactNotFoundError, match=path):
            repo.read(path).close()

    def test_a_source_that_breaks_off_leaves_nothing(self, repo: ArtifactRepo) -> None:
        with pytest.raises(ArtifactWriteError, match="the source broke off"):
            repo.write("dir/new", cast("BinaryIO", _BreaksOff(b"x" * 1000)), 2000)

        assert repo.stat("dir/new") is None
        assert _all_files(repo) == []

    def test_a_source_that_breaks_off_leaves_the_old_file(self, repo: ArtifactRepo) -> None:
        put(repo, "file", b"old")

        with pytest.raises(ArtifactWriteError, match="the source broke off"):
            repo.write("file", cast("BinaryIO", _BreaksOff(b"x" * 1000)), 2000)

        assert get(repo, "file") == b"old"
        assert paths(repo.list()) == ["file"]

    @pytest.mark.parametrize("size", [2, 4], ids=["longer than announced", "shorter than announced"])
    def test_a_source_of_another_size_is_refused(self, repo: ArtifactRepo, size: int) -> None:
        with pytest.raises(ArtifactWriteError, match=rf"{size} bytes"):
            repo.write("file", io.BytesIO(b"123"), size)

        assert list(repo.list()) == []

    def test_readers_see_the_old_or_the_new_file(self, repo: ArtifactRepo) -> None:
        contents = [bytes([n]) * 200_000 for n in (1, 2)]
        put(repo, "file", contents[0])
        done = threading.Event()

        def rewrite() -> None:
            for n in range(20):
                put(repo, "file", contents[n % 2])
            done.set()

        with ThreadPoolExecutor(1) as pool:
            writer = pool.submit(rewrite)
            seen = {get(repo, "file")}
            while not done.is_set() and not writer.done():
                seen.add(get(repo, "file"))
            writer.result()

        assert seen <= set(contents)

    def test_threads_write_side_by_side(self, repo: ArtifactRepo) -> None:
        names = [f"dir{n % 3}/file{n:02}" for n in range(24)]

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: put(repo, name, name.encode()), names))

        assert sorted(_all_files(repo)) == sorted(names)
        assert all(get(repo, name) == name.encode() for name in names)


class DirectoriesContract(PluginModuleContract):
    """What listings, deletion and whole trees have to do."""

    def test_a_new_repository_is_empty(self, repo: ArtifactRepo) -> None:
        assert list(repo.list()) == []
        assert repo.stat("missing") is None

    def test_a_listing_has_the_direct_children_sorted_by_path(self, repo: ArtifactRepo) -> None:
        for path in ("b.txt", "a/x", "a/deep/er", "a-b", "c"):
            put(repo, path, b"12")

        assert list(repo.list()) == [
            FileInfo("a", is_dir=True),
            FileInfo("a-b", is_dir=False, file_size=2),
            FileInfo("b.txt", is_dir=False, file_size=2),
            FileInfo("c", is_dir=False, file_size=2),
        ]
        assert list(repo.list("a")) == [
            FileInfo("a/deep", is_dir=True),
            FileInfo("a/x", is_dir=False, file_size=2),
        ]

    @pytest.mark.parametrize("path", ["file", "missing", "file/below", "missing/below"])
    def test_a_listing_of_no_directory_is_empty(self, repo: ArtifactRepo, path: str) -> None:
        put(repo, "file", b"x")

        assert list(repo.list(path)) == []

    def test_a_directory_is_known_as_one(self, repo: ArtifactRepo) -> None:
        put(repo, "a/b/file", b"x")

        assert repo.stat("a") == FileInfo("a", is_dir=True)
        assert repo.stat("a/b") == FileInfo("a/b", is_dir=True)
        assert repo.stat("a/b/missing") is None
        assert repo.stat("") == FileInfo("", is_dir=True), "the root is a directory"

    def test_deleting_a_file_leaves_its_neighbours(self, repo: ArtifactRepo) -> None:
        for path in ("a/file", "a/file2", "a/fil"):
            put(repo, path, b"x")

        repo.delete("a/file")

        assert paths(repo.list("a")) == ["a/fil", "a/file2"]

    def test_deleting_a_directory_takes_all_in_it_and_nothing_else(self, repo: ArtifactRepo) -> None:
        for path in ("a/x", "a/b/y", "ab/z", "a.txt"):
            put(repo, path, b"x")

        repo.delete("a")

        assert repo.stat("a") is None
        assert _all_files(repo) == ["a.txt", "ab/z"]

    def test_deleting_the_root_takes_everything(self, repo: ArtifactRepo) -> None:
        for path in ("a/x", "b"):
            put(repo, path, b"x")

        repo.delete("")

        assert list(repo.list()) == []

    def test_deleting_nothing_names_the_path(self, repo: ArtifactRepo) -> None:
        put(repo, "file", b"x")

        with pytest.raises(ArtifactNotFoundError, match="missing"):
            repo.delete("missing")

        assert _all_files(repo) == ["file"]

    def test_a_tree_comes_back_as_it_was(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        files = {"MLmodel": b"flavors: {}", "data/model.bin": _BIG, "data/empty": b"", "notes/Grüße 1.txt": b"hi"}
        for name, content in files.items():
            (tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "from" / name).write_bytes(content)

        sent = upload_tree(repo, tmp_path / "from", "models/m")
        received = download_tree(repo, "models/m", tmp_path / "to")

        assert {name: (tmp_path / "to" / name).read_bytes() for name in files} == files
        assert [t.path for t in sent] == sorted(f"models/m/{name}" for name in files)
        assert received == sent

    def test_a_tree_joins_what_is_there(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        put(repo, "dir/old", b"old")
        put(repo, "dir/both", b"old")
        source = tmp_path / "from"
        source.mkdir()
        (source / "both").write_bytes(b"new")
        (source / "new").write_bytes(b"new")

        upload_tree(repo, source, "dir")

        assert {path: get(repo, path) for path in _all_files(repo)} == {
            "dir/both": b"new",
            "dir/new": b"new",
            "dir/old": b"old",
        }

    def test_a_single_file_is_sent_and_hashed(self, repo: ArtifactRepo, tmp_path: Path) -> None:
        (tmp_path / "f").write_bytes(b"abc")

        sent = upload_file(repo, tmp_path / "f", "deep/er/name")

        assert get(repo, "deep/er/name") == b"abc"
        assert sent.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    def test_closing_twice_does_no_harm(self, repo: ArtifactRepo) -> None:
        repo.close()

        repo.close()


class StagingContract(PluginModuleContract):
    """What a repository that makes whole trees visible at once has to do; skipped for others."""

    @pytest.fixture
    def staging(self, repo: ArtifactRepo) -> SupportsStaging:
        """Return the repository if it has the ability."""
        if not isinstance(repo, SupportsStaging):
            pytest.skip("the repository does not publish trees at once")
        return repo

    @pytest.mark.parametrize("path", ["new", "new/deep/er", ""], ids=["new", "deep", "root"])
    def test_staged_files_appear_together(self, repo: ArtifactRepo, staging: SupportsStaging, path: str) -> None:
        prefix = f"{path}/" if path else ""

        with staging.staged(path) as inner:
            put(inner, "a", b"1")
            put(inner, "b/c", b"2")
            assert get(inner, "a") == b"1"
            assert paths(inner.list()) == ["a", "b"]
            assert _all_files(repo) == []

        assert _all_files(repo) == [f"{prefix}a", f"{prefix}b/c"]
        assert get(repo, f"{prefix}b/c") == b"2"

    def test_a_staged_tree_that_fails_leaves_nothing(self, repo: ArtifactRepo, staging: SupportsStaging) -> None:
        def fail() -> None:
            with staging.staged("new/tree") as inner:
                put(inner, "a", b"1")
                raise ArtifactWriteError("no more")

        with pytest.raises(ArtifactWriteError, match="no more"):
            fail()

        assert repo.stat("new/tree") is None
        assert _all_files(repo) == []

    def test_a_place_that_was_taken_meanwhile_is_left_alone(self, repo: ArtifactRepo, staging: SupportsStaging) -> None:
        def race() -> None:
            with staging.staged("tree") as inner:
                put(inner, "mine", b"1")
                put(repo, "tree/theirs", b"2")

        with pytest.raises(AlreadyExistsError, match="'tree'"):
            race()

        assert _all_files(repo) == ["tree/theirs"]


class PathContract(PluginModuleContract):
    """What happens to paths that the kernel refuses already, should one slip through."""

    @pytest.mark.parametrize("path", HOSTILE)
    def test_a_path_that_leads_elsewhere_reaches_no_other_file(self, repo: ArtifactRepo, path: str) -> None:
        put(repo, "victim", b"kept")
        put(repo, "dir/file", b"x")

        with suppress(MlcoreError, ValueError):  # to refuse is the best answer
            put(repo, path, b"overwritten")
        with suppress(MlcoreError, ValueError):
            assert get(repo, path) != b"kept"
        with suppress(MlcoreError, ValueError):
            repo.delete(path)

        assert get(repo, "victim") == b"kept"
        assert get(repo, "dir/file") == b"x"


class ArtifactRepoContract(FilesContract, DirectoriesContract, StagingContract, PathContract):
    """Everything that the kernel relies on in an artifact repository."""
