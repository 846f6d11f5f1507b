"""What a run's state is when the cells of a notebook are interrupted or fail: a real kernel, a real interrupt."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# Drives the kernel in a process of its own, as Jupyter's client leaves sockets to the garbage collector.
DRIVER = """
import json, os, time
from jupyter_client.manager import KernelManager
import mlcore

PATIENCE_S = 120

def execute(code):
    cells.execute_interactive(code, timeout=PATIENCE_S, output_hook=lambda _: None)

def interrupt(code):
    if os.path.exists("sleeps"):
        os.remove("sleeps")
    sent = cells.execute(code + "\\n    open('sleeps', 'w').close(); time.sleep(600)")
    until(lambda: os.path.exists("sleeps"))
    kernel.interrupt_kernel()
    while True:
        answer = cells.get_shell_msg(timeout=PATIENCE_S)
        if answer["parent_header"]["msg_id"] == sent:
            return answer["content"]["ename"]

def until(what):
    deadline = time.monotonic() + PATIENCE_S
    while not what() and time.monotonic() < deadline:
        time.sleep(0.02)

def latest():
    runs = mlcore.search_runs(search_all_experiments=True, output_format="list", order_by=["start_time DESC"])
    return runs[0]

kernel = KernelManager(kernel_name="python3")
kernel.start_kernel()
try:
    cells = kernel.client()
    cells.start_channels()
    cells.wait_for_ready(timeout=PATIENCE_S)
    execute("import mlcore, time")
    told = {"interrupted": interrupt("with mlcore.start_run():"), "block": latest().state}
    execute("time.sleep(0.01); run = mlcore.start_run()")
    execute("raise ValueError('of one cell')")
    told["failed cell"] = latest().state
    interrupt("if True:")
    told["interrupted cell"] = latest().state
    execute("mlcore.log_metric('m', 1)")
    cells.shutdown()
    until(lambda: not kernel.is_alive())
    told["kernel ended"], told["metrics"] = latest().state, latest().data.metrics
    print(json.dumps(told))
finally:
    if kernel.is_alive():
        kernel.shutdown_kernel(now=True)
"""


def test_cells_that_fail_or_are_interrupted_end_the_runs_of_their_blocks_and_no_others(
    require: Callable[[str, bool, str], None], tmp_path: Path
) -> None:
    present = bool(importlib.util.find_spec("ipykernel") and importlib.util.find_spec("jupyter_client"))
    require("jupyter", present, "make dev")
    environment = {"MLCORE_TRACKING_URI": f"sqlite:///{tmp_path}/runs.db", "MLCORE_SPOOL_DIR": str(tmp_path / "spool")}

    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "interrupted": "KeyboardInterrupt",
        "block": "KILLED",
        "failed cell": "RUNNING",
        "interrupted cell": "RUNNING",
        "kernel ended": "FINISHED",
        "metrics": {"m": 1.0},
    }
