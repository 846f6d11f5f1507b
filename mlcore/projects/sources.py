"""Bring a project's code to this machine and tell exactly which code it is."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from mlcore.errors import ProjectError
from mlcore.projects.source import Source
from mlcore.projects.source_uris import Kind, Place, place_of

if TYPE_CHECKING:
    from mlcore.projects.source_state import State
    from mlcore.tracking.session import Session

__all__ = ["Source", "fetched", "identity"]


def fetched(uri: str, version: str | None = None, *, session: Session, storage: Path | None = None) -> Source:
    """Return the code at *uri* as a directory of this machine.

    uri: a directory, used in place; a git repository (https, ssh, `git@host:path`, `file:`, `github:owner/repo`); a zip
    archive; or the URI of an artifact. `#subdirectory` chooses a directory below it.
    version: branch, tag or commit of a git repository.
    storage: where new directories are made; the system's place for temporary files when not given.
    Raises ProjectError: it is not there, cannot be read, or has no such version or subdirectory; nothing is left.
    """
    place = place_of(uri)
    if place.kind is Kind.DIRECTORY and version is None and not _is_bare(Path(place.url)):
        return _in_place(place, session)
    if version is not None and place.kind in (Kind.ARCHIVE, Kind.ARTIFACTS):
        raise ProjectError(f"a version ({version!r}) is for git repositories only, and {place.shown!r} is none")
    if storage is not None:
        storage.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix="mlcore-project-", dir=storage)).absolute()
    try:
        source = _brought(place, version, root, session)
        return evolve(source, directory=_below(source.directory, place), temporary=root)
    except BaseException as err:
        shutil.rmtree(root, ignore_errors=True)
        if place.guessed and isinstance(err, ProjectError):
            raise ProjectError(f"there is no directory {uri!r} here, and as a repository at GitHub: {err}") from err
        raise


def _brought(place: Place, version: str | None, root: Path, session: Session) -> Source:
    checkout = root / _name(place)  # beside it there is room for the run's inputs
    if place.kind is Kind.DIRECTORY:
        from mlcore.projects.git_source import local_commit

        return local_commit(_repository(place, version), place, version, checkout)
    if place.kind is Kind.GIT:
        from mlcore.projects.git_source import fetched as fetched_git

        return fetched_git(place, version, checkout)
    from mlcore.projects.archive_source import brought

    return Source(uri=place.shown, directory=brought(place, root, session), subdirectory=place.subdirectory)


def _name(place: Place) -> str:
    """Return what a checkout is called: a project without a name has that of its directory."""
    parts = [part for part in place.url.replace(":", "/").split("/") if part not in ("", ".", "..", ".git")]
    name = parts[-1].removesuffix(".git") if parts else ""
    return name if name and "\0" not in name and name not in (".", "..") else "project"


def _in_place(place: Place, session: Session) -> Source:
    directory = _below(Path(place.url), place)
    source = Source(uri=place.shown, directory=directory, subdirectory=place.subdirectory)
    state = _state(directory)
    if state is None:
        return source
    from mlcore.projects.git_source import origin_url
    from mlcore.projects.source_state import diff_of

    return evolve(
        source,
        commit=state.commit,
        branch=state.branch,
        repo_url=origin_url(state.top),
        dirty=bool(state.changed),
        diff=diff_of(state, with_untracked=session.settings.keep_untracked),
    )


def _state(directory: Path) -> State | None:
    """Return the state of the repository around *directory*; None where there is none, or no git to ask."""
    if shutil.which("git") is None:
        return None
    from mlcore.projects.source_state import state_of

    return state_of(directory)


def _below(root: Path, place: Place) -> Path:
    directory = root / place.subdirectory if place.subdirectory else root
    if not directory.is_dir():
        raise ProjectError(f"no directory {place.subdirectory!r} in {place.shown.partition('#')[0]!r}")
    if not directory.resolve().is_relative_to(root.resolve()):
        raise ProjectError(f"the directory {place.subdirectory!r} leads out of {place.shown!r} by a symbolic link")
    return directory


def _is_bare(directory: Path) -> bool:
    return all((directory / name).exists() for name in ("HEAD", "objects", "refs", "config"))


def _repository(place: Place, version: str | None) -> Path:
    directory = Path(place.url)
    inside = any((folder / ".git").exists() for folder in (directory, *directory.parents))
    if not inside and not _is_bare(directory):
        raise ProjectError(
            f"a version ({version!r}) is for git repositories only, and the directory {place.shown!r} is in none"
        )
    return directory


def identity(source: Source) -> str:
    """Return what stands for the code in comparisons: the same id means the same code.

    Commit and place within the repository when it is clean; else a hash of the content of all files that git would
    track, or without git of all files.
    """
    state = _state(source.directory)
    if state is None:
        from mlcore.projects.source_state import hash_of

        return f"files:{hash_of(source.directory)}"
    if state.changed or state.commit is None:
        from mlcore.projects.source_state import content_id

        return f"tree:{content_id(state)}:{state.prefix}"
    return f"commit:{state.commit}:{state.prefix}"
