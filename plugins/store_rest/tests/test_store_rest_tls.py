"""Servers that speak TLS, and proxies on the way to them."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
from mlcore_store_rest.opening import open_tracking_store
from mlcore_store_rest.own_store import MlcoreTrackingStore

from mlcore.errors import SettingsError, StoreUnavailableError


class Handler(BaseHTTPRequestHandler):
    """Says that it is our server."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        text = json.dumps({"mlcore": {"version": "0.1.0"}}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    """Says nothing of clients that go away."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class Tls:
    """An authority, and a server with a certificate of it."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(self.ca_file)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert("localhost", "127.0.0.1").configure_cert(self.context)
        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.uri = f"https://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        """Stop it."""
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tls]:
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    made = Tls(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(
    "variable", ["MLCORE_TRACKING_SERVER_CERT_PATH", "MLFLOW_TRACKING_SERVER_CERT_PATH", "REQUESTS_CA_BUNDLE"]
)
def test_a_server_of_an_own_authority_is_trusted_when_that_is_named(
    tls: Tls, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tls.ca_file))

    store = open_tracking_store(tls.uri)

    assert isinstance(store, MlcoreTrackingStore)
    store.close()


def test_a_server_of_an_unknown_authority_is_not_trusted(tls: Tls) -> None:
    with pytest.raises(
        StoreUnavailableError, match=r"its certificate is not trusted .*MLCORE_TRACKING_SERVER_CERT_PATH"
    ):
        open_tracking_store(tls.uri)


def test_a_certificate_of_another_host_is_not_trusted(tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(tls.ca_file))
    tls.authority.issue_cert("elsewhere.example").configure_cert(tls.context)

    with pytest.raises(StoreUnavailableError, match="its certificate is not trusted"):
        open_tracking_store(tls.uri)


def test_whoever_wants_trusts_anybody(tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")

    open_tracking_store(tls.uri).close()


def test_a_server_that_wants_a_certificate_of_its_caller_gets_it(
    tls: Tls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls.context.verify_mode = ssl.CERT_REQUIRED
    tls.authority.configure_trust(tls.context)
    own = tls.authority.issue_cert("client@example.org")
    own.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(tls.ca_file))

    with pytest.raises(StoreUnavailableError):
        open_tracking_store(tls.uri)
    monkeypatch.setenv("MLFLOW_TRACKING_CLIENT_CERT_PATH", str(tmp_path / "client.pem"))
    open_tracking_store(tls.uri).close()


def test_a_file_without_certificates_is_named(tls: Tls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(tmp_path / "empty.pem"))

    with pytest.raises(SettingsError, match=r"cannot read certificates from '.*empty\.pem'"):
        open_tracking_store(tls.uri)


class Tunnel:
    """A proxy that passes on one connection after `CONNECT`."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 fine\r\n\r\n") -> None:
        self.head = b""
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Stop it."""
        self._listening.close()
        self._thread.join()

    def _serve(self) -> None:
        opened, _ = self._listening.accept()
        with opened:
            while not self.head.endswith(b"\r\n\r\n"):
                self.head += opened.recv(1)
            opened.sendall(self._answer)
            if b" 200 " not in self._answer:
                return
            host, _, port = self.head.split(b" ")[1].rpartition(b":")
            with socket.create_connection((host.decode(), int(port))) as onward:
                back = threading.Thread(target=_pass_on, args=(onward, opened))
                back.start()
                _pass_on(opened, onward)
                back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(1 << 16):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def test_a_proxy_passes_tls_on(tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Tunnel()
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(tls.ca_file))
    monkeypatch.setenv("https_proxy", f"http://u:p@127.0.0.1:{proxy.port}")
    monkeypatch.setenv("no_proxy", "")

    open_tracking_store(tls.uri).close()
    proxy.close()

    assert proxy.head.startswith(f"CONNECT 127.0.0.1:{tls.port} HTTP/1.1\r\n".encode())
    assert b"Proxy-Authorization: Basic dTpw\r\n" in proxy.head


def test_a_proxy_that_refuses_is_named(tls: Tls, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Tunnel(b"HTTP/1.1 407 who are you\r\n\r\n")
    monkeypatch.setenv("https_proxy", f"http://u:p@127.0.0.1:{proxy.port}")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("MLCORE_HTTP_REQUEST_MAX_RETRIES", "0")

    with pytest.raises(StoreUnavailableError, match=rf"the proxy http://127\.0\.0\.1:{proxy.port} refused: .*407"):
        open_tracking_store(tls.uri)
    proxy.close()
