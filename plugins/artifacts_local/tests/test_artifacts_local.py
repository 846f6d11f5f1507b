"""The local artifact repository: the contract, and what only a file system can get wrong."""

from __future__ import annotations

import io
import os
import time
from pathlib import Path

import pytest
from mlcore_artifacts_local.leftovers import STALE_S, remove_stale
from mlcore_artifacts_local.plugin import artifact_repo
from mlcore_artifacts_local.repo import LocalRepo

from mlcore.artifacts.local_files import staging_name
from mlcore.artifacts.transfer import download_tree, upload_tree
from mlcore.entities import FileInfo
from mlcore.errors import (
    ArtifactNotFoundError,
    ArtifactWriteError,
    InvalidParameterError,
)
from mlcore.interfaces import ArtifactRepo
from mlcore.testing.artifact_repo import ArtifactRepoContract, get, put


class TestLocalRepo(ArtifactRepoContract):
    plugin_module = "mlcore_artifacts_local.plugin"

    @pytest.fixture
    def repo(self, tmp_path: Path) -> ArtifactRepo:
        return LocalRepo.open((tmp_path / "artifact root").as_uri())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def repo(root: Path) -> LocalRepo:
    return LocalRepo.open(str(root))


def below(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


@pytest.mark.parametrize("form", ["{path}", "file://{path}", "file://localhost{path}", "file:{path}", "FILE://{path}"])
def test_paths_and_file_uris_are_opened(form: str, root: Path) -> None:
    opened = artifact_repo(form.format(path=root))

    assert opened is not None
    put(opened, "f", b"x")
    assert (root / "f").read_bytes() == b"x"


def test_other_schemes_are_left_to_others() -> None:
    assert artifact_repo("s3://bucket/x") is None
    assert artifact_repo("mlflow-artifacts:/x") is None


def test_another_machines_file_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="names the host 'server'"):
        artifact_repo("file://server/share")


def test_opening_and_looking_make_nothing(repo: LocalRepo, root: Path) -> None:
    assert repo.stat("") is None
    assert list(repo.list()) == []
    with pytest.raises(ArtifactNotFoundError, match="no artifact 'x' under '/"):
        repo.read("x")

    assert not root.exists()


def test_a_single_file_can_be_the_root(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"12")
    repo = LocalRepo.open(str(tmp_path / "model.bin"))

    assert repo.stat("") == FileInfo("", is_dir=False, file_size=2)
    assert get(repo, "") == b"12"
    assert list(repo.list()) == []


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    repo = LocalRepo.open(str(tmp_path / "link"))

    put(repo, "a/f", b"x")

    assert get(repo, "a/f") == b"x"
    assert below(tmp_path / "real") == ["a", "a/f"]


UNSAFE = [
    "..",
    "../secret",
    "a/../../secret",
    "/etc/passwd",
    "//etc/passwd",
    "%2e%2e/secret",
    "%252e%252e%252fsecret",
    "..%2fsecret",
    "..\\secret",
    "..%5csecret",
    "a\x00b",
    "~/secret",
    "file:///etc/passwd",
    "FILE:/etc/passwd",
    "C:\\secret",
    "C:/secret",
    "\\\\server\\share",
]


@pytest.mark.parametrize("path", UNSAFE)
def test_no_path_leads_out_of_the_root(path: str, repo: LocalRepo, tmp_path: Path) -> None:
    put(repo, "a/f", b"x")
    (tmp_path / "secret").write_text("secret")
    before = below(tmp_path)

    for call in (
        repo.list,
        repo.stat,
        repo.read,
        repo.delete,
        lambda p: put(repo, p, b"evil"),
        lambda p: repo.staged(p).__enter__(),
    ):
        with pytest.raises(InvalidParameterError, match="expected a path below the artifact root"):
            call(path)

    assert below(tmp_path) == before
    assert (tmp_path / "secret").read_text() == "secret"


