"""Prove the contract suites on generated faults: mutate the implementations in memory, run the suite of each mutant.

    make mutants            all of them, a few minutes
    make mutants N=40       a sample

Each mutant runs in a fork of this process, with a time limit; the first test that fails has killed it. What survives
and cannot be told from the original stands in equivalent_mutants.toml, with the reason.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutation import Mutant, mutants

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tools" / "equivalent_mutants.toml"
TARGET = 0.95
CPU_LIMIT_S = 40  # for those that never end
LIMIT_S = 180.0  # for those that wait for ever
CONTRACTS = "tests/contracts"
# implementation in memory: the tests of its suite
SUITES = {
    "memory_batch": f"{CONTRACTS}/test_batch_engine_reference.py",
    "memory_deployer": f"{CONTRACTS}/test_deployer_reference.py",
    "memory_environment": f"{CONTRACTS}/test_environment_reference.py",
    "memory_flavor": f"{CONTRACTS}/test_flavor_reference.py",
    "memory_paging": f"{CONTRACTS}/test_registry_reference.py",
    "memory_project": f"{CONTRACTS}/test_project_backend_reference.py",
    "memory_registry": f"{CONTRACTS}/test_registry_reference.py",
    "memory_repo": f"{CONTRACTS}/test_artifact_repo_contract.py::TestMemoryRepo",
    "memory_sampler": f"{CONTRACTS}/test_sampler_reference.py",
    "memory_tracking": f"{CONTRACTS}/test_tracking_reference.py",
}
SLOW = ("the_reference_finds", "any_series_of_calls", "read_back")  # these run last: others kill sooner


@dataclass
class Judged:
    """What became of a mutant: `killed`, `survived` or `equivalent`, and by which test or why."""

    mutant: Mutant
    outcome: str
    by: str


@dataclass
class _Child:
    mutant: Mutant
    report: Path
    ends: float


def main() -> None:
    """Judge all mutants, or a sample; exit 1 when fewer than the target are killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"some of {', '.join(SUITES)}")
    parser.add_argument("--sample", type=int, metavar="N", help="only N of them, without those of locks")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--operator", help="only this one, such as 'drop a lock'")
    chosen = parser.parse_args()
    made = [mutant for name in chosen.modules or SUITES for mutant in mutants_of(name)]
    reasons = known_equivalents(made, complete=not chosen.modules)
    if chosen.operator:
        made = [mutant for mutant in made if mutant.operator == chosen.operator]
    if chosen.sample:
        # whether a missing lock shows is a matter of luck, which a test of every day should not rest on
        plain = [mutant for mutant in made if mutant.operator != "drop a lock"]
        made = random.Random(chosen.seed).sample(plain, min(chosen.sample, len(plain)))  # noqa: S311  # no secret
    started = time.monotonic()
    refuse_failing_suites({mutant.module for mutant in made}, chosen.jobs)
    judged = [*judge([m for m in made if key(m) not in reasons], chosen.jobs)]
    judged += [Judged(m, "equivalent", reasons[key(m)]) for m in made if key(m) in reasons]
    sys.exit(0 if report(judged, time.monotonic() - started) >= TARGET else 1)


def mutants_of(name: str) -> list[Mutant]:
    """Return the mutants of one implementation."""
    text = (ROOT / "mlcore" / "testing" / f"{name}.py").read_text("utf-8")
    return mutants(f"mlcore.testing.{name}", text)


def key(mutant: Mutant) -> str:
    """Return the name under which a mutant stands in the list of equivalents."""
    return f"{mutant.module.rpartition('.')[2]}.{mutant.name}"


def known_equivalents(made: Sequence[Mutant], *, complete: bool) -> Mapping[str, str]:
    """Read the reviewed list: name to reason; an entry that no mutant has is refused."""
    entries = tomllib.loads(LIST.read_text("utf-8"))["equivalent"]
    reasons = {name: entry["reason"] for entry in entries for name in entry["mutants"]}
    stale = set(reasons) - {key(mutant) for mutant in made}
    if stale and complete:
        sys.exit(f"error: {LIST.name} names mutants that do not exist (any more): {'; '.join(sorted(stale))}")
    return reasons


def refuse_failing_suites(modules: Iterable[str], jobs: int) -> None:
    """Stop when a suite fails on an implementation as it is: everything would count as killed."""
    for name in modules:
        text = (ROOT / (name.replace(".", "/") + ".py")).read_text("utf-8")
        for found in judge([Mutant(name, "no fault at all", "", 0, text)], jobs):
            if found.outcome == "killed":
                sys.exit(f"error: the suite of {name} fails without any mutation: {found.by}")


