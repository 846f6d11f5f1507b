"""Kill processes that record, and processes that deliver, at random moments; then compare the store with what was said.

python tools/crash_rounds.py --rounds 200 --store sqlite:///crash.db [--seed N]

Each round a forked worker records into a run until SIGKILL meets it, and keeps in shared memory how many calls have
returned. In between, `mlcore sync` runs, alone or twice at once, and is killed as well. In the end the store has to hold, of
every round, what the calls that returned have recorded, in order, each once: and of the call that was interrupted all or
nothing. Exits with 1 and a line per fault otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import mmap
import os
import random
import signal
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import mlcore
from mlcore.entities import Metric, Run

PER_RUN = 10  # rounds that record into one run
TOGETHER = 4  # workers at a time
MOST_CALLS = 1200  # of one worker, which waits for its end then
LIFE_S = 0.12
SYNC_EVERY = 20  # rounds
SYNC_LIFE_S = 0.25
BATCH = 500  # points that the process with the backlog records at once
STARTED_MS = 1_700_000_000_000


class State(NamedTuple):
    """What a round has recorded."""

    points: tuple[tuple[int, float, int], ...]
    params: Mapping[str, str]
    tags: Mapping[str, str]


def record(run: mlcore.RunHandle, number: int, call: int) -> None:
    """Make the call of a round that has this number."""
    if call % 50 == 24:
        run.log_param(f"p{number}/{call}", call)
    elif call % 50 == 49:
        run.set_tag(f"t{number}", call)
    else:
        run.log_metric(f"m{number}", float(call), step=call, timestamp=STARTED_MS + call)


def after(number: int, calls: int) -> State:
    """Return what the store holds of a round after so many calls."""
    points, params, tags = [], {}, {}
    for call in range(calls):
        if call % 50 == 24:
            params[f"p{number}/{call}"] = str(call)
        elif call % 50 == 49:
            tags[f"t{number}"] = str(call)
        else:
            points.append((call, float(call), STARTED_MS + call))
    return State(tuple(points), params, tags)


class Board:
    """How many calls of each round have returned: written by the workers, read when they are dead."""

    def __init__(self, rounds: int) -> None:
        """Begin with none."""
        self._memory = mmap.mmap(-1, 8 * rounds)

    def note(self, number: int, calls: int) -> None:
        """Count calls."""
        struct.pack_into("<q", self._memory, 8 * number, calls)

    def calls(self, number: int) -> int:
        """Return the count."""
        (found,) = struct.unpack_from("<q", self._memory, 8 * number)
        return int(found)


def fork(work: Callable[[], object]) -> int:
    """Start *work* in a child; return its id. What goes wrong there is printed, and its exit code is 1."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except SystemExit as left:
        code = int(left.code or 0)
    except BaseException:  # noqa: BLE001  # the child has nobody above it
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def ended(child: int) -> int:
    """Wait for a child and return its exit code, negative after a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def answer_of(work: Callable[[], object]) -> object:
    """Call *work* in a child, so that this process never opens a store, and return what it returned."""
    with tempfile.TemporaryFile("w+") as file:
        code = ended(fork(lambda: print(json.dumps(work()), file=file, flush=True)))
        if code:
            sys.exit(f"error: a helper ended with {code}")
        file.seek(0)
        return json.load(file)


def kill_after(child: int, life_s: float) -> None:
    """Let a child live for a while."""
    time.sleep(life_s)
    os.kill(child, signal.SIGKILL)


def worker(number: int, run_id: str, board: Board) -> None:
    """Record until the end comes."""
    chance = random.Random(number)  # noqa: S311  # no secret
    run = mlcore.RunHandle(run_id)
    for call in range(MOST_CALLS):
        record(run, number, call)
        board.note(number, call + 1)
        if chance.random() < 0.05:
            time.sleep(chance.uniform(0, 0.004))
    time.sleep(60)


def sync() -> None:
    """Run `mlcore sync`."""
    from mlcore.cli import main as program

    with open(os.devnull, "w") as nothing:  # noqa: PTH123  # what it prints is not looked at
        os.dup2(nothing.fileno(), 1)
        sys.exit(program(["sync"]))


def load_early() -> None:
    """Import what all children need, so that each is at work soon; this opens nothing."""
    for name in (
        "tracking.client",
        "delivery.outbox",
        "delivery.leftovers",
        "delivery.sync",
        "cli.sync",
        "cli.program",
    ):
        importlib.import_module(f"mlcore.{name}")
    for name in ("mlcore_store_sql.store", "mlcore_store_file.store"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def kill_workers(rounds: int, run_ids: list[str], board: Board, chance: random.Random) -> None:
    """Go through all rounds, several at a time, with killed deliveries in between."""
    for first in range(0, rounds, TOGETHER):
        numbers = range(first, min(rounds, first + TOGETHER))
        children = [fork(partial(worker, number, run_ids[number // PER_RUN], board)) for number in numbers]
        for number, child in zip(numbers, children, strict=True):
            until = time.monotonic() + (0.0 if chance.random() < 0.1 else 30.0)
            while board.calls(number) == 0 and time.monotonic() < until:
                time.sleep(0.002)
            kill_after(child, chance.uniform(0, LIFE_S))
        for child in children:
            ended(child)
        if first % SYNC_EVERY < TOGETHER:
            kill_syncs(chance)


def kill_syncs(chance: random.Random) -> None:
    """Deliver by one or two processes, and kill them while they do."""
    children = [fork(sync) for _ in range(chance.choice((1, 2)))]
    for child in children:
        kill_after(child, chance.uniform(0, SYNC_LIFE_S))
    for child in children:
        ended(child)


def leave_backlog(run_id: str, count: int) -> None:
    """Record many points, and die at once."""
    run = mlcore.RunHandle(run_id)
    for start in range(0, count, BATCH):
        run.log_batch([Metric("backlog", float(i), STARTED_MS + i, i) for i in range(start, start + BATCH)])
    os.kill(os.getpid(), signal.SIGKILL)


def faults_of_round(number: int, run: Run, points: tuple[tuple[int, float, int], ...], board: Board) -> Iterator[str]:
    """Compare what the store has of a round with what its calls said."""
    found = State(
        points,
        {key: value for key, value in run.data.params.items() if key.startswith(f"p{number}/")},
        {key: value for key, value in run.data.tags.items() if key == f"t{number}"},
    )
    calls = board.calls(number)
    if found not in (after(number, calls), after(number, calls + 1)):
        steps = [step for step, _, _ in points]
        yield (
            f"round {number}: {calls} calls returned; the store has {len(steps)} points, {len(set(steps))} different, "
            f"steps {steps[:3]} to {steps[-3:]}, params {sorted(found.params)}, tags {found.tags}"
        )


def all_faults(rounds: int, run_ids: list[str], board: Board) -> list[str]:
    """Compare the store with all that was said."""
    client, faults = mlcore.Client(), []

    def history(run_id: str, key: str) -> tuple[tuple[int, float, int], ...]:
        return tuple((p.step, p.value, p.timestamp) for p in client.get_metric_history(run_id, key))

    for index, run_id in enumerate(run_ids):
        run = client.get_run(run_id)
        numbers = range(index * PER_RUN, min(rounds, (index + 1) * PER_RUN))
        strange = {key for key in run.data.tags if key in ("mlcore.refused", "mlcore.dropped")}
        strange |= set(run.data.metrics) - {f"m{number}" for number in numbers}
        faults += [f"run {run_id} has {key!r}" for key in sorted(strange)]
        for number in numbers:
            key = f"m{number}"
            points = history(run_id, key) if key in run.data.metrics else ()
            faults += faults_of_round(number, run, points, board)
    return faults


def faults_of_backlog(run_id: str, count: int) -> list[str]:
    """Compare the store with what one process left at once."""
    steps = [point.step for point in mlcore.Client().get_metric_history(run_id, "backlog")]
    if steps == list(range(count)):
        return []
    return [f"of a backlog of {count} points the store has {len(steps)}, {len(set(steps))} different"]


def left_in_spool() -> list[str]:
    """Return the journals that nobody has delivered."""
    return sorted(path.name for path in Path(os.environ["MLCORE_SPOOL_DIR"]).rglob("*.journal"))


def main() -> None:
    """Do all rounds, deliver the rest, and compare."""
    parser = argparse.ArgumentParser(description="Kill who records and who delivers; lose nothing.")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--store", required=True, help="a tracking URI")
    parser.add_argument("--backlog", type=int, default=40_000, help="points that one process leaves when it dies")
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    seed = random.randrange(10**6) if args.seed is None else args.seed  # noqa: S311  # no secret
    chance = random.Random(seed)  # noqa: S311  # no secret
    os.environ["MLCORE_TRACKING_URI"] = args.store
    os.environ["MLCORE_SPOOL_DIR"] = os.environ.get("MLCORE_SPOOL_DIR") or str(Path.cwd() / "spool")
    count = -(-args.rounds // PER_RUN) + 1
    made = answer_of(lambda: [mlcore.Client().create_run("0").info.run_id for _ in range(count)])
    *run_ids, backlog = [str(run_id) for run_id in made] if isinstance(made, list) else []
    board = Board(args.rounds)
    load_early()
    kill_workers(args.rounds, run_ids, board, chance)
    ended(fork(lambda: leave_backlog(backlog, args.backlog)))
    for _ in range(6):
        kill_syncs(chance)
    waiting = len(left_in_spool())
    ends = [ended(child) for child in [fork(sync), fork(sync)]]  # two at once, which share the work
    last = ended(fork(sync))
    found = answer_of(lambda: all_faults(args.rounds, run_ids, board) + faults_of_backlog(backlog, args.backlog))
    faults = [str(each) for each in found] if isinstance(found, list) else []
    faults += [f"left in the spool: {name}" for name in left_in_spool()]
    faults += [f"the last `mlcore sync` ended with {last}"] if last else []
    recorded = sum(board.calls(number) for number in range(args.rounds))
    print(
        json.dumps(
            {
                "seed": seed,
                "rounds": args.rounds,
                "calls": recorded,
                "waiting": waiting,
                "two_syncs": ends,
                "faults": faults[:20],
            }
        )
    )
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