@pytest.mark.parametrize("target", ["{outside}", "../outside", "inner/../../outside"])
def test_no_link_leads_out_of_the_root(target: str, repo: LocalRepo, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    put(repo, "inner/f", b"x")
    (root / "link").symlink_to(target.format(outside=outside))
    (root / "file").symlink_to(outside / "secret")

    for call in (
        lambda: repo.list("link"),
        lambda: repo.stat("link/secret"),
        lambda: repo.read("link/secret"),
        lambda: repo.read("file"),
        lambda: repo.delete("link/secret"),
        lambda: put(repo, "link/new", b"evil"),
        lambda: put(repo, "link/deep/new", b"evil"),
        lambda: repo.staged("link/tree").__enter__(),
    ):
        with pytest.raises(InvalidParameterError, match="a link leads out of '/"):
            call()

    assert [info.path for info in repo.list()] == ["inner"]
    assert below(outside) == ["secret"]


def test_writing_and_deleting_take_the_link_not_what_it_leads_to(repo: LocalRepo, root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    root.mkdir()
    (root / "written").symlink_to(tmp_path / "secret")
    (root / "deleted").symlink_to(tmp_path / "secret")

    put(repo, "written", b"new")
    repo.delete("deleted")

    assert (tmp_path / "secret").read_text() == "secret"
    assert get(repo, "written") == b"new"
    assert not (root / "deleted").is_symlink()


def test_links_inside_the_root_are_followed(repo: LocalRepo, root: Path) -> None:
    put(repo, "blobs/one", b"1")
    (root / "current").symlink_to("blobs")

    assert get(repo, "current/one") == b"1"
    assert repo.stat("current") == FileInfo("current", is_dir=True)


def test_pipes_and_dead_links_are_not_there(repo: LocalRepo, root: Path) -> None:
    root.mkdir()
    os.mkfifo(root / "pipe")
    (root / "dead").symlink_to("gone")
    (root / "loop").symlink_to("loop")

    assert list(repo.list()) == []
    for name in ("pipe", "dead", "loop"):
        assert repo.stat(name) is None
        with pytest.raises(ArtifactNotFoundError, match=f"no artifact '{name}'"):
            repo.read(name)


def test_a_very_long_name_is_no_artifact_and_cannot_be_one(repo: LocalRepo) -> None:
    put(repo, "f", b"x")

    assert repo.stat("x" * 300) is None
    assert list(repo.list("x" * 5000)) == []
    with pytest.raises(ArtifactNotFoundError, match="no artifact 'xxx"):
        repo.read("x" * 300)
    with pytest.raises(ArtifactWriteError, match=r"cannot store artifact 'xxx.*: File name too long"):
        put(repo, "x" * 300, b"x")


def test_lone_surrogates_are_refused(repo: LocalRepo) -> None:
    with pytest.raises(InvalidParameterError, match="it is not valid Unicode"):
        put(repo, "bad\ud800name", b"x")


def test_nothing_is_readable_or_writable_for_others(repo: LocalRepo, root: Path, tmp_path: Path) -> None:
    (tmp_path / "from" / "deep").mkdir(parents=True)
    (tmp_path / "from" / "deep" / "f").write_text("x")
    before = os.umask(0)
    try:
        put(repo, "a/b/f", b"x")
        upload_tree(repo, tmp_path / "from", "new/tree")
        upload_tree(repo, tmp_path / "from", "a")
    finally:
        os.umask(before)

    made = [root, *root.rglob("*")]
    assert len(made) == 10
    assert {oct(p.stat().st_mode & 0o777) for p in made if p.is_dir()} == {"0o700"}
    assert {oct(p.stat().st_mode & 0o777) for p in made if p.is_file()} == {"0o600"}


def test_unfinished_files_are_invisible_and_cannot_be_named(repo: LocalRepo, root: Path) -> None:
    hidden = staging_name()
    put(repo, "f", b"x")
    (root / hidden).mkdir()
    (root / hidden / "inner").write_text("x")

    assert [info.path for info in repo.list()] == ["f"]
    assert repo.stat(hidden) is None
    assert list(repo.list(hidden)) == []
    with pytest.raises(ArtifactNotFoundError, match=r"no artifact '\.mlcore-staging-"):
        repo.read(f"{hidden}/inner")
    with pytest.raises(InvalidParameterError, match="names that start so are for unfinished files"):
        put(repo, f"{hidden}/inner", b"x")


def test_leftovers_go_after_a_day_and_not_before(repo: LocalRepo, root: Path) -> None:
    put(repo, "f", b"x")
    names = {age: root / staging_name() for age in (STALE_S - 60, STALE_S + 60)}
    for age, path in names.items():
        (path / "deep").mkdir(parents=True)
        (path / "deep" / "part").write_text("x")
        for p in (path / "deep" / "part", path / "deep", path):
            os.utime(p, (time.time() - age,) * 2)

    repo.list()

    assert [p.exists() for p in names.values()] == [True, False]


def test_a_long_upload_is_no_leftover(root: Path) -> None:
    tree, file = root / staging_name(), root / staging_name()
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "part").write_text("still growing")
    file.write_text("x")
    for p in (tree / "deep", tree, file):
        os.utime(p, (time.time() - 2 * STALE_S,) * 2)

    remove_stale(str(root))

    assert (tree.exists(), file.exists()) == (True, False)


def test_the_root_cannot_be_written_as_a_file(repo: LocalRepo) -> None:
    with pytest.raises(InvalidParameterError, match="expected the name of a file below the root"):
        repo.write("", io.BytesIO(), 0)


def test_deleting_the_root_empties_it(repo: LocalRepo, root: Path) -> None:
    put(repo, "a/b", b"x")
    put(repo, "c", b"x")

    repo.delete("")

    assert below(root) == []


def test_many_small_files_are_quick(repo: LocalRepo, tmp_path: Path) -> None:
    for n in range(2000):
        folder = tmp_path / "from" / f"{n % 20}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{n}").write_bytes(b"x" * 100)
    before = time.process_time()

    upload_tree(repo, tmp_path / "from", "tree")
    download_tree(repo, "tree", tmp_path / "to")

    # 0.35 s when measured; the limit only catches work that grows with the square of the files
    assert time.process_time() - before < 3.0
    assert len(below(tmp_path / "to")) == 2020
