"""How servers are asked, and where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlcore.errors import (
    EndpointNotFoundError,
    InvalidStateError,
    LimitExceededError,
    MlcoreError,
    NotFoundError,
    PermissionDeniedError,
    SettingsError,
    StoreUnavailableError,
    UnsupportedError,
)
from mlcore.errors import InvalidParameterError as Invalid
from mlcore.remote.faults import answered
from mlcore.remote.places import Place, place_of, split_url
from mlcore.remote.settings import RemoteSettings

HERE = place_of("http://ada:geheim@h:5000/team")


def test_our_variables_win_over_mlflows() -> None:
    found = RemoteSettings.from_environ(
        {"MLFLOW_TRACKING_TOKEN": "a", "MLCORE_TRACKING_TOKEN": "b", "MLFLOW_HTTP_REQUEST_TIMEOUT": "7"}
    )

    assert (found.token, found.timeout_s, found.max_retries) == ("b", 7.0, 7)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "-1", "a number from 0"),
        ("MLFLOW_HTTP_REQUEST_TIMEOUT", "0", "a number of seconds greater than 0"),
        ("MLFLOW_TRACKING_INSECURE_TLS", "maybe", "true or false"),
        ("REQUESTS_CA_BUNDLE", "/no/such/file", "the path of a file"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(variable: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError, match=f"{variable}: '{value}' cannot be used: expected {expected}"):
        RemoteSettings.from_environ({variable: value})


def test_a_directory_of_certificates_may_be_named(tmp_path: Path) -> None:
    assert RemoteSettings.from_environ({"SSL_CERT_FILE": str(tmp_path)}).ca_file == str(tmp_path)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://h", "http://h"),
        ("HTTPS://H:443/", "https://h"),
        ("http://h:80", "http://h"),
        ("https://ada:geheim@h:8443/a/b/", "https://h:8443/a/b"),
        ("http://[::1]:5000/p", "http://[::1]:5000/p"),
    ],
)
def test_a_place_is_shown_without_credentials(uri: str, shown: str) -> None:
    assert place_of(uri).shown == shown
    assert "geheim" not in repr(place_of(uri))


@pytest.mark.parametrize("uri", ["h:5000", "ftp://h", "http://", "http://h:port", "http://h?a=1", "http://h#x", ""])
def test_what_is_no_servers_uri_is_refused(uri: str) -> None:
    with pytest.raises(Invalid, match="expected one such as 'http://127"):
        place_of(uri)


def test_a_url_is_taken_apart_as_it_is_sent() -> None:
    assert split_url("http://h/a b/%2F?x=1%202&y=ß") == (Place(False, "h", 80), "/a%20b/%2F?x=1%202&y=%C3%9F")


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no run"}', NotFoundError, "no run"),
        (404, b'{"error_code": "NOT_FOUND", "message": "no run"}', NotFoundError, "no run"),
        (404, b"<html>", EndpointNotFoundError, "http://h:5000/team does not know '/x': check the path prefix"),
        (403, b"<html>Permission denied</html>", PermissionDeniedError, "answered with status 403: an HTML page"),
        (403, b"Permission denied", PermissionDeniedError, "answered with status 403: Permission denied"),
        (429, b"", LimitExceededError, "answered with status 429: no reason given"),
        (501, b'{"error_code": "NOT_IMPLEMENTED", "message": "no parts"}', UnsupportedError, "no parts"),
        (502, b"<html>Bad gateway", StoreUnavailableError, "answered with status 502: an HTML page"),
        (500, b'{"error_code": "INVALID_STATE", "message": "deleted"}', InvalidStateError, "deleted"),
        (418, b'{"error_code": "TEAPOT", "message": "short"}', MlcoreError, "TEAPOT: short"),
        (400, b'{"detail": "a directory"}', MlcoreError, "a directory"),
    ],
)
def test_an_answer_tells_its_error(status: int, body: bytes, error: type[MlcoreError], message: str) -> None:
    found = answered(HERE, "/x", status, {}, body)

    assert type(found) is error or (error is MlcoreError and isinstance(found, MlcoreError))
    assert message in found.message
    assert found.__notes__ == [f"answered by http://h:5000/team/x with status {status}"]
