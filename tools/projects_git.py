"""Git repositories for tests: real ones, made by the git program."""

from __future__ import annotations

import subprocess
from pathlib import Path

WHO = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")


def call(directory: Path, *arguments: str) -> str:
    """Run git in *directory* and return what it prints."""
    command = ["git", "-C", str(directory), *WHO, "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def repository(directory: Path, files: dict[str, str]) -> Path:
    """Make a repository with one commit of *files* on the branch main."""
    directory.mkdir(parents=True)
    call(directory, "init", "--quiet", "--initial-branch=main")
    commit(directory, files)
    return directory


def commit(directory: Path, files: dict[str, str]) -> str:
    """Write *files*, commit everything, and return the commit."""
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text, "utf-8")
    call(directory, "add", "--all")
    call(directory, "commit", "--quiet", "--message", "a change")
    return call(directory, "rev-parse", "HEAD")


def files_of(directory: Path) -> dict[str, tuple[bytes, bool]]:
    """Return content and executable bit of all files but git's own, by path."""
    return {
        path.relative_to(directory).as_posix(): (
            b"-> " + str(path.readlink()).encode() if path.is_symlink() else path.read_bytes(),
            bool(path.lstat().st_mode & 0o100),
        )
        for path in directory.rglob("*")
        if ".git" not in path.parts and (path.is_symlink() or path.is_file())
    }
