"""What running a project costs on top of its command, once and twenty times: a command that does next to nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from measure import Cost, Row, Side, cost_of, environ, less

TURNS = (7, 3)
PARALLEL = 20
JOBS = 4
_FILE = """name: trivial
{environment}entry_points:
  main:
    parameters:
      x: {{type: float, default: 0}}
    command: "python -c pass {{x}}"
"""
_PYTHON_ENV = f'python: "{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"\n'
Command = Callable[[Side, Path], Sequence[str | Path]]


def projects(pair: tuple[Side, Side]) -> list[Row]:
    """Compare `mlcore run` with `mlflow run`: alone, in warm environments, and many at once."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="mlcore-bench-") as place:
        root = Path(place)
        plain, python = _project(root / "plain", ""), _project(root / "python", "python_env: python_env.yaml\n")
        (python / "python_env.yaml").write_text(_PYTHON_ENV, "utf-8")
        for title, project, managers in (
            ("the environment of the caller", plain, ("local", "local")),
            ("a warm environment of uv", python, ("uv", "uv")),
            ("a warm environment of virtualenv", python, ("virtualenv", "uv")),
        ):
            rows += _once(pair, root, title, _with(project, dict(zip(pair, managers, strict=True))))
        rows += _many(pair, root, plain)
    return rows


def _project(directory: Path, environment: str) -> Path:
    directory.mkdir()
    (directory / "MLproject").write_text(_FILE.format(environment=environment), "utf-8")
    return directory


def _with(project: Path, managers: dict[Side, str]) -> Command:
    def command(side: Side, _: Path) -> Sequence[str | Path]:
        return [side.program, "run", project, "--env-manager", managers[side]]

    return command


def _once(pair: tuple[Side, Side], root: Path, title: str, command: Command) -> list[Row]:
    costs: list[list[Cost]] = [[], []]
    for turn in range(max(TURNS) + 1):  # the first makes environment and store, and is thrown away
        for index, side in enumerate(pair):
            if turn <= TURNS[index]:
                costs[index].append(cost_of(command(side, root), _place(root, side), _environ(root, side)))
    ours, theirs = (each[1:] for each in costs)
    return [
        less(f"run of a project, {title}", "s", [c.wall for c in ours], [c.wall for c in theirs], 5),
        less(f"run of a project, {title}, CPU", "s", [c.cpu for c in ours], [c.cpu for c in theirs], 5),
    ]


def _many(pair: tuple[Side, Side], root: Path, project: Path) -> list[Row]:
    """Time twenty runs at once: theirs and ours by a loop of the shell, ours also as a search over a parameter."""
    loop = f'for x in $(seq {PARALLEL}); do "$0" run "$1" --env-manager local -P x=$x >/dev/null 2>&1 & pids="$pids $!"; done; '
    loop += "for pid in $pids; do wait $pid || exit 1; done"
    ours, theirs = pair
    words = ["--search", "grid", "-P", f"x=range(0,{PARALLEL})", "--jobs", str(JOBS), "--env-manager", "local"]

    def looped(side: Side) -> float:
        command: list[str | Path] = ["bash", "-c", loop, side.program, project]
        return cost_of(command, _place(root, side), _environ(root, side)).wall

    def searched(cache: Path) -> float:
        env = {**_environ(root, ours), "MLCORE_CACHE_DIR": str(cache)}
        return cost_of([ours.program, "run", project, *words], _place(root, ours), env).wall

    def checked(runs: int, times: int, measure: Callable[[int], float]) -> list[float]:
        """Measure some times; end the program when a run is not finished in the store after the clock has stopped."""
        found = []
        for turn in range(times):
            before = _finished(root, ours)
            found.append(measure(turn))
            if (made := _finished(root, ours) - before) != runs:
                sys.exit(f"error: {made} runs are finished in the store after a turn of {runs}")
        return found

    warm = checked(PARALLEL + 1, TURNS[1], lambda _: searched(root / "cache"))  # and the run above them
    cold = checked(PARALLEL + 1, TURNS[1], lambda turn: searched(root / f"cache-{turn}"))
    by_loop = checked(PARALLEL, 1, lambda _: looped(ours))
    slow = [looped(theirs)]
    return [
        less(f"{PARALLEL} runs of a project, by --search and --jobs {JOBS}", "s", warm, slow, 5),
        less(f"{PARALLEL} runs of a project, by --search, nothing cached", "s", cold, slow, 5),
        less(f"{PARALLEL} runs of a project, by a loop of the shell", "s", by_loop, slow, 5),
    ]


def _finished(root: Path, side: Side) -> int:
    """Return how many finished runs our store has, as another process reads them."""
    command = [str(side.program), "runs", "list", "--limit", "1000", "--json"]
    listed = subprocess.run(
        command, cwd=_place(root, side), env=_environ(root, side), capture_output=True, text=True, check=True
    )
    return sum(json.loads(line)["info"]["status"] == "FINISHED" for line in listed.stdout.splitlines())


def _place(root: Path, side: Side) -> Path:
    place = root / side.module
    place.mkdir(exist_ok=True)
    return place


def _environ(root: Path, side: Side) -> dict[str, str]:
    """Return variables with caches of their own, the side's programs first, and uv behind them for both."""
    own = Path(sys.executable).parent
    return {
        **environ(),
        "PATH": os.pathsep.join([str(side.python.parent), str(own), os.environ["PATH"]]),
        "MLCORE_CACHE_DIR": str(root / "cache"),
        "MLFLOW_ENV_ROOT": str(root / "envs"),
        "MLCORE_SPOOL_DIR": str(root / "spool"),
    }
