"""The scoring servers side by side: mlcore, MLflow and MLServer with one scikit-learn model, one worker each.

All of them run at the same time and are asked in turns, so that a busy minute of the machine meets all.
"""

from __future__ import annotations

import io
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from http_load import Request, load
from measure import Row, Side, alternate, at_most, less, more, worker
from serving_servers import MLSERVER, Asked, Serving, ask, bare, mlserver, serving

SECONDS = 1.5
TURNS = 5
STARTS = (5, 3)
CONNECTIONS = 8
ROWS = 10_000
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
# the first row of the diabetes data set
COLUMNS = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
VALUES = [
    0.0380759064, 0.0506801187, 0.0616962065, 0.0218723855, -0.0442234984,
    -0.0348207628, -0.0434008457, -0.0025922619, 0.0199074862, -0.0176461252,
]  # fmt: skip
SPLIT = Asked("/invocations", json.dumps({"dataframe_split": {"columns": COLUMNS, "data": [VALUES]}}).encode())
TENSOR = {"name": "predict", "shape": [1, len(COLUMNS)], "datatype": "FP64", "data": VALUES}
V2 = Asked("/v2/models/model/infer", json.dumps({"inputs": [TENSOR]}).encode())

Measured = dict[str, list[float]]


def scoring(pair: tuple[Side, Side]) -> Iterator[Row]:
    """Requests of one row and of many, starts, memory, and what is done before and after: checks and saving."""
    if not MLSERVER.exists():
        sys.exit(f"error: no MLServer at {MLSERVER}: make peer")
    with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as folder:
        places = {name: Path(folder, name) for name in ("mlcore", "mlflow", "mlserver")}
        for place in places.values():
            place.mkdir()
        for side in pair:
            worker(side, "save_model", cwd=places[side.module])
        shutil.copy(places["mlcore"] / "model.joblib", places["mlserver"])
        ours, theirs = alternate(pair, STARTS, lambda side: _start(side, places[side.module]))
        yield less("scoring, from start to first prediction", "s", ours, theirs, 4)
        with ExitStack() as running:
            servers = {side.module: running.enter_context(serving(side, places[side.module], SPLIT)) for side in pair}
            for workers in (0, 1):
                name = "mlserver" if workers else "mlserver, no workers"
                place = Path(folder, f"mlserver-{workers}")
                shutil.copytree(places["mlserver"], place)
                servers[name] = running.enter_context(mlserver(place, V2, parallel_workers=workers))
            servers["bare"] = running.enter_context(bare(places["mlcore"], SPLIT))
            _same(servers)
            yield less("scoring, memory when idle", "MB", [servers["mlcore"].rss_mb], [servers["mlflow"].rss_mb], 2)
            for measure in (_singles, _batches, _overhead):
                yield from measure(servers)
    yield from _around(pair)


def _start(side: Side, place: Path) -> float:
    with serving(side, place, SPLIT) as running:
        return running.first_s


def _same(servers: dict[str, Serving]) -> None:
    """End the program unless all predict the same."""
    found = {}
    for name, one in servers.items():
        answer = json.loads(ask(one.port, V2 if name.startswith("mlserver") else SPLIT)[0])
        values = answer["predictions"] if "predictions" in answer else answer["outputs"][0]["data"]
        found[name] = float(values[0])
    if max(found.values()) - min(found.values()) > 1e-6:
        sys.exit(f"error: the servers predict different values: {found}")


def _singles(servers: dict[str, Serving]) -> list[Row]:
    """One row a request, eight connections."""
    cases = {
        "mlcore": (servers["mlcore"], SPLIT),
        "mlflow": (servers["mlflow"], SPLIT),
        "mlcore, V2": (servers["mlcore"], V2),
        "mlserver": (servers["mlserver"], V2),
        "mlserver, no workers": (servers["mlserver, no workers"], V2),
    }
    rates: dict[str, Measured] = {name: {"rate": [], "p99": [], "cpu": []} for name in cases}
    for turn in range(TURNS + 1):
        for name, (one, asked) in cases.items():
            before = one.cpu_s
            found = load(one.port, CONNECTIONS, SECONDS, _always(asked.raw(one.port)))
            used = one.cpu_s - before
            if turn:  # the first turn warms all of them
                rates[name]["rate"].append(found.rate)
                rates[name]["p99"].append(found.p99_s * 1000)
                rates[name]["cpu"].append(used / (found.rate * SECONDS) * 1000)
    best = max(("mlserver", "mlserver, no workers"), key=lambda name: statistics.median(rates[name]["rate"]))
    ours, theirs, tensors, rival = (rates[name] for name in ("mlcore", "mlflow", "mlcore, V2", best))
    return [
        more("scoring, one row", "requests/s", ours["rate"], theirs["rate"], 8),
        less("scoring, one row, slowest of 100", "ms", ours["p99"], theirs["p99"], 5),
        less("scoring, one row, server's CPU", "ms", ours["cpu"], theirs["cpu"]),
        more("scoring, one row, V2, against MLServer", "requests/s", tensors["rate"], rival["rate"], 1),
        less("scoring, one row, V2, slowest, against MLServer", "ms", tensors["p99"], rival["p99"]),
        more("scoring, one row, against MLServer's V2", "requests/s", ours["rate"], rival["rate"], 1),
    ]


