"""What a run's state is after any way in which its process can go: real processes, real signals, a real store."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import frozen

from mlcore.entities import Heartbeat, Run, RunState
from mlcore.settings import Settings
from mlcore.tracking import tags
from mlcore.tracking.client import Client
from mlcore.tracking.names import now_ms
from mlcore.tracking.session import Session

ROOT = Path(__file__).resolve().parents[2]
PERIOD_S = 0.02  # of heartbeats; the state is LOST after 60 of them
PATIENCE_S = 120
KEPT = (tags.ERROR_TYPE, tags.ERROR_MESSAGE, tags.EXIT_CODE, tags.SIGNAL)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs signals and fork")


@frozen
class Way:
    """One way to leave: how the docs call it, its code, and the state of a run in a `with` block and of a bare one.

    before: code that runs before the run starts.
    kept: what the tags tell afterwards, of either.
    """

    name: str
    code: str
    block: str
    bare: str
    kept: str = ""
    before: str = ""


WAYS = (
    Way("the code runs to its end", "pass", "FINISHED", "FINISHED"),
    Way("an exception", "raise ValueError('no data')", "FAILED", "FAILED", "error.type=ValueError, error.message=no data"),
    Way("`sys.exit()`, `sys.exit(0)`", "sys.exit(0)", "FINISHED", "FINISHED"),
    Way("`sys.exit(3)`", "sys.exit(3)", "FAILED", "FAILED", "exit.code=3"),
    Way("`sys.exit('text')`", "sys.exit('text')", "FAILED", "FAILED", "exit.code=1, error.message=text"),
    Way("`raise SystemExit(3)`", "raise SystemExit(3)", "FAILED", "FAILED", "exit.code=3"),
    Way("a caught `sys.exit(3)`", "try: sys.exit(3)\nexcept SystemExit: pass", "FINISHED", "FINISHED"),
    Way("Ctrl-C (SIGINT)", "die('SIGINT')", "KILLED", "KILLED", "error.type=KeyboardInterrupt"),
    Way("SIGTERM", "die('SIGTERM')", "KILLED", "KILLED", "signal=SIGTERM"),
    Way("SIGHUP", "die('SIGHUP')", "KILLED", "KILLED", "signal=SIGHUP"),
    Way("SIGHUP under `nohup`", "die('SIGHUP', 0)", "FINISHED", "FINISHED", before="handle('SIGHUP', signal.SIG_IGN)"),
    Way(
        "SIGTERM, and a handler set before or after that exits with 143",
        "handle('SIGTERM', lambda n, _: sys.exit(128 + n)); die('SIGTERM')",
        "KILLED",
        "KILLED",
        "exit.code=143, signal=SIGTERM",
    ),
    Way(
        "SIGTERM, and a handler that exits with 7",
        "die('SIGTERM')",
        "FAILED",
        "FAILED",
        "exit.code=7",
        before="handle('SIGTERM', lambda n, _: sys.exit(7))",
    ),
    Way(
        "SIGTERM, and a handler that lets the code run to its end",
        "die('SIGTERM', 0)",
        "FINISHED",
        "FINISHED",
        before="handle('SIGTERM', lambda n, _: None)",
    ),
    Way("SIGKILL, loss of power", "die('SIGKILL')", "LOST", "LOST"),
    Way("`os._exit(3)`", "os._exit(3)", "LOST", "LOST"),
    Way("`asyncio` cancels the task", "asyncio.run(cancelled())", "KILLED", "KILLED", "error.type=asyncio.exceptions.CancelledError"),
    Way("a worker thread dies of an exception", "in_thread(lambda: 1 / 0)", "FINISHED", "FINISHED"),
    Way("a child of `os.fork` dies of an exception", "forked(lambda: 1 / 0)", "FINISHED", "FINISHED"),
    Way("a child of `os.fork` calls `sys.exit(3)`", "forked(lambda: sys.exit(3))", "FINISHED", "FINISHED"),
    Way("a child of `multiprocessing` (fork) dies of an exception", "child('fork')", "FINISHED", "FINISHED"),
    Way("a child of `multiprocessing` (spawn) dies of an exception", "child('spawn')", "FINISHED", "FINISHED"),
)  # fmt: skip

SHAPES = {
    "block": """
        with mlcore.start_run() as run:
            note(run)
            @way@
    """,
    "bare": """
        run = mlcore.start_run()
        note(run)
        @way@
    """,
    "nested": """
        with mlcore.start_run() as outer:
            with mlcore.start_run(nested=True) as run:
                note(outer, run)
                @way@
    """,
    "function": """
        def recorded(function):
            def wrapper():
                with mlcore.start_run() as run:
                    note(run)
                    function()
            return wrapper

        @recorded
        def train():
            @way@

        train()
    """,
}
# Blocks are blocks: these ways are enough to see that it does not matter where they stand.
OF_EVERY_SHAPE = ("the code runs to its end", "an exception", "`sys.exit(3)`", "SIGTERM", "SIGKILL, loss of power")

HELPERS = """
import asyncio, multiprocessing, os, signal, sys, threading, time

