"""Large files, resumption, checksums, listings, presigned URLs, settings: at real servers."""

from __future__ import annotations

import hashlib
import io
import os
import urllib.request
from pathlib import Path

import pytest

from mlcore.artifacts.transfer import download_file, download_tree, upload_file, upload_tree
from mlcore.errors import (
    ArtifactWriteError,
    ChecksumError,
    InvalidParameterError,
    MlcoreError,
    StoreUnavailableError,
)
from mlcore.interfaces import HashedFile, SupportsFileTransfer, SupportsParts, SupportsPresign

PART = 5 << 20


@pytest.fixture(params=["moto", "rclone", "ceph"])
def server(request: pytest.FixtureRequest):
    return request.getfixturevalue(request.param)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(PART * 4 + 12345))
    return path


def hashed(path: Path) -> HashedFile:
    info = path.stat()
    return HashedFile(str(path), info.st_size, hashlib.sha256(path.read_bytes()).hexdigest(), info.st_mtime_ns)


class Heard:
    def __init__(self) -> None:
        self.bytes = 0

    def start(self, total_bytes: int | None, total_files: int) -> None:
        self.total = total_bytes

    def advance(self, size_bytes: int) -> None:
        self.bytes += size_bytes

    def done(self) -> None:
        pass


@pytest.mark.parametrize("sign_parts", [False, True], ids=["crc32", "signed"])
def test_a_large_file_goes_in_parts_and_comes_back_in_ranges(server, s3, large, tmp_path, sign_parts) -> None:
    repo = s3.open_repo(server, part_bytes=PART, sign_parts=sign_parts)
    up, down = Heard(), Heard()

    sent = upload_file(repo, large, "deep/large.bin", progress=up)
    received = download_file(repo, "deep/large.bin", tmp_path / "back", progress=down)

    assert isinstance(repo, SupportsFileTransfer)
    assert (tmp_path / "back").read_bytes() == large.read_bytes()
    assert sent == received
    assert up.bytes == down.bytes == large.stat().st_size
    repo.close()


def test_a_file_that_changed_since_it_was_hashed_is_not_published(server, s3, large) -> None:
    repo = s3.open_repo(server, part_bytes=PART)
    before = hashed(large)
    large.write_bytes(os.urandom(before.size_bytes))
    os.utime(large, ns=(1, 1))

    with pytest.raises(ArtifactWriteError, match="changed while it was uploaded"):
        repo.put_file("large", before, lambda _: None)

    assert repo.stat("large") is None
    assert s3.boto_client(server).list_multipart_uploads(Bucket=s3.bucket, Prefix=repo._prefix).get("Uploads", []) == []
    repo.close()


@pytest.mark.parametrize("size", [10, PART * 2], ids=["small", "large"])
def test_content_that_the_storage_changed_is_not_handed_out(moto, s3, tmp_path: Path, size: int) -> None:
    repo = s3.open_repo(moto, part_bytes=PART)
    client = s3.boto_client(moto)
    wrong = {"mlcore-sha256": "0" * 64}
    client.put_object(Bucket=s3.bucket, Key=f"{repo._prefix}/file", Body=b"x" * size, Metadata=wrong)

    with pytest.raises(ChecksumError, match="0000 was recorded"):
        download_file(repo, "file", tmp_path / "file")

    assert not (tmp_path / "file").exists()
    repo.close()


def test_a_tree_of_many_files_goes_over_with_the_marker_last(server, s3, tmp_path: Path) -> None:
    repo = s3.open_repo(server)
    for number in range(60):
        path = tmp_path / "tree" / f"d{number % 3}" / f"{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(number))
    (tmp_path / "tree" / "MLmodel").write_bytes(b"flavors: {}")

    sent = upload_tree(repo, tmp_path / "tree", "model")
    received = download_tree(repo, "model", tmp_path / "back")

    assert sent == received
    assert len(received) == 61
    found = s3.boto_client(server).list_objects_v2(Bucket=s3.bucket, Prefix=repo._prefix)["Contents"]
    newest = max(found, key=lambda item: item["LastModified"])["LastModified"]
    assert next(item for item in found if item["Key"].endswith("MLmodel"))["LastModified"] == newest
    repo.close()


