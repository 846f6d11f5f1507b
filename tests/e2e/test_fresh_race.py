"""Many who start at one moment: in an empty directory, and for one experiment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import mlcore
from mlcore.testing.threads import race

# Forks children that have imported mlcore and touched nothing yet; they go on when the pipe is closed, all at once.
PROGRAM = """
import os, random, signal, sys, time
import mlcore
import mlcore.tracking.fluent, mlcore.tracking.client, mlcore_store_sql.store

def together(count, work):
    gate, opener = os.pipe()
    children = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            os.close(opener)
            os.read(gate, 1)
            status = 1
            try:
                work(number)
                status = 0
            finally:
                sys.stdout.flush()
                os._exit(status)
        children.append(child)
    os.close(opener)
    return children

def ends(children):
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
"""
FIRST_METRIC = """
def first(number):
    with mlcore.start_run(run_name=f"first-{number}"):
        mlcore.log_metric("m", number)

def later(number):
    with mlcore.start_run(run_name=f"later-{number}"):
        mlcore.log_metric("m", number)
"""
ALL_AT_ONCE = f"""
{PROGRAM}{FIRST_METRIC}
print(ends(together(int(sys.argv[1]), first)))
"""
# Some are killed while they create the store; those that come later, and the next ones, must not mind.
KILLED = f"""
{PROGRAM}{FIRST_METRIC}
chance = random.Random(int(sys.argv[1]))
for attempt in range(int(sys.argv[2])):
    os.mkdir(str(attempt))
    os.chdir(str(attempt))
    victims = together(3, first)
    time.sleep(chance.uniform(0, 0.06))
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    ends(victims)
    print(ends(together(3, later)))
    os.chdir("..")
"""
ONE_EXPERIMENT = f"""
{PROGRAM}
def work(number):
    for name in ("a", "b"):
        line = f"{{name}} {{mlcore.set_experiment(name).experiment_id}}\\n"
        os.write(1, line.encode())  # in one piece, between those of the others

assert not any(ends(together(int(sys.argv[1]), work)))
"""


def run(program: str, *arguments: int) -> list[str]:
    """Run *program* in the working directory, without any configuration, and return its lines."""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_32_processes_in_an_empty_directory_all_record_their_first_run() -> None:
    (said,) = run(ALL_AT_ONCE, 32)

    assert said == str([0] * 32)
    found = mlcore.search_runs(output_format="list")
    assert sorted(r.data.metrics["m"] for r in found) == list(range(32))
    assert {r.info.run_name for r in found} == {f"first-{n}" for n in range(32)}
    assert {r.info.status for r in found} == {"FINISHED"}


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_processes_that_are_killed_while_the_store_is_created_spoil_nothing() -> None:
    attempts = 12

    said = run(KILLED, random.Random(os.getpid()).randrange(1000), attempts)

    assert said == [str([0] * 3)] * attempts
    for attempt in range(attempts):
        mlcore.set_tracking_uri(f"sqlite:///{Path.cwd()}/{attempt}/mlcore.db")
        found = {r.info.run_name: r for r in mlcore.search_runs(output_format="list")}
        for number in range(3):
            later = found[f"later-{number}"]
            assert (later.info.status, later.data.metrics) == ("FINISHED", {"m": float(number)})


def test_64_threads_that_set_one_experiment_get_one() -> None:
    found = race(64, lambda _: mlcore.set_experiment("the one"))

    assert len({getattr(each, "experiment_id", repr(each)) for each in found}) == 1
    assert [e.name for e in mlcore.search_experiments() if e.name == "the one"] == ["the one"]


def test_64_processes_that_set_one_experiment_get_one() -> None:
    said = run(ONE_EXPERIMENT, 64)

    assert len(said) == 2 * 64
    assert len(set(said)) == 2
    assert sorted(e.name for e in mlcore.search_experiments()) == ["Default", "a", "b"]


def test_runs_that_threads_start_in_experiments_of_their_own_do_not_mix() -> None:
    def work(number: int) -> tuple[str, str]:
        made = mlcore.Client().create_experiment(f"of {number}")
        with mlcore.start_run(experiment_id=made) as started:
            mlcore.log_metric("m", number)
        return made, started.run_id

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(work, range(16)))

    for number, (experiment_id, run_id) in enumerate(found):
        (only,) = mlcore.search_runs([experiment_id], output_format="list")
        assert (only.info.run_id, only.data.metrics) == (run_id, {"m": float(number)})
