"""The server marks runs whose process is gone, by itself, and one worker of several does it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from mlcore_server.config import ServerConfig
from mlcore_server.marking import Marker
from mlcore_server.stores import Stores

from mlcore.entities import Heartbeat, RunStatus
from mlcore.plugins import current
from mlcore.testing.live_server import running_server
from mlcore.tracking import tags
from mlcore.tracking.client import Client
from mlcore.tracking.names import now_ms


def wait_for(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not what() and time.monotonic() < deadline:
        time.sleep(0.02)
    return what()


def stale() -> dict[str, str]:
    return {tags.HEARTBEAT: str(Heartbeat(now_ms() - 3_600_000, 30))}


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    uri = f"sqlite:///{tmp_path}/mlcore.db"
    config = ServerConfig(
        tracking_uri=uri,
        registry_uri=uri,
        artifacts_destination=tmp_path.as_uri(),
        state_dir=str(tmp_path),
    )
    return Stores(config, current())


def test_lost_runs_are_marked_without_anybody_asking(stores: Stores, tmp_path: Path) -> None:
    client = Client(f"sqlite:///{tmp_path}/mlcore.db")
    run_id = client.create_run("0", tags=stale()).info.run_id
    marker = Marker(stores, tmp_path / "lock", 0.02)

    marker.start()

    assert wait_for(lambda: stores.tracking.get_run(run_id).info.status == RunStatus.FAILED)
    marker.stop()
    stores.close()


def test_of_several_workers_one_marks(stores: Stores, tmp_path: Path) -> None:
    client = Client(f"sqlite:///{tmp_path}/mlcore.db")
    busy, idle = (Marker(stores, tmp_path / "lock", 0.02) for _ in range(2))
    busy.start()
    first = client.create_run("0", tags=stale()).info.run_id
    assert wait_for(lambda: stores.tracking.get_run(first).info.status == RunStatus.FAILED)  # it holds the lock

    idle.start()
    busy.stop()
    second = client.create_run("0", tags=stale()).info.run_id

    assert wait_for(lambda: stores.tracking.get_run(second).info.status == RunStatus.FAILED)
    idle.stop()
    stores.close()


def test_a_server_marks_by_itself(tmp_path: Path) -> None:
    import json
    import urllib.request

    with running_server(tmp_path, env={"MLCORE_HEARTBEAT_S": "0.1"}) as server:
        client = Client(f"sqlite:///{tmp_path}/mlcore.db")
        run_id = client.create_run("0", tags=stale()).info.run_id

        def status() -> str:
            url = f"{server.url}/api/2.0/mlflow/runs/get?run_id={run_id}"
            with urllib.request.urlopen(url, timeout=30) as answer:
                return str(json.load(answer)["run"]["info"]["status"])

        assert wait_for(lambda: status() == "FAILED")
