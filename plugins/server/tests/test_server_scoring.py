"""Served models that pages ask: the server calls those that the operator named, for who may edit the model, and nobody else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from mlcore_server.scoring import MOST_BYTES, ScoringServerError, ScoringServers
from server_team import API, Team

from mlcore.errors import InvalidParameterError, SettingsError
from mlcore.testing.live_server import running_server

UI = "/api/ui/1"
PAGE = {"x-mlcore-ui": "1"}


class Scoring(ThreadingHTTPServer):
    """Something that answers like a scoring server, and notes what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.leaving = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: that clients leave is what is tried."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Scoring

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path, dict(self.headers.items()), body))
        if self.path.startswith("/redirect"):
            self.send_response(307)
            self.send_header("location", f"{self.server.url}/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        self.send_response(400 if b"bad" in body else 200)
        self.end_headers()
        if self.path.startswith("/endless"):
            while not self.server.leaving.wait(0.01):
                self.wfile.write(b"x" * 65536)
        elif self.path.startswith("/slow"):
            while not self.server.leaving.wait(0.05):
                self.wfile.write(b"x")
        else:
            self.wfile.write(b'{"predictions": [1.5]}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def scoring() -> Iterator[Scoring]:
    server = Scoring()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.leaving.set()
    server.shutdown()
    server.server_close()


def test_a_request_goes_to_the_server_of_the_model_with_nothing_but_its_body(scoring: Scoring) -> None:
    scoring.asked.clear()

    found = ScoringServers([f"wine={scoring.url}/v1/"]).ask("wine", f"{scoring.url}/v1", '{"inputs": [NaN]}')

    assert (found.status, found.body, found.is_cut) == (200, '{"predictions": [1.5]}', False)
    (path, headers, body) = scoring.asked[0]
    assert (path, json.dumps(json.loads(body))) == ("/v1/invocations", '{"inputs": [NaN]}')
    assert {"authorization", "cookie", "x-mlcore-ui"}.isdisjoint(name.lower() for name in headers)


def test_each_model_has_its_servers_and_some_are_for_all() -> None:
    servers = ScoringServers(["wine=http://a:1", "http://b:2", "a=b=http://c:3"])

    assert servers.of("wine") == ("http://a:1", "http://b:2")
    assert servers.of("a=b") == ("http://b:2", "http://c:3")
    assert servers.of("other") == ("http://b:2",)


@pytest.mark.parametrize(
    "form",
    [
        "http://127.0.0.1:{other}",
        "http://127.0.0.1:{port}/v1/../admin",
        "http://127.0.0.1:{port}/v1#",
        "http://127.0.0.1:{port}/v1?x=",
        "http://127.0.0.1:{port}",
        "http://127.0.0.1:{port}/v1@127.0.0.1:{other}",
        "http://localhost:{port}/v1",
        "http://[::ffff:127.0.0.1]:{port}/v1",
        "HTTP://127.0.0.1:{port}/v1",
        "http://127.0.0.1:{port}/v1\r\nx: y",
        "http://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "",
    ],
)
def test_an_address_that_nobody_named_is_never_called(scoring: Scoring, form: str) -> None:
    scoring.asked.clear()
    other = Scoring()
    threading.Thread(target=other.serve_forever, daemon=True).start()
    servers = ScoringServers([f"wine={scoring.url}/v1"])

    with pytest.raises(InvalidParameterError, match="is no scoring server of the model"):
        servers.ask("wine", form.format(port=scoring.server_address[1], other=other.server_address[1]), "{}")

    assert (scoring.asked, other.asked) == ([], [])
    other.shutdown()
    other.server_close()


def test_the_server_of_another_model_is_not_called(scoring: Scoring) -> None:
    with pytest.raises(InvalidParameterError, match="is no scoring server of the model 'beer'"):
        ScoringServers([f"wine={scoring.url}"]).ask("beer", scoring.url, "{}")


def test_a_redirect_is_told_and_not_followed(scoring: Scoring) -> None:
    scoring.asked.clear()
    url = f"{scoring.url}/redirect"

    assert ScoringServers([url]).ask("m", url, "{}").status == 307
    assert [path for path, _, _ in scoring.asked] == ["/redirect/invocations"]


def test_an_endless_answer_is_cut(scoring: Scoring) -> None:
    url = f"{scoring.url}/endless"

    found = ScoringServers([url]).ask("m", url, "{}")

    assert (len(found.body), found.is_cut) == (MOST_BYTES, True)


def test_one_that_answers_byte_by_byte_is_left(scoring: Scoring) -> None:
    url = f"{scoring.url}/slow"

    with pytest.raises(ScoringServerError, match=r"did not answer in 0\.5 s"):
        ScoringServers([url], deadline_s=0.5).ask("m", url, "{}")


@pytest.mark.parametrize("body", ["", "no JSON", "[1]", "1", "{" * 20000, '{"a": "' + "x" * MOST_BYTES + '"}'])
def test_what_is_no_json_object_is_not_sent(scoring: Scoring, body: str) -> None:
    scoring.asked.clear()
    with pytest.raises(InvalidParameterError):
        ScoringServers([scoring.url]).ask("m", scoring.url, body)
    assert scoring.asked == []


def test_a_server_that_is_down_is_told_as_that() -> None:
    with pytest.raises(ScoringServerError, match=r"did not answer \(ConnectionRefusedError"):
        ScoringServers(["http://127.0.0.1:9"]).ask("m", "http://127.0.0.1:9", "{}")


@pytest.mark.parametrize(
    "named", ["", "wine", "wine=", "ftp://a", "http://", "http://u:p@a", "http://a?b", "http://a#b", "http://a:x", "=x"]
)
def test_what_is_no_address_keeps_the_server_from_starting(named: str) -> None:
    with pytest.raises(SettingsError, match="invalid --scoring-server"):
        ScoringServers([named])


def test_who_may_edit_the_model_asks_and_nobody_else(scoring: Scoring, tmp_path: Path) -> None:
    options = ("--auth", "basic", "--scoring-server", f"wine={scoring.url}")
    with running_server(tmp_path, *options) as server, ExitStack() as leaving:
        team = Team(server)
        leaving.callback(team.root.close)
        leaving.callback(team.ann.close)
        for name in ("wine", "beer"):
            team.root.post(f"{API}/registered-models/create", json={"name": name}).raise_for_status()
        granted = {"name": "wine", "username": "ann", "permission": "READ"}
        team.root.post(f"{API}/registered-models/permissions/create", json=granted).raise_for_status()
        asked = {"name": "wine", "server": scoring.url, "body": '{"inputs": [[1]]}'}
        scoring.asked.clear()

        refused = [
            team.ann.post(f"{UI}/models:ask", json=asked, headers=PAGE).status_code,
            team.ann.get(f"{UI}/models:served", params={"name": "beer"}).status_code,
            team.root.post(f"{UI}/models:ask", json=asked).status_code,
            team.root.post(f"{UI}/models:ask", json=asked | {"name": "beer"}, headers=PAGE).status_code,
            team.root.post(f"{UI}/models:ask", json=asked | {"name": "none"}, headers=PAGE).status_code,
            httpx.post(f"{server.url}{UI}/models:ask", json=asked, headers=PAGE, trust_env=False).status_code,
        ]

        assert (refused, scoring.asked) == ([403, 403, 403, 400, 404, 401], [])
        found = team.root.post(f"{UI}/models:ask", json=asked, headers=PAGE).json()
        assert (found["status"], found["body"], len(scoring.asked)) == (200, '{"predictions": [1.5]}', 1)
        assert team.ann.get(f"{UI}/models:served", params={"name": "wine"}).json() == {"servers": []}
        told = [team.root.get(f"{UI}/models:served", params={"name": name}).json() for name in ("wine", "beer")]
        assert told == [{"servers": [scoring.url]}, {"servers": []}]