def test_listings_and_deletions_of_more_than_a_page_are_complete(moto, s3) -> None:
    repo = s3.open_repo(moto)
    client = s3.boto_client(moto)
    for number in range(1100):
        client.put_object(Bucket=s3.bucket, Key=f"{repo._prefix}/dir/{number:04}", Body=b"")

    assert len(repo.list("dir")) == 1100

    repo.delete("dir")

    assert repo.list("dir") == []
    repo.close()


def test_a_presigned_url_moves_a_file_without_credentials(server, s3) -> None:
    repo = s3.open_repo(server)
    assert isinstance(repo, SupportsPresign)
    put, got = repo.presigned_url("a b/ü.bin", "PUT", 60), repo.presigned_url("a b/ü.bin", "GET", 60)

    request = urllib.request.Request(put.url, data=b"content", method="PUT", headers=dict(put.headers))
    request.add_header("Content-Type", "")
    urllib.request.urlopen(request, timeout=10).close()

    with urllib.request.urlopen(got.url, timeout=10) as answer:
        assert answer.read() == b"content"
    with repo.read("a b/ü.bin") as file:
        assert file.read() == b"content"
    assert "Signature" not in repr(put)
    repo.close()


@pytest.mark.parametrize(("method", "seconds"), [("DELETE", 60), ("GET", 0), ("GET", 604_801)])
def test_a_presigned_url_for_something_else_is_refused(repo, method: str, seconds: int) -> None:
    with pytest.raises(InvalidParameterError, match="cannot presign"):
        repo.presigned_url("file", method, seconds)


def test_a_customers_key_encrypts_and_is_needed_to_read(ceph, s3, large, tmp_path: Path) -> None:
    repo = s3.open_repo(ceph, prefix="sse-c", part_bytes=PART, sse_customer_key=b"k" * 32)

    upload_file(repo, large, "large")
    download_file(repo, "large", tmp_path / "back")

    assert (tmp_path / "back").read_bytes() == large.read_bytes()
    other = s3.open_repo(ceph, prefix="sse-c")
    with pytest.raises(InvalidParameterError, match="the storage refused the request"):
        other.read("large")
    assert "kkkk" not in repr(repo._connection.settings)
    repo.delete("large")
    repo.close()
    other.close()


def test_a_wrong_customers_key_is_refused(ceph, s3) -> None:
    repo = s3.open_repo(ceph, prefix="sse-c-small", sse_customer_key=b"k" * 32)
    repo.write("file", io.BytesIO(b"secret"), 6)
    wrong = s3.open_repo(ceph, prefix="sse-c-small", sse_customer_key=b"w" * 32)

    with pytest.raises(MlcoreError, match="cannot read 's3://mlcore-test/sse-c-small/file'"):
        wrong.read("file")
    with repo.read("file") as file:
        assert file.read() == b"secret"

    repo.delete("file")
    repo.close()
    wrong.close()


def test_a_key_that_the_storage_keeps_encrypts_small_and_large_files(ceph, s3, large: Path, tmp_path: Path) -> None:
    import s3_servers

    repo = s3.open_repo(ceph, part_bytes=PART, sse_kms_key_id=s3_servers.KMS_KEY)

    repo.write("small", io.BytesIO(b"secret"), 6)
    upload_file(repo, large, "large")
    download_file(repo, "large", tmp_path / "back")

    assert (tmp_path / "back").read_bytes() == large.read_bytes()
    with repo.read("small") as file:
        assert file.read() == b"secret"
    for name in ("small", "large"):
        head = s3.boto_client(ceph).head_object(Bucket=s3.bucket, Key=f"{repo._prefix}/{name}")
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", s3_servers.KMS_KEY)
    repo.close()


