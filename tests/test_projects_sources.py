"""The code of a project: from directories and repositories on this machine, with its exact state."""

from __future__ import annotations

import os
from pathlib import Path

import projects_git
import pytest

from mlcore.errors import ProjectError
from mlcore.plugins import Plugins
from mlcore.projects import sources
from mlcore.projects.source_state import apply_diff
from mlcore.settings import Settings
from mlcore.tracking.session import Session


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return projects_git.repository(tmp_path / "repo", {"train.py": "print(1)\n", "part/more.py": "print(2)\n"})


def test_a_directory_is_used_in_place(tmp_path: Path, session: Session) -> None:
    (tmp_path / "plain").mkdir()

    source = sources.fetched(str(tmp_path / "plain"), session=session)

    assert source == sources.Source(uri=str(tmp_path / "plain"), directory=tmp_path / "plain")


def test_a_clean_checkout_tells_commit_branch_and_url_without_credentials(repo: Path, session: Session) -> None:
    projects_git.call(repo, "remote", "add", "origin", "https://ada:secret@example.org/code.git")

    source = sources.fetched(f"{repo}#part", session=session)

    assert (source.commit, source.branch, source.dirty, source.diff) == (
        projects_git.call(repo, "rev-parse", "HEAD"),
        "main",
        False,
        "",
    )
    assert (source.directory, source.subdirectory) == (repo / "part", "part")
    assert source.repo_url == "https://example.org/code.git"


def test_the_diff_of_a_changed_checkout_makes_the_same_tree_of_its_commit(repo: Path, session: Session) -> None:
    projects_git.commit(repo, {"gone.py": "x\n", "kept.txt": "a\nb\n", "was.sh": "echo\n"})
    (repo / "kept.txt").write_text("a\nc without end of line")
    (repo / "gone.py").unlink()
    (repo / "was.sh").chmod(0o755)
    (repo / "with space é.py").write_text("new\n", "utf-8")
    (repo / "picture.bin").write_bytes(bytes(range(256)) * 3)
    (repo / "latin.txt").write_bytes(b"\xe4\xf6\r\n")
    (repo / "link").symlink_to("kept.txt")
    (repo / "staged.py").write_text("staged\n")
    projects_git.call(repo, "add", "staged.py")
    index = (repo / ".git" / "index").read_bytes()

    source = sources.fetched(str(repo), session=session)
    clean = sources.fetched(str(repo), source.commit, session=session)
    apply_diff(clean.directory, source.diff)

    assert source.dirty
    assert projects_git.files_of(clean.directory) == projects_git.files_of(repo)
    assert sources.identity(clean) == sources.identity(source)
    assert (repo / ".git" / "index").read_bytes() == index


def test_what_recording_leaves_behind_is_no_change_of_the_code(repo: Path, session: Session) -> None:
    (repo / "mlcore.db").write_bytes(b"x")
    (repo / "mlruns" / "0").mkdir(parents=True)
    (repo / "mlruns" / "0" / "meta.yaml").write_text("x")

    assert not sources.fetched(str(repo), session=session).dirty


def test_what_cannot_be_kept_is_named_and_keeps_nobody_from_running(
    repo: Path, session: Session, tmp_path: Path
) -> None:
    inner = projects_git.repository(tmp_path / "inner", {"lib.py": "first\n"})
    projects_git.call(repo, "submodule", "--quiet", "add", "../inner", "vendored")
    projects_git.commit(repo, {})
    (repo / "vendored" / "lib.py").write_text("changed\n")
    projects_git.repository(repo / "nested", {"other.py": "x\n"})

    source = sources.fetched(str(repo), session=session)

    assert source.dirty
    assert source.diff.splitlines() == [
        "# left out: 'vendored' (changes inside of a submodule)",
        "# left out: 'nested/' (a repository of its own)",
    ]
    assert inner.is_dir()


def test_changes_that_git_cannot_take_keep_nobody_from_running(repo: Path, session: Session) -> None:
    projects_git.commit(repo, {".gitattributes": "*.big filter=gone\n"})
    projects_git.call(repo, "config", "filter.gone.clean", "no-such-program")
    projects_git.call(repo, "config", "filter.gone.required", "true")
    (repo / "a.big").write_text("x")

    source = sources.fetched(str(repo), session=session)

    assert source.dirty
    assert source.diff.startswith("# left out: all changes (")


