"""A receiver of webhooks, on loopback; for the tests beside this module."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from attrs import Factory, define

SIGNER = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="  # of the tests alone
PATIENCE_S = 30.0


@define
class Receiver:
    """What a receiver got, and what it answers.

    answers: status and headers of the next answers; after them 204.
    """

    url: str = ""
    requests: list[tuple[dict[str, str], bytes]] = Factory(list)
    paths: list[str] = Factory(list)
    answers: list[tuple[int, dict[str, str]]] = Factory(list)
    hold: threading.Event = Factory(threading.Event)

    def wait_for(self, count: int) -> None:
        """Wait until so many requests have come."""
        wait_until(lambda: len(self.requests) >= count)


@contextmanager
def receiving(*, held: bool = False) -> Iterator[Receiver]:
    """Run a receiver; a held one answers nothing until its event is set."""
    got = Receiver()
    if not held:
        got.hold.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.paths.append(self.path)
            got.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            got.hold.wait(PATIENCE_S)
            status, more = got.answers.pop(0) if got.answers else (204, {})
            try:
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()
            except OSError:
                return  # the sender did not wait

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    got.url = f"http://127.0.0.1:{server.server_address[1]}/hook?team=a"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield got
    finally:
        got.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something, with a generous deadline."""
    end = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def variables(url: str, **more: str) -> dict[str, str]:
    """What an operator sets for a receiver on loopback."""
    given = {
        "URLS": url,
        "SECRET": SIGNER,
        "ALLOW_HTTP": "true",
        "ALLOW_NETWORKS": "127.0.0.0/8",
        "FIRST_DELAY_S": "0.05",
    }
    return {f"MLCORE_WEBHOOK_{name}": value for name, value in {**given, **more}.items()}
