"""Many processes, media that cannot be written, servers: where a store can be, and who can use it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlcore_store_file.layout import Layout
from mlcore_store_file.plugin import registry_store, tracking_store
from mlcore_store_file.store import FileStore

from mlcore.entities import Batch, Experiment, ExperimentQuery, Metric, NewRun, Param, RunChange, RunQuery, RunStatus
from mlcore.errors import StoreUnavailableError
from mlcore.interfaces import SupportsJournals, SupportsReplay
from mlcore.testing.threads import race

_PROCESSES, _STEPS = 32, 25
RUN = "a" * 32
SHARED = "b" * 32

WRITER = """
import sys
from uuid import uuid4
from pathlib import Path
from mlcore_store_file.store import FileStore
from mlcore.entities import Batch, Metric, NewRun, RunTag
from mlcore.errors import AlreadyExistsError

number = int(sys.argv[2])
sys.stdin.readline()
store = FileStore.open(Path(sys.argv[1]))
try:
    where = store.create_experiment("race", artifact_location=None, tags={}).experiment_id
except AlreadyExistsError:
    where = store.get_experiment_by_name("race").experiment_id
mine = uuid4().hex
for run_id in (mine, sys.argv[3]):
    store.create_run(NewRun(where, run_id, "n", "u", 1))
for step in range(int(sys.argv[4])):
    store.journal(mine).point("m", 1.0, step, step)
    store.log_batch(sys.argv[3], Batch((Metric("m", float(number), step, step),), tags=(RunTag(f"t{number}", "v"),)))
print(where)
"""


def test_32_processes_on_one_new_store_lose_no_point_and_make_one_experiment(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", WRITER, str(tmp_path / "s")]
    children = [
        subprocess.Popen(
            [*command, str(number), SHARED, str(_STEPS)],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(_PROCESSES)
    ]
    answers = [child.communicate("go\n", timeout=120) for child in children]

    store = FileStore.open(tmp_path / "s")
    said = {out.strip() or err for out, err in answers}
    assert len(said) == 1, said
    (where,) = said
    runs = store.search_runs(RunQuery((where,))).items
    assert len(runs) == _PROCESSES + 1
    for run in runs:
        points = store.get_metric_history(run.info.run_id, "m", max_results=9999, page_token=None).items
        assert len(points) == _STEPS * (_PROCESSES if run.info.run_id == SHARED else 1)
    assert len(store.get_run(SHARED).data.tags) == _PROCESSES + 1
    assert len(store.search_experiments(ExperimentQuery()).items) == 2


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A store on a medium that cannot be written."""
    source, place = tmp_path / "source", tmp_path / "medium"
    store = FileStore.open(source)
    store.create_run(NewRun("0", RUN, "calm", "ada", 1))
    store.log_batch(RUN, Batch((Metric("m", 1.0, 1),), (Param("p", "1"),)))
    store.update_run(RUN, RunChange(status=RunStatus.FINISHED, end_time=2))
    store.close()
    mount = shutil.which("mount")
    place.mkdir()
    bound = mount is not None and os.geteuid() == 0
    for arguments in (["--bind", str(source), str(place)], ["-o", "remount,ro,bind", str(place)]):
        bound = bound and subprocess.run([str(mount), *arguments], capture_output=True, check=False).returncode == 0
    if not bound and os.geteuid() == 0:
        pytest.skip("nothing can be mounted here, and for root no permission is an obstacle")
    if not bound:
        shutil.copytree(source, place, dirs_exist_ok=True)
        for each in (*place.rglob("*"), place):
            each.chmod(0o555 if each.is_dir() else 0o444)
    yield place
    if bound:
        subprocess.run(["umount", str(place)], check=True)
    else:
        for each in (place, *(found for found in place.rglob("*") if found.is_dir())):
            each.chmod(0o755)


def test_a_store_that_cannot_be_written_is_read_and_searched(read_only: Path) -> None:
    store = FileStore.open(read_only)

    (found,) = store.search_runs(RunQuery(("0",))).items

    assert found == store.get_run(RUN)
    assert store.get_experiment("0").name == "Default"
    with pytest.raises(StoreUnavailableError, match=r"Read-only|Permission"):
        store.create_run(NewRun("0", SHARED, "n", "u", 1))
    with pytest.raises(StoreUnavailableError, match=r"Read-only|Permission"):
        store.create_experiment("new", artifact_location=None, tags={})
    store.close()


