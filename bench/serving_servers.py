"""The servers that `serving` compares: mlcore, MLflow, MLServer and a bare Starlette application, with one model."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from measure import ROOT, Side, environ

MLSERVER = ROOT / ".cache" / "peers" / "mlserver" / "bin" / "python"
HOST = "127.0.0.1"
START_S = 120


@dataclass(frozen=True)
class Asked:
    """One request, as bytes of HTTP."""

    path: str
    body: bytes = field(repr=False)
    kind: str = "application/json"
    accept: str = "*/*"

    @property
    def headers(self) -> dict[str, str]:
        """What the head tells of the body."""
        return {"Content-Type": self.kind, "Accept": self.accept}

    def raw(self, port: int) -> bytes:
        """Return the request as it goes to a server on *port*."""
        told = {"Host": f"{HOST}:{port}", **self.headers, "Content-Length": str(len(self.body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return f"POST {self.path} HTTP/1.1\r\n{head}\r\n".encode() + self.body


@dataclass(frozen=True)
class Serving:
    """A server that runs; first_s: from its start to its first prediction."""

    port: int
    process: psutil.Process
    first_s: float

    @property
    def rss_mb(self) -> float:
        """Memory of the server and of all that it has started."""
        return sum(one.memory_info().rss for one in self._family()) / 2**20

    @property
    def cpu_s(self) -> float:
        """CPU seconds of the server and of all that it has started."""
        return sum(t.user + t.system for t in (one.cpu_times() for one in self._family()))

    def _family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def ask(port: int, asked: Asked) -> tuple[bytes, float]:
    """Return the answer's body and the seconds that it took, the connection included."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection(HOST, port, timeout=120)
    try:
        connection.request("POST", asked.path, asked.body, asked.headers)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        sys.exit(f"error: the server answered {answer.status}: {body[:500]!r}")
    return body, time.perf_counter() - began


@contextmanager
def serving(side: Side, place: Path, first: Asked, *, workers: int = 1) -> Iterator[Serving]:
    """Serve the folder `model` in *place* with `models serve`."""
    command = [str(side.program), "models", "serve", "-m", "model", "-h", HOST, "-w", str(workers)]
    if side.module == "mlflow":
        command += ["--env-manager", "local"]
    with _started([*command, "-p"], place, first) as running:
        yield running


@contextmanager
def mlserver(place: Path, first: Asked, *, parallel_workers: int) -> Iterator[Serving]:
    """Serve `model.joblib` in *place* with MLServer; parallel_workers 0 predicts in the process that answers."""
    port, grpc, metrics = (_free_port() for _ in range(3))
    settings = {"host": HOST, "http_port": port, "grpc_port": grpc, "metrics_port": metrics, "debug": False}
    (place / "settings.json").write_text(json.dumps({**settings, "parallel_workers": parallel_workers}))
    about = {"name": "model", "implementation": "mlserver_sklearn.SKLearnModel", "parameters": {"uri": "model.joblib"}}
    (place / "model-settings.json").write_text(json.dumps(about))
    command = [str(MLSERVER.with_name("mlserver")), "start", str(place)]
    with _started(command, place, first, port=port) as running:
        yield running


@contextmanager
def bare(place: Path, first: Asked) -> Iterator[Serving]:
    """Serve the same model by a Starlette application that only reads JSON and calls `predict`."""
    script = Path(__file__).resolve().parent / "workers" / "bare_serving.py"
    with _started([sys.executable, str(script)], place, first) as running:
        yield running


@contextmanager
def _started(command: list[str], place: Path, first: Asked, port: int | None = None) -> Iterator[Serving]:
    """Run a server until it has answered *first*, with a free port as its last argument unless *port* is told."""
    if port is None:
        port = _free_port()
        command = [*command, str(port)]
    # mlflow starts its server by the name of the program on PATH
    env: Mapping[str, str] = environ() | {
        "PATH": os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
    }
    log = place / "server.log"
    began = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=place, env=env, stdout=out, stderr=out)
    try:
        while not _accepts(port):
            if process.poll() is not None or time.perf_counter() - began > START_S:
                sys.exit(f"error: the server did not start\n{log.read_text()[-3000:]}")
            time.sleep(0.01)
        yield Serving(port, psutil.Process(process.pid), _first(port, first, began))
    finally:
        _stop(process)


def _first(port: int, first: Asked, began: float) -> float:
    """Ask until there is a prediction; return when that was."""
    while True:
        connection = http.client.HTTPConnection(HOST, port, timeout=60)
        try:
            connection.request("POST", first.path, first.body, first.headers)
            answer = connection.getresponse()
            told = f"{answer.status} {answer.read()[:500]!r}"
            if answer.status == 200:
                return time.perf_counter() - began
        except (OSError, http.client.HTTPException) as err:
            told = repr(err)  # it listens, but does not answer yet
        finally:
            connection.close()
        if time.perf_counter() - began > START_S:
            sys.exit(f"error: the server listens but does not predict: {told}")
        time.sleep(0.01)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the server and whatever it has started."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.send_signal(signal.SIGTERM)
    for one in psutil.wait_procs(family, timeout=10)[1]:
        one.kill()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
