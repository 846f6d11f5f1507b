"""Files at plain URLs, broken downloads, and who gets credentials."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from mlcore_artifacts_http.answers import digest_header, sha256_of
from mlcore_artifacts_http.opening import open_repo

from mlcore.artifacts.transfer import download_file
from mlcore.errors import ArtifactNotFoundError, InvalidParameterError, StoreUnavailableError, UnsupportedError
from mlcore.remote import places
from mlcore.remote.settings import RemoteSettings

CONTENT = bytes(range(256)) * 40_000  # over the size from which downloads are continued
QUICK = RemoteSettings(backoff_s=0.01, max_retries=2)


class Handler(BaseHTTPRequestHandler):
    """Serves `/file.bin`, breaking off after some bytes as often as it is told to."""

    protocol_version = "HTTP/1.1"
    breaks: list[int]
    etags: list[str]
    seen: list[dict[str, str]]

    def do_HEAD(self) -> None:
        self._head(len(CONTENT))

    def do_GET(self) -> None:
        type(self).seen.append({name.lower(): value for name, value in self.headers.items()})
        etag = self.etags[0] if len(self.etags) == 1 else self.etags.pop(0)
        start = 0
        if "range" in self.headers and self.headers["if-range"] == etag:
            start = int(self.headers["range"].removeprefix("bytes=").removesuffix("-"))
        self._head(len(CONTENT) - start, etag, start)
        if self.path.startswith("/file.bin"):
            end = start + self.breaks.pop(0) if self.breaks else len(CONTENT)
            with suppress(ConnectionError):  # a client that has seen enough
                self.wfile.write(CONTENT[start:end])
            self.close_connection = end < len(CONTENT)

    def _head(self, length: int, etag: str = '"1"', start: int = 0) -> None:
        if not self.path.startswith("/file.bin"):
            self.send_error(404)
            return
        self.send_response(206 if start else 200)
        self.send_header("content-length", str(length))
        self.send_header("etag", etag)
        if start:
            self.send_header("content-range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        else:
            self.send_header("repr-digest", digest_header(hashlib.sha256(CONTENT).hexdigest()))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[tuple[str, type[Handler]]]:
    handler = type("One", (Handler,), {"breaks": [], "etags": ['"1"'], "seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_at_a_url_is_downloaded(web: tuple[str, type[Handler]], tmp_path: Path) -> None:
    repo = open_repo(f"{web[0]}/file.bin", settings=QUICK)

    received = download_file(repo, "", tmp_path / "f")

    assert (tmp_path / "f").read_bytes() == CONTENT
    assert received.size_bytes == len(CONTENT)
    repo.close()


def test_a_download_goes_on_where_it_broke_off(web: tuple[str, type[Handler]], tmp_path: Path) -> None:
    url, handler = web
    handler.breaks = [1_000_000, 500_000]
    repo = open_repo(url, settings=QUICK)

    download_file(repo, "file.bin", tmp_path / "f")

    assert (tmp_path / "f").read_bytes() == CONTENT
    assert [seen.get("range") for seen in handler.seen] == [None, "bytes=1000000-", "bytes=1500000-"]
    repo.close()


def test_a_file_that_was_replaced_meanwhile_is_not_glued_together(
    web: tuple[str, type[Handler]], tmp_path: Path
) -> None:
    url, handler = web
    handler.breaks, handler.etags = [1_000_000], ['"1"', '"2"']
    repo = open_repo(url, settings=QUICK)

    with pytest.raises(StoreUnavailableError, match="broke off at byte 1000000, or the file was replaced meanwhile"):
        download_file(repo, "file.bin", tmp_path / "f")

    assert not (tmp_path / "f").exists()
    repo.close()


def test_a_missing_file_is_named(web: tuple[str, type[Handler]]) -> None:
    repo = open_repo(web[0], settings=QUICK)

    with pytest.raises(ArtifactNotFoundError, match=r"'http://127\.0\.0\.1:[0-9]+/nope'"):
        repo.read("nope")
    assert repo.stat("nope") is None
    repo.close()


def test_a_web_server_lists_stores_and_deletes_nothing(web: tuple[str, type[Handler]]) -> None:
    repo = open_repo(web[0], settings=QUICK)

    for call in (lambda: repo.list(), lambda: repo.delete("a")):
        with pytest.raises(UnsupportedError, match=r"plain http.* URLs are for reading single files"):
            call()


def test_a_stranger_gets_no_credentials_of_the_environment(
    web: tuple[str, type[Handler]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "secret")
    monkeypatch.setattr(places, "_CHOSEN", {})
    url, handler = web

    plain, proxied = open_repo(f"{url}/file.bin"), open_repo(f"{url}/api/2.0/mlflow-artifacts/artifacts/1")
    plain.read("").close()
    with pytest.raises(ArtifactNotFoundError):
        proxied.read("x")

    assert [seen.get("authorization") for seen in handler.seen] == [None, None]
    plain.close()
    proxied.close()


def test_the_server_of_the_settings_gets_them(web: tuple[str, type[Handler]], monkeypatch: pytest.MonkeyPatch) -> None:
    url, handler = web
    monkeypatch.setattr(places, "_CHOSEN", {})
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "secret")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    repo = open_repo(f"{url}/file.bin")

    repo.read("").close()

    assert handler.seen[0]["authorization"] == "Bearer secret"
    repo.close()


def test_a_proxied_uri_needs_a_server() -> None:
    with pytest.raises(InvalidParameterError, match="behind a server's artifact proxy, and the tracking URI"):
        open_repo("mlflow-artifacts:/1/x", "sqlite:///mlcore.db")
    with pytest.raises(InvalidParameterError, match="it names no host"):
        open_repo("mlflow-artifacts://:5000/x", "http://127.0.0.1:5000")


def test_a_digest_is_read_as_it_is_written() -> None:
    digest = hashlib.sha256(b"x").hexdigest()

    assert sha256_of(digest_header(digest)) == digest
    assert sha256_of("md5=:AAAA:") is None


def test_the_version_that_a_server_tells_is_the_fingerprint(web: tuple[str, type[Handler]]) -> None:
    repo = open_repo(f"{web[0]}/file.bin", settings=QUICK)

    assert repo.fingerprint("") == digest_header(hashlib.sha256(CONTENT).hexdigest())
    assert open_repo(f"{web[0]}/none", settings=QUICK).fingerprint("") is None
