"""Projects as archives, and patience with the places that run them."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
from attrs import evolve

from mlcore.errors import ProjectError, StoreUnavailableError
from mlcore.interfaces import Job, JobStatus
from mlcore.projects.packing import tarball, with_inputs_along, zipped
from mlcore.projects.polling import Patience


def made(directory: Path) -> Path:
    """Make a project."""
    (directory / "lib").mkdir(parents=True)
    (directory / "lib" / "code.py").write_text("print()\n")
    (directory / "run.sh").write_text("true\n")
    (directory / "run.sh").chmod(0o755)
    (directory / "link").symlink_to("run.sh")
    (directory / "dangling").symlink_to("nowhere")
    return directory


def test_the_same_files_are_the_same_bytes_whenever_and_wherever(tmp_path: Path) -> None:
    first, second = made(tmp_path / "a"), made(tmp_path / "b")
    os.utime(second / "run.sh", (1, 1))

    for pack in (zipped, tarball):
        assert pack(first, limit_bytes=10_000) == pack(second, limit_bytes=10_000)
    (second / "run.sh").chmod(0o644)
    assert zipped(first, limit_bytes=10_000).digest != zipped(second, limit_bytes=10_000).digest


def test_both_kinds_of_archive_hold_the_same(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "part").write_text("1")
    project = made(tmp_path / "a")
    along = {"in/0/rows": tmp_path / "rows", "in/1/file": tmp_path / "rows" / "part"}

    with zipfile.ZipFile(io.BytesIO(zipped(project, along=along, limit_bytes=10_000).content)) as archive:
        zip_names = {info.filename: info.external_attr >> 16 & 0o777 for info in archive.infolist()}
    with tarfile.open(fileobj=io.BytesIO(tarball(project, along=along, limit_bytes=10_000).content)) as tar:
        tar_names = {info.name: info.mode for info in tar}

    modes = {"in/0/rows/part": 0o644, "in/1/file": 0o644, "lib/code.py": 0o644, "link": 0o755, "run.sh": 0o755}
    assert zip_names == tar_names == modes


def test_a_link_to_a_directory_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (made(tmp_path / "a") / "loop").symlink_to(".")

    with pytest.raises(ProjectError, match="'loop' is a link to a directory"):
        zipped(tmp_path / "a", limit_bytes=10_000)


def test_inputs_are_named_by_where_they_will_be(tmp_path: Path) -> None:
    inside, outside = tmp_path / "a" / "rows", tmp_path / "rows"
    longer = tmp_path / "rows.csv"
    job = Job(
        "r", ("go", f"--in={inside}", str(outside), str(longer)), tmp_path / "a", inputs=(inside, outside, longer)
    )

    changed, along = with_inputs_along(job)

    assert changed.argv[1] == "--in=./rows"
    assert {
        word.removeprefix("./"): path for word, path in zip(changed.argv[2:], (outside, longer), strict=True)
    } == along
    assert with_inputs_along(evolve(job, inputs=())) == (evolve(job, inputs=()), {})


def test_patience_ends_and_says_that_the_end_is_not_known() -> None:
    def silent() -> JobStatus:
        raise StoreUnavailableError("cannot reach it")

    with pytest.raises(
        StoreUnavailableError, match=r"job 'x' cannot be asked for.* cannot reach it\. It may be running"
    ):
        Patience(0.001, 0.01, 0.05).wait(silent, None, "job 'x'")


def test_waiting_goes_on_through_silence() -> None:
    told = iter([JobStatus.RUNNING, StoreUnavailableError("away"), StoreUnavailableError("away"), JobStatus.FINISHED])

    def status() -> JobStatus:
        found = next(told)
        if isinstance(found, StoreUnavailableError):
            raise found
        return found

    assert Patience(0.001, 0.01, 60.0).wait(status, None, "job 'x'") is JobStatus.FINISHED
