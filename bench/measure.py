"""Run the two sides of a comparison in processes of their own, and say how they compare."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKERS = Path(__file__).resolve().parent / "workers"


@dataclass(frozen=True)
class Side:
    """One of the two products.

    module: what is imported, `mlcore` or `mlflow`.
    python: the interpreter of the environment where it is installed; its program lies beside.
    """

    module: str
    python: Path

    @property
    def program(self) -> Path:
        """The command-line program."""
        return self.python.with_name(self.module)


@dataclass(frozen=True)
class Cost:
    """What a process has used: CPU seconds of itself and its children, and seconds of the clock."""

    cpu: float
    wall: float


@dataclass(frozen=True)
class Row:
    """One line of the table.

    ours, theirs: medians in `unit`; `theirs` is None where a bound is absolute.
    factor: how many times better we are (more of a rate, less of a time).
    target: the least factor, or with `theirs` None the most of `ours`; None when the line is for information.
    """

    name: str
    unit: str
    ours: float
    theirs: float | None
    factor: float | None
    target: float | None

    @property
    def passed(self) -> bool:
        """Whether the target is met; True without one."""
        if self.target is None:
            return True
        return self.ours <= self.target if self.factor is None else self.factor >= self.target

    def as_json(self) -> dict[str, object]:
        """Return the line for the results' file."""
        return {**asdict(self), "passed": self.passed}


def less(name: str, unit: str, ours: Sequence[float], theirs: Sequence[float], target: float | None = None) -> Row:
    """Compare times or sizes: the medians, and how many times less ours is."""
    a, b = statistics.median(ours), statistics.median(theirs)
    return Row(name, unit, a, b, b / a if a > 0 else float("inf"), target)


def more(name: str, unit: str, ours: Sequence[float], theirs: Sequence[float], target: float | None = None) -> Row:
    """Compare rates: the medians, and how many times more ours is."""
    a, b = statistics.median(ours), statistics.median(theirs)
    return Row(name, unit, a, b, a / b, target)


def at_most(name: str, unit: str, ours: Sequence[float], target: float) -> Row:
    """Hold ours against an absolute bound."""
    return Row(name, unit, statistics.median(ours), None, None, target)


def sides() -> tuple[Side, Side]:
    """Return ours and theirs; end the program when the peer is not installed."""
    chosen = os.environ.get("MLCORE_PEER_MLFLOW")
    peer = Path(chosen) if chosen else ROOT / ".cache" / "peers" / "mlflow" / "bin" / "python"
    if not peer.exists():
        sys.exit(f"error: no MLflow at {peer}: make peer")
    return Side("mlcore", Path(sys.executable)), Side("mlflow", peer)


def alternate(pair: tuple[Side, Side], times: tuple[int, int], measure: Callable[[Side], float]) -> list[list[float]]:
    """Measure both sides in turns, so that a busy minute of the machine meets both; the first of each is thrown away.

    times: how often ours and theirs are counted.
    """
    found: list[list[float]] = [[], []]
    for turn in range(max(times) + 1):
        for index, side in enumerate(pair):
            if turn <= times[index]:
                found[index].append(measure(side))
    return [values[1:] for values in found]


def cost_of(command: Sequence[str | Path], cwd: Path, env: dict[str, str] | None = None) -> Cost:
    """Run *command* to its end and return what it used.

    env: its variables; those of `environ()` when not given.
    """
    before, started = _children_cpu(), time.perf_counter()
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=env or environ(), capture_output=True, text=True, check=False
    )
    used = Cost(_children_cpu() - before, time.perf_counter() - started)
    if done.returncode:
        sys.exit(f"error: exit code {done.returncode} of {' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}")
    return used


def worker(side: Side, name: str, *arguments: str | Path, cwd: Path | None = None) -> dict[str, float]:
    """Run `workers/<name>.py` on one side; return the numbers of its last line.

    cwd: a fresh directory by default.
    """
    with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as fresh:
        command = [str(side.python), str(WORKERS / f"{name}.py"), side.module, *map(str, arguments)]
        quiet = {**environ(), "MLCORE_SPOOL_DIR": str(Path(fresh) / ".spool")}
        done = subprocess.run(command, cwd=cwd or fresh, env=quiet, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"error: {name} failed on {side.module}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    answer: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def environ() -> dict[str, str]:
    """Return the environment of measured processes: no settings of the machine, nobody phones home."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLCORE_", "MLFLOW_", "PYTHON"))}
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "PYTHONWARNINGS": "ignore"}
    return {**kept, **quiet, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _children_cpu() -> float:
    # not os.times, which counts in hundredths of a second
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