def test_the_program_searches_a_store_that_cannot_be_written(read_only: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mlcore.cli", "--tracking-uri", f"file://{read_only}", "runs", "search", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert RUN in done.stdout.splitlines()[0]


def test_an_index_that_cannot_be_beside_the_runs_goes_to_the_users_cache(
    read_only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store = FileStore.open(read_only)

    store.search_runs(RunQuery(("0",)))
    store.close()

    assert len(list((tmp_path / "cache").rglob("*.sqlite"))) == 1


def test_a_server_serves_a_store_that_cannot_be_written(read_only: Path, tmp_path: Path) -> None:
    pytest.importorskip("mlcore_server")
    log = (tmp_path / "log").open("w+")
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mlcore.cli",
            "server",
            "--backend-store-uri",
            f"file://{read_only}",
            "--port",
            "0",
            "--auth",
            "none",
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path,
    )
    try:
        url = _address(tmp_path / "log", server)
        asked = urllib.request.Request(
            f"{url}/api/2.0/mlflow/runs/search",
            data=json.dumps({"experiment_ids": ["0"]}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            found = json.load(answer)
    finally:
        server.terminate()
        server.wait(30)
        log.close()

    assert [run["info"]["run_id"] for run in found["runs"]] == [RUN]


def _address(log: Path, server: subprocess.Popen[str]) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        for word in log.read_text().split():
            if word.startswith("http://127.0.0.1:"):
                return word.rstrip("/.,;")
        time.sleep(0.05)
    raise AssertionError(f"the server did not start: {log.read_text()}")


def test_plain_paths_and_file_uris_name_one_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plain = tracking_store("./my runs", None)
    assert plain is not None
    plain.create_run(NewRun("0", RUN, "n", "u", 1))

    named = tracking_store(f"file://{tmp_path}/my%20runs", None)

    assert named is not None
    assert named.get_run(RUN).info.run_name == "n"
    assert isinstance(named, SupportsJournals)
    assert isinstance(named, SupportsReplay)
    assert registry_store("my runs") is not None


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(StoreUnavailableError, match=r"cannot make a store at .*file/s"):
        FileStore.open(tmp_path / "file" / "s")


def test_new_files_are_for_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = FileStore.open(tmp_path / "s")
        store.create_run(NewRun("0", RUN, "n", "u", 1))
        store.search_runs(RunQuery(("0",)))
    finally:
        os.umask(before)

    modes = {path: path.stat().st_mode & 0o077 for path in (tmp_path / "s").rglob("*")}
    assert [str(path) for path, mode in modes.items() if mode and ".sqlite-" not in path.name] == []


def test_a_journal_that_was_settled_is_found_again_when_it_grows(tmp_path: Path) -> None:
    store, reader = FileStore.open(tmp_path / "s"), FileStore.open(tmp_path / "s")
    store.create_run(NewRun("0", RUN, "n", "u", 1))
    journal = store.journal(RUN)
    store.update_run(RUN, RunChange(status=RunStatus.FINISHED, end_time=5))
    before = reader.search_runs(RunQuery(("0",))).items[0]

    journal.point("late", 1.0, 1, 1)

    after = reader.search_runs(RunQuery(("0",))).items[0]
    assert (before.data.metrics, after.data.metrics) == ({}, {"late": 1.0})
    assert len(list(Layout(tmp_path / "s").run(RUN).glob("*.journal"))) == 1


def test_thousands_of_runs_keep_few_files_open(tmp_path: Path) -> None:
    files = Path("/proc/self/fd")
    before = len(list(files.iterdir())) if files.exists() else 0  # earlier tests may have left some
    store = FileStore.open(tmp_path / "s")
    journals = []
    for number in range(300):
        store.create_run(NewRun("0", f"{number:032x}", "n", "u", 1))
        journals.append(store.journal(f"{number:032x}"))

    for journal in journals:
        journal.point("m", 1.0, 1, 1)

    opened = len(list(files.iterdir())) - before if files.exists() else 0
    assert opened < 250
    assert store.get_run(f"{0:032x}").data.metrics == {"m": 1.0}


def test_stores_that_adopt_one_experiment_at_a_time_all_get_it(tmp_path: Path) -> None:
    old = Experiment("123", "old", "s3://x", creation_time=5, last_update_time=6, tags={"team": "t"})
    stores = [FileStore.open(tmp_path / "s") for _ in range(8)]  # as of as many processes: they share no lock

    assert race(8, lambda number: stores[number].adopt_experiment(old)) == [old] * 8

    for store in stores:
        store.close()


def test_a_run_that_runs_again_has_no_end_in_searches_of_any_process(tmp_path: Path) -> None:
    mine, other = FileStore.open(tmp_path / "s"), FileStore.open(tmp_path / "s")
    mine.create_run(NewRun("0", RUN, "n", "u", 1))
    mine.update_run(RUN, RunChange(status=RunStatus.FAILED, end_time=5))
    query = RunQuery(("0",))
    assert [each.info.end_time for each in other.search_runs(query).items] == [5]

    mine.update_run(RUN, RunChange(status=RunStatus.RUNNING))

    later = FileStore.open(tmp_path / "s")
    for store in (mine, other, later):
        assert store.get_run(RUN).info.end_time is None
        assert [each.info.end_time for each in store.search_runs(query).items] == [None]
        store.close()
