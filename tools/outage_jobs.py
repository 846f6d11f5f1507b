"""Jobs that the tests of outages run as processes of their own, and what a server has of their runs afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mlcore.entities import Run, RunQuery
from mlcore.interfaces import ArtifactRepo, TrackingStore
from mlcore.tracking.session import Session

# What differs between two runs of one script: clocks, and what follows from them.
VOLATILE_TAGS = ("mlcore.heartbeat", "mlflow.log-model.history", "mlcore.clientRunId", "mlflow.source.name")
SCRIPTS_OWN_TIMES = range(1_700_000_000_000, 1_700_000_100_000)  # ms: any other is of a clock
VOLATILE_FILES = ("MLmodel", "mlcore_manifest.json", "model.skops", "traceback.txt")  # ids, times, places
_DEADLINE_S = 300.0

# A job touches `<point>` and goes on when `<point>.go` is there.
PAUSE = """
import os, time
def pause(point):
    open(point, "w").close()
    while not os.path.exists(point + ".go"):
        time.sleep(0.01)
"""


class Job:
    """A script in a process of its own, in a folder of its own, with its spool there."""

    def __init__(self, folder: Path, script: str, environ: Mapping[str, str]) -> None:
        """Start it."""
        self.folder: Path = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "job.py").write_text(PAUSE + script)
        self.environ: dict[str, str] = {
            **os.environ,
            "MLCORE_SPOOL_DIR": str(folder / "spool"),
            "MLCORE_HTTP_REQUEST_TIMEOUT": "2",
            "MLCORE_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLCORE_HTTP_REQUEST_BACKOFF_FACTOR": "0.05",
            "MLCORE_PATIENCE_S": "1",
            **environ,
        }
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-W", "error", "job.py"], cwd=folder, env=self.environ, stdout=out, stderr=err
            )

    def wait_for(self, point: str) -> None:
        """Return when the job has come to *point*."""
        until(lambda: (self.folder / point).exists() or self.process.poll() is not None, f"the job reaches {point!r}")
        if not (self.folder / point).exists():
            raise AssertionError(self.told())

    def go(self, point: str) -> None:
        """Let the job go on from *point*."""
        (self.folder / f"{point}.go").touch()

    def end(self) -> int:
        """Wait for its end; return its exit code."""
        return self.process.wait(_DEADLINE_S)

    def told(self) -> str:
        """Return what it wrote to standard error."""
        return (self.folder / "err").read_text()

    def printed(self) -> dict[str, object]:
        """Return the JSON object that it printed last."""
        lines = (self.folder / "out").read_text().splitlines()
        found: dict[str, object] = json.loads(lines[-1])
        return found

    def waits(self) -> bool:
        """Whether journals wait in its spool."""
        return any((self.folder / "spool").rglob("*.journal"))

    def sync(self, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `mlcore sync` with its spool."""
        return subprocess.run(
            [sys.executable, "-m", "mlcore.cli", "sync", *options],
            cwd=self.folder,
            env={**self.environ, "MLCORE_OFFLINE": "", **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=_DEADLINE_S,
        )


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, with a generous deadline."""
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {_DEADLINE_S:g} s in vain until {what}")
        time.sleep(0.02)


def runs_of(store: TrackingStore, experiment: str) -> list[Run]:
    """Return the runs of an experiment, by name; none when it is not there."""
    found = store.get_experiment_by_name(experiment)
    if found is None:
        return []
    page = store.search_runs(RunQuery((found.experiment_id,), max_results=1000))
    return sorted(page.items, key=lambda run: run.info.run_name)


def history(store: TrackingStore, run_id: str, key: str) -> list[tuple[int, int, str]]:
    """Return the points of a metric as timestamp, 0 when a clock told it, step, and the value's text."""
    page = store.get_metric_history(run_id, key, max_results=25_000, page_token=None)
    points = [(point.timestamp if point.timestamp in SCRIPTS_OWN_TIMES else 0, point) for point in page.items]
    return [(moment, point.step, repr(point.value)) for moment, point in points]


def content(uri: str, experiment: str) -> dict[str, dict[str, object]]:
    """Return everything that the store at *uri* has of an experiment's runs, by run name, without ids and clocks."""
    session = Session()
    try:
        store = session.store(uri)
        runs = runs_of(store, experiment)
        names = {run.info.run_id: run.info.run_name for run in runs}
        return {run.info.run_name: _content(session, store, uri, run, names) for run in runs}
    finally:
        session.close()


def _content(session: Session, store: TrackingStore, uri: str, run: Run, names: Mapping[str, str]) -> dict[str, object]:
    tags = {key: names.get(value, value) for key, value in run.data.tags.items() if key not in VOLATILE_TAGS}
    return {
        "status": run.info.status.value,
        "has_ended": run.info.end_time is not None,
        "user": run.info.user_id,
        "stage": run.info.lifecycle_stage.value,
        "params": dict(run.data.params),
        "tags": tags,
        "metrics": {point.key: history(store, run.info.run_id, point.key) for point in run.data.latest},
        "inputs": [
            (use.dataset.name, use.dataset.digest, use.dataset.schema, sorted((t.key, t.value) for t in use.tags))
            for use in run.inputs.dataset_inputs
        ],
        "artifacts": dict(_files(session.repo(run.info.artifact_uri, uri), "")),
    }


def _files(repo: ArtifactRepo, folder: str) -> Sequence[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for info in repo.list(folder):
        if info.is_dir:
            found += _files(repo, info.path)
            continue
        with repo.read(info.path) as file:
            is_volatile = info.path.rpartition("/")[2] in VOLATILE_FILES
            found.append((info.path, "" if is_volatile else hashlib.sha256(file.read()).hexdigest()))
    return found
