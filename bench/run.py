"""Measure mlcore side by side with MLflow in one run; print a table, write JSON to bench/results/.

python bench/run.py [NAME ...] [--check]
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path

import file_store
import pages_browser
import pages_series
import pages_table
import plugin_layer
import projects
import proxy
import record
import recording
import s3
import searching
import serving
import tracking_server
import training_loop
from measure import Row, Side, sides

BENCHMARKS: dict[str, Callable[[tuple[Side, Side]], Iterable[Row]]] = {
    "import": recording.imports,
    "first": recording.first_metric,
    "metrics": recording.metrics,
    "record": record.record,
    "training": training_loop.training,
    "search": searching.search,
    "files": file_store.file_store,
    "serving": serving.scoring,
    "server": tracking_server.server,
    "pages_browser": pages_browser.pages_browser,
    "pages_series": pages_series.pages_series,
    "pages_table": pages_table.pages_table,
    "proxy": proxy.proxy,
    "s3": s3.s3,
    "plugins": plugin_layer.overhead,
    "projects": projects.projects,
}
RESULTS = Path(__file__).resolve().parent / "results"


def main() -> None:
    """Run the chosen benchmarks, or all."""
    parser = argparse.ArgumentParser(description="Measure mlcore side by side with MLflow.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a target is missed")
    args = parser.parse_args()
    if unknown := sorted(set(args.names) - set(BENCHMARKS)):
        parser.error(f"unknown benchmark {unknown[0]!r}, expected one of {', '.join(BENCHMARKS)}")
    pair = sides()
    rows: list[Row] = []
    print(_line("", "unit", "mlcore", "mlflow", "factor", "target"), flush=True)
    for name in args.names or BENCHMARKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        for row in BENCHMARKS[name](pair):
            rows.append(row)
            print(_shown(row), flush=True)
    _write(rows)
    missed = [row for row in rows if not row.passed]
    print(f"{len([r for r in rows if r.target is not None]) - len(missed)} targets met, {len(missed)} missed")
    if args.check and missed:
        sys.exit(1)


def _shown(row: Row) -> str:
    theirs = "" if row.theirs is None else f"{row.theirs:,.4g}"
    factor = "" if row.factor is None else f"{row.factor:,.1f}x"
    target = ""
    if row.target is not None:
        bound = f"<= {row.target:g}" if row.factor is None else f">= {row.target:g}x"
        target = f"{bound} {'ok' if row.passed else 'MISSED'}"
    return _line(row.name, row.unit, f"{row.ours:,.4g}", theirs, factor, target)


def _line(name: str, unit: str, ours: str, theirs: str, factor: str, target: str) -> str:
    return f"{name:52} {unit:>14} {ours:>12} {theirs:>12} {factor:>9}  {target}"


def _write(rows: list[Row]) -> None:
    RESULTS.mkdir(exist_ok=True)
    document = {
        "taken_ms": int(time.time() * 1000),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "mlcore": version("mlcore-kernel"),
        "rows": [row.as_json() for row in rows],
    }
    path = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
