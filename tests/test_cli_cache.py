"""`mlcore cache`: what was fetched for projects is listed and pruned, and nothing below a run that uses it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import projects_git
import pytest
from file_server import file_server
from git_server import GitServer, git_server

from mlcore.delivery.locks import take
from mlcore.errors import InvalidParameterError
from mlcore.projects import cache_care, downloads, sources
from mlcore.projects.cache_care import DOWNLOADS, GIT
from mlcore.tracking.session import Session

Run = Callable[..., subprocess.CompletedProcess[str]]
OLD = time.time() - 40 * 86400


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLCORE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    made = projects_git.repository(tmp_path / "served" / "code", {"train.py": "print(1)\n"})
    with git_server(made.parent) as served:
        yield served


@pytest.fixture
def checkout(server: GitServer, session: Session, tmp_path: Path) -> Path:
    """A checkout of a cached repository; its parent is what a run deletes at its end."""
    return sources.fetched(f"{server.uri}/code/.git", session=session, storage=tmp_path / "store").directory


@pytest.fixture
def download(session: Session, tmp_path: Path) -> Path:
    with file_server() as web:
        web.files["/data/a.csv"] = b"1,2\n"
        downloads.brought(session, f"{web.uri}/data/a.csv", tmp_path / "inputs")
    (file,) = (tmp_path / "cache" / "downloads" / "files").iterdir()
    return file


@pytest.fixture
def mlcore(tmp_path: Path) -> Run:
    def run(*arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mlcore.cli", "cache", *arguments],
            cwd=tmp_path,
            input=answer,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def repository_of(cache: Path) -> Path:
    return next(each for each in (cache / "git").iterdir() if (each / "HEAD").is_file())


def left(kind: str | None = None) -> list[str]:
    return [each.entry_id for each in cache_care.kept(kind)]


def removed() -> list[str]:
    """Remove everything; return the reasons of what stays."""
    return [each.reason for each in cache_care.remove(cache_care.kept()) if each.reason]


def test_repositories_and_files_are_listed_with_where_they_are_from(
    mlcore: Run, server: GitServer, checkout: Path, download: Path
) -> None:
    os.utime(download, (OLD, OLD))

    found = [json.loads(line) for line in mlcore("list", "--json").stdout.splitlines()]

    assert [(each["kind"], each["what"]) for each in found] == [(GIT, f"{server.uri}/code/.git"), (DOWNLOADS, "a.csv")]
    assert found[0]["size_bytes"] > 100
    assert (found[1]["size_bytes"], found[1]["entry_id"]) == (4, download.name)
    assert mlcore("list", "--kind", "git").stdout.splitlines()[0].split("\t")[:2] == ["kind", "entry_id"]


def test_what_nobody_used_for_long_is_pruned_after_a_yes(
    mlcore: Run, cache: Path, checkout: Path, download: Path
) -> None:
    shutil.rmtree(checkout.parent)
    os.utime(repository_of(cache) / "HEAD", (OLD, OLD))

    refused = mlcore("prune", answer="n\n")
    kept = left()
    done = mlcore("prune", "--older-than", "30d", "--yes")

    assert (refused.returncode, len(kept)) == (130, 2)
    assert (done.returncode, len(done.stdout.split())) == (0, 1)
    assert left() == [download.name]
    assert "nothing to remove" in mlcore("prune").stderr


def test_a_repository_that_a_checkout_uses_stays_and_is_told(mlcore: Run, checkout: Path, download: Path) -> None:
    done = mlcore("prune", "--all", "--yes", "--json")
    still = projects_git.call(checkout, "log", "--format=%an")
    shutil.rmtree(checkout.parent)

    found = {each["kind"]: each["removed"] for each in map(json.loads, done.stdout.splitlines())}
    assert found == {GIT: False, DOWNLOADS: True}
    assert f"is in use by the checkout '{checkout}'" in done.stderr
    assert still == "Ada"
    assert removed() == []
    assert left() == []


def test_a_repository_that_is_being_fetched_stays(cache: Path, checkout: Path) -> None:
    shutil.rmtree(checkout.parent)
    lock = take(cache / "git" / f"{repository_of(cache).name}.lock")
    assert lock is not None
    reasons = removed()
    lock.release()

    assert ["is in use: something is being fetched" in each for each in reasons] == [True]
    assert removed() == []


def test_what_was_removed_is_fetched_again_and_what_is_used_is_young(
    cache: Path, server: GitServer, session: Session, checkout: Path, download: Path, tmp_path: Path
) -> None:
    shutil.rmtree(checkout.parent)
    assert removed() == []
    for _ in range(2):
        again = sources.fetched(f"{server.uri}/code/.git", session=session, storage=tmp_path / "store")
        shutil.rmtree(again.directory.parent)
        before = repository_of(cache) / "HEAD"
        young = before.stat().st_mtime
        os.utime(before, (OLD, OLD))

    assert young > OLD + 86400
    assert server.packs == 2
    assert not list((cache / "downloads" / "known").iterdir())


def test_checkouts_that_begin_while_everything_is_pruned_are_whole(
    server: GitServer, session: Session, tmp_path: Path
) -> None:
    over = threading.Event()
    pruning = threading.Thread(target=lambda: [removed() for _ in iter(over.is_set, True)])
    pruning.start()
    try:
        for _ in range(5):
            found = sources.fetched(f"{server.uri}/code/.git", session=session, storage=tmp_path / "store").directory
            assert projects_git.call(found, "log", "--format=%an") == "Ada"
            shutil.rmtree(found.parent)
    finally:
        over.set()
        pruning.join()


def test_a_file_that_is_being_written_is_left_alone(download: Path) -> None:
    unfinished = download.with_name(f"{download.name}.{'0' * 32}")
    unfinished.write_text("half")
    fresh = left(DOWNLOADS)
    os.utime(unfinished, (OLD, OLD))

    assert fresh == [download.name]
    assert unfinished.name in left(DOWNLOADS)


def test_an_unknown_kind_and_contradicting_options_are_refused(mlcore: Run) -> None:
    with pytest.raises(InvalidParameterError, match="no cache 'locks': expected one of git, downloads"):
        cache_care.kept("locks")
    assert mlcore("prune", "--all", "--older-than", "3d").returncode == 2
