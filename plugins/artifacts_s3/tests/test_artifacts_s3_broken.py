"""Connections are really cut in the middle of a transfer: uploads are resumed, downloads go on, nothing half is seen."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

from mlcore.artifacts.transfer import download_file, download_tree, upload_file, upload_tree
from mlcore.errors import StoreUnavailableError

PART = 5 << 20


@pytest.fixture(params=["moto", "rclone", "ceph"])
def server(request: pytest.FixtureRequest):
    return request.getfixturevalue(request.param)


@pytest.fixture
def cut(server, s3_cable):
    with s3_cable.cable(server.endpoint) as laid:
        yield laid


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(PART * 4 + 12345))
    return path


def parts_sent(seen: list[str]) -> list[int]:
    return [int(found[1]) for line in seen if (found := re.search(r"^PUT .*partNumber=(\d+)", line))]


def test_an_upload_whose_connection_was_cut_is_resumed_with_the_missing_parts_only(
    server, cut, s3, large, tmp_path
) -> None:
    repo = s3.open_repo(server, prefix="resume", part_bytes=PART, parallel_parts=1, max_attempts=1)
    behind = s3.open_repo(cut, prefix="resume", part_bytes=PART, parallel_parts=1, max_attempts=1)
    cut.cut_when(lambda now: now.up_bytes > PART * 2 + PART // 2, stays=True)

    with pytest.raises(StoreUnavailableError, match="cannot write 's3://mlcore-test/resume/large'"):
        upload_file(behind, large, "large")
    assert repo.stat("large") is None
    assert parts_sent(cut.seen)[:3] == [1, 2, 3]

    cut.repair()
    cut.seen.clear()
    sent = upload_file(behind, large, "large")

    assert parts_sent(cut.seen) == [3, 4, 5]
    assert download_file(repo, "large", tmp_path / "back").sha256 == sent.sha256
    repo.delete("large")
    repo.close()
    behind.close()


def test_an_upload_goes_on_when_the_connection_comes_back_at_once(server, cut, s3, large, tmp_path) -> None:
    behind = s3.open_repo(cut, part_bytes=PART, parallel_parts=2)
    cut.cut_when(lambda now: now.up_bytes > PART * 2 + PART // 2, stays=False)

    sent = upload_file(behind, large, "large")

    assert cut.cuts == 1
    assert sent.sha256 == hashlib.sha256(large.read_bytes()).hexdigest()
    assert download_file(behind, "large", tmp_path / "back").sha256 == sent.sha256
    behind.close()


def test_a_download_goes_on_at_the_byte_where_its_connection_was_cut(server, cut, s3, large, tmp_path) -> None:
    repo = s3.open_repo(server, prefix="down", part_bytes=PART)
    sent = upload_file(repo, large, "large")
    behind = s3.open_repo(cut, prefix="down", parallel_parts=1)
    cut.cut_when(lambda now: now.down_bytes > PART * 2, stays=False)

    received = download_file(behind, "large", tmp_path / "back")

    assert (cut.cuts, received.sha256) == (1, sent.sha256)
    assert cut.down_bytes < sent.size_bytes + PART
    repo.close()
    behind.close()


def test_a_download_that_cannot_go_on_leaves_nothing(server, cut, s3, large, tmp_path) -> None:
    repo = s3.open_repo(server, prefix="gone", part_bytes=PART)
    upload_file(repo, large, "large")
    behind = s3.open_repo(cut, prefix="gone", max_attempts=1)
    cut.cut_when(lambda now: now.down_bytes > PART * 2, stays=True)

    with pytest.raises(StoreUnavailableError, match="s3://mlcore-test/gone/large"):
        download_file(behind, "large", tmp_path / "empty" / "back")

    assert list((tmp_path / "empty").iterdir()) == []
    repo.close()
    behind.close()


def test_small_files_go_over_though_a_kept_connection_is_cut(server, cut, s3, tmp_path) -> None:
    behind = s3.open_repo(cut)
    (tmp_path / "tree").mkdir()
    for number in range(60):
        (tmp_path / "tree" / f"{number}").write_bytes(os.urandom(3000))
    cut.cut_when(lambda now: now.up_bytes > 90_000, stays=False)

    sent = upload_tree(behind, tmp_path / "tree", "tree")
    cut.cut_when(lambda now: now.down_bytes > 90_000, stays=False)
    received = download_tree(behind, "tree", tmp_path / "back")

    assert (cut.cuts, sent) == (2, received)
    behind.close()
