"""The git state of a directory, by one call of the git program, or from the files when that does not answer."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from mlcore_context_default.git_files import git_directory, head, remote_url

_TIMEOUT_S = 2.0
_KEPT_S = 30.0
_DETACHED = "(detached)"
# What points git to another repository than the one that holds the code, as inside of a git hook.
_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE")


def git_tags(directory: Path, *, interactive: bool = False) -> Mapping[str, str]:
    """Return commit, branch, repository URL and whether there are changes, as MLflow's tags.

    Empty outside of a repository and before the first commit. Where git is absent, refuses (a checkout of another
    owner, as in containers) or takes more than 2 s, commit and branch are read from the files, and whether there are
    changes stays open. The answer is kept for the process: code that is running does not change with its checkout.
    interactive: at a prompt or in a notebook it does, so the answer is kept for 30 s only.
    """
    top = _top(os.path.realpath(directory))
    if top is None:
        return {}
    return dict(_state(top, int(time.monotonic() / _KEPT_S) if interactive else 0))


def _top(directory: str) -> str | None:
    """Return the top of the checkout; looking for `.git` spares most processes a call of git."""
    for folder in (directory, *map(str, Path(directory).parents)):
        if os.path.exists(os.path.join(folder, ".git")):  # noqa: PTH110, PTH118  # Path.exists may raise
            return folder
    return None


@functools.lru_cache(maxsize=16)
def _state(top: str, _moment: int) -> tuple[tuple[str, str], ...]:
    place = git_directory(Path(top))
    if place is None:
        return ()
    found = _asked(top)
    if found is None:
        commit, branch = head(place)
        found = {"commit": commit, "branch": branch}
    if not found.get("commit"):
        return ()
    found["repoURL"] = remote_url(place)
    return tuple((f"mlflow.source.git.{key}", value) for key, value in found.items() if value)


def _asked(top: str) -> dict[str, str] | None:
    """Ask git for commit, branch and changes at once; None when it does not answer."""
    status = _git(top, "status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=dirty")
    if status is None:
        return None
    lines = status.splitlines()
    headers = {w[1]: w[2] for w in (line.split(" ", 2) for line in lines if line.startswith("# ")) if len(w) > 2}
    commit, branch = headers.get("branch.oid", ""), headers.get("branch.head", "")
    has_changes = any(not line.startswith("#") for line in lines)
    return {
        "commit": "" if commit == "(initial)" else commit,
        "branch": "" if branch == _DETACHED else branch,
        "dirty": str(has_changes).lower(),
    }


def _git(top: str, *arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    # no optional locks: reading the state must not disturb a git command of the user's own
    environ = {k: v for k, v in os.environ.items() if k not in _ELSEWHERE}
    environ |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    # a repository's own configuration may name a program as its file system monitor; looking must not run it
    command = [program, "-C", top, "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(  # noqa: S603  # a list of fixed words, no shell
            command,
            stdin=subprocess.DEVNULL,
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
