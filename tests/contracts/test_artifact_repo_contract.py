"""The contract suite of artifact repositories: a good fake passes, and each broken one is caught."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from mlcore.entities import FileInfo
from mlcore.errors import ArtifactWriteError
from mlcore.interfaces import ArtifactRepo
from mlcore.testing.artifact_repo import ArtifactRepoContract
from mlcore.testing.memory_repo import MemoryRepo


class TestMemoryRepo(ArtifactRepoContract):
    @pytest.fixture
    def repo(self) -> ArtifactRepo:
        return MemoryRepo()


class Unsorted(MemoryRepo):
    def list(self, path: str = "") -> Sequence[FileInfo]:
        return [*reversed(super().list(path))]


class WholeTreeListing(MemoryRepo):
    def list(self, path: str = "") -> Sequence[FileInfo]:
        return [FileInfo(p, is_dir=False, file_size=len(c)) for p, c in sorted(self.files.items())]


class SizedDirectories(MemoryRepo):
    def stat(self, path: str) -> FileInfo | None:
        found = super().stat(path)
        return FileInfo(path, is_dir=True, file_size=0) if found and found.is_dir else found


class KeepsWhatCame(MemoryRepo):
    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        try:
            while part := source.read(1 << 20):
                self.files[path] = self.files.get(path, b"") + part
        finally:
            self.files.setdefault(path, b"")


class BelievesTheSize(MemoryRepo):
    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        self.files[path] = source.read()


class DropsTheLastByte(MemoryRepo):
    def read(self, path: str) -> BinaryIO:
        with super().read(path) as file:
            return io.BytesIO(file.read()[:-1])


class DeletesByPrefix(MemoryRepo):
    def delete(self, path: str) -> None:
        super().delete(path)
        self.files = {name: content for name, content in self.files.items() if not name.startswith(path)}


class SilentDelete(MemoryRepo):
    def delete(self, path: str) -> None:
        if self.stat(path):
            super().delete(path)


class QuotesNames(MemoryRepo):
    def write(self, path: str, source: BinaryIO, size_bytes: int) -> None:
        super().write(path.replace(" ", "%20"), source, size_bytes)


class PythonErrors(MemoryRepo):
    def read(self, path: str) -> BinaryIO:
        return io.BytesIO(self.files[path])


class PublishesTooEarly(MemoryRepo):
    @contextmanager
    def staged(self, path: str) -> Iterator[ArtifactRepo]:
        outer = self

        class Inner(MemoryRepo):
            def write(self, inner: str, source: BinaryIO, size_bytes: int) -> None:
                super().write(inner, source, size_bytes)
                outer.files[f"{path}/{inner}"] = self.files[inner]

        yield Inner()


CAUGHT: list[tuple[type[MemoryRepo], str, tuple[object, ...]]] = [
    (Unsorted, "test_a_listing_has_the_direct_children_sorted_by_path", ()),
    (WholeTreeListing, "test_a_listing_has_the_direct_children_sorted_by_path", ()),
    (WholeTreeListing, "test_a_listing_of_no_directory_is_empty", ("file",)),
    (SizedDirectories, "test_a_directory_is_known_as_one", ()),
    (KeepsWhatCame, "test_a_source_that_breaks_off_leaves_nothing", ()),
    (KeepsWhatCame, "test_a_source_that_breaks_off_leaves_the_old_file", ()),
    (KeepsWhatCame, "test_writing_again_replaces", ()),
    (BelievesTheSize, "test_a_source_of_another_size_is_refused", (4,)),
    (DropsTheLastByte, "test_what_was_written_is_read_back", (b"x",)),
    (DropsTheLastByte, "test_readers_see_the_old_or_the_new_file", ()),
    (DeletesByPrefix, "test_deleting_a_file_leaves_its_neighbours", ()),
    (DeletesByPrefix, "test_deleting_a_directory_takes_all_in_it_and_nothing_else", ()),
    (SilentDelete, "test_deleting_nothing_names_the_path", ()),
    (QuotesNames, "test_names_come_back_as_they_were", ("with space.txt",)),
    (PythonErrors, "test_reading_what_is_no_file_names_the_path", ("missing",)),
]


@pytest.mark.parametrize(("broken", "test", "arguments"), CAUGHT, ids=lambda v: getattr(v, "__name__", str(v))[:60])
def test_a_broken_repository_is_caught(broken: type[MemoryRepo], test: str, arguments: tuple[object, ...]) -> None:
    check = getattr(ArtifactRepoContract(), test)

    with pytest.raises((AssertionError, LookupError, ArtifactWriteError, pytest.fail.Exception)):
        check(broken(), *arguments)


def test_a_tree_that_is_published_too_early_is_caught() -> None:
    broken = PublishesTooEarly()

    with pytest.raises(AssertionError):
        ArtifactRepoContract().test_staged_files_appear_together(broken, broken, "new")


def test_a_file_that_does_not_come_back_is_caught_by_the_tree_test(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="came incomplete"):
        ArtifactRepoContract().test_a_tree_comes_back_as_it_was(DropsTheLastByte(), tmp_path)
