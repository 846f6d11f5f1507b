"""Repositories that were fetched before: one for each URL, shared by all processes, with what was asked for only."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from mlcore.delivery.locks import take
from mlcore.errors import ProjectError
from mlcore.projects import git_users
from mlcore.projects.cache import cache_directory
from mlcore.projects.git_program import Done, git, remote_error
from mlcore.projects.git_refs import COMMIT, Found, Remote, unknown

_EVERY_S = 0.05
_OURS = "refs/mlcore/"
_REFUSED = (
    "unadvertised object",
    "dumb http transport",
    "does not support shallow",
    "not our ref",
    "Couldn't find remote",
)


@frozen
class Cached:
    """A bare repository that has a commit with all its files."""

    directory: Path
    commit: str


def commit_at(remote: Remote, found: Found, version: str, checkout: Path) -> Cached:
    """Return the repository with what was *found*; fetched when it is not there yet, by one process at a time.

    checkout: the directory that is to use it, which exists; while it does, the repository is not removed.
    Raises ProjectError: it cannot be fetched, or there is no such commit.
    """
    cache = _place(remote.url)
    git_users.note(cache, checkout, remote.shown)
    if found.commit is not None and _has(cache, found.commit):
        with contextlib.suppress(OSError):  # a cache that only others may write
            os.utime(cache / "HEAD")  # used now
        return Cached(cache, found.commit)
    cache.parent.mkdir(parents=True, exist_ok=True)
    with _locked(cache.with_name(cache.name + ".lock")) as lock:
        if found.commit is None or not _has(cache, found.commit):
            _prepare(cache, found.commit)
            found = _fetched(remote, found, version, cache, lock)
    if found.commit is None:
        raise unknown(remote, version)
    return Cached(cache, found.commit)


def is_cached(url: str, commit: str) -> bool:
    """Return whether *commit* needs no network."""
    return _has(_place(url), commit)


def forget(cached: Cached) -> None:
    """Delete a repository whose files turned out to be broken."""
    with _locked(cached.directory.with_name(cached.directory.name + ".lock")):
        shutil.rmtree(cached.directory, ignore_errors=True)


def _place(url: str) -> Path:
    return cache_directory() / "git" / hashlib.sha256(url.encode()).hexdigest()[:32]


def _has(cache: Path, commit: str) -> bool:
    # the ref is written when all of the commit's files are there, so it alone says that they are
    return (cache / _OURS / commit).is_file()


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Hold a lock that git, as our child, holds as well: it may outlive this process when that is killed."""
    lock = take(path)
    while lock is None:
        time.sleep(_EVERY_S)
        lock = take(path)
    try:
        yield lock.fileno()
    finally:
        lock.release()


def _prepare(cache: Path, commit: str | None) -> None:
    if (cache / "HEAD").is_file():
        # whoever made these is dead, as we have the lock
        for left in (*cache.glob("*.lock"), *cache.glob("refs/**/*.lock"), *cache.glob("objects/pack/tmp_*")):
            left.unlink(missing_ok=True)
        return
    shutil.rmtree(cache, ignore_errors=True)
    kind = ("--object-format=sha256",) if commit is not None and len(commit) == 64 else ()
    done = git("init", "--quiet", "--bare", "--template=", *kind, "--", str(cache))
    if done.code:
        raise ProjectError(f"cannot keep git repositories in {str(cache.parent)!r}: {done.words}")


def _fetched(remote: Remote, found: Found, version: str, cache: Path, lock: int) -> Found:
    """Fetch one commit without its history where the server allows it, else all branches and tags."""
    words = ""
    if found.commit is not None:
        for name in filter(None, (found.commit, found.ref)):
            done = _fetch(remote, cache, lock, "--depth=1", "--", remote.url, f"+{name}:{_OURS}new")
            if done.code == 0 and _of(cache, f"{_OURS}new") == found.commit:
                return _keep(cache, found.commit)
            words = done.words
            if done.code and not any(text in words for text in _REFUSED):
                raise remote_error(remote.shown, words)
            if "not our ref" in words and found.ref is None:  # a server that gives out commits does not have it
                raise unknown(remote, version)
    shallow = ("--unshallow",) if (cache / "shallow").is_file() else ()
    done = _fetch(
        remote,
        cache,
        lock,
        *shallow,
        "--",
        remote.url,
        "+refs/heads/*:refs/all/heads/*",
        "+refs/tags/*:refs/all/tags/*",
    )
    if done.code:
        raise remote_error(remote.shown, done.words)
    commit = _of(cache, found.commit or version)
    if commit is None:
        raise unknown(remote, version)
    return _keep(cache, commit)


def _fetch(remote: Remote, cache: Path, lock: int, *arguments: str) -> Done:
    options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--force")
    return git("-C", str(cache), "fetch", *options, *arguments, env=remote.env, kept=(lock,))


def _of(cache: Path, name: str) -> str | None:
    done = git("-C", str(cache), "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return done.text if done.code == 0 and COMMIT.match(done.text) else None


def _keep(cache: Path, commit: str) -> Found:
    done = git("-C", str(cache), "update-ref", f"{_OURS}{commit}", commit)
    if done.code:
        raise ProjectError(f"cannot keep a fetched commit in {str(cache)!r}: {done.words}")
    return Found(commit)
