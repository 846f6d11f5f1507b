from __future__ import annotations

import contextlib
import http.client
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlcore.errors import InvalidParameterError
from mlcore.serving.server import Address, bind, url

PROGRAM = """
import os, sys, time
from mlcore.serving.app import scoring_app
from mlcore.serving.server import Address, Stopping, run_server
from mlcore.errors import ModelFormatError

class Sleeper:
    def score(self, request):
        if request.data == ["pid"]:
            return os.getpid()
        if request.data == ["die"]:
            os._exit(9)
        time.sleep(float(request.data[0]))
        return request.data

def make_app():
    if "broken" in sys.argv:
        raise ModelFormatError("the model is no good")
    return scoring_app(Sleeper())

workers = int(sys.argv[1])
announce = lambda where: print("ready:", where, flush=True)
stopping = Stopping(drain_s=60.0 if "drain" in sys.argv else 0.0)
sys.exit(run_server(make_app, Address(port=0), workers=workers, announce=announce, stopping=stopping))
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    script = tmp_path / "server.py"
    script.write_text(PROGRAM)
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(script), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.fullmatch(r"ready: http://127\.0\.0\.1:(\d+)\n", line)
    assert found, line
    return int(found[1])


def invoke(at: int, value: object) -> tuple[int, str]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", at, timeout=20)) as client:
        body = f'{{"inputs": ["{value}"]}}'
        client.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        answer = client.getresponse()
        return answer.status, answer.read().decode()


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_answers_and_ends_well_when_it_is_told_to_stop(
    start: Start, workers: str, number: signal.Signals
) -> None:
    process = start(workers)
    at = port(process)

    answer = invoke(at, 0)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)

    assert answer == (200, '{"predictions":["0"]}')
    assert (process.returncode, err) == (0, "")
    with pytest.raises(ConnectionRefusedError):
        invoke(at, 0)


def test_a_request_that_is_being_answered_is_answered_before_the_server_stops(start: Start) -> None:
    process = start("1")
    with contextlib.closing(socket.create_connection(("127.0.0.1", port(process)), timeout=20)) as client:
        body = b'{"inputs": ["0.5"]}'
        head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        time.sleep(0.2)

        process.send_signal(signal.SIGTERM)
        answer = client.recv(65536)

    assert answer.startswith(b"HTTP/1.1 200")
    assert process.wait(timeout=20) == 0


def status(at: int, path: str) -> int:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", at, timeout=20)) as client:
        client.request("GET", path)
        return client.getresponse().status


@pytest.mark.parametrize("path", ["/ready", "/v2/health/ready"])
def test_a_server_that_drains_says_so_and_answers_on_until_it_is_told_again(start: Start, path: str) -> None:
    process = start("1", "drain")
    at = port(process)
    before = status(at, path)

    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 20
    while status(at, path) == before and time.monotonic() < deadline:
        time.sleep(0.02)

    assert (before, status(at, path), status(at, "/health"), status(at, "/ping")) == (200, 503, 200, 200)
    assert invoke(at, 0)[0] == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_a_worker_that_dies_is_replaced(start: Start) -> None:
    process = start("2")
    at = port(process)
    with contextlib.suppress(OSError, http.client.HTTPException):
        invoke(at, "die")

    pids = {invoke(at, "pid") for _ in range(8)}

    assert all(status == 200 for status, _ in pids)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0


def test_workers_end_when_their_parent_is_killed(start: Start) -> None:
    process = start("2")
    at = port(process)

    process.kill()
    process.communicate(timeout=20)  # returns when nobody holds its output open any more

    with pytest.raises(ConnectionRefusedError):
        invoke(at, 0)


def test_connections_that_stay_open_are_spread_over_the_workers(start: Start) -> None:
    at = port(start("2"))
    body = b'{"inputs": ["pid"]}'
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"

    with contextlib.ExitStack() as opened:
        clients = [opened.enter_context(socket.create_connection(("127.0.0.1", at), timeout=20)) for _ in range(32)]
        for client in clients:
            client.sendall(head.encode() + body)
        answers = [client.recv(65536).rpartition(b"\r\n\r\n")[2] for client in clients]

    assert len(set(answers)) == 2


def test_a_port_that_workers_share_is_taken_for_other_servers(start: Start) -> None:
    at = port(start("2"))

    with pytest.raises(InvalidParameterError, match="cannot listen"):
        bind(Address(port=at))


def test_the_main_process_of_several_workers_does_not_answer_itself(start: Start) -> None:
    process = start("2")

    _, answer = invoke(port(process), "pid")

    assert str(process.pid) not in answer


def test_a_model_that_does_not_load_ends_all_workers(start: Start) -> None:
    process = start("2", "broken")

    out, err = process.communicate(timeout=20)

    assert (process.returncode, out) == (1, "")
    assert "error: the model is no good" in err


def test_a_port_that_is_taken_is_named_with_a_way_out() -> None:
    with bind(Address(port=0)) as first:
        taken = first.getsockname()[1]

        with pytest.raises(
            InvalidParameterError, match=rf"cannot listen on 127\.0\.0\.1:{taken}: .*; choose another with --port"
        ):
            bind(Address(port=taken))


def test_a_host_that_is_not_here_is_named() -> None:
    with pytest.raises(InvalidParameterError, match=r"cannot listen on 203\.0\.113\.1:0: .*; check --host"):
        bind(Address("203.0.113.1", 0))


def test_answers_do_not_wait_for_delayed_acknowledgements() -> None:
    with bind(Address(port=0)) as listening:
        # asyncio sets TCP_NODELAY on the connections of such sockets only; without it each answer takes 40 ms more
        assert listening.proto == socket.IPPROTO_TCP


def test_an_ipv6_address_is_written_in_brackets() -> None:
    try:
        listening = bind(Address("::1", 0))
    except InvalidParameterError:
        pytest.skip("no IPv6 loopback here")

    with listening:
        assert re.fullmatch(r"http://\[::1\]:\d+", url(listening))
