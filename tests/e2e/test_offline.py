"""Recording without a server: what it has afterwards is what it would have had."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_server import FaultyServer, MortalServer, faulty_server, mortal_server
from outage_jobs import Job, content, runs_of, until

from mlcore.tracking.session import Session

# Everything that a training script records, with its own times and names.
SCRIPT = """
import io, json, pathlib, sys
import numpy as np
import pandas as pd
import mlcore
import mlcore.data
from sklearn.linear_model import LogisticRegression

T0 = 1_700_000_000_000
experiment = mlcore.set_experiment("EXPERIMENT")
ids = {}
with mlcore.start_run(run_name="outer", tags={"kind": "demo"}, description="what it is") as outer:
    ids["outer"] = outer.info.run_id
    mlcore.log_params({"lr": 0.1, "layers": 3})
    for step in range(50):
        mlcore.log_metric("loss", 1 / (step + 1), step=step, timestamp=T0 + step)
    mlcore.log_metrics({"a": 1.0, "b": float("nan")}, step=1, timestamp=T0)
    PAUSE("one")
    mlcore.set_tag("gone", "soon")
    mlcore.set_tag("stays", "here")
    mlcore.delete_tag("gone")
    pathlib.Path("tree/sub").mkdir(parents=True, exist_ok=True)
    pathlib.Path("tree/a.txt").write_text("a")
    pathlib.Path("tree/sub/b.bin").write_bytes(bytes(range(256)) * 500)
    mlcore.log_artifact("tree/a.txt")
    mlcore.log_artifact("tree/a.txt", "below")
    mlcore.log_artifacts("tree", "tree")
    mlcore.log_text("first", "notes/n.txt")
    mlcore.log_text("second", "notes/n.txt")
    mlcore.log_dict({"x": [1, 2]}, "d.json")
    mlcore.log_dict({"x": [1, 2]}, "d.yaml")
    mlcore.log_stream(io.BytesIO(b"stream"), "s.bin")
    mlcore.log_image(np.zeros((4, 4, 3), dtype=np.uint8), "i.png")
    mlcore.log_table({"q": ["one"], "a": [1]}, "t.json")
    PAUSE("two")
    mlcore.log_table({"q": ["two"], "a": [2]}, "t.json")
    frame = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "y": [0, 0, 1, 1]})
    mlcore.log_input(mlcore.data.from_pandas(frame, name="rows"), context="training", tags={"part": "all"})
    listed = sorted(f.path for f in mlcore.artifacts.list_artifacts(run_id=outer.info.run_id))
    assert "tree" in listed and "t.json" in listed, listed
    back = mlcore.artifacts.download_artifacts(run_id=outer.info.run_id, artifact_path="notes/n.txt", dst_path=".")
    assert pathlib.Path(back).read_text() == "second", back
    with mlcore.start_run(run_name="inner", nested=True) as inner:
        ids["inner"] = inner.info.run_id
        mlcore.log_metric("depth", 2, step=0, timestamp=T0)
        model = LogisticRegression().fit(frame[["x"]], frame["y"])
        info = mlcore.sklearn.log_model(model, "model")
        assert mlcore.pyfunc.load_model(info.model_uri, trust=True).predict(frame[["x"]]) is not None
    PAUSE("three")
with mlcore.start_run(run_id=ids["outer"]):
    mlcore.log_metric("resumed", 1, step=1, timestamp=T0)
mlcore.sklearn.autolog(log_models=False)
with mlcore.start_run(run_name="auto") as auto:
    ids["auto"] = auto.info.run_id
    LogisticRegression(C=0.5).fit(frame[["x"]], frame["y"])
try:
    with mlcore.start_run(run_name="broken") as broken:
        ids["broken"] = broken.info.run_id
        mlcore.log_param("p", 1)
        raise ValueError("on purpose")
except ValueError:
    pass
print(json.dumps(ids))
sys.exit(4)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[MortalServer]:
    with mortal_server() as started:
        yield started


@pytest.fixture
def proxy(server: MortalServer) -> Iterator[FaultyServer]:
    with faulty_server(server.uri) as started:
        yield started


def _script(experiment: str, *, pauses: bool = False) -> str:
    text = SCRIPT.replace("EXPERIMENT", experiment)
    return text.replace("PAUSE(", "pause(" if pauses else "str(")


