"""The connection reads the usual answer itself, leaves the rest to http.client, and notices an end at any place."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mlcore_artifacts_s3.channel import Channel, FileSpan

from mlcore.errors import ArtifactWriteError

USUAL = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: x\r\n\r\n0123456789"


@contextmanager
def answering(*pieces: bytes, heard: list[bytes] | None = None) -> Iterator[Channel]:
    """Serve one connection, which gets these pieces after its request, and is closed then."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        accepted, _ = listening.accept()
        with accepted:
            request = b""
            while b"\r\n\r\n" not in request or not request.endswith(b"END"):
                if not (data := accepted.recv(1 << 20)):
                    break
                request += data
                if request.startswith(b"GET"):
                    break
            if heard is not None:
                heard.append(request)
            for piece in pieces:
                accepted.sendall(piece)

    thread = threading.Thread(target=serve)
    thread.start()
    channel = Channel(http.client.HTTPConnection(*listening.getsockname(), timeout=5))
    try:
        yield channel
    finally:
        channel.close()
        thread.join()
        listening.close()


@pytest.mark.parametrize("cut", [1, 20, 50, len(USUAL) - 3])
def test_an_answer_that_comes_in_pieces_is_read_whole(cut: int) -> None:
    with answering(USUAL[:cut], USUAL[cut:]) as channel:
        response = channel.ask("GET", "/", {}, None)

        assert (response.status, response.length, response.getheader("etag")) == (200, 10, "x")
        assert (response.read(3), response.isclosed()) == (b"012", False)
        assert (response.read(), response.isclosed()) == (b"3456789", True)
        assert not response.will_close


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n"),
        (b"Connection: close\r\n\r\n", b"0123456789"),
        (b"Content-Length: 10\r\nConnection: close\r\n\r\n", b"0123456789"),
        (b"X: 1\r\nX: 2\r\nContent-Length: 10\r\n\r\n", b"0123456789"),
    ],
    ids=["chunked", "until the end", "closing", "repeated"],
)
def test_an_unusual_answer_is_read_too(head: bytes, body: bytes) -> None:
    with answering(b"HTTP/1.1 200 OK\r\n" + head + body) as channel:
        response = channel.ask("GET", "/", {}, None)

        assert response.read() == b"0123456789"


@pytest.mark.parametrize("cut", [0, 20, len(USUAL) - 3])
def test_a_connection_that_ends_too_early_is_an_error(cut: int) -> None:
    with answering(USUAL[:cut]) as channel, pytest.raises(http.client.HTTPException):
        channel.ask("GET", "/", {}, None).read()


def test_a_silent_server_is_given_up_after_the_timeout() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    channel = Channel(http.client.HTTPConnection(*listening.getsockname(), timeout=0.2))

    with pytest.raises(OSError, match=r"unavailable|timed out"):
        channel.ask("GET", "/", {}, None)

    channel.close()
    listening.close()


def test_head_and_a_small_body_go_out_together_and_a_file_after_its_head(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"--fileEND--")
    heard: list[bytes] = []

    for body in (b"bodyEND", FileSpan(str(tmp_path / "file"), 2, 7)):
        with answering(b"HTTP/1.1 204 No Content\r\n\r\n", heard=heard) as channel:
            assert channel.ask("PUT", "/k", {"host": "h"}, body).isclosed()

    assert heard[0] == b"PUT /k HTTP/1.1\r\nhost: h\r\ncontent-length: 7\r\n\r\nbodyEND"
    assert heard[1] == b"PUT /k HTTP/1.1\r\nhost: h\r\ncontent-length: 7\r\n\r\nfileEND"


def test_a_file_that_became_shorter_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"short")

    with answering() as channel, pytest.raises(ArtifactWriteError, match="became shorter while it was uploaded"):
        channel.ask("PUT", "/k", {"host": "h"}, FileSpan(str(tmp_path / "file"), 0, 100))


def test_a_header_cannot_smuggle_in_another() -> None:
    with answering() as channel, pytest.raises(http.client.InvalidURL):
        channel.ask("GET", "/", {"host": "h\r\nx-other: 1"}, None)
