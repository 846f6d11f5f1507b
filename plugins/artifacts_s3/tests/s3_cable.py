"""A TCP relay in front of a server, which can cut its connections in the middle of a transfer."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_PIECE = 64 << 10


class Cable:
    """Relays bytes; `seen` holds what clients asked for, as `PUT /bucket/key?query`."""

    def __init__(self, endpoint: str) -> None:
        split = urlsplit(endpoint)
        self._server = (split.hostname or "", split.port or 80)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.seen: list[str] = []
        self.up_bytes = self.down_bytes = 0
        self.cuts = 0
        self._cut_when: Callable[[Cable], bool] = lambda _: False
        self._open: set[socket.socket] = set()
        self._pairs: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._down = self._stays = False

    def cut_when(self, condition: Callable[[Cable], bool], *, stays: bool) -> None:
        """Cut all connections when *condition* holds; *stays* refuses new ones until `repair`."""
        self._cut_when = condition
        self._stays = stays

    def repair(self) -> None:
        self._down = False
        self._cut_when = lambda _: False

    def serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self._down:
                client.close()
                continue
            pair = threading.Thread(target=self._carry, args=(client,), daemon=True)
            self._pairs.append(pair)
            pair.start()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            self._cut()
        for pair in self._pairs:
            pair.join()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server:
            with self._lock:
                self._open |= {client, server}
            upward = threading.Thread(target=self._relay, args=(client, server, True), daemon=True)
            upward.start()
            self._relay(server, client, False)
            upward.join()
            with self._lock:
                self._open -= {client, server}

    def _relay(self, source: socket.socket, target: socket.socket, upward: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_PIECE):
                with self._lock:
                    self._count(data, upward)
                    if self._cut_when(self):
                        self._cut_when = lambda _: False
                        self._down = self._stays
                        self.cuts += 1
                        self._cut()
                        return
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _count(self, data: bytes, upward: bool) -> None:
        if not upward:
            self.down_bytes += len(data)
            return
        self.up_bytes += len(data)
        if found := re.match(rb"([A-Z]+ \S+) HTTP/1\.1\r\n", data[:2000]):
            self.seen.append(found[1].decode())

    def _cut(self) -> None:
        for end in tuple(self._open):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def cable(endpoint: str) -> Iterator[Cable]:
    """Lay a cable to a server."""
    laid = Cable(endpoint)
    thread = threading.Thread(target=laid.serve, daemon=True)
    thread.start()
    try:
        yield laid
    finally:
        laid.close()
        thread.join()
