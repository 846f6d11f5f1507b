"""Places that run jobs: a stand-in of the dashboard for all that can happen, and a real cluster of Ray."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # modules beside the tests

from ray_places import STANDIN_TOKEN, Standin, start_standin  # after the path

CLUSTER_TOKEN = "a" * 44  # not less than Ray wants


@pytest.fixture(scope="session")
def standin_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    standin, process = start_standin(tmp_path_factory.mktemp("standin"))
    yield standin
    process.kill()
    process.wait()


@pytest.fixture
def standin(standin_server: Standin, monkeypatch: pytest.MonkeyPatch) -> Standin:
    """Return the stand-in, as if it were the cluster of the user's choice."""
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", standin_server.address)
    monkeypatch.setenv("RAY_AUTH_TOKEN", STANDIN_TOKEN)
    standin_server.fail()
    return standin_server


@pytest.fixture(scope="session")
def cluster(require: Callable[[str, bool, str], None]) -> Iterator[str]:
    """Start a real cluster of one node with little memory; yield its dashboard's address."""
    there = all(importlib.util.find_spec(each) for each in ("ray", "aiohttp", "aiohttp_cors"))
    require("ray", there, "pip install 'ray[default]'")
    # paths of sockets must be short, which pytest's directories are not
    with tempfile.TemporaryDirectory(prefix="ray") as home:
        process, address = _start(home)
        try:
            _until_it_answers(process, address, Path(home, "out"))
            yield address
        finally:
            _end(process)


def _start(home: str) -> tuple[subprocess.Popen[bytes], str]:
    gcs, port, agent = _free_ports(3)
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": CLUSTER_TOKEN}
    program = Path(sys.executable).with_name("ray")
    words = [
        sys.executable, str(program), "start", "--head", "--block", "--node-ip-address=127.0.0.1", f"--port={gcs}",
        "--num-cpus=1", "--object-store-memory=80000000", "--include-dashboard=true", "--dashboard-host=127.0.0.1",
        f"--dashboard-port={port}", f"--dashboard-agent-listen-port={agent}", f"--temp-dir={home}",
        "--disable-usage-stats",
    ]  # fmt: skip
    with Path(home, "out").open("wb") as out:
        process = subprocess.Popen(
            words, stdout=out, stderr=out, env={**os.environ, **quiet, "HOME": home}, start_new_session=True
        )
    return process, f"http://127.0.0.1:{port}"


def _free_ports(count: int) -> list[int]:
    taken = [socket.socket() for _ in range(count)]
    for each in taken:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports


def _until_it_answers(process: subprocess.Popen[bytes], address: str, out: Path) -> None:
    request = urllib.request.Request(f"{address}/api/version", headers={"authorization": f"Bearer {CLUSTER_TOKEN}"})
    until = time.monotonic() + 150
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"Ray did not start:\n{out.read_text('utf-8', 'replace')}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the cluster: its processes end with the first, which gets the time for it."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
