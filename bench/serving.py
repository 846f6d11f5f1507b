"""One-row scoring requests to both servers, one worker each, over kept-alive connections on the loopback."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from measure import Row, Side, environ, less, more, worker

SECONDS = 3.0
# the first row of the diabetes data set
COLUMNS = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
VALUES = [
    0.0380759064, 0.0506801187, 0.0616962065, 0.0218723855, -0.0442234984,
    -0.0348207628, -0.0434008457, -0.0025922619, 0.0199074862, -0.0176461252,
]  # fmt: skip
BODY = json.dumps({"dataframe_split": {"columns": COLUMNS, "data": [VALUES]}}).encode()


def scoring(pair: tuple[Side, Side]) -> list[Row]:
    """Requests per second with 1 and 8 connections, and the server's CPU time per request."""
    rates: dict[tuple[int, int], list[float]] = {}
    cpus: dict[int, list[float]] = {}
    answers = []
    with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as folder:
        for index, side in enumerate(pair):
            place = Path(folder) / side.module
            place.mkdir()
            worker(side, "save_model", cwd=place)
            with _server(side, place) as (port, process):
                answers.append(_predict(port))
                asyncio.run(_load(port, 1, 1.0))  # warm
                for _ in range(3):
                    for connections in (1, 8):
                        before = _cpu(process)
                        count, seconds = asyncio.run(_load(port, connections, SECONDS))
                        rates.setdefault((index, connections), []).append(count / seconds)
                        cpus.setdefault(index, []).append((_cpu(process) - before) / count * 1e3)
    if abs(answers[0] - answers[1]) > 1e-6:
        sys.exit(f"error: the two servers predict different values: {answers}")
    return [
        more("scoring, one row, 1 connection", "requests/s", rates[0, 1], rates[1, 1], 3),
        more("scoring, one row, 8 connections", "requests/s", rates[0, 8], rates[1, 8], 3),
        less("scoring, server's CPU per request", "CPU ms", cpus[0], cpus[1], 3),
    ]


@contextmanager
def _server(side: Side, place: Path) -> Iterator[tuple[int, psutil.Process]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [side.program, "models", "serve", "-m", "model", "-h", "127.0.0.1", "-p", port, "-w", 1]
    if side.module == "mlflow":
        command += ["--env-manager", "local"]
    # mlflow starts its server by the name of the program on PATH
    path = os.pathsep.join([str(side.program.parent), os.environ.get("PATH", "")])
    with (place / "server.log").open("wb") as log:
        started = subprocess.Popen(
            [str(c) for c in command],
            cwd=place,
            env={**environ(), "PATH": path},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(port, started, place / "server.log")
        yield port, psutil.Process(started.pid)
    finally:
        _stop(started)


def _stop(started: subprocess.Popen[bytes]) -> None:
    """Stop the server and whatever it has started."""
    family = psutil.Process(started.pid).children(recursive=True) if started.poll() is None else []
    started.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs([psutil.Process(started.pid), *family], timeout=10)
    for process in alive:
        process.kill()
    started.wait()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/ping")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"error: the server did not start\n{log.read_text()[-3000:]}")


def _predict(port: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/invocations", BODY, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    return float(answer["predictions"][0])


def _cpu(process: psutil.Process) -> float:
    family = [process, *process.children(recursive=True)]
    return sum(t.user + t.system for t in (p.cpu_times() for p in family))


async def _load(port: int, connections: int, seconds: float) -> tuple[int, float]:
    """Keep *connections* busy; return how many requests were answered and in what time."""
    started = time.perf_counter()
    counts = await asyncio.gather(*(_client(port, started + seconds) for _ in range(connections)))
    return sum(counts), time.perf_counter() - started


async def _client(port: int, deadline: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /invocations HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY
    count = 0
    while time.perf_counter() < deadline:
        writer.write(request)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not answer.startswith(b"http/1.1 200"):
            sys.exit(f"error: the server answered {answer!r}")
        length = int(answer.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        count += 1
    writer.close()
    await writer.wait_closed()
    return count
