"""The code of projects from git servers: real ones on the loopback, with all that can go wrong there."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import projects_git
import pytest
from git_server import GitServer, git_server

from mlcore.errors import ProjectError
from mlcore.projects import git_refs, sources
from mlcore.tracking.session import Session

FETCH = (
    "import sys; from mlcore.projects import sources; from mlcore.tracking.session import Session;"
    "print((sources.fetched(sys.argv[1], session=Session()).directory / 'train.py').read_text(), end='')"
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path / "cache"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    made = projects_git.repository(tmp_path / "served" / "code", {"train.py": "print(1)\n"})
    projects_git.call(made, "tag", "--annotate", "--message", "first", "v1")
    projects_git.commit(made, {"train.py": "print(2)\n"})
    projects_git.call(made, "branch", "feature/x")
    projects_git.commit(made, {"train.py": "print(3)\n", "part/more.py": "print(4)\n"})
    return made


@pytest.fixture
def server(repo: Path) -> Iterator[GitServer]:
    with git_server(repo.parent) as served:
        yield served


def url_of(server: GitServer) -> str:
    return f"{server.uri}/code/.git"


def commit_of(repo: Path, name: str) -> str:
    return projects_git.call(repo, "rev-parse", f"{name}^{{commit}}")


def head(source: sources.Source) -> str:
    return (source.directory / "train.py").read_text()


def test_the_default_branch_is_fetched_without_its_history(repo: Path, server: GitServer, session: Session) -> None:
    source = sources.fetched(url_of(server), session=session)

    assert (source.commit, source.branch, head(source)) == (commit_of(repo, "main"), "main", "print(3)\n")
    assert source.repo_url == source.uri == url_of(server)
    assert projects_git.call(source.directory, "rev-list", "--count", "HEAD") == "1"
    assert projects_git.call(source.directory, "status", "--porcelain", "--branch") == "## main"


@pytest.mark.parametrize(
    ("version", "commit", "branch"),
    [("v1", "v1", None), ("feature/x", "feature/x", "feature/x"), ("refs/tags/v1", "v1", None)],
)
def test_tags_and_branches_are_versions(
    repo: Path, server: GitServer, session: Session, version: str, commit: str, branch: str | None
) -> None:
    source = sources.fetched(url_of(server), version, session=session)

    assert (source.commit, source.branch, source.version) == (commit_of(repo, commit), branch, version)


@pytest.mark.parametrize("kind", ["present", "old", "dumb"])
@pytest.mark.parametrize("digits", [40, 10])
def test_a_commit_is_a_version_whatever_the_server_allows(
    repo: Path, server: GitServer, session: Session, kind: str, digits: int
) -> None:
    commit = commit_of(repo, "main~2")
    projects_git.call(repo, "tag", "--delete", "v1")
    projects_git.call(repo, "update-server-info")
    server.old, server.dumb = kind == "old", kind == "dumb"

    source = sources.fetched(url_of(server), commit[:digits], session=session)

    assert (source.commit, head(source)) == (commit, "print(1)\n")


def test_a_commit_that_was_fetched_before_needs_no_network(repo: Path, server: GitServer, session: Session) -> None:
    url, commit = url_of(server), commit_of(repo, "v1")
    sources.fetched(url, "v1", session=session)
    asked = len(server.authorized)

    assert head(sources.fetched(url, commit, session=session)) == "print(1)\n"
    assert len(server.authorized) == asked


def test_a_damaged_cache_is_made_anew(server: GitServer, session: Session, cache: Path) -> None:
    sources.fetched(url_of(server), session=session)
    for pack in cache.rglob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(b"PACK")

    assert head(sources.fetched(url_of(server), session=session)) == "print(3)\n"


def test_a_version_that_is_not_there_lists_what_is(server: GitServer, session: Session, tmp_path: Path) -> None:
    with pytest.raises(
        ProjectError, match=r"'featur/x'.*did you mean 'feature/x'\?.*branches: feature/x, main; tags: v1"
    ):
        sources.fetched(url_of(server), "featur/x", session=session, storage=tmp_path / "store")
    assert not any((tmp_path / "store").iterdir())


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("version", ["0" * 40, "0123abc"])
def test_a_commit_that_is_not_there_is_told(server: GitServer, session: Session, version: str, old: bool) -> None:
    server.old = old

    with pytest.raises(ProjectError, match=f"no branch, tag or commit '{version}'"):
        sources.fetched(url_of(server), version, session=session)


@pytest.mark.parametrize(
    "version", ["--upload-pack=touch x", "-v", "a..b", "HEAD~1", "x y", "@{1}", "a:b", "*", "", "x\n"]
)
def test_what_can_be_no_version_is_refused_before_git_is_asked(
    server: GitServer, session: Session, version: str
) -> None:
    with pytest.raises(ProjectError, match="invalid version"):
        sources.fetched(url_of(server), version, session=session)
    assert server.authorized == []


@pytest.mark.parametrize(
    "uri",
    [
        "--upload-pack=touch canary",
        "-c core.x=1",
        "ext::sh -c touch% canary",
        "fd::17",
        "ssh://-oProxyCommand=touch${IFS}canary/x",
        "ssh://-oProxyCommand=touch@host/x",
        "git@-oProxyCommand=touch canary:x.git",
        "git@host:-x.git",
        "https://",
        "https:///path",
        "http://[::1/x",
        "git+ext::sh",
        "github:../../x",
        "github:owner",
        "",
        "x\ny",
    ],
)
def test_uris_that_could_be_options_or_commands_are_refused(session: Session, tmp_path: Path, uri: str) -> None:
    with pytest.raises(ProjectError, match=r"invalid project URI|no project at"):
        sources.fetched(uri, session=session)
    assert not (tmp_path / "canary").exists()


def test_a_repository_that_wants_a_password_fails_at_once_without_a_terminal(
    server: GitServer, session: Session
) -> None:
    server.login = "ada:secret"

    with pytest.raises(ProjectError, match=r"wants credentials.*credential helper.*git says"):
        sources.fetched(url_of(server), session=session)


def test_credentials_of_the_url_are_used_and_kept_nowhere(
    server: GitServer, session: Session, cache: Path, tmp_path: Path
) -> None:
    server.login = "ada:s3cr't $(x) \\n"
    url = url_of(server).replace("http://", "http://ada:s3cr't%20$(x)%20%5Cn@")

    source = sources.fetched(url, session=session)

    assert source.uri == source.repo_url == url_of(server)
    kept = [path for root in (cache, source.directory) for path in root.rglob("*") if path.is_file()]
    assert not [path for path in kept if b"s3cr" in path.read_bytes()]
    with pytest.raises(ProjectError) as caught:
        sources.fetched(url, "none", session=session)
    assert "s3cr" not in str(caught.value)


def test_gits_own_credential_helpers_are_asked(server: GitServer, session: Session, tmp_path: Path) -> None:
    server.login = "ada:secret"
    host = server.uri.removeprefix("http://")
    (tmp_path / ".home" / ".git-credentials").write_text(f"http://ada:secret@{host}\n")
    (tmp_path / ".home" / ".gitconfig").write_text("[credential]\n  helper = store\n")

    assert head(sources.fetched(url_of(server), session=session)) == "print(3)\n"


def test_a_wrong_password_is_told(server: GitServer, session: Session) -> None:
    server.login = "ada:secret"

    with pytest.raises(ProjectError, match="wants credentials"):
        sources.fetched(url_of(server).replace("http://", "http://ada:wrong@"), session=session)


def test_a_server_that_is_not_there_is_told(session: Session) -> None:
    with pytest.raises(ProjectError, match=r"cannot be reached: check the URL and the network; git says: .*port 9 "):
        sources.fetched("http://127.0.0.1:9/code.git", session=session)


def test_a_server_that_never_answers_is_given_up(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_refs, "ANSWER_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/code.git"

        with pytest.raises(ProjectError, match="cannot be reached"):
            sources.fetched(url, session=session)


def test_a_repository_that_is_not_there_is_told(server: GitServer, session: Session) -> None:
    with pytest.raises(ProjectError, match="there is no such repository"):
        sources.fetched(f"{server.uri}/none/.git", session=session)


def test_a_short_form_that_is_no_repository_says_that_no_such_directory_is_here(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")

    with pytest.raises(ProjectError, match=r"no directory 'examples/tutrial' here.* cannot be reached.*github\.com"):
        sources.fetched("examples/tutrial", session=session)


def test_an_empty_repository_is_told(server: GitServer, session: Session) -> None:
    (server.root / "empty").mkdir()
    projects_git.call(server.root / "empty", "init", "--quiet")

    with pytest.raises(ProjectError, match="no commit on its default branch"):
        sources.fetched(f"{server.uri}/empty/.git", session=session)


def test_submodules_are_fetched_by_urls_relative_to_their_parents(
    repo: Path, server: GitServer, session: Session
) -> None:
    projects_git.repository(repo.parent / "lib", {"lib.py": "first\n"})
    projects_git.call(repo, "submodule", "--quiet", "add", f"{server.uri}/lib/.git", "lib")
    projects_git.call(repo, "config", "--file", ".gitmodules", "submodule.lib.url", "../../lib/.git")
    projects_git.commit(repo, {})
    projects_git.commit(repo.parent / "lib", {"lib.py": "second\n"})

    source = sources.fetched(url_of(server), session=session)

    assert (source.directory / "lib" / "lib.py").read_text() == "first\n"


@pytest.mark.parametrize("url", ["ext::sh -c touch% canary", "-u./canary", "file:///etc", "/etc"])
def test_submodules_of_servers_cannot_run_commands_or_read_this_machine(
    repo: Path, server: GitServer, session: Session, tmp_path: Path, url: str
) -> None:
    projects_git.call(repo, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},lib")
    (repo / ".gitmodules").write_text(f'[submodule "lib"]\n  path = lib\n  url = {url}\n  update = !touch canary\n')
    projects_git.call(repo, "add", ".gitmodules")
    projects_git.call(repo, "commit", "--quiet", "--message", "x")

    with pytest.raises(ProjectError):
        sources.fetched(url_of(server), session=session)
    assert not list(tmp_path.rglob("canary"))


def test_processes_that_fetch_at_once_share_one_fetch(server: GitServer) -> None:
    command = [sys.executable, "-c", FETCH, url_of(server)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]

    assert [process.communicate(timeout=60)[0] for process in started] == ["print(3)\n"] * 4
    assert server.packs == 1


def test_a_fetch_that_was_killed_in_the_middle_leaves_nothing_in_the_way(
    server: GitServer, session: Session, cache: Path
) -> None:
    server.broken = True
    process = subprocess.Popen([sys.executable, "-c", FETCH, url_of(server)])
    assert server.stopped.wait(60)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    for place in cache.glob("git/*"):
        if place.is_dir():
            (place / "shallow.lock").write_text("")
    server.resumed.set()

    assert head(sources.fetched(url_of(server), session=session)) == "print(3)\n"


def test_ssh_never_asks_without_a_terminal(
    repo: Path, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "ssh").write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/words\nfor last; do :; done\nexec sh -c "$last"\n'
    )
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")

    source = sources.fetched(f"git@example.org:{repo}/.git", "v1", session=session)

    assert (head(source), source.repo_url) == ("print(1)\n", f"git@example.org:{repo}/.git")
    assert {"BatchMode=yes", "git@example.org"} <= set((tmp_path / "words").read_text().splitlines())


def test_a_chosen_ssh_and_the_repository_of_the_working_directory_count_as_they_do_for_git(
    repo: Path, session: Session, tmp_path: Path
) -> None:
    (tmp_path / "my-ssh").write_text('#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n')
    (tmp_path / "my-ssh").chmod(0o755)
    (tmp_path / ".home" / ".gitconfig").write_text(f"[core]\n  sshCommand = {tmp_path}/my-ssh\n")
    projects_git.call(tmp_path, "init", "--quiet")  # somebody else's, in which the program happens to stand
    projects_git.call(tmp_path, "config", "core.sshCommand", f"touch {tmp_path}/canary")

    source = sources.fetched(f"git@example.org:{repo}/.git", session=session)

    assert head(source) == "print(3)\n"
    assert not (tmp_path / "canary").exists()