def test_files_with_names_of_secrets_are_withheld_and_told_and_others_counted(
    repo: Path, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    names = [".env", ".env.local", "deploy.pem", "id_rsa", "part/.netrc", "part/credentials.json"]
    for name in names:
        (repo / name).write_text("PASSWORD=geheim\n")
    for name in ["new.py", ".env.example", "credentials.py"]:
        (repo / name).write_text("x = 1\n")

    source = sources.fetched(str(repo), session=session)
    clean = sources.fetched(str(repo), source.commit, session=session)

    assert "geheim" not in source.diff
    assert [line for line in source.diff.splitlines() if line.startswith("#")] == [
        f"# withheld: {name!r} (its name is that of a secret)" for name in names
    ]
    assert "3 untracked files go into the run's record" in caplog.text
    assert "'.env', '.env.local', 'deploy.pem', 'id_rsa', 'part/.netrc' and 1 more" in caplog.text
    caplog.clear()
    apply_diff(clean.directory, source.diff)
    assert (clean.directory / "credentials.py").is_file()
    assert "changes of these files were not kept" in caplog.text


def test_untracked_files_are_kept_by_nobody_who_does_not_want_that(repo: Path) -> None:
    (repo / "notes.txt").write_text("private\n")
    (repo / "part" / "more.py").write_text("changed\n")
    session = Session(Settings.load({"keep_untracked": False}), Plugins.discover())

    source = sources.fetched(str(repo), session=session)
    session.close()

    assert source.dirty
    assert "private" not in source.diff
    assert "+changed" in source.diff
    assert source.diff.startswith("# withheld: 'notes.txt' (not tracked)\n")


def test_files_too_large_for_the_diff_are_named_and_refused_when_it_is_applied(repo: Path, session: Session) -> None:
    (repo / "data.bin").write_bytes(os.urandom(5 << 20))
    (repo / "small.py").write_text("x\n")

    source = sources.fetched(str(repo), session=session)

    assert len(source.diff) < 1000
    assert "small.py" in source.diff
    with pytest.raises(ProjectError, match=r"not kept whole.*'data\.bin'"):
        apply_diff(repo, source.diff)


@pytest.mark.parametrize("uri", ["{repo}", "file://{repo}", "git+file://{repo}"])
def test_a_version_of_a_repository_on_this_machine_is_checked_out_elsewhere(
    repo: Path, session: Session, tmp_path: Path, uri: str
) -> None:
    projects_git.call(repo, "tag", "v1")
    first = projects_git.call(repo, "rev-parse", "HEAD")
    projects_git.commit(repo, {"train.py": "print(3)\n"})
    (repo / "train.py").write_text("dirty\n")

    source = sources.fetched(uri.format(repo=repo), "v1", session=session, storage=tmp_path / "store")

    assert (source.commit, source.branch, source.dirty) == (first, None, False)
    assert (source.directory / "train.py").read_text() == "print(1)\n"
    assert projects_git.call(source.directory, "status", "--porcelain") == ""
    assert source.temporary is not None
    assert source.temporary.parent == tmp_path / "store"
    assert (repo / "train.py").read_text() == "dirty\n"


def test_a_version_of_a_subdirectory_is_found_in_the_repository_around_it(repo: Path, session: Session) -> None:
    source = sources.fetched(str(repo / "part"), "main", session=session)

    assert (source.branch, source.directory.name) == ("main", "part")
    assert (source.directory / "more.py").is_file()


def test_a_bare_repository_runs_its_default_branch(repo: Path, session: Session, tmp_path: Path) -> None:
    projects_git.call(tmp_path, "clone", "--quiet", "--bare", str(repo), "bare.git")

    source = sources.fetched((tmp_path / "bare.git").as_uri(), session=session)

    assert (source.branch, (source.directory / "train.py").is_file()) == ("main", True)


def test_a_version_that_is_not_there_lists_what_is(repo: Path, session: Session, tmp_path: Path) -> None:
    projects_git.call(repo, "tag", "release-1")

    with pytest.raises(ProjectError, match=r"'relase-1'.*did you mean 'release-1'\?.*branches: main; tags: release-1"):
        sources.fetched(str(repo), "relase-1", session=session, storage=tmp_path / "store")
    assert not any((tmp_path / "store").iterdir())


def test_a_version_of_a_plain_directory_is_refused(tmp_path: Path, session: Session) -> None:
    with pytest.raises(ProjectError, match=r"git repositories only"):
        sources.fetched(str(tmp_path), "v1", session=session)


def test_submodules_are_checked_out_at_their_commits(repo: Path, session: Session, tmp_path: Path) -> None:
    inner = projects_git.repository(tmp_path / "inner", {"lib.py": "first\n"})
    projects_git.call(repo, "submodule", "--quiet", "add", "../inner", "vendored/inner")
    projects_git.commit(repo, {})
    projects_git.commit(inner, {"lib.py": "second\n"})

    source = sources.fetched(str(repo), "main", session=session)

    assert (source.directory / "vendored" / "inner" / "lib.py").read_text() == "first\n"
    assert projects_git.call(source.directory, "status", "--porcelain") == ""


def test_the_identity_is_the_commit_when_clean_and_the_content_when_not(repo: Path, session: Session) -> None:
    clean = sources.identity(sources.fetched(str(repo), session=session))
    (repo / "train.py").write_text("changed\n")
    changed = sources.identity(sources.fetched(str(repo), session=session))
    (repo / "train.py").write_text("print(1)\n")

    assert clean == f"commit:{projects_git.call(repo, 'rev-parse', 'HEAD')}:"
    assert changed.startswith("tree:")
    assert sources.identity(sources.fetched(str(repo), session=session)) == clean


def test_the_identity_of_a_plain_directory_is_of_its_files(tmp_path: Path, session: Session) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "a.py").write_text("1")
    source = sources.fetched(str(plain), session=session)
    before = sources.identity(source)
    (plain / "__pycache__").mkdir()
    (plain / "__pycache__" / "a.pyc").write_text("x")
    (plain / "mlcore.db").write_text("x")

    assert sources.identity(source) == before
    (plain / "a.py").write_text("2")
    assert sources.identity(source) != before


@pytest.mark.parametrize("part", ["../other", "part/../..", "%2e%2e/x", "missing"])
def test_a_subdirectory_cannot_lead_out_of_the_project(repo: Path, session: Session, part: str) -> None:
    with pytest.raises(ProjectError, match=r"subdirectory|no directory"):
        sources.fetched(f"{repo}#{part}", session=session)


def test_a_subdirectory_that_is_a_link_to_elsewhere_is_refused(repo: Path, session: Session, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (repo / "out").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ProjectError, match="symbolic link"):
        sources.fetched(f"{repo}#out", session=session)
