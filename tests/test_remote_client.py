"""Requests to servers that are slow, rude, broken or gone."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import pytest

from mlcore.errors import InvalidParameterError, LimitExceededError, StoreUnavailableError, UnauthenticatedError
from mlcore.remote.client import Remote
from mlcore.remote.places import place_of
from mlcore.remote.settings import RemoteSettings

QUICK = RemoteSettings(backoff_s=0.001, max_retries=3, timeout_s=5)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
GONE = b""  # close without an answer


class Scripted:
    """A server that gives one answer after the other, and keeps what it was sent."""

    def __init__(self, *answers: bytes, then: bytes = OK, port: int = 0) -> None:
        self.answers = list(answers)
        self.then = then
        self.seen: list[bytes] = []
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        self.uri = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def close(self) -> None:
        """Stop, and let go of everything."""
        if self._listening.fileno() < 0:
            return
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._threads[0].join()
        for each in self._open:
            with each:
                each.shutdown(socket.SHUT_RDWR) if each.fileno() >= 0 and _is_connected(each) else None
        for thread in self._threads[1:]:
            thread.join()

    def hang_up(self) -> None:
        """Close all connections, as a server does with idle ones."""
        for each in self._open:
            if _is_connected(each):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                opened, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(opened)
            thread = threading.Thread(target=self._serve, args=(opened,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, opened: socket.socket) -> None:
        with opened, opened.makefile("rb") as file:
            while head := _head(file):
                length = next(
                    (int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0
                )
                self.seen.append(head + file.read(length))
                answer = self.answers.pop(0) if self.answers else self.then
                if not answer:
                    return
                opened.sendall(answer)


def _head(file: object) -> bytes:
    lines = []
    try:
        while line := file.readline():
            lines.append(line)
            if line == b"\r\n":
                return b"".join(lines)
    except OSError:
        pass
    return b""


def _is_connected(opened: socket.socket) -> bool:
    try:
        opened.getpeername()
    except OSError:
        return False
    return True


@pytest.fixture
def scripted() -> Iterator[Callable[..., Scripted]]:
    made: list[Scripted] = []

    def make(*answers: bytes, then: bytes = OK, port: int = 0) -> Scripted:
        made.append(Scripted(*answers, then=then, port=port))
        return made[-1]

    yield make
    for each in made:
        each.close()


def asked(uri: str, settings: RemoteSettings | None = QUICK) -> Remote:
    return Remote(place_of(uri), settings)


def status(code: int, *headers: str, body: bytes = b"{}") -> bytes:
    lines = [f"HTTP/1.1 {code} x", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_requests_share_a_connection(scripted: Callable[..., Scripted]) -> None:
    server = scripted()
    remote = asked(server.uri + "/prefix")

    answers = [remote.ask("POST", "/x", body=b"abc") for _ in range(5)]

    assert {answer.body for answer in answers} == {b"{}"}
    assert server.connections == 1
    assert server.seen[0].startswith(b"POST /prefix/x HTTP/1.1\r\nhost: 127.0.0.1:")
    assert server.seen[0].endswith(b"\r\ncontent-length: 3\r\n\r\nabc")
    remote.close()


def test_a_kept_connection_that_the_server_closed_is_not_used_again(scripted: Callable[..., Scripted]) -> None:
    server = scripted()
    remote = asked(server.uri)
    remote.ask("GET", "/a")
    server.hang_up()
    time.sleep(0.05)

    remote.ask("POST", "/b", repeatable=False)

    assert [seen.split(b" ")[1] for seen in server.seen] == [b"/a", b"/b"]
    assert server.connections == 2
    remote.close()


@pytest.mark.parametrize("first", [status(503), status(429), status(408), status(502), status(504), status(500), GONE])
def test_what_may_be_repeated_is_repeated(scripted: Callable[..., Scripted], first: bytes) -> None:
    server = scripted(first)
    remote = asked(server.uri)

    answer = remote.ask("GET", "/x")

    assert (answer.status, len(server.seen)) == (200, 2)
    remote.close()


@pytest.mark.parametrize("first", [status(503), status(500), status(504)])
def test_what_may_not_be_repeated_is_answered_as_it_is(scripted: Callable[..., Scripted], first: bytes) -> None:
    server = scripted(first)
    remote = asked(server.uri)

    answer = remote.ask("POST", "/x", repeatable=False)

    assert (answer.status, len(server.seen)) == (int(first[9:12]), 1)
    remote.close()


def test_a_request_without_an_answer_is_not_sent_twice_when_that_would_do_harm(
    scripted: Callable[..., Scripted],
) -> None:
    server = scripted(GONE)
    remote = asked(server.uri)

    with pytest.raises(StoreUnavailableError, match=r"cannot reach http://127\.0\.0\.1:\d+: the connection broke off"):
        remote.ask("POST", "/x", repeatable=False)

    assert len(server.seen) == 1
    remote.close()


def test_a_refused_request_is_repeated_even_when_it_is_not_safe(scripted: Callable[..., Scripted]) -> None:
    server = scripted(status(429, "retry-after: 0"))
    remote = asked(server.uri)

    assert remote.ask("POST", "/x", repeatable=False).status == 200
    remote.close()


def test_a_server_that_says_when_to_come_back_is_heard(scripted: Callable[..., Scripted]) -> None:
    server = scripted(status(503, "Retry-After: 1"))
    remote = asked(server.uri)
    start = time.monotonic()

    remote.ask("GET", "/x")

    assert time.monotonic() - start >= 0.95
    remote.close()


def test_a_date_to_come_back_is_heard_too(scripted: Callable[..., Scripted]) -> None:
    server = scripted(status(503, f"Retry-After: {formatdate(time.time() + 2, usegmt=True)}"))
    remote = asked(server.uri)
    start = time.monotonic()

    remote.ask("GET", "/x")

    assert time.monotonic() - start >= 0.9
    remote.close()


def test_patience_ends(scripted: Callable[..., Scripted]) -> None:
    server = scripted(then=status(429, body=b'{"error_code": "REQUEST_LIMIT_EXCEEDED", "message": "too many"}'))
    remote = asked(server.uri)

    answer = remote.ask("GET", "/x")

    assert len(server.seen) == 4
    err = remote.error("/x?secret=1", answer)
    assert (type(err), err.message) == (LimitExceededError, "too many")
    assert err.__notes__ == [f"answered by {server.uri}/x with status 429"]
    remote.close()


def test_a_body_in_chunks_is_put_together(scripted: Callable[..., Scripted]) -> None:
    chunks = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\ntrailer: 1\r\n\r\n"
    )
    server = scripted(chunks, chunks)
    remote = asked(server.uri)

    bodies = [remote.ask("GET", "/x").body for _ in range(2)]

    assert bodies == [b"abcdefg"] * 2
    assert server.connections == 1
    remote.close()


def test_a_body_that_stops_early_is_asked_for_again(scripted: Callable[..., Scripted]) -> None:
    server = scripted(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nconnection: close\r\n\r\nabc", GONE)
    remote = asked(server.uri)
    server.answers[1:1] = []
    threading.Timer(0.2, server.hang_up).start()

    assert remote.ask("GET", "/x").body == b"{}"
    remote.close()


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\r\n\r\n"])
def test_what_is_not_http_is_an_unavailable_server(scripted: Callable[..., Scripted], answer: bytes) -> None:
    server = scripted(then=answer)
    remote = asked(server.uri)

    with pytest.raises(StoreUnavailableError, match=r"expected an answer of HTTP/1\.1"):
        remote.ask("GET", "/x")
    remote.close()


def test_a_refused_connection_is_told_soon_with_host_and_advice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    remote = Remote(place_of(f"http://ada:geheim@127.0.0.1:{port}/p"), RemoteSettings(backoff_s=0.01))
    start = time.monotonic()

    with pytest.raises(StoreUnavailableError) as caught:
        remote.ask("GET", "/x")

    assert caught.value.message == (
        f"cannot reach http://127.0.0.1:{port}/p: connection refused: check that the server runs, and its host and port"
    )
    assert time.monotonic() - start < 5


def test_a_server_that_is_started_again_is_waited_for(scripted: Callable[..., Scripted]) -> None:
    server = scripted()
    remote = asked(server.uri, RemoteSettings(backoff_s=0.1, max_retries=7))
    remote.ask("GET", "/before")
    server.close()
    again = threading.Timer(0.3, scripted, kwargs={"port": server.port})
    again.start()

    assert remote.ask("POST", "/after", repeatable=False).status == 200
    again.join()
    remote.close()


def test_a_silent_server_is_given_up(scripted: Callable[..., Scripted]) -> None:
    server = scripted()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        remote = asked(uri, RemoteSettings(timeout_s=0.1, max_retries=0))

        with pytest.raises(StoreUnavailableError, match=r"no answer in 0\.1 s"):
            remote.ask("GET", "/x")
    assert server.seen == []


def test_credentials_come_from_the_url_or_the_environment(
    scripted: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted()
    host = server.uri.removeprefix("http://")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "geheim")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "unused")
    remotes = [asked(server.uri, None), asked(f"http://bob:p%40ss@{host}", None)]
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD")
    monkeypatch.setenv("MLCORE_TRACKING_TOKEN", "token")
    remotes.append(asked(server.uri, None))

    for remote in remotes:
        remote.ask("GET", "/x")
        remote.close()

    found = [line for seen in server.seen for line in seen.split(b"\r\n") if line.startswith(b"authorization")]
    assert found == [
        b"authorization: Basic YWRhOmdlaGVpbQ==",
        b"authorization: Basic Ym9iOnBAc3M=",
        b"authorization: Bearer token",
    ]
    assert "geheim" not in repr(remotes[0].settings)
    assert "p@ss" not in repr(remotes[1].place)


def test_a_server_that_wants_credentials_is_told_with_the_variables(scripted: Callable[..., Scripted]) -> None:
    server = scripted(status(401, body=b""))
    remote = asked(server.uri)

    err = remote.error("/x", remote.ask("GET", "/x"))

    assert isinstance(err, UnauthenticatedError)
    assert "set MLCORE_TRACKING_USERNAME and MLCORE_TRACKING_PASSWORD, or MLCORE_TRACKING_TOKEN" in err.message
    remote.close()


def test_credentials_that_were_set_meanwhile_are_used(
    scripted: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted(status(401))
    remote = asked(server.uri, None)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "later")

    assert remote.ask("POST", "/x", repeatable=False).status == 200

    assert b"authorization: Bearer later" in server.seen[1]
    remote.close()


def test_a_redirect_is_followed_on_the_same_server_only(scripted: Callable[..., Scripted]) -> None:
    other = scripted()
    server = scripted(status(302, "location: /there?a=1"), OK, status(302, f"location: {other.uri}/x"))
    remote = asked(server.uri)

    followed, stopped = remote.ask("GET", "/here"), remote.ask("GET", "/away")

    assert followed.status == 200
    assert b"GET /there?a=1 HTTP/1.1" in server.seen[1]
    assert other.seen == []
    assert "sends its callers on to" in remote.error("/away", stopped).message
    remote.close()


def test_a_write_is_never_redirected(scripted: Callable[..., Scripted]) -> None:
    server = scripted(status(307, "location: /there"))
    remote = asked(server.uri)

    assert remote.ask("POST", "/here", body=b"x").status == 307
    assert len(server.seen) == 1
    remote.close()


def test_a_proxy_is_asked_for_the_whole_url(scripted: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = scripted()
    monkeypatch.setenv("http_proxy", proxy.uri.replace("http://", "http://u:p@"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    remote = asked("http://mlflow.invalid:8080/p")

    assert remote.ask("GET", "/x").status == 200

    assert proxy.seen[0].startswith(b"GET http://mlflow.invalid:8080/p/x HTTP/1.1\r\nhost: mlflow.invalid:8080\r\n")
    assert b"proxy-authorization: Basic dTpw" in proxy.seen[0]
    remote.close()


def test_a_host_that_needs_no_proxy_is_asked_itself(
    scripted: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted()
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    remote = asked(server.uri)

    assert remote.ask("GET", "/x").status == 200
    remote.close()


@pytest.mark.parametrize("target", ["/x\r\nevil: 1", "/x y", "/x\nevil"])
def test_a_target_cannot_smuggle_headers(scripted: Callable[..., Scripted], target: str) -> None:
    server = scripted()
    remote = asked(server.uri)

    with pytest.raises(InvalidParameterError, match="it holds a line break or a space"):
        remote.ask("GET", target)
    assert server.seen == []


def test_threads_use_connections_of_their_own(scripted: Callable[..., Scripted]) -> None:
    server = scripted()
    remote = asked(server.uri)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: remote.ask("GET", f"/{n}").status, range(64)))

    assert answers == [200] * 64
    assert server.connections <= 8
    remote.close()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_opens_its_own_connection(scripted: Callable[..., Scripted]) -> None:
    server = scripted()
    remote = asked(server.uri)
    remote.ask("GET", "/parent")

    child = os.fork()
    if child == 0:
        os._exit(0 if remote.ask("GET", "/child").status == 200 else 1)
    _, ended = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(ended) == 0
    assert remote.ask("GET", "/parent").status == 200
    assert server.connections == 2
    remote.close()
