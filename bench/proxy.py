"""A file of 1 GB through the artifact proxies of both servers: MB per second, CPU time, growth of memory."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
from measure import Row, Side, at_most, less, more
from tracking_server import Running, running_server

SIZE_BYTES = 1 << 30
TURNS = 3
PATH = "/api/2.0/mlflow-artifacts/artifacts/bench"
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Moved:
    """What one transfer took: MB per second, CPU seconds of the server, MB by which its memory grew at the most."""

    rate: float
    cpu_s: float
    grown_mb: float


def proxy(pair: tuple[Side, Side]) -> list[Row]:
    """Send and fetch in turns. The client is a bare socket; files are in memory where that is possible."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 6 * SIZE_BYTES:
        tempfile.tempdir = str(memory)  # the servers' temporary files too: no disk is measured
        os.environ["TMPDIR"] = str(memory)
    found: dict[str, tuple[list[Moved], list[Moved]]] = {"up": ([], []), "down": ([], [])}
    with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as folder:
        source = Path(folder, "source")
        with source.open("wb") as file:
            for _ in range(SIZE_BYTES >> 24):
                file.write(os.urandom(1 << 24))
        for turn in range(TURNS):
            for index, side in enumerate(pair):
                place = Path(folder, f"{side.module}-{turn}")
                place.mkdir()
                with running_server(side, place, ()) as running:
                    _upload(running.port, f"{PATH}/warm", source, 1 << 20)
                    port = running.port
                    found["up"][index].append(_measured(running, partial(_upload, port, f"{PATH}/big", source)))
                    found["down"][index].append(_measured(running, partial(_download, port, f"{PATH}/big")))
                shutil.rmtree(place)
    return [row for name, (ours, theirs) in found.items() for row in _rows(f"proxy, 1 GB {name}", ours, theirs)]


def _rows(name: str, ours: Sequence[Moved], theirs: Sequence[Moved]) -> list[Row]:
    return [
        more(name, "MB/s", [one.rate for one in ours], [one.rate for one in theirs], 1),
        less(name, "CPU s", [one.cpu_s for one in ours], [one.cpu_s for one in theirs]),
        at_most(f"{name}, growth of memory", "MB", [one.grown_mb for one in ours], 32),
    ]


def _measured(running: Running, work: Callable[[], None]) -> Moved:
    family = [running.process, *running.process.children(recursive=True)]
    before, cpu = sum(one.memory_info().rss for one in family), _cpu_s(family)
    for one in family:
        Path(f"/proc/{one.pid}/clear_refs").write_text("5", "ascii")  # the highest mark starts anew
    started = time.perf_counter()
    work()
    took_s = time.perf_counter() - started
    highest = sum(_highest_bytes(one) for one in family)
    return Moved(SIZE_BYTES / took_s / 1e6, _cpu_s(family) - cpu, (highest - before) / 2**20)


def _cpu_s(family: Sequence[psutil.Process]) -> float:
    times = [one.cpu_times() for one in family]
    return sum(one.user + one.system for one in times)


def _highest_bytes(process: psutil.Process) -> int:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text("ascii"))
    return int(found[1]) * 1024 if found else 0


def _upload(port: int, path: str, source: Path, size: int = SIZE_BYTES) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=600) as client, source.open("rb") as file:
        client.sendall(
            f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode()
        )
        client.sendfile(file, 0, size)
        status = client.recv(100).split()
        if status[1] != b"200":
            sys.exit(f"error: the upload was answered with {status!r}")


def _download(port: int, path: str) -> None:
    buffer = memoryview(bytearray(1 << 20))
    with socket.create_connection(("127.0.0.1", port), timeout=600) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        got = client.recv_into(buffer)
        head = bytes(buffer[:got]).partition(b"\r\n\r\n")[0]
        length = _LENGTH.search(head)
        if b" 200 " not in head or length is None or int(length[1]) != SIZE_BYTES:
            sys.exit(f"error: the download was answered with {head!r}")
        size = got - len(head) - 4
        while count := client.recv_into(buffer):
            size += count
        if size != SIZE_BYTES:
            sys.exit(f"error: {size} bytes came instead of {SIZE_BYTES}")
