"""The git state of a directory, by one call of the git program."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_TIMEOUT_S = 2.0
_DETACHED = "(detached)"


def git_tags(directory: Path) -> Mapping[str, str]:
    """Return commit, branch, repository URL and whether there are changes, as MLflow's tags.

    Empty outside of a repository, before the first commit, without git, and when git takes more than 2 s. The answer is
    kept for the process: code that is running does not change with its checkout.
    """
    top = _repository(directory.resolve())
    return dict(_state(top)) if top is not None else {}


def _repository(directory: Path) -> Path | None:
    """Return the top of the checkout; looking for `.git` spares most processes a call of git."""
    return next((folder for folder in (directory, *directory.parents) if (folder / ".git").exists()), None)


@functools.lru_cache(maxsize=16)
def _state(top: Path) -> tuple[tuple[str, str], ...]:
    status = _git(top, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    if status is None:
        return ()
    lines = status.splitlines()
    headers = {w[1]: w[2] for w in (line.split(" ", 2) for line in lines if line.startswith("# ")) if len(w) > 2}
    commit, branch = headers.get("branch.oid", ""), headers.get("branch.head", "")
    if not commit or commit == "(initial)":
        return ()
    found = {"mlflow.source.git.commit": commit, "mlflow.source.git.dirty": str(_has_changes(lines)).lower()}
    if branch and branch != _DETACHED:
        found["mlflow.source.git.branch"] = branch
    url = _remote(top)
    if url:
        found["mlflow.source.git.repoURL"] = url
    return tuple(found.items())


def _has_changes(lines: list[str]) -> bool:
    return any(not line.startswith("#") for line in lines)


def _remote(top: Path) -> str:
    """Return the URL of the remote `origin` from the checkout's own configuration, credentials cut off."""
    config = top / ".git" / "config"
    if not config.is_file():
        # a worktree: `.git` is a file that points elsewhere, so that git has to be asked
        text = _git(top, "config", "--get", "remote.origin.url") or ""
        return without_credentials(text.strip())
    section = ""
    for line in config.read_text("utf-8", "replace").splitlines():
        text = line.strip()
        if text.startswith("["):
            section = text
        elif section == '[remote "origin"]' and text.replace(" ", "").startswith("url="):
            return without_credentials(text.partition("=")[2].strip())
    return ""


def without_credentials(url: str) -> str:
    """Return a remote's URL without user and password; `git@host:path` stays as it is, it holds no secret."""
    if "://" not in url:
        return url
    split = urlsplit(url)
    return urlunsplit(split._replace(netloc=split.netloc.rpartition("@")[2]))


def _git(top: Path, *arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    # no optional locks: reading the state must not disturb a git command of the user's own
    environ = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(  # noqa: S603  # a list of fixed words, no shell
            [program, "-C", str(top), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
            env=environ,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