def judge(made: Sequence[Mutant], jobs: int) -> Iterator[Judged]:
    """Run the suite of every mutant in a fork, some at a time."""
    _import_what_suites_need()
    waiting = list(made)[::-1]
    with tempfile.TemporaryDirectory(prefix="mlcore-mutants-") as folder:
        running: dict[int, _Child] = {}
        while waiting or running:
            while waiting and len(running) < jobs:
                child = _Child(waiting.pop(), Path(folder) / str(len(waiting)), time.monotonic() + LIMIT_S)
                running[_start(child)] = child
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid:
                done = running.pop(pid)
                shutil.rmtree(_scratch(done), ignore_errors=True)
                yield _judged(done, status)
                continue
            for late, child in running.items():
                if time.monotonic() > child.ends:
                    os.killpg(late, signal.SIGKILL)
            time.sleep(0.01)


def _import_what_suites_need() -> None:
    # -W error is for the tests, not for what is imported here; imported once, it serves all forks
    import mlcore.testing as suites

    for name in ("hypothesis", "pytest"):
        importlib.import_module(name)
    for name in suites.__all__:
        getattr(suites, name)
    gc.collect()
    gc.freeze()  # so that forks share what is here


def _scratch(child: _Child) -> Path:
    return child.report.with_suffix(".tmp")


def _start(child: _Child) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 2
    try:
        os.setsid()  # so that what a mutant starts ends with it
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        code = _run_suite(child.mutant, child.report, _scratch(child))
    finally:
        os._exit(code)


def _run_suite(mutant: Mutant, target: Path, scratch: Path) -> int:
    import pytest

    class Watch:
        """Slow tests last, and the name of the first that fails."""

        def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
            items.sort(key=lambda item: any(part in item.name for part in SLOW))

        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.failed:
                target.write_text(report.nodeid.rpartition("::")[2])

    try:
        _put_in_place(mutant)
    except Exception as err:  # noqa: BLE001  # a module that does not even load is dead
        target.write_text(f"import: {type(err).__name__}")
        return 1
    name = mutant.module.rpartition(".")[2]
    switches = [
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]
    quick = ["--assert=plain", "--tb=no", "-r=N"]
    arguments = [*switches, *quick, f"--basetemp={scratch}", SUITES[name]]
    os.chdir(ROOT)
    return int(pytest.main(arguments, plugins=[Watch()]))


def _put_in_place(mutant: Mutant) -> None:
    """Let the test module see the mutant; suites, which were imported before, keep what they compare it with."""
    import mlcore.testing as suites

    faulty = mutant.load()
    if mutant.module.endswith("memory_paging"):  # a part of stores and no implementation itself
        import mlcore.testing.memory_registry

        vars(mlcore.testing.memory_registry)["page_of"] = vars(faulty)["page_of"]
        return
    sys.modules[mutant.module] = faulty
    for name in suites.__all__:
        if name in vars(faulty) and name.startswith("Memory"):
            setattr(suites, name, vars(faulty)[name])


def _judged(child: _Child, status: int) -> Judged:
    told = child.report.read_text() if child.report.exists() else ""
    if os.WIFSIGNALED(status):
        return Judged(child.mutant, "killed", told or "the time limit")
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return Judged(child.mutant, "survived", "")
    return Judged(child.mutant, "killed", told or f"exit code {code}")


def report(judged: Sequence[Judged], took_s: float) -> float:
    """Print the table and the survivors; return the share of killed ones among those that can be killed."""
    rows = []
    for name in SUITES:
        counts = Counter(each.outcome for each in judged if each.mutant.module.endswith(f".{name}"))
        if counts:
            rows.append((name, counts))
    total = sum((counts for _, counts in rows), Counter[str]())
    print(f"{'implementation':20}{'mutants':>9}{'killed':>9}{'survived':>10}{'equivalent':>12}{'share':>9}")
    for name, counts in [*rows, ("all", total)]:
        columns = (counts.total(), counts["killed"], counts["survived"], counts["equivalent"])
        print("{:20}{:9}{:9}{:10}{:12}{:9.1%}".format(name, *columns, _share(counts)))
    for each in judged:
        if each.outcome == "survived":
            print(f"survived: {key(each.mutant)} (line {each.mutant.line})")
    killers = Counter(each.by.partition("[")[0] for each in judged if each.outcome == "killed")
    print(f"{len(killers)} tests killed them; {took_s:.0f} s; target {TARGET:.0%}")
    return _share(total)


def _share(counts: Mapping[str, int]) -> float:
    real = counts.get("killed", 0) + counts.get("survived", 0)
    return counts.get("killed", 0) / real if real else 1.0


if __name__ == "__main__":
    main()
