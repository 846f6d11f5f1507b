"""What happens when the server is told to stop, is killed, is flooded, or its client goes away."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from mlcore.testing.live_server import LiveServer, running_server

API = "/api/2.0/mlflow"


def new_run(url: str) -> str:
    answer = httpx.post(f"{url}{API}/runs/create", json={"experiment_id": "0"}, trust_env=False)
    return str(answer.json()["run"]["info"]["run_id"])


def steps_of(url: str, run_id: str) -> set[int]:
    asked = {"run_id": run_id, "metric_key": "loss"}
    answer = httpx.get(f"{url}{API}/metrics/get-history", params=asked, timeout=30, trust_env=False)
    return {int(point["step"]) for point in answer.json().get("metrics", [])}


def hammer(url: str, run_id: str, writer: int, stop: threading.Event, acknowledged: set[int]) -> None:
    """Log points until the server is gone; note those that it said are stored."""
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        for step in range(writer * 100_000, (writer + 1) * 100_000):
            if stop.is_set():
                return
            point = {"run_id": run_id, "key": "loss", "value": 0.5, "timestamp": 1, "step": step}
            try:
                answer = client.post(f"{API}/runs/log-metric", json=point)
            except httpx.HTTPError:
                return
            if answer.status_code == 200:
                acknowledged.add(step)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_ends_in_the_middle_has_everything_it_acknowledged(tmp_path: Path, number: int) -> None:
    acknowledged: list[set[int]] = [set() for _ in range(4)]
    stop = threading.Event()
    with running_server(tmp_path) as server, ThreadPoolExecutor(4) as pool:
        run_id = new_run(server.url)
        writers = [pool.submit(hammer, server.url, run_id, i, stop, acknowledged[i]) for i in range(4)]
        while sum(map(len, acknowledged)) < 200:
            time.sleep(0.01)
        os.kill(server.process.pid, number)
        for writer in writers:
            writer.result()
        code = server.process.wait(20)

    with running_server(tmp_path) as again:
        stored = steps_of(again.url, run_id)

    assert code == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    assert set().union(*acknowledged) <= stored


def test_a_stopping_server_answers_what_it_has_begun(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        run_id = new_run(server.url)
        body = json.dumps({"run_id": run_id, "key": "loss", "value": 1, "timestamp": 1, "step": 7}).encode()
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            head = f"POST {API}/runs/log-metric HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:10])
            time.sleep(0.3)  # the server has the first part when it is told to stop
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            connection.sendall(body[10:])
            answer = connection.recv(1000)

    assert answer.startswith(b"HTTP/1.1 200")


def test_a_live_stream_does_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        run_id = new_run(server.url)
        address = f"{server.url}{API}/runs/live?run_id={run_id}"
        with httpx.stream("GET", address, timeout=20, trust_env=False) as stream:
            lines = stream.iter_lines()
            first = [next(lines) for _ in range(3)]
            server.process.send_signal(signal.SIGTERM)
            list(lines)
        code = server.process.wait(15)

    assert code == 0
    assert first[0] == "retry: 2000"


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    import sqlite3

    with running_server(tmp_path) as server:
        run_id = new_run(server.url)
        database = sqlite3.connect(tmp_path / "mlcore.db", isolation_level=None)
        database.execute("begin immediate")  # some other program writes, and takes its time

        answer = httpx.get(f"{server.url}{API}/runs/get", params={"run_id": run_id}, timeout=20, trust_env=False)
        found = httpx.post(
            f"{server.url}{API}/runs/search", json={"experiment_ids": ["0"]}, timeout=20, trust_env=False
        )

        database.execute("rollback")
        database.close()

    assert answer.status_code == 200
    assert len(found.json()["runs"]) == 1


def test_a_flooded_server_says_when_to_come_back(tmp_path: Path) -> None:
    import sqlite3

    with running_server(tmp_path, env={"MLCORE_SERVER_MAX_WAITING": "8"}) as server:
        run_id = new_run(server.url)
        database = sqlite3.connect(tmp_path / "mlcore.db", isolation_level=None)
        database.execute("begin immediate")  # so that nothing is stored for a while

        def send(step: int) -> httpx.Response:
            point = {"run_id": run_id, "key": "loss", "value": 0.5, "timestamp": 1, "step": step}
            return httpx.post(f"{server.url}{API}/runs/log-metric", json=point, timeout=30, trust_env=False)

        with ThreadPoolExecutor(24) as pool:
            waiting = [pool.submit(send, step) for step in range(24)]
            while sum(one.done() for one in waiting) < 12:
                time.sleep(0.01)
            healthy = httpx.get(f"{server.url}/health", timeout=20, trust_env=False)
            database.execute("rollback")
            answers = [one.result() for one in waiting]
        database.close()
        stored = steps_of(server.url, run_id)

    told = {answer.status_code for answer in answers}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert told == {200, 429}
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"
    assert healthy.status_code == 200
    assert stored == {step for step, answer in enumerate(answers) if answer.status_code == 200}


def test_a_client_is_not_told_where_the_server_keeps_its_data_and_the_operator_is(tmp_path: Path) -> None:
    import sqlite3

    with running_server(tmp_path) as server:
        run_id = new_run(server.url)
        database = sqlite3.connect(tmp_path / "mlcore.db", isolation_level=None)
        for (table,) in database.execute("select name from sqlite_master where type = 'table'").fetchall():
            if not table.startswith("sqlite_"):
                database.execute(f"drop table if exists {table}")
        database.close()
        point = {"run_id": run_id, "key": "loss", "value": 0.5, "timestamp": 1}
        write = httpx.post(f"{server.url}{API}/runs/log-metric", json=point, timeout=30, trust_env=False)
        read = httpx.get(f"{server.url}{API}/runs/get", params={"run_id": run_id}, timeout=30, trust_env=False)
        log = server.log.read_text(encoding="utf-8")

    for answer in (write, read):
        assert answer.status_code >= 500
        assert str(tmp_path) not in answer.text
        assert f"request {answer.headers['x-request-id']}" in log


def test_clients_that_are_slow_to_send_keep_no_other_from_being_answered(tmp_path: Path) -> None:
    with running_server(tmp_path, env={"MLCORE_SERVER_MAX_WAITING": "4"}) as server:
        host, _, port = server.url.removeprefix("http://").partition(":")
        head = f"POST {API}/runs/search HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        slow = [socket.create_connection((host, int(port))) for _ in range(12)]
        for one in slow:
            one.sendall(f'{head}Content-Length: 9000\r\n\r\n{{"'.encode())
        time.sleep(0.2)

        run_id = new_run(server.url)

        for one in slow:
            one.close()
    assert run_id


def test_an_idle_server_is_small(tmp_path: Path) -> None:
    """T-SERVER-FOOTPRINT."""
    with running_server(tmp_path) as server:
        new_run(server.url)
        httpx.post(f"{server.url}{API}/runs/search", json={"experiment_ids": ["0"]}, timeout=30, trust_env=False)

        rss = server.rss_bytes

    assert rss < 150 * 2**20


def test_several_workers_share_store_port_and_counters(tmp_path: Path) -> None:
    with running_server(tmp_path, "--workers", "2") as server:
        run_id = new_run(server.url)
        for step in range(40):
            point = {"run_id": run_id, "key": "loss", "value": 0.5, "timestamp": 1, "step": step}
            httpx.post(f"{server.url}{API}/runs/log-metric", json=point, timeout=30, trust_env=False)
        page = httpx.get(f"{server.url}/metrics", timeout=30, trust_env=False).text
        stored = steps_of(server.url, run_id)

    counted = [line for line in page.splitlines() if line.startswith("mlcore_requests_total") and "log-metric" in line]
    assert stored == set(range(40))
    assert sum(float(line.rsplit(" ", 1)[1]) for line in counted) == 40


def test_what_the_log_tells_of_a_request(tmp_path: Path) -> None:
    with running_server(tmp_path) as server:
        httpx.get(
            f"{server.url}{API}/runs/get",
            params={"run_id": "secret-id"},
            headers={"x-request-id": "req-1"},
            trust_env=False,
        )
        entry = _logged(server, "req-1")

    assert entry["status"] == 404
    assert entry["endpoint"] == "runs/get"
    assert entry["path"] == f"{API}/runs/get"
    assert "secret-id" not in json.dumps(entry)


def _logged(server: LiveServer, request_id: str) -> dict[str, object]:
    for _ in range(200):
        for line in server.log.read_text(encoding="utf-8").splitlines():
            if request_id in line:
                found: dict[str, object] = json.loads(line)
                return found
        time.sleep(0.02)
    raise AssertionError("the request is not in the log")