def _batches(servers: dict[str, Serving]) -> list[Row]:
    """Ten thousand rows a request, one connection."""
    ours, theirs = servers["mlcore"].port, servers["mlflow"].port
    split, arrow, parquet = _large()
    cases: dict[str, tuple[int, Asked]] = {
        "split": (ours, split),
        "arrow": (ours, arrow),
        "parquet": (ours, parquet),
        "mlflow split": (theirs, split),
        "mlflow parquet": (theirs, parquet),
    }
    took: Measured = {name: [] for name in cases}
    for turn in range(3 * TURNS + 2):
        for name, (port, asked) in cases.items():
            seconds = ask(port, asked)[1]
            if turn > 1:
                took[name].append(seconds * 1000)
    return [
        less("scoring, 10,000 rows of split JSON", "ms", took["split"], took["mlflow split"], 3),
        less("scoring, 10,000 rows of Arrow, against split JSON", "ms", took["arrow"], took["mlflow split"], 10),
        less("scoring, 10,000 rows of parquet", "ms", took["parquet"], took["mlflow parquet"]),
    ]


def _large() -> tuple[Asked, Asked, Asked]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = np.random.default_rng(0).normal(0, 0.05, (ROWS, len(COLUMNS)))
    split = json.dumps({"dataframe_split": {"columns": COLUMNS, "data": data.tolist()}}).encode()
    table = pa.table({name: data[:, i] for i, name in enumerate(COLUMNS)})
    stream, file = io.BytesIO(), io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    pq.write_table(table, file)
    return (
        Asked("/invocations", split),
        Asked("/invocations", stream.getvalue(), ARROW, ARROW),
        Asked("/invocations", file.getvalue(), PARQUET),
    )


def _overhead(servers: dict[str, Serving]) -> list[Row]:
    """One connection: how much longer an answer takes than that of Starlette and `predict` alone."""
    took: dict[str, list[float]] = {"mlcore": [], "bare": []}
    cpu: dict[str, list[float]] = {"mlcore": [], "bare": []}
    for turn in range(2 * TURNS + 1):
        for name in took:
            one = servers[name]
            before = one.cpu_s
            found = load(one.port, 1, SECONDS / 2, _always(SPLIT.raw(one.port)))
            if turn:
                took[name].append(found.median_s * 1000)
                cpu[name].append((one.cpu_s - before) / (found.rate * SECONDS / 2) * 1000)
    more_ms, more_cpu = (_differences(found["mlcore"], found["bare"]) for found in (took, cpu))
    return [
        at_most("scoring, one row: over Starlette and predict", "ms", more_ms, 0.5),
        at_most("scoring, one row: CPU over Starlette and predict", "ms", more_cpu, 0.5),
    ]


def _always(raw: bytes) -> Request:
    return lambda _: raw


def _differences(ours: Sequence[float], base: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(ours, base, strict=True)]


def _around(pair: tuple[Side, Side]) -> list[Row]:
    """The check of a frame by the signature, and saving a model to a run."""
    checked: list[list[dict[str, float]]] = [[], []]
    logged: list[list[dict[str, float]]] = [[], []]

    def measure(name: str, into: list[list[dict[str, float]]]) -> Callable[[Side], float]:
        def once(side: Side) -> float:
            into[pair.index(side)].append(worker(side, name))
            return 0.0

        return once

    alternate(pair, (3, 3), measure("check_frame", checked))
    alternate(pair, (3, 3), measure("log_model", logged))

    def of(found: list[dict[str, float]], key: str) -> list[float]:
        return [answer[key] for answer in found[1:]]

    return [
        less("signature check, 10,000 x 10", "us", of(checked[0], "same_us"), of(checked[1], "same_us"), 5),
        less("signature check, of integers", "us", of(checked[0], "cast_us"), of(checked[1], "cast_us"), 5),
        less("log_model, its environment included", "s", of(logged[0], "wall"), of(logged[1], "wall"), 5),
        less("log_model, its environment included", "CPU s", of(logged[0], "cpu"), of(logged[1], "cpu"), 5),
    ]