def note(*runs):
    with open("ids", "w") as ids:
        ids.write(" ".join(run.run_id for run in runs))

def handle(name, handler):
    signal.signal(getattr(signal, name), handler)

def die(name, seconds=60):
    os.kill(os.getpid(), getattr(signal, name))
    time.sleep(seconds)

async def cancelled():
    asyncio.current_task().cancel()
    await asyncio.sleep(60)

def in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

def forked(work):
    pid = os.fork()
    if pid == 0:
        work()
        sys.exit()
    os.waitpid(pid, 0)

def fails():
    raise ValueError("in the child")

def child(how):
    process = multiprocessing.get_context(how).Process(target=fails)
    process.start()
    process.join()

"""
STAND_IN = """
class mlcore:
    run_id = ""
    def start_run(**_):
        return mlcore()
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass
"""


def program(shape: str, way: Way, head: str) -> str:
    """Return the code of a program that starts a run and is left in a way."""
    lines = []
    for line in textwrap.dedent(SHAPES[shape]).strip().splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        lines.append(textwrap.indent(way.code, indent) if "@way@" in line else line)
    body = "\n".join([way.before, *lines])
    if "spawn" in way.code:
        body = f"if __name__ == '__main__':\n{textwrap.indent(body, '    ')}"
    return f"{HELPERS}{head}\n{body}\n"


CASES = [
    (shape, way)
    for way in WAYS
    for shape in SHAPES
    if shape in ("block", "bare") or way.name in OF_EVERY_SHAPE
]  # fmt: skip


@frozen
class Outcome:
    """How a program ended: with mlcore, and the same program without."""

    code: int
    code_without: int
    said: str
    ids: tuple[str, ...]


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run_status")


@pytest.fixture(scope="module")
def start(place: Path) -> Start:
    """Return a function that starts a Python program in a folder of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MLCORE_", "MLFLOW_"))}
    environment = {
        **clean,
        "HOME": str(place),
        "GIT_CONFIG_NOSYSTEM": "1",
        "MLCORE_TRACKING_URI": f"sqlite:///{place}/runs.db",
        "MLCORE_SPOOL_DIR": str(place / "spool"),
        "MLCORE_HEARTBEAT_S": str(PERIOD_S),
    }

    def run(folder: str, code: str, **more: str) -> subprocess.Popen[str]:
        where = place / folder
        where.mkdir(parents=True)
        (where / "program.py").write_text(code, "utf-8")
        return subprocess.Popen(
            [sys.executable, "program.py"],
            cwd=where,
            env={**environment, **more},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


@pytest.fixture(scope="module")
def client(place: Path) -> Iterator[Client]:
    session = Session(Settings.load({"tracking_uri": f"sqlite:///{place}/runs.db"}, environ={}, directory=place))
    yield Client(session=session)
    session.close()


@pytest.fixture(scope="module")
def outcomes(place: Path, start: Start, client: Client) -> dict[tuple[str, str], Outcome]:
    """Run all programs, some at a time."""
    client.search_experiments()  # the database is made once

    def leave(number: int) -> Outcome:
        shape, way = CASES[number]
        bare = start(f"{number}/without", program(shape, way, STAND_IN))
        # what is lost shows by a heartbeat that stops; the others may take as long as a loaded machine needs
        period = {} if way.block == "LOST" else {"MLCORE_HEARTBEAT_S": "30"}
        real = start(f"{number}/with", program(shape, way, "import mlcore"), **period)
        bare.communicate(timeout=PATIENCE_S)
        _, said = real.communicate(timeout=PATIENCE_S)
        with contextlib.suppress(FileNotFoundError):
            ids = (place / f"{number}/with/ids").read_text()
            return Outcome(real.returncode, bare.returncode, said, tuple(ids.split()))
        raise AssertionError(f"no run was started: {said}")

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        found = list(pool.map(leave, range(len(CASES))))
    return {(shape, way.name): outcome for (shape, way), outcome in zip(CASES, found, strict=True)}


def wait_for(what: Callable[[], bool]) -> bool:
    """Return whether something becomes true before time is up."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := what()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def eventually(client: Client, run_id: str, state: str) -> Run:
    """Return the run as soon as its state is *state*, or as it is when time is up."""
    deadline = time.monotonic() + PATIENCE_S
    while (run := client.get_run(run_id)).state != state and time.monotonic() < deadline:
        time.sleep(0.05)
    return run


@pytest.mark.parametrize(("shape", "way"), CASES, ids=[f"{shape}: {way.name}" for shape, way in CASES])
def test_a_run_has_the_state_in_which_its_process_left_it(
    shape: str, way: Way, outcomes: dict[tuple[str, str], Outcome], client: Client
) -> None:
    outcome = outcomes[shape, way.name]
    wanted = way.bare if shape == "bare" else way.block

    runs = [
        eventually(client, run_id, wanted) if wanted == "LOST" else client.get_run(run_id) for run_id in outcome.ids
    ]

    assert [run.state for run in runs] == [wanted] * len(outcome.ids), outcome.said
    assert all(run.info.end_time is not None for run in runs)
    kept = {f"{key.removeprefix('mlcore.')}={value}" for key, value in runs[-1].data.tags.items() if key in KEPT}
    assert kept == set(filter(None, way.kept.split(", ")))
    assert outcome.code == outcome.code_without, outcome.said


def test_the_documentation_shows_this_table() -> None:
    rows = [f"| {way.name} | {way.block} | {way.bare} | {way.kept or '-'} |" for way in WAYS]
    text = (ROOT / "docs" / "run-status.md").read_text("utf-8")
    after_head = text.partition("|---|---|---|---|\n")[2]

    assert after_head.partition("\n\n")[0].splitlines() == rows


def test_the_traceback_is_an_artifact(outcomes: dict[tuple[str, str], Outcome], client: Client) -> None:
    (run_id,) = outcomes["bare", "an exception"].ids

    text = Path(client.download_artifacts(run_id, "mlcore/error/traceback.txt")).read_text("utf-8")

    assert text.startswith("Traceback (most recent call last):")
    assert "program.py" in text
    assert text.endswith("ValueError: no data\n")


GOES_ON = """
def goes_on(run):
    end = time.monotonic() + 150
    while not os.path.exists("stop") and time.monotonic() < end:
        run.log_metric("alive", 1)
        time.sleep(0.02)
"""
FORKED = """
run = mlcore.start_run()
if os.fork():
    note(run)
    die("SIGKILL")
goes_on(run)
os._exit(0)
"""
PICKLED = """
import pickle
if len(sys.argv) == 1:
    run = mlcore.start_run()
    import subprocess
    subprocess.Popen([sys.executable, "program.py", pickle.dumps(run).hex()])
    note(run)
    die("SIGKILL")
goes_on(pickle.loads(bytes.fromhex(sys.argv[1])))
os._exit(0)
"""


@pytest.mark.parametrize("code", [FORKED, PICKLED], ids=["forked", "pickled"])
def test_a_child_that_goes_on_recording_keeps_the_run_of_a_dead_parent_alive(
    code: str, start: Start, place: Path, client: Client, request: pytest.FixtureRequest
) -> None:
    folder = request.node.callspec.id
    parent = start(folder, f"{HELPERS}import mlcore\n{GOES_ON}{code}")
    assert parent.wait(PATIENCE_S) == -9
    died_ms = now_ms()
    run_id = (place / folder / "ids").read_text()

    def beats_long_after() -> bool:
        run = client.get_run(run_id)
        beat = Heartbeat.parse(run.data.tags[tags.HEARTBEAT])
        return beat is not None and beat.at_ms > died_ms + 2 * beat.window_ms and run.state == RunState.RUNNING

    assert wait_for(beats_long_after)
    (place / folder / "stop").touch()
    assert eventually(client, run_id, "LOST").state == RunState.LOST
    parent.communicate(timeout=PATIENCE_S)  # the child had its end of the pipe


def test_a_process_that_was_asleep_brings_its_run_back(start: Start, place: Path, client: Client) -> None:
    process = start("asleep", f"{HELPERS}import mlcore\nrun = mlcore.start_run()\nnote(run)\ntime.sleep(600)\n")
    assert wait_for(lambda: (place / "asleep" / "ids").exists() and bool((place / "asleep" / "ids").read_text()))
    run_id = (place / "asleep" / "ids").read_text()

    with contextlib.closing(sqlite3.connect(place / "runs.db", isolation_level=None, timeout=PATIENCE_S)) as held:
        held.execute("BEGIN IMMEDIATE")  # the process falls asleep outside of a transaction, which would lock the store
        process.send_signal(signal.SIGSTOP)
    lost = eventually(client, run_id, "LOST")
    process.send_signal(signal.SIGCONT)
    back = eventually(client, run_id, "RUNNING")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_S)

    assert (lost.state, lost.info.status) == ("LOST", "FAILED")
    assert (back.state, back.info.end_time) == ("RUNNING", None)
    assert client.get_run(run_id).state == "KILLED"


def test_a_thread_that_dies_leaves_its_own_run_failed(start: Start, place: Path, client: Client) -> None:
    code = """
import mlcore
runs = [mlcore.start_run()]
def work():
    runs.append(mlcore.start_run())
    raise ValueError("of the thread")
in_thread(work)
note(*runs)
"""
    process = start("thread", f"{HELPERS}{code}")
    process.communicate(timeout=PATIENCE_S)

    of_main, of_thread = [client.get_run(run_id) for run_id in (place / "thread" / "ids").read_text().split()]

    assert (process.returncode, of_main.state, of_thread.state) == (0, "FINISHED", "FAILED")
    assert of_thread.data.tags[tags.ERROR_MESSAGE] == "of the thread"


def test_runs_of_children_end_as_the_children_do(start: Start, place: Path, client: Client) -> None:
    code = """
import mlcore
def fails():
    run = mlcore.start_run(nested=True)
    open(f"child{run.run_id}", "w").close()
    sys.exit(3)
if __name__ == "__main__":
    with mlcore.start_run() as run:
        note(run)
        child("fork")
        child("spawn")
"""
    process = start("children", f"{HELPERS}{code}")
    _, said = process.communicate(timeout=PATIENCE_S)

    of_children = [client.get_run(each.name[5:]) for each in (place / "children").glob("child*")]

    assert process.returncode == 0, said
    assert client.get_run((place / "children" / "ids").read_text()).state == "FINISHED"
    assert [(run.state, run.data.tags[tags.EXIT_CODE]) for run in of_children] == [("FAILED", "3")] * 2


def test_everything_is_as_it_was_when_the_last_run_has_ended(start: Start) -> None:
    code = """
import mlcore
before = sys.exit, threading.excepthook, type(exit).__call__, [signal.getsignal(n) for n in (15, 1, 3, 2)]
run = mlcore.start_run()
assert signal.getsignal(15) is not signal.SIG_DFL
assert signal.getsignal(15) == signal.SIG_DFL, "who asks whether there is a handler must not take this one for theirs"
ours = signal.signal(15, print)
ours(15, None)  # called by somebody else's handler it does as little as the default would
signal.signal(15, ours)
with mlcore.start_run(nested=True):
    pass
mlcore.end_run()
assert before == (sys.exit, threading.excepthook, type(exit).__call__, [signal.getsignal(n) for n in (15, 1, 3, 2)])

mlcore.start_run()
signal.signal(15, mine := lambda *_: None)
sys.exit = my_exit = lambda *_: None
mlcore.end_run()
assert (signal.getsignal(15), sys.exit) == (mine, my_exit)
"""
    process = start("as_before", f"{HELPERS}{code}")
    _, said = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0, said
