"""Tables of 10,000 runs for pages: CPU of the server and bytes for a window of 200 rows and 10 columns."""

from __future__ import annotations

import http.client
import json
import statistics
import tempfile
from pathlib import Path

from measure import Row, Side, less, worker
from tracking_server import API, Running, running_server

RUNS = 10_000
REPEATS, THEIR_REPEATS = 7, 1  # theirs takes seconds
CPU_MS, BYTES = 100, 15_000
UI = "/api/ui/1"
FILTER = "metrics.m3 > 0.5 and params.p2 = 'v1' and tags.t1 = 'x'"  # as in workers/search_data.py
COLUMNS = [*(f"metrics.m{n}" for n in range(3)), *(f"params.p{n}" for n in range(5)), "tags.t0", "tags.t1"]
WINDOWS: dict[str, dict[str, object]] = {
    "newest first": {},
    "sorted by a metric": {"order_by": ["metrics.m1 DESC"]},
    "sorted by a metric's min, from row 5,000": {"order_by": ["metrics.m1.min"], "offset": 5000},
    "sorted by a param": {"order_by": ["params.p1", "metrics.m1"]},
    "filtered": {"filter": FILTER},
    "filtered and sorted": {"filter": FILTER, "order_by": ["metrics.m1 DESC"]},
    "as a tree": {"tree": True, "order_by": ["metrics.m1 DESC"]},
}
Asked = dict[str, object]


def pages_table(pair: tuple[Side, Side]) -> list[Row]:
    """Ask both servers for 200 rows; theirs sends all that was recorded of each."""
    with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as folder:
        places, ids = [Path(folder, side.module) for side in pair], []
        for side, place in zip(pair, places, strict=True):
            place.mkdir()
            ids.append(str(int(worker(side, "fill", str(RUNS), cwd=place)["experiment_id"])))
        with running_server(pair[0], places[0], ()) as ours:
            base: Asked = {"experiment_ids": [ids[0]], "columns": COLUMNS, "limit": 200}
            measured = {name: _asked(ours, f"{UI}/runs:table", base | more) for name, more in WINDOWS.items()}
            groups = _asked(ours, f"{UI}/runs:table", base | {"group_by": ["params.p1"]})
            facets = _asked(ours, f"{UI}/runs:facets", {"experiment_ids": [ids[0]]})
        with running_server(pair[1], places[1], ("--workers", "1")) as theirs:
            search = {"experiment_ids": [ids[1]], "max_results": 200}
            known = {
                name: _asked(theirs, f"{API}/runs/search", search | WINDOWS[name], THEIR_REPEATS)
                for name in ("newest first", "sorted by a metric", "filtered and sorted")
            }
    rows = []
    for name, (cpu_ms, sizes) in measured.items():
        rows.append(Row(f"table, {name}", "server CPU ms", statistics.median(cpu_ms), None, None, CPU_MS))
        rows.append(Row(f"table, {name}", "bytes", statistics.median(sizes), None, None, BYTES))
    for name, (cpu_ms, sizes) in known.items():
        rows.append(less(f"table, {name}, beside runs/search", "server CPU ms", measured[name][0], cpu_ms))
        rows.append(less(f"table, {name}, beside runs/search", "bytes", measured[name][1], sizes))
    for name, (cpu_ms, _) in (("grouped by a param", groups), ("all keys", facets)):
        rows.append(Row(f"table, {name}", "server CPU ms", statistics.median(cpu_ms), None, None, None))
    return rows


def _asked(server: Running, path: str, asked: Asked, repeats: int = REPEATS) -> tuple[list[float], list[float]]:
    """Return CPU milliseconds of the server and bytes on the wire of each of some requests; the first one is left out."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    headers = {"content-type": "application/json", "accept-encoding": "gzip"}
    cpu_ms, sizes = [], []
    for number in range(repeats + 1):
        before = server.cpu_s
        connection.request("POST", path, json.dumps(asked), headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"error: {path} answered {answer.status}: {body[:300]!r}")
        if number:
            cpu_ms.append((server.cpu_s - before) * 1000)
            sizes.append(float(len(body)))
    connection.close()
    # The system counts in hundredths of a second: the mean of all says more than each.
    return [statistics.fmean(cpu_ms)], sizes