@pytest.fixture(scope="module")
def online(server: MortalServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    job = Job(tmp_path_factory.mktemp("online"), _script("online"), {"MLCORE_TRACKING_URI": server.uri})
    assert job.end() == 4, job.told()
    return content(server.uri, "online")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A job that was recorded offline, at a server that was never asked."""
    environ = {"MLCORE_TRACKING_URI": "http://127.0.0.1:9", "MLCORE_OFFLINE": "1"}
    job = Job(tmp_path_factory.mktemp("recorded"), _script("offline"), environ)
    assert job.end() == 4, job.told()
    return job


def _copy(job: Job, folder: Path) -> Path:
    """The spool as it would be on another machine."""
    return Path(shutil.copytree(job.folder / "spool", folder / "elsewhere"))


def _sync(spool: Path, uri: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mlcore.cli", "sync", "--spool", str(spool), "--tracking-uri", uri, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_the_script_ends_offline_as_it_does_online_and_says_where_its_runs_are(recorded: Job) -> None:
    assert recorded.waits()
    assert "mlcore sync" in recorded.told()
    assert "Traceback" not in recorded.told()


def test_after_sync_a_server_has_what_it_would_have_had_online(
    recorded: Job, online: dict[str, dict[str, object]], server: MortalServer, tmp_path: Path
) -> None:
    spool = _copy(recorded, tmp_path)

    synced = _sync(spool, server.uri)

    assert synced.returncode == 0, synced.stderr
    assert content(server.uri, "offline") == online
    assert not [path for path in spool.rglob("*") if path.is_file()]


def test_a_run_keeps_the_id_that_it_got_offline(recorded: Job, server: MortalServer, tmp_path: Path) -> None:
    assert _sync(_copy(recorded, tmp_path), server.uri).returncode == 0

    session = Session()
    found = {run.info.run_name: run.info.run_id for run in runs_of(session.store(server.uri), "offline")}
    session.close()
    assert found == recorded.printed()


def test_a_second_sync_of_the_same_spool_changes_nothing(
    recorded: Job, online: dict[str, dict[str, object]], server: MortalServer, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    first, second = _copy(recorded, tmp_path), _copy(recorded, tmp_path / "second")

    assert [_sync(spool, server.uri).returncode for spool in (first, second)] == [0, 0]

    assert content(server.uri, "offline") == online


def test_a_sync_that_is_killed_again_and_again_gets_there(
    recorded: Job, online: dict[str, dict[str, object]], tmp_path: Path
) -> None:
    spool = _copy(recorded, tmp_path)
    with mortal_server() as server, faulty_server(server.uri) as proxy:
        command = [sys.executable, "-m", "mlcore.cli", "sync", "--spool", str(spool), "--tracking-uri", proxy.uri]
        for enough in (5, 15):
            begun = len(proxy.seen)
            process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
            until(lambda: len(proxy.seen) >= begun + enough or process.poll() is not None, "some requests are sent")  # noqa: B023  # called at once
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()

        assert _sync(spool, proxy.uri).returncode == 0

        assert content(server.uri, "offline") == online


@pytest.mark.parametrize("fault", ["absent", "cut"])
def test_a_network_that_comes_and_goes_leaves_no_trace(
    fault: str, online: dict[str, dict[str, object]], server: MortalServer, proxy: FaultyServer, tmp_path: Path
) -> None:
    name = f"flapping-{fault}"
    job = Job(tmp_path / name, _script(name, pauses=True), {"MLCORE_TRACKING_URI": proxy.uri})
    for number, point in enumerate(("one", "two", "three")):
        job.wait_for(point)
        if number % 2 == 0:
            proxy.fail(fault)
        else:
            proxy.heal()
        job.go(point)
    assert job.end() == 4, job.told()
    proxy.heal()

    synced = job.sync()

    assert synced.returncode == 0, synced.stderr
    assert content(server.uri, name) == online
    assert not job.waits()


def test_errors_that_are_no_outages_are_raised_at_once(tmp_path: Path, server: MortalServer) -> None:
    session = Session()
    deleted = session.store(server.uri).create_experiment("deleted", artifact_location=None, tags={})
    session.close()
    from mlcore.tracking.client import Client

    Client(server.uri).delete_experiment(deleted.experiment_id)
    script = "import mlcore\nmlcore.set_experiment('deleted')\n"

    job = Job(tmp_path / "deleted", script, {"MLCORE_TRACKING_URI": server.uri})

    assert job.end() == 1
    assert "cannot set a deleted experiment" in job.told()
    unknown = Job(tmp_path / "unknown", "import mlcore\nmlcore.start_run()\n", {"MLCORE_TRACKING_URI": "nowhere://x"})
    assert unknown.end() == 1
    assert "scheme 'nowhere'" in unknown.told()


def test_reading_offline_says_what_waits_and_how_to_deliver_it(tmp_path: Path) -> None:
    script = """
import mlcore
with mlcore.start_run() as run:
    mlcore.log_metric("m", 1)
assert mlcore.get_run(run.info.run_id).data.metrics == {"m": 1.0}
mlcore.search_runs()
"""
    job = Job(tmp_path / "read", script, {"MLCORE_TRACKING_URI": "http://127.0.0.1:9", "MLCORE_OFFLINE": "1"})

    assert job.end() == 1
    told = job.told()
    assert (
        "StoreUnavailableError: http://127.0.0.1:9 is not asked: recording is offline (environment MLCORE_OFFLINE)"
        in told
    )
    assert "1 run waits" in told
    assert "`mlcore sync` delivers what waits" in told
