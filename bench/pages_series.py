"""A chart of 100 runs with 10,000 steps each: CPU of the server and bytes on the wire."""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from measure import Row, Side, at_most, less, worker
from tracking_server import API, Running, running_server

RUNS, STEPS = 100, 10_000
REPEATS, THEIR_REPEATS = 5, 1  # theirs takes seconds
CPU_MS, BYTES = 1500, 300_000
THEIR_POINTS = 320  # what their page asks for
SERIES = "/api/ui/1/metrics:series"
ASKED: dict[str, dict[str, object]] = {
    "last of 720 buckets": {"buckets": 720},
    "min and max of 720 buckets": {"buckets": 720, "stats": ["min", "max"]},
    "last of 720 buckets, over time": {"buckets": 720, "x": "relative"},
    "steps 4,000 to 4,300": {"start": 4000, "end": 4300},
}


def pages_series(pair: tuple[Side, Side]) -> list[Row]:
    """Ask both servers for the same curves, theirs by the endpoint that its page calls."""
    with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as folder:
        places, ids = [Path(folder, side.module) for side in pair], []
        for side, place in zip(pair, places, strict=True):
            place.mkdir()
            ids.append(str(int(worker(side, "fill_curves", str(RUNS), str(STEPS), cwd=place)["experiment_id"])))
        with running_server(pair[0], places[0], ()) as ours:
            base: dict[str, object] = {"run_ids": run_ids(ours, ids[0]), "keys": ["loss"]}
            first = _measured(ours, "POST", SERIES, base | {"buckets": 720}, 0)
            measured = {name: _measured(ours, "POST", SERIES, base | more, REPEATS) for name, more in ASKED.items()}
            beside = _measured(ours, "POST", SERIES, base | {"buckets": THEIR_POINTS}, REPEATS)
        with running_server(pair[1], places[1], ("--workers", "1")) as theirs:
            wanted = [("run_ids", one) for one in run_ids(theirs, ids[1])]
            query = urlencode([*wanted, ("metric_key", "loss"), ("max_results", str(THEIR_POINTS))])
            path = f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{query}"
            known = _measured(theirs, "GET", path, None, THEIR_REPEATS)
    rows = [at_most("chart of 1,000,000 points, first request", "server CPU ms", [first[0]], CPU_MS)]
    for name, (cpu_ms, size) in measured.items():
        rows.append(at_most(f"chart of 1,000,000 points, {name}", "server CPU ms", [cpu_ms], CPU_MS))
        bound = 2 * BYTES if "and" in name else BYTES
        rows.append(at_most(f"chart of 1,000,000 points, {name}", "bytes", [size], bound))
    what = f"chart of 1,000,000 points, {THEIR_POINTS} of a run, beside get-history-bulk-interval"
    return [
        *rows,
        less(what, "server CPU ms", [beside[0]], [known[0]]),
        less(what, "bytes", [beside[1]], [known[1]]),
    ]


def run_ids(server: Running, experiment_id: str) -> list[str]:
    """Return the ids of the runs of an experiment."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    asked = {"experiment_ids": [experiment_id], "max_results": RUNS}
    connection.request("POST", f"{API}/runs/search", json.dumps(asked), {"content-type": "application/json"})
    found = json.loads(connection.getresponse().read())["runs"]
    connection.close()
    return [one["info"]["run_id"] for one in found]


def _measured(
    server: Running, method: str, path: str, asked: Mapping[str, object] | None, repeats: int
) -> tuple[float, float]:
    """Return CPU milliseconds of the server and bytes per request, after one that does not count; 0 for that one."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    headers = {"content-type": "application/json", "accept-encoding": "gzip"}
    cpu_ms, size = [], 0
    for number in range(repeats + 1):
        before = server.cpu_s
        connection.request(method, path, None if asked is None else json.dumps(asked), headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"error: {path[:200]} answered {answer.status}: {body[:300]!r}")
        size = len(body)
        if number or not repeats:
            cpu_ms.append((server.cpu_s - before) * 1000)
    connection.close()
    # The system counts in hundredths of a second: the mean of all says more than each.
    return statistics.fmean(cpu_ms), float(size)
