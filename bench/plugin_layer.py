"""The cost of the plugin layer: discovery among hundreds, the program's list, a hook call, the trace when it is off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import WORKERS, Row, Side, at_most, cost_of, environ

HOOKS = ("artifact_repo", "tracking_store", "flavor", "command", "deployer")


def overhead(pair: tuple[Side, Side]) -> list[Row]:
    """Measure ours against absolute bounds; the peer has no such layer."""
    ours = pair[0]
    with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as folder:
        sites = {count: _site(Path(folder) / str(count), count) for count in (200, 300)}
        discovery = [_worker(ours, sites[300])["discovery_ms"] for _ in range(9)]
        listed = [_list_ms(ours, sites[200]) for _ in range(9)]
        calls = [_worker(ours, sites[300], "calls") for _ in range(5)]
    return [
        at_most("discovery of 300 plugins", "CPU ms", discovery, 60),
        at_most("plugins list with 200 plugins", "CPU ms", listed, 150),
        at_most("opening through a hook, beyond direct", "CPU us", [c["hook_us"] - c["direct_us"] for c in calls], 50),
        at_most("trace when it is off, of a hook call", "%", [max(0.0, c["trace_percent"]) for c in calls], 1),
    ]


def _site(folder: Path, count: int) -> Path:
    """Make a folder with the metadata of *count* distributions."""
    for number in range(count):
        info = folder / f"dummy_{number}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: dummy-{number}\nVersion: 1.0\nSummary: Dummy {number}\n"
            "Requires-Dist: mlcore-kernel<0.2,>=0.1\n\n" + "Some words of a long description.\n" * 60
        )
        group = f"mlcore.{HOOKS[number % len(HOOKS)]}"
        (info / "entry_points.txt").write_text(f"[{group}]\ndummy{number} = dummy_{number}.plugin\n")
    return folder


def _worker(side: Side, site: Path, *arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [str(side.python), str(WORKERS / "plugin_calls.py"), side.module, *arguments],
        env={**environ(), "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"error: plugin_calls failed\n{done.stderr[-2000:]}")
    answer: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def _list_ms(side: Side, site: Path) -> float:
    """CPU of the whole process, interpreter included."""
    command: list[str | Path] = ["env", f"PYTHONPATH={site}", side.program, "plugins", "list"]
    return cost_of(command, Path(os.path.realpath(tempfile.gettempdir()))).cpu * 1000
