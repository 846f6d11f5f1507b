"""Errors name bucket, key and operation, say what to check, and hold no secret; settings are read and refused well."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from mlcore_artifacts_s3.faults import Doing, told
from mlcore_artifacts_s3.repo import S3Repo
from mlcore_artifacts_s3.settings import S3Settings

from mlcore.errors import (
    ArtifactNotFoundError,
    InvalidParameterError,
    MlcoreError,
    PermissionDeniedError,
    SettingsError,
    StoreUnavailableError,
    UnauthenticatedError,
)

HIDDEN = "not-to-be-" + "shown"


@pytest.fixture(params=["rclone", "ceph"])
def strict(request: pytest.FixtureRequest):
    return request.getfixturevalue(request.param)


def write(repo: S3Repo) -> None:
    repo.write("dir/file", io.BytesIO(b"x"), 1)


def everything_said(err: BaseException) -> str:
    said = ""
    while err is not None:
        said, err = f"{said}{err!r}{getattr(err, '__notes__', '')}", err.__cause__ or err.__context__
    return said


def test_a_wrong_secret_is_told_and_not_shown(strict, s3, monkeypatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", HIDDEN)
    repo = s3.open_repo(strict, prefix="p", max_attempts=1)

    with pytest.raises(
        UnauthenticatedError, match=r"cannot write 's3://mlcore-test/p/dir/file': the signature"
    ) as told:
        write(repo)

    assert "AWS_SECRET_ACCESS_KEY" in str(told.value)
    assert HIDDEN not in everything_said(told.value)
    repo.close()


def test_an_unknown_access_key_is_told(ceph, s3, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobodyknowsit")
    repo = s3.open_repo(ceph, max_attempts=1)

    with pytest.raises(UnauthenticatedError, match="the access key is not known there"):
        write(repo)
    repo.close()


def test_missing_credentials_are_told_with_the_ways_to_give_them(moto, s3, monkeypatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    repo = s3.open_repo(moto, prefix="p", max_attempts=1)

    with pytest.raises(
        UnauthenticatedError, match=r"'s3://mlcore-test/p/dir/file': there are no credentials; check AWS_"
    ):
        write(repo)
    with pytest.raises(UnauthenticatedError, match="no credentials to sign with"):
        repo.presigned_url("file", "GET", 60)
    repo.close()


@pytest.mark.parametrize("server", ["moto", "rclone", "ceph"])
def test_a_missing_bucket_is_told_and_not_made(server, s3, request) -> None:
    found = request.getfixturevalue(server)
    repo = S3Repo.open("s3://no-such-bucket/p", S3Settings(endpoint_url=found.endpoint, max_attempts=1))

    for ask in (write, lambda r: r.list("dir"), lambda r: r.stat("file"), lambda r: r.delete("file")):
        with pytest.raises(StoreUnavailableError, match=r"s3://no-such-bucket/p.*there is no such bucket; check"):
            ask(repo)
    repo.close()


def test_denied_access_is_told_with_the_permissions_needed(ceph, s3) -> None:
    repo = s3.open_repo(ceph, unsigned=True, max_attempts=1)

    with pytest.raises(PermissionDeniedError, match=r"cannot list 's3://mlcore-test/.*s3:ListBucket"):
        repo.list()
    repo.close()


def test_a_server_that_is_not_there_is_told(s3) -> None:
    repo = S3Repo.open("s3://bucket/p", S3Settings(endpoint_url="http://127.0.0.1:9", max_attempts=1))

    with pytest.raises(StoreUnavailableError, match=r"cannot read 's3://bucket/p/file': the server does not answer"):
        repo.read("file")
    repo.close()


def test_a_missing_file_is_named_with_the_repositorys_uri(repo) -> None:
    with pytest.raises(ArtifactNotFoundError, match=r"no artifact 'a/b' under 's3://mlcore-test/"):
        repo.read("a/b")


def test_a_profile_that_does_not_exist_is_a_fault_of_the_settings(moto, s3) -> None:
    repo = s3.open_repo(moto, profile="nobody")

    with pytest.raises(SettingsError, match=r"profile \(nobody\) could not be found; check AWS_PROFILE"):
        repo.list()
    repo.close()


@pytest.mark.parametrize(
    ("code", "kind", "advice"),
    [
        ("RequestTimeTooSkewed", UnauthenticatedError, "set this machine's clock"),
        ("ExpiredToken", UnauthenticatedError, "log in again"),
        ("AccessDenied", PermissionDeniedError, "encryption key's policy"),
        ("PermanentRedirect", StoreUnavailableError, "set AWS_REGION"),
        ("SlowDown", MlcoreError, "try again later"),
        ("SomethingNew", InvalidParameterError, "check the MLCORE_S3_ settings"),
    ],
)
def test_the_storages_words_are_explained(code: str, kind: type[MlcoreError], advice: str) -> None:
    answer = {"Error": {"Code": code, "Message": HIDDEN}, "ResponseMetadata": {"HTTPStatusCode": 400}}

    with pytest.raises(kind, match=rf"cannot read 's3://b/k'.*{advice}") as caught, told(Doing("read", "b", "k")):
        raise ClientError(answer, "GetObject")

    assert code in str(caught.value)
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize("uri", ["s3://", "s3:///key", "s3://user:pass@bucket/key", "http://bucket/key"])
def test_a_uri_without_a_bucket_is_refused(uri: str) -> None:
    with pytest.raises(InvalidParameterError, match="expected s3://<bucket>/<prefix>") as told:
        S3Repo.open(uri)

    assert "pass@" not in str(told.value)


def test_our_variables_come_before_mlflows() -> None:
    environ = {
        "MLFLOW_S3_ENDPOINT_URL": "http://theirs",
        "MLFLOW_S3_IGNORE_TLS": "TRUE",
        "MLFLOW_S3_UPLOAD_EXTRA_ARGS": '{"ACL": "private"}',
        "MLFLOW_S3_EXPECTED_BUCKET_OWNER": "123456789012",
        "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "virtual",
        "MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION": "UNSIGNED",
        "MLCORE_S3_ADDRESSING_STYLE": "path",
    }

    settings = S3Settings.from_environ(environ)

    assert (settings.endpoint_url, settings.ignore_tls, settings.unsigned) == ("http://theirs", True, True)
    assert (settings.extra_args, settings.expected_bucket_owner) == ({"ACL": "private"}, "123456789012")
    assert settings.addressing_style == "path"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MLCORE_S3_ENDPOINT_URL", "localhost", "a URL such as https://"),
        ("MLCORE_S3_PART_BYTES", "100", "a number of bytes from 5242880"),
        ("MLCORE_S3_SSE_CUSTOMER_KEY", HIDDEN, "32 bytes in base64"),
        ("MLFLOW_S3_UPLOAD_EXTRA_ARGS", "[]", "a JSON object"),
        ("MLCORE_S3_CA_BUNDLE", "/nowhere", "the path of a file"),
        ("MLFLOW_S3_IGNORE_TLS", "maybe", "true or false"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: .*expected {expected}") as told:
        S3Settings.from_environ({name: value})

    assert HIDDEN not in everything_said(told.value)


def test_a_role_of_a_profile_is_assumed(moto, s3, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto.endpoint)
    repo = s3.open_repo(moto, role_arn="arn:aws:iam::123456789012:role/mlcore", external_id="given-by-them")

    write(repo)

    credentials = repo._connection.credentials()
    assert credentials is not None
    assert credentials.token
    assert credentials.token not in repr(credentials)
    repo.close()


def test_the_buckets_owner_is_checked_and_the_payer_told(moto, s3) -> None:
    repo = s3.open_repo(moto, request_payer="requester", expected_bucket_owner="123456789012")

    headers = repo._connection.headers("get_object", {})

    assert headers == {"x-amz-request-payer": "requester", "x-amz-expected-bucket-owner": "123456789012"}
    write(repo)
    repo.close()