def test_a_key_that_the_storage_does_not_have_is_told(ceph, s3) -> None:
    repo = s3.open_repo(ceph, prefix="kms", sse_kms_key_id="no-such-key", max_attempts=1)

    with pytest.raises(MlcoreError, match="cannot write 's3://mlcore-test/kms/file'"):
        repo.write("file", io.BytesIO(b"x"), 1)

    assert repo.stat("file") is None
    repo.close()


def test_upload_arguments_and_encryption_reach_the_object(moto, s3) -> None:
    repo = s3.open_repo(moto, sse="AES256", extra_args={"StorageClass": "STANDARD_IA", "CacheControl": "no-cache"})

    repo.write("file", io.BytesIO(b"x"), 1)

    head = s3.boto_client(moto).head_object(Bucket=s3.bucket, Key=f"{repo._prefix}/file")
    assert (head["ServerSideEncryption"], head["StorageClass"], head["CacheControl"]) == (
        "AES256",
        "STANDARD_IA",
        "no-cache",
    )
    repo.close()


def test_a_public_bucket_is_read_without_credentials(moto, s3, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.boto_client(moto).put_object(Bucket=s3.bucket, Key="public/file", Body=b"x", ACL="public-read")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    repo = s3.open_repo(moto, prefix="public", unsigned=True)

    with repo.read("file") as file:
        assert file.read() == b"x"
    repo.close()


def test_an_own_authority_is_trusted_by_setting(require, s3, tmp_path: Path, large: Path) -> None:
    import s3_servers
    import trustme

    require("rclone", s3_servers.program("rclone") is not None, s3_servers.PIP_INSTALL)
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    issued.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    with s3_servers.rclone(s3.bucket, tls=(tmp_path / "cert.pem", tmp_path / "key.pem")) as server:
        stranger = s3.open_repo(server, max_attempts=1)
        with pytest.raises(StoreUnavailableError, match="certificate is not trusted; set MLCORE_S3_CA_BUNDLE"):
            stranger.stat("file")
        repo = s3.open_repo(server, ca_bundle=str(tmp_path / "ca.pem"), part_bytes=PART)

        upload_file(repo, large, "large")
        download_file(repo, "large", tmp_path / "back")

        assert (tmp_path / "back").read_bytes() == large.read_bytes()
        repo.close()
        stranger.close()


def test_clients_send_the_parts_of_a_file_without_credentials(server, s3) -> None:
    repo = s3.open_repo(server)
    assert isinstance(repo, SupportsParts)
    content = os.urandom(PART + 10)
    upload = repo.begin_parts("a b/ü.bin")
    etags = {}
    for number, part in ((1, content[:PART]), (2, content[PART:])):
        signed = repo.part_url("a b/ü.bin", upload, number, 60)
        request = urllib.request.Request(signed.url, data=part, method="PUT", headers=dict(signed.headers))
        request.add_header("Content-Type", "")
        with urllib.request.urlopen(request, timeout=10) as answer:
            etags[number] = answer.headers["ETag"]
    assert repo.stat("a b/ü.bin") is None

    repo.complete_parts("a b/ü.bin", upload, etags)

    with repo.read("a b/ü.bin") as file:
        assert file.read() == content
    repo.close()


def test_of_an_upload_in_parts_that_was_dropped_nothing_is_left(repo) -> None:
    upload = repo.begin_parts("file")

    repo.abort_parts("file", upload)
    repo.abort_parts("file", upload)

    assert repo.stat("file") is None
    with pytest.raises(StoreUnavailableError, match="cannot write "):
        repo.complete_parts("file", upload, {1: '"x"'})


@pytest.mark.parametrize("number", [0, 10_001])
def test_a_part_has_a_number_that_the_storage_takes(repo, number: int) -> None:
    with pytest.raises(InvalidParameterError, match=r"invalid part .* expected 1 to 10,000"):
        repo.part_url("file", "id", number, 60)
