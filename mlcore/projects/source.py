"""Where a project's code came from, and in which state it was."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen


@frozen
class Source:
    """A project's code on this machine.

    uri: as it was asked for, without passwords and tokens, `#subdirectory` included.
    directory: with the project in it.
    temporary: to be deleted when the run has ended; None where the code is used in place.
    subdirectory: the part of the URI behind `#`; empty when there was none.
    version: the branch, tag or commit that was asked for.
    commit: in full; None outside of a repository.
    repo_url: of the repository, without credentials; None where it has none.
    branch: None when a tag or commit is checked out.
    dirty: whether files differ from the commit, or are there besides.
    diff: what makes the tree of *commit* into this one, for `git apply`; empty when clean.
    """

    uri: str
    directory: Path
    temporary: Path | None = None
    subdirectory: str = ""
    version: str | None = None
    commit: str | None = None
    repo_url: str | None = None
    branch: str | None = None
    dirty: bool = False
    diff: str = ""
