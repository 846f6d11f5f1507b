"""What the files of a git repository tell without the git program."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_COMMIT = re.compile(r"^[0-9a-f]{40}(?:[0-9a-f]{24})?$")


def git_directory(top: Path) -> Path | None:
    """Return the directory with HEAD of the checkout at *top*; of a worktree or submodule, what its `.git` points to."""
    place = top / ".git"
    text = _text(place)
    if text.startswith("gitdir:"):
        place = top / text.removeprefix("gitdir:").strip()
    return place if _text(place / "HEAD") else None


def head(place: Path) -> tuple[str, str]:
    """Return commit and branch; empty texts where they are unknown, as in reftable repositories or before a commit."""
    text = _text(place / "HEAD").strip()
    if not text.startswith("ref:"):
        return (text if _COMMIT.match(text) else ""), ""
    ref = text.removeprefix("ref:").strip()
    branch = ref.removeprefix("refs/heads/")
    for folder in (place, _common(place)):
        commit = _text(folder / ref).strip()
        if _COMMIT.match(commit):
            return commit, branch
    for line in _text(_common(place) / "packed-refs").splitlines():
        commit, _, name = line.partition(" ")
        if name == ref and _COMMIT.match(commit):
            return commit, branch
    return "", ""


def remote_url(place: Path) -> str:
    """Return the URL of the remote `origin`, credentials cut off; empty when there is none."""
    section = ""
    for line in _text(_common(place) / "config").splitlines():
        text = line.strip()
        if text.startswith("["):
            section = text
        elif section == '[remote "origin"]':
            key, _, value = text.partition("=")
            if key.strip() == "url":
                return without_credentials(value.strip().strip('"'))
    return ""


def without_credentials(url: str) -> str:
    """Return a remote's URL without password, token and query.

    The user of `ssh://` stays, as does `git@host:path`: it is no secret, and nobody could clone without it.
    """
    if "://" not in url:
        return url
    try:
        split = urlsplit(url)
    except ValueError:
        return ""  # nobody can tell where the secret is in what is no URL
    user, at, host = split.netloc.rpartition("@")
    kept = user.partition(":")[0] + at if split.scheme in ("ssh", "git+ssh") else ""
    return urlunsplit((split.scheme, kept + host, split.path, "", ""))


def _common(place: Path) -> Path:
    """Return where the branches and the configuration are: of a worktree, the main repository."""
    text = _text(place / "commondir").strip()
    return place / text if text else place


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
