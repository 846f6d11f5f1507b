"""A small load generator: raw HTTP over kept-alive connections, so that the client costs next to nothing."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

Request = Callable[[int], bytes]


@dataclass(frozen=True)
class Load:
    """What a load met: answers per second, seconds that an answer took (median, slowest of 100), broken connections."""

    rate: float
    median_s: float
    p99_s: float
    broken: int


def http_request(method: str, path: str, port: int, body: bytes = b"") -> bytes:
    """Return the bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def load(port: int, connections: int, seconds: float, request: Request) -> Load:
    """Keep *connections* busy for some seconds.

    request: makes the n-th request. Ends the program at an answer that is not 200.
    """
    return asyncio.run(_load(port, connections, seconds, request))


async def _load(port: int, connections: int, seconds: float, request: Request) -> Load:
    started = time.perf_counter()
    counter = iter(range(10**9))
    times: list[float] = []
    clients = [_client(port, started + seconds, lambda: request(next(counter)), times) for _ in range(connections)]
    broken = sum(await asyncio.gather(*clients))
    times.sort()
    took = time.perf_counter() - started
    return Load(len(times) / took, statistics.median(times), times[int(len(times) * 0.99)], broken)


async def _client(port: int, deadline: float, request: Callable[[], bytes], times: list[float]) -> int:
    """Send requests until *deadline*; return how often the server closed the connection instead of answering."""
    broken = 0
    while time.perf_counter() < deadline:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while (started := time.perf_counter()) < deadline:
                writer.write(request())
                await _answer(reader)
                times.append(time.perf_counter() - started)
        except (asyncio.IncompleteReadError, ConnectionError):
            broken += 1
        finally:
            writer.close()
    return broken


async def _answer(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 200"):
        sys.exit(f"error: the server answered {head!r}")
    if b"content-length:" in head:
        await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
        return
    while size := int(await reader.readuntil(b"\r\n"), 16):
        await reader.readexactly(size + 2)
    await reader.readexactly(2)
