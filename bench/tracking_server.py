"""The tracking servers under load, on SQLite: requests per second, slowest answers, memory, time to start."""

from __future__ import annotations

import http.client
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from http_load import Load, Request, http_request, load
from measure import Row, Side, environ, less, more, worker

RUNS = 10_000
FILTER = "metrics.m3 > 0.5 and params.p2 = 'v1' and tags.t1 = 'x'"  # as in workers/search_data.py
ORDER = ["metrics.m1 DESC"]
SECONDS = 4.0
TURNS = 3
CONNECTIONS = 8
API = "/api/2.0/mlflow"
STARLETTE = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
async def ping(request: Request) -> JSONResponse:
    return JSONResponse({})
async def echo(request: Request) -> JSONResponse:
    await request.json()
    return JSONResponse({})
uvicorn.run(Starlette(routes=[Route("/health", ping), Route("/echo", echo, methods=["POST"])]),
            port=int(sys.argv[1]), log_level="error")
"""


@dataclass(frozen=True)
class Running:
    """A server, with the run and the experiment that the requests name."""

    port: int
    process: psutil.Process
    ready_s: float
    run_id: str = ""
    experiment_id: str = ""

    @property
    def rss_bytes(self) -> int:
        """Memory of the server and whatever it has started."""
        return sum(one.memory_info().rss for one in (self.process, *self.process.children(recursive=True)))

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the server and whatever it has started."""
        family = (self.process, *self.process.children(recursive=True))
        return sum(times.user + times.system for one in family if (times := one.cpu_times()))


def server(pair: tuple[Side, Side]) -> list[Row]:
    """Both servers in turns; MLflow's with its defaults and with one worker, whichever is better per line."""
    with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as folder:
        kinds = [("ours", pair[0], ()), ("defaults", pair[1], ()), ("one worker", pair[1], ("--workers", "1"))]
        filled: dict[str, tuple[Path, str]] = {}
        for side in pair:
            place = Path(folder, f"fill-{side.module}")
            place.mkdir()
            filled[side.module] = (place, str(int(worker(side, "fill", str(RUNS), cwd=place)["experiment_id"])))
        measured: dict[str, dict[str, list[float]]] = {name: {} for name, _, _ in kinds}
        for turn in range(TURNS):
            for name, side, options in kinds:
                place = Path(folder, f"{name}-{turn}".replace(" ", "-"))
                shutil.copytree(filled[side.module][0], place)
                _measure(side, place, options, filled[side.module][1], measured[name])
        base = _bare(Path(folder))
    return _rows(measured, base)


def _measure(
    side: Side, place: Path, options: tuple[str, ...], experiment_id: str, into: dict[str, list[float]]
) -> None:
    with running_server(side, place, options) as running:
        time.sleep(2)  # what a server does after it is ready is not idling yet
        into.setdefault("rss", []).append(running.rss_bytes / 2**20)
        into.setdefault("ready", []).append(running.ready_s)
        run_id = _new_run(running.port, experiment_id)
        for name, (connections, request) in _requests(running.port, run_id, experiment_id).items():
            load(running.port, connections, 0.5, request)
            found: Load = load(running.port, connections, SECONDS, request)
            into.setdefault(name, []).append(found.rate)
            into.setdefault(f"{name} p99", []).append(found.p99_s * 1000)
            if found.broken:
                print(f"{side.module}: {found.broken} connections closed without an answer to {name}", file=sys.stderr)


def _requests(port: int, run_id: str, experiment_id: str) -> dict[str, tuple[int, Request]]:
    """What is asked, by how many at a time."""
    start, shift = 1_700_000_000_000, random.randrange(10**6)

    def post(path: str, value: object) -> bytes:
        return http_request("POST", f"{API}/{path}", port, json.dumps(value).encode())

    def log_metric(n: int) -> bytes:
        point = {"run_id": run_id, "run_uuid": run_id, "key": "loss", "value": 0.5, "timestamp": start + n}
        return post("runs/log-metric", point | {"step": n + shift})

    def log_batch(n: int) -> bytes:
        first = (n + shift) * 1000
        points = [
            {"key": f"m{i % 10}", "value": i * 0.5, "timestamp": start + first + i, "step": first + i}
            for i in range(1000)
        ]
        return post("runs/log-batch", {"run_id": run_id, "metrics": points})

    search = {
        "experiment_ids": [experiment_id],
        "filter": FILTER,
        "order_by": ORDER,
        "max_results": 100,
    }
    get, found = http_request("GET", f"{API}/runs/get?run_id={run_id}", port), post("runs/search", search)
    return {
        "runs/get": (CONNECTIONS, lambda _: get),
        "runs/search": (2, lambda _: found),
        "log-metric": (CONNECTIONS, log_metric),
        "log-batch": (2, log_batch),
    }


