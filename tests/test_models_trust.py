"""Which places a trusted prefix covers."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlcore.models.trust import is_trusted, require_trust


@pytest.mark.parametrize(
    ("uri", "prefix"),
    [
        ("s3://bucket/models/a", "s3://bucket/models"),
        ("s3://bucket/models/a", "s3://bucket/models/"),
        ("s3://bucket/models", "s3://bucket/models"),
        ("S3://bucket/models/a", "s3://bucket"),
        ("runs:/abc/model", "runs:/abc"),
        ("runs:/abc/model", "runs:/"),
        ("models:/wine/3", "models:/wine"),
        ("/data/models/a", "/data/models"),
        ("file:///data/models/a", "/data/models"),
        ("/data/models/a", "file:///data"),
    ],
)
def test_a_place_below_a_trusted_one_is_trusted(uri: str, prefix: str) -> None:
    assert is_trusted(uri, [prefix])


@pytest.mark.parametrize(
    ("uri", "prefix"),
    [
        ("s3://bucket/models-of-others/a", "s3://bucket/models"),
        ("s3://bucket/models/../evil/a", "s3://bucket/models"),
        ("s3://bucket/models/%2e%2e/evil/a", "s3://bucket/models"),
        ("s3://bucket/models/%252e%252e/evil/a", "s3://bucket/models"),
        ("s3://bucket/models\\..\\evil", "s3://bucket"),
        ("s3://bucket2/a", "s3://bucket"),
        ("gs://bucket/models/a", "s3://bucket/models"),
        ("runs:/abcd/model", "runs:/abc"),
        ("/data/models/../evil", "/data/models"),
        ("/data/models-not", "/data/models"),
    ],
)
def test_a_place_beside_a_trusted_one_is_not(uri: str, prefix: str) -> None:
    assert not is_trusted(uri, [prefix])


def test_a_link_that_leads_out_of_a_trusted_directory_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours" / "link").symlink_to(tmp_path / "theirs")

    assert not is_trusted(str(tmp_path / "ours" / "link"), [str(tmp_path / "ours")])


def test_nothing_is_trusted_by_default() -> None:
    assert not is_trusted("/data/models/a", [])


def test_a_model_without_code_needs_no_trust() -> None:
    require_trust(None, "anywhere", trusted=False)
