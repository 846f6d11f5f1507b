"""Find the commit that a branch, tag or commit id means in a git repository somewhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

from mlcore.errors import ProjectError
from mlcore.projects.git_program import NOWHERE, git, has_terminal, remote_error

ANSWER_S, PATIENT_S = 30.0, 300.0
COMMIT = re.compile(r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")
_SHORT_COMMIT = re.compile(r"^[0-9a-f]{4,63}$")
# what `git check-ref-format` refuses, and what git would take for a pattern or an expression
_NO_REF = re.compile(r"^[-/.]|\.\.|@\{|//|[\x00-\x20\x7f~^:?*\[\\]|(?:/|\.|\.lock)$")
_HEADS, _TAGS = "refs/heads/", "refs/tags/"


@frozen
class Remote:
    """A git repository somewhere else.

    url: without credentials. shown: for people.
    env: what git runs with, credentials included.
    """

    url: str
    shown: str
    env: Mapping[str, str]


@frozen
class Found:
    """What a version means.

    commit: in full; None where the history has to be looked through for an abbreviated id.
    ref: by which a server gives it out when it does not give out commits; None for a commit.
    branch: when it is one.
    """

    commit: str | None
    ref: str | None = None
    branch: str | None = None


def find(remote: Remote, version: str | None) -> Found:
    """Return what *version* means in *remote*; without one, its default branch.

    Raises ProjectError: there is nothing of that name (with the nearest ones), or the repository cannot be read.
    """
    if version is None:
        return _default(remote)
    checked(version)
    if COMMIT.match(version):
        return Found(version)
    names = [_TAGS + version, _HEADS + version, *([version] if version.startswith("refs/") else ())]
    refs = listed(remote, *names, *(f"{name}^{{}}" for name in names))
    for name in names:
        if name in refs:
            branch = name.removeprefix(_HEADS) if name.startswith(_HEADS) else None
            return Found(refs.get(f"{name}^{{}}", refs[name]), name, branch)
    if _SHORT_COMMIT.match(version):
        tips = {commit for commit in listed(remote).values() if commit.startswith(version)}
        return Found(tips.pop() if len(tips) == 1 else None)
    raise unknown(remote, version)


def checked(version: str) -> str:
    """Return *version*. Raises ProjectError: it can be the name of no branch, tag or commit."""
    if not isinstance(version, str) or not version or _NO_REF.search(version):
        raise ProjectError(f"invalid version {version!r}: expected the name of a branch or tag, or a commit id")
    return version


def unknown(remote: Remote, version: str) -> ProjectError:
    """Return the error for a *version* that is not there, with those that are."""
    refs = [name for name in listed(remote) if not name.endswith("^{}")]
    branches = [name.removeprefix(_HEADS) for name in refs if name.startswith(_HEADS)]
    tags = [name.removeprefix(_TAGS) for name in refs if name.startswith(_TAGS)]
    return no_such_version(remote.shown, version, branches, tags)


def no_such_version(shown: str, version: str, branches: list[str], tags: list[str]) -> ProjectError:
    """Return the error that names the branches and tags nearest to *version*."""
    import difflib

    near = difflib.get_close_matches(version, [*branches, *tags], n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    there = "; ".join(f"{what} {_some(names)}" for what, names in (("branches:", branches), ("tags:", tags)) if names)
    return ProjectError(
        f"no branch, tag or commit {version!r} in {shown!r}{hint} It has {there or 'neither branches nor tags'}"
        if hint
        else f"no branch, tag or commit {version!r} in {shown!r}; it has {there or 'neither branches nor tags'}"
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _default(remote: Remote) -> Found:
    lines = _ls_remote(remote, "--symref", "--", remote.url, "HEAD")
    branch = next((line[5:].partition("\t")[0] for line in lines if line.startswith("ref: ")), None)
    commit = next((line.partition("\t")[0] for line in lines if line.endswith("\tHEAD") and line[:5] != "ref: "), None)
    if commit is None:
        raise ProjectError(
            f"the git repository {remote.shown!r} has no commit on its default branch; choose a branch with --version"
        )
    return Found(commit, branch or "HEAD", branch.removeprefix(_HEADS) if branch else None)


def listed(remote: Remote, *names: str) -> dict[str, str]:
    """Return commits by the full names of refs; of all refs when no *names* are given."""
    pairs = (line.split("\t", 1) for line in _ls_remote(remote, "--", remote.url, *names) if "\t" in line)
    return {name: commit for commit, name in pairs if COMMIT.match(commit)}


def _ls_remote(remote: Remote, *arguments: str) -> list[str]:
    try:
        # who types a password needs time, a server does not
        patience_s = PATIENT_S if has_terminal() else ANSWER_S
        done = git("-C", NOWHERE, "ls-remote", *arguments, env=remote.env, timeout_s=patience_s)
    except ProjectError as err:
        raise remote_error(remote.shown, f"Connection timed out: {err}") if "did not end" in str(err) else err from err
    if done.code:
        raise remote_error(remote.shown, done.words)
    return done.text.splitlines()
