"""S-SSRF: the server asks no other machine for anything because of what somebody wrote into a request."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
from attrs import define, field

API = "/api/2.0/mlflow"


@define
class Listener:
    """A port that counts who connects."""

    port: int
    calls: list[object] = field(factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        found = Listener(listening.getsockname()[1])

        def count() -> None:
            while True:
                try:
                    connection, peer = listening.accept()
                except OSError:
                    return
                found.calls.append(peer)
                connection.close()

        thread = threading.Thread(target=count, daemon=True)
        thread.start()
        yield found
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize(
    "form",
    [
        "http://127.0.0.1:{0}/x",
        "https://127.0.0.1:{0}/x",
        "mlflow-artifacts://127.0.0.1:{0}/x",
        "mlflow-artifacts:///127.0.0.1:{0}/x",
        "s3://127.0.0.1:{0}/x",
        "file://127.0.0.1:{0}/x",
        "dbfs://127.0.0.1:{0}/x",
        "http+x://127.0.0.1:{0}/x",
    ],
)
def test_an_address_in_a_request_is_never_called(http: httpx.Client, listener: Listener, form: str) -> None:
    address = form.format(listener.port)
    dataset = {"dataset": {"name": "d", "digest": "1", "source_type": "http", "source": address}}

    made = http.post(f"{API}/experiments/create", json={"name": address, "artifact_location": address}).json()
    run = http.post(f"{API}/runs/create", json={"experiment_id": made.get("experiment_id", "0")}).json()["run"]["info"]
    named = {"run_id": run["run_id"], "path": "a"}
    http.post(f"{API}/runs/log-inputs", json={"run_id": run["run_id"], "datasets": [dataset]})
    http.get(f"{API}/artifacts/list", params=named)
    http.get("/get-artifact", params=named)
    http.post("/ajax-api/2.0/mlflow/upload-artifact", params=named, content=b"x")
    for kind in ("upload", "download"):
        http.post(f"{API}/artifacts/presigned-{kind}-url", json=named)
    http.get("/get-artifact", params={"run_id": run["run_id"], "path": address})
    http.get(f"{API}/mlflow-artifacts/artifacts", params={"path": address})
    http.post(f"{API}/registered-models/create", json={"name": "m"})
    fields = {"name": "m", "source": address, "run_id": run["run_id"], "run_link": address}
    version = http.post(f"{API}/model-versions/create", json=fields).json().get("model_version", {}).get("version", "1")
    for path in (f"{API}/model-versions/get-download-uri", "/model-versions/get-artifact"):
        http.get(path, params={"name": "m", "version": version, "path": "a"})

    assert listener.calls == []
    assert http.get("/health").status_code == 200


def test_the_listener_hears_who_calls(listener: Listener) -> None:
    with socket.create_connection(("127.0.0.1", listener.port)) as connection:
        connection.recv(1)

    assert len(listener.calls) == 1