def _rows(measured: dict[str, dict[str, list[float]]], base: dict[str, float]) -> list[Row]:
    ours, theirs = measured["ours"], (measured["defaults"], measured["one worker"])

    def best(name: str, *, most: bool) -> list[float]:
        choose = max if most else min
        return choose((side[name] for side in theirs), key=lambda values: sorted(values)[len(values) // 2])

    rows = []
    for name, unit, factor in (
        ("log-metric", "requests/s", 10),
        ("log-batch", "1,000 points/s", 10),
        ("runs/get", "requests/s", 10),
        ("runs/search", "requests/s", 10),
    ):
        rows.append(more(f"server, {name}", unit, ours[name], best(name, most=True), factor))
        rows.append(less(f"server, {name}, p99", "ms", ours[f"{name} p99"], best(f"{name} p99", most=False), 5))
    rows.append(less("server, memory when idle", "MB", ours["rss"], measured["defaults"]["rss"], 8))
    rows.append(less("server, from start to ready", "s", ours["ready"], measured["defaults"]["ready"], 8))
    for name, bare in (
        ("log-metric", "Starlette"),
        ("runs/get", "Starlette"),
        ("log-metric", "SQLite"),
        ("log-batch", "SQLite"),
        ("runs/get", "SQLite"),
    ):
        part = sorted(ours[name])[len(ours[name]) // 2] / base[f"{bare} {name}"]
        rows.append(Row(f"server, {name}, part of bare {bare}", "of 1", part, None, None, None))
    return rows


def _bare(folder: Path) -> dict[str, float]:
    """What a Starlette endpoint without any work, and SQLite without any server, do on this machine."""
    with _started([sys.executable, "-c", STARLETTE], folder, "/health") as running:
        body = (
            b'{"run_id": "0123456789abcdef0123456789abcdef", "key": "loss", "value": 0.5, "timestamp": 1700000000000}'
        )
        echo = http_request("POST", "/echo", running.port, body)
        rate = load(running.port, CONNECTIONS, SECONDS, lambda _: echo).rate
    found = {"Starlette log-metric": rate, "Starlette runs/get": rate}
    with closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as database:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = normal")
        database.execute(
            "create table m (run int, key int, step int, ts int, value real, primary key (run, key, step, ts)) without rowid"
        )
        database.execute("create table r (id text primary key, name text)")
        database.execute("insert into r values ('a', 'b')")
        insert = "insert into m values (1, 1, ?, 2, 0.5)"
        steps = iter(range(10**9))
        found["SQLite log-metric"] = _rate(lambda: database.execute(insert, (next(steps),)))
        found["SQLite runs/get"] = _rate(lambda: database.execute("select * from r where id = 'a'").fetchall())

        def batch() -> None:
            database.execute("begin")
            database.executemany(insert, [(next(steps),) for _ in range(1000)])
            database.execute("commit")

        found["SQLite log-batch"] = _rate(batch)
    return found


def _rate(work: Callable[[], object]) -> float:
    started, count = time.perf_counter(), 0
    while time.perf_counter() - started < 2:
        work()
        count += 1
    return count / (time.perf_counter() - started)


@contextmanager
def running_server(side: Side, place: Path, options: tuple[str, ...]) -> Iterator[Running]:
    """Run the tracking server of one side on a free port, with its data in *place*."""
    command = [str(side.program), "server", "--backend-store-uri", "sqlite:///search.db", *options]
    if side.module == "mlcore":
        command += ["--auth", "none", "--no-access-log"]
    with _started([*command, "--host", "127.0.0.1", "--port"], place, "/health") as running:
        yield running


@contextmanager
def _started(command: list[str], place: Path, path: str) -> Iterator[Running]:
    """Run a program with a free port as its last argument; stop it and all that it has started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    log = place / "server.log"
    env = environ() | {"PATH": os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])}
    began = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen([*command, str(port)], cwd=place, env=env, stdout=out, stderr=out)
    try:
        while not _answers(port, path):
            if process.poll() is not None or time.perf_counter() - began > 120:
                sys.exit(f"error: the server did not start\n{log.read_text()[-3000:]}")
            time.sleep(0.01)
        yield Running(port, psutil.Process(process.pid), time.perf_counter() - began)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    process.send_signal(signal.SIGTERM)
    for one in psutil.wait_procs(family, timeout=10)[1]:
        one.kill()
    process.wait()


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status in (200, 500)
    except OSError:
        return False
    finally:
        connection.close()


def _new_run(port: int, experiment_id: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"experiment_id": experiment_id, "start_time": 1_700_000_000_000})
    connection.request("POST", f"{API}/runs/create", body, {"Content-Type": "application/json"})
    return str(json.loads(connection.getresponse().read())["run"]["info"]["run_id"])
