"""S-BROWSER: Host and Origin; no page of a stranger reaches the server through somebody's browser."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from mlcore_server.config import ServerConfig
from mlcore_server.guards import Guards, check_json

from mlcore.errors import InvalidParameterError, PermissionDeniedError
from mlcore.testing.live_server import running_server


def config(**more: object) -> ServerConfig:
    given = {"tracking_uri": "sqlite:///x.db", "registry_uri": "sqlite:///x.db", "artifacts_destination": "file:///x"}
    return ServerConfig(**(given | {"state_dir": "/x"} | more))  # type: ignore[arg-type]  # keywords of ServerConfig


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:5000", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:5000", "[::1]:5000", "[::1]", "10.1.2.3:80"],
)
def test_addresses_and_localhost_are_known(host: str) -> None:
    assert Guards(config()).is_host(host)


@pytest.mark.parametrize(
    "host", ["", "evil.com", "evil.com:5000", "localhost.evil.com", "127.0.0.1.evil.com", "[evil]", "a:b:c", "0x7f.1"]
)
def test_other_names_are_refused(host: str) -> None:
    with pytest.raises(PermissionDeniedError, match="possible DNS rebinding attack"):
        Guards(config()).check("GET", {"host": host})


def test_a_name_that_the_operator_gave_is_known_with_any_port() -> None:
    guards = Guards(config(allowed_hosts=("ml.example.org",)))

    assert guards.is_host("ml.example.org")
    assert guards.is_host("ML.example.org:8443")
    assert not guards.is_host("other.example.org")


def test_a_page_of_another_origin_changes_nothing() -> None:
    with pytest.raises(PermissionDeniedError, match=r"Cross-origin request blocked: 'http://evil\.com'"):
        Guards(config()).check("POST", {"host": "localhost:5000", "origin": "http://evil.com"})


@pytest.mark.parametrize("origin", ["null", "http://localhost:5001", "http://localhost", "file://", ""])
def test_an_origin_is_the_servers_own_or_another(origin: str) -> None:
    with pytest.raises(PermissionDeniedError, match="Cross-origin request blocked"):
        Guards(config()).check("DELETE", {"host": "localhost:5000", "origin": origin})


@pytest.mark.parametrize("origin", ["http://localhost:5000", "https://localhost:5000"])
def test_the_servers_own_pages_may_change_things(origin: str) -> None:
    Guards(config()).check("POST", {"host": "localhost:5000", "origin": origin})


def test_programs_send_no_origin() -> None:
    Guards(config()).check("POST", {"host": "localhost:5000"})


def test_a_browser_that_tells_of_another_site_is_believed() -> None:
    with pytest.raises(PermissionDeniedError, match="another site"):
        Guards(config()).check("PUT", {"host": "localhost", "sec-fetch-site": "cross-site"})


def test_an_origin_that_the_operator_gave_is_allowed() -> None:
    guards = Guards(config(allowed_origins=("https://dash.example.org",)))

    guards.check("POST", {"host": "localhost", "origin": "https://dash.example.org"})


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_what_a_form_can_send_is_no_request(kind: str) -> None:
    with pytest.raises(InvalidParameterError, match="Content-Type must be one of"):
        check_json("POST", {"content-type": kind}, has_body=True)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_is_a_request(kind: str) -> None:
    check_json("POST", {"content-type": kind}, has_body=True)


def test_a_deletion_without_body_needs_no_type() -> None:
    check_json("DELETE", {}, has_body=False)


def test_an_allowed_page_of_another_origin_is_shown_the_answer_and_no_other_is(tmp_path: Path) -> None:
    page = "https://pages.example"
    with running_server(tmp_path, "--allowed-origin", page) as server:
        url = f"{server.url}/api/2.0/mlflow/runs/search"
        allowed = httpx.post(url, json={}, headers={"origin": page}, trust_env=False)
        before = httpx.options(url, headers={"origin": page}, trust_env=False)
        refused = httpx.post(url, json={}, headers={"origin": "https://other.example"}, trust_env=False)
        silent = httpx.post(url, json={}, trust_env=False)

    for answer in (allowed, before):
        assert answer.headers["access-control-allow-origin"] == page
        assert answer.headers["vary"] == "Origin"
    assert "content-type" in before.headers["access-control-allow-headers"]
    assert (allowed.status_code, refused.status_code, silent.status_code) == (200, 403, 200)
    assert "access-control-allow-origin" not in {**refused.headers, **silent.headers}
