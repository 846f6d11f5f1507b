"""What an image with a project in it is built from."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from mlcore.errors import ProjectError
from mlcore.projects.build_context import write_build_context
from mlcore.projects.images import DockerProgram, checked_image, repository_of


def context(directory: Path) -> bytes:
    stream = io.BytesIO()
    write_build_context(directory, "/code", stream)
    return stream.getvalue()


def names(directory: Path) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(context(directory))) as archive:
        return [name.removeprefix("code/") for name in archive.getnames() if name.startswith("code/")]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    for name in ("train.py", "data/rows.csv", "data/deep/more.csv", "notes.md", ".git/HEAD", "lib/a.pyc"):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(name)
    return directory


def test_the_whole_project_is_in_it_with_what_builds_the_image(project: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(context(project))) as archive:
        file = archive.extractfile("Dockerfile")
        assert file is not None
        assert file.read() == b"ARG IMAGE\nFROM ${IMAGE}\nCOPY code /code/\nWORKDIR /code\n"

    assert {"train.py", "data", "data/deep/more.csv", ".git/HEAD"} <= set(names(project))


@pytest.mark.parametrize(
    ("patterns", "out"),
    [
        (".git\n", [".git", ".git/HEAD"]),
        ("# comment\n\n/data/deep\n", ["data/deep", "data/deep/more.csv"]),
        ("data/*.csv\n", ["data/rows.csv"]),
        ("**/*.csv\n", ["data/deep/more.csv", "data/rows.csv"]),
        ("data\n!data/deep/more.csv\n", ["data", "data/deep", "data/rows.csv"]),
        ("*\n!train.py\n", None),
        ("?otes.md\nlib/[a-b].pyc\n", ["lib/a.pyc", "notes.md"]),
    ],
)
def test_what_dockerignore_names_stays_out(project: Path, patterns: str, out: list[str] | None) -> None:
    everything = set(names(project))
    (project / ".dockerignore").write_text(patterns)

    left = set(names(project)) - {".dockerignore"}

    assert left == ({"train.py"} if out is None else everything - set(out))


def test_the_same_content_is_the_same_to_the_byte(project: Path) -> None:
    before = context(project)
    for path in project.rglob("*"):
        os.utime(path, (1, 1))
    (project / "train.py").chmod(0o600)

    assert context(project) == before

    (project / "train.py").chmod(0o700)  # whether it is a program matters
    assert context(project) != before


def test_a_link_stays_a_link_and_brings_nothing_from_outside(project: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("of the machine")
    (project / "link").symlink_to(tmp_path / "secret")
    os.link(project / "train.py", project / "twice.py")

    with tarfile.open(fileobj=io.BytesIO(context(project))) as archive:
        assert archive.getmember("code/link").issym()
        file = archive.extractfile("code/twice.py")
        assert file is not None
        assert file.read() == b"train.py"


@pytest.mark.parametrize(
    "name",
    [
        "python",
        "python:3.11-slim",
        "localhost:5000/team/image_1:v1.0",
        "registry.example.com/a/b@sha256:" + "0" * 64,
        "[::1]:5000/x:y",
        "sha256:" + "a" * 64,
    ],
)
def test_names_of_images_are_taken_as_they_are(name: str) -> None:
    assert checked_image(name) == name


def test_the_repository_of_a_name_has_neither_tag_nor_digest() -> None:
    assert repository_of("localhost:5000/team/image:v1") == "localhost:5000/team/image"
    assert repository_of("python@sha256:" + "0" * 64) == "python"


def test_a_program_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\necho 'manifest unknown' >&2\nexit 1\n")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    with pytest.raises(ProjectError, match=r"could not get the image 'x:1' \(exit code 1\): manifest unknown"):
        DockerProgram().pull("x:1")
