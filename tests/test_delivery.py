"""Delivery: what is refused, what dead processes leave, forks, full disks and lost folders, on a real SQLite store."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import mlcore
from mlcore.delivery import Policy, Spool, spool_root, spools, store_key
from mlcore.delivery.locks import take
from mlcore.delivery.spool import without_credentials
from mlcore.delivery.sync import sync, waiting
from mlcore.entities import Metric, NewRun, RunCreation, RunStatus, RunTag
from mlcore.errors import InvalidStateError, NotFoundError, ParamConflictError
from mlcore.settings import Settings
from mlcore.tracking.client import Client
from mlcore.tracking.session import Session, current_session, using

FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs an operating system with fork")


@pytest.fixture
def spool() -> Path:
    return Path(os.environ["MLCORE_SPOOL_DIR"])


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A store that takes nothing, as another program holds it; it goes on after `rollback`."""
    mlcore.search_experiments()
    connection = sqlite3.connect(tmp_path / "mlcore.db", isolation_level=None, check_same_thread=False)
    yield connection
    connection.close()


def program(code: str, *, code_expected: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
    Path("program.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "program.py"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **environ},
    )
    assert done.returncode == code_expected, done.stderr
    return done


def steps(run_id: str, key: str = "m") -> list[int]:
    return [m.step for m in Client().get_metric_history(run_id, key)]


def conflicting(run_id: str) -> None:
    """Log param p as 1 from another process."""
    program(f"import mlcore; mlcore.MlflowClient().log_param({run_id!r}, 'p', 1)")


def test_a_journal_goes_when_it_is_delivered_and_its_run_has_ended(spool: Path) -> None:
    with mlcore.start_run():
        mlcore.log_metric("m", 1.0)
    current_session().close()

    assert list(spool.rglob("*.journal")) == []


def test_what_waits_can_be_read_by_its_owner_alone(spool: Path) -> None:
    mlcore.start_run()
    mlcore.log_metric("m", 1.0)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in spool.rglob("*") if path.is_file()}
    folders = {stat.S_IMODE(path.stat().st_mode) for path in spool.rglob("*") if path.is_dir()}

    assert modes == {0o600}
    assert folders == {0o700}


def test_a_param_that_another_process_set_differently_is_told_at_the_end_and_kept(
    caplog: pytest.LogCaptureFixture, spool: Path
) -> None:
    with mlcore.start_run() as run:
        conflicting(run.run_id)
        mlcore.log_param("p", 2)
        mlcore.log_metric("m", 1.0, step=3)

    stored = mlcore.get_run(run.run_id)
    current_session().close()
    told = json.loads(mlcore.get_run(run.run_id).data.tags["mlcore.refused"])
    (kept,) = [json.loads(line) for path in spool.rglob("refused.jsonl") for line in path.read_text().splitlines()]
    assert stored.data.params == {"p": "1"}
    assert stored.info.status == "FINISHED"
    assert steps(run.run_id) == [3]
    assert f"run {run.run_id}: the store refused 1 of its records: param 'p'" in caplog.text
    assert (told["count"], told["last"][0]["what"]) == (1, "param 'p'")
    assert kept["recorded"]["params"] == [["p", "2"]]
    assert kept["error"] == "INVALID_PARAMETER_VALUE"


def test_a_refusal_is_raised_to_who_waits_for_the_delivery() -> None:
    run = mlcore.start_run()
    conflicting(run.run_id)
    fine = mlcore.log_metric("m", 1.0, synchronous=False)
    delivery = mlcore.log_param("p", 2, synchronous=False)
    later = mlcore.log_metric("m", 2.0, synchronous=False)

    with pytest.raises(ParamConflictError, match="'p'"):
        delivery.wait()  # type: ignore[attr-defined]  # a Delivery, since it is not synchronous

    assert fine is not None
    fine.wait()
    assert later is not None
    later.wait()


def test_a_call_that_waits_raises_what_the_store_says() -> None:
    run = mlcore.start_run()
    conflicting(run.run_id)

    with pytest.raises(ParamConflictError, match="'p'"):
        mlcore.log_param("p", 2, synchronous=True)


def test_strict_calls_raise_what_the_store_says_and_leave_no_spool(
    monkeypatch: pytest.MonkeyPatch, spool: Path
) -> None:
    monkeypatch.setenv("MLCORE_STRICT", "1")
    run = mlcore.start_run()
    conflicting(run.run_id)

    with pytest.raises(ParamConflictError, match="'p'"):
        mlcore.log_param("p", 2)

    mlcore.log_metric("m", 1.0, step=5)
    assert steps(run.run_id) == [5]
    assert not spool.exists() or not list(spool.rglob("*.journal"))


def test_mistakes_that_this_process_can_know_are_raised_at_the_call() -> None:
    run = mlcore.start_run()
    mlcore.log_param("p", 1)

    with pytest.raises(ParamConflictError, match="'p'"):
        Client().log_param(run.run_id, "p", 2)
    with pytest.raises(NotFoundError):
        Client().log_metric("0" * 32, "m", 1.0)
    mlcore.delete_run(run.run_id)
    with pytest.raises(InvalidStateError):
        mlcore.log_metric("m", 1.0)


def test_what_a_killed_process_left_is_delivered_by_the_next_one_exactly_once(spool: Path) -> None:
    done = program(
        """
import os, signal, sqlite3, mlcore
run = mlcore.start_run()
print(run.run_id, flush=True)
other = sqlite3.connect("mlcore.db", isolation_level=None)
other.execute("BEGIN IMMEDIATE")
for step in range(500):
    mlcore.log_metric("m", step, step=step)
mlcore.set_tag("t", "v")
os.kill(os.getpid(), signal.SIGKILL)
""",
        code_expected=-signal.SIGKILL,
    )
    run_id = done.stdout.strip()
    assert list(spool.rglob("*.journal"))

    with mlcore.start_run():
        mlcore.log_metric("own", 1.0)
    current_session().close()

    assert steps(run_id) == list(range(500))
    assert mlcore.get_run(run_id).data.tags["t"] == "v"
    assert list(spool.rglob("*.journal")) == []


def test_a_spool_whose_notes_cannot_be_written_is_delivered_all_the_same(
    spool: Path, locked: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    run = mlcore.start_run()
    locked.execute("BEGIN IMMEDIATE")
    mlcore.log_metric("m", 0.0, step=0)
    (journal,) = spool.rglob("*.journal")
    in_the_way = journal.with_suffix(".sent") / "in the way"
    in_the_way.mkdir(parents=True)  # as on a full disk, the file cannot be put there
    locked.execute("ROLLBACK")
    for step in range(1, 10):
        mlcore.log_metric("m", float(step), step=step)

    assert steps(run.run_id) == list(range(10))
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_leftovers_that_cannot_be_claimed_keep_nothing_else_from_being_delivered(spool: Path) -> None:
    killed = "import mlcore, os, signal; mlcore.start_run(); os.kill(os.getpid(), signal.SIGKILL)"
    program(killed, code_expected=-signal.SIGKILL, MLCORE_OFFLINE="1")
    (journal,) = spool.rglob("*.journal")
    journal.with_suffix(".lock").mkdir()  # as on a full disk, no file can be put there

    with mlcore.start_run() as run:
        mlcore.log_metric("m", 0.0, step=0)

    assert steps(run.run_id) == [0]
    assert journal.exists()


@FORK
def test_a_forked_child_records_through_a_journal_of_its_own() -> None:
    run = mlcore.start_run()
    mlcore.log_metric("m", 0.0, step=0)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            mlcore.log_metric("m", 1.0, step=1)
            code = 0 if current_session().flush() else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    mlcore.log_metric("m", 2.0, step=2)

    assert steps(run.run_id) == [0, 1, 2]


@FORK
def test_a_worker_of_multiprocessing_delivers_before_it_goes() -> None:
    code = """
import multiprocessing, mlcore

def work(i):
    mlcore.log_metric("m", i, step=i)

run = mlcore.start_run()
children = [multiprocessing.get_context("fork").Process(target=work, args=(i,)) for i in range(3)]
for child in children: child.start()
for child in children: child.join()
print(run.run_id)
"""
    assert sorted(steps(program(code).stdout.strip())) == [0, 1, 2]


@FORK
def test_what_a_child_left_that_nobody_has_waited_for_is_there_at_the_end_of_the_run(spool: Path) -> None:
    code = """
import os, mlcore

with mlcore.start_run() as run:
    ends = os.pipe()
    if os.fork() == 0:
        mlcore.log_metric("m", 1.0, step=7)
        os._exit(0)  # as killed: nothing is delivered, and the process stays a zombie
    os.close(ends[1])
    os.read(ends[0], 1)
print(run.run_id)
"""
    run_id = program(code).stdout.strip()

    assert steps(run_id) == [7]
    assert list(spool.rglob("*.journal")) == []


def test_a_process_that_ends_without_a_word_delivers_what_its_handles_recorded() -> None:
    run_id = mlcore.start_run().run_id

    program(f"import mlcore\nfor i in range(100): mlcore.MlflowClient().log_metric({run_id!r}, 'm', i, step=i)")

    assert steps(run_id) == list(range(100))


def test_a_spool_that_is_removed_under_ones_eyes_loses_nothing(spool: Path) -> None:
    import shutil

    run = mlcore.start_run()
    mlcore.log_metric("m", 0.0, step=0)
    shutil.rmtree(spool)
    for step in range(1, 10):
        mlcore.log_metric("m", float(step), step=step)

    assert steps(run.run_id) == list(range(10))


def test_a_disk_without_room_is_gone_past_to_the_store(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLCORE_SPOOL_DIR", str(small_disk / "spool"))
    (small_disk / "filler").write_bytes(bytes(2**20 - 40_000))

    run = mlcore.start_run()
    for step in range(30):
        mlcore.log_metric("m", float(step), step=step)

    assert steps(run.run_id) == list(range(30))
    assert caplog.text == ""


def test_without_room_and_without_store_records_are_counted_and_told_and_the_job_goes_on(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, locked: sqlite3.Connection
) -> None:
    monkeypatch.setenv("MLCORE_SPOOL_DIR", str(small_disk / "spool"))
    monkeypatch.setenv("MLCORE_PATIENCE_S", "0.1")
    run = mlcore.start_run()
    mlcore.log_metric("m", 0.0, step=0)
    assert current_session().flush()
    current_session().recorder().report_down(NotFoundError("as if the server were gone"))
    locked.execute("BEGIN IMMEDIATE")
    (small_disk / "filler").write_bytes(bytes(2**20 - 120_000))
    for step in range(1, 4000):
        run.log_metrics({f"m{i}": float(i) for i in range(10)}, step=step)
    locked.execute("ROLLBACK")
    mlcore.end_run()

    assert caplog.text.count("are lost: the store does not take them now") == 1
    assert "records are lost, as nothing could be written" in caplog.text
    assert mlcore.get_run(run.run_id).info.status == "FINISHED"
    told = json.loads(mlcore.get_run(run.run_id).data.tags["mlcore.dropped"])
    assert told["count"] > 0


def test_the_spool_stays_below_its_limit(
    monkeypatch: pytest.MonkeyPatch, spool: Path, locked: sqlite3.Connection
) -> None:
    monkeypatch.setenv("MLCORE_SPOOL_LIMIT_MB", "1")
    monkeypatch.setenv("MLCORE_PATIENCE_S", "0.05")
    mlcore.start_run()
    mlcore.log_metric("m", 0.0)
    current_session().flush()
    current_session().recorder().report_down(NotFoundError("as if the server were gone"))
    locked.execute("BEGIN IMMEDIATE")
    values = {f"metric number {i}": float(i) for i in range(500)}
    for step in range(200):
        mlcore.log_metrics(values, step=step)
    used = sum(path.stat().st_blocks * 512 for path in spool.rglob("*"))
    locked.execute("ROLLBACK")

    assert used < 2 * 2**20


@pytest.mark.parametrize("policy", ["always", "5"])
def test_journals_that_are_forced_to_the_disk_record_the_same(policy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_FSYNC", policy)
    with mlcore.start_run() as run:
        for step in range(20):
            mlcore.log_metric("m", float(step), step=step)

    assert steps(run.run_id) == list(range(20))


def test_a_damaged_journal_gives_what_it_holds_and_is_kept(spool: Path, caplog: pytest.LogCaptureFixture) -> None:
    done = program(
        """
import os, sqlite3, mlcore
run = mlcore.start_run()
print(run.run_id, flush=True)
other = sqlite3.connect("mlcore.db", isolation_level=None)
other.execute("BEGIN IMMEDIATE")
for step in range(100):
    mlcore.log_metric("m", step, step=step)
os._exit(0)
"""
    )
    (path,) = spool.rglob("*.journal")
    data = bytearray(path.read_bytes())
    data[2000] ^= 1
    path.write_bytes(bytes(data))
    os.utime(path, (time.time() - 60, time.time() - 60))

    (found,) = spools(spool)
    with Session(Settings.load()).store() and using(Session(Settings.load())) as session:
        sync(found, session.store, Policy(patience_s=1))

    assert len(steps(done.stdout.strip())) == 99
    assert caplog.text.count("is damaged from byte") == 1
    assert [path.name for path in spool.rglob("*.damaged")] == [f"{path.name}.damaged"]


def test_a_run_that_the_store_does_not_know_is_created_before_anything_of_it_is_delivered(spool: Path) -> None:
    recorder = current_session().recorder()
    parent, child = "a" * 32, "b" * 32
    for run_id, after in ((child, (parent,)), (parent, ())):
        recorder.pend(run_id, after=after)
        new = NewRun("0", run_id, "name", "me", 5, {"mlflow.runName": "name"})
        recorder.write(run_id, RunCreation(new, experiment_name="made later"))
        recorder.writer(run_id).point("m", 1.0, 7, 1)

    assert recorder.flush()
    assert mlcore.get_experiment_by_name("made later") is not None
    assert (steps(parent), steps(child)) == ([1], [1])


def test_waiting_and_sync_tell_and_deliver_what_is_there(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_OFFLINE", "1")
    writing = Session(Settings.load())
    run_id = "c" * 32
    recorder = writing.recorder()
    recorder.pend(run_id)
    recorder.write(run_id, RunCreation(NewRun("0", run_id, "n", "me", 5, {"mlflow.runName": "n"})))
    recorder.writer(run_id).point("m", 1.0, 7, 1)
    (found,) = spools(spool)

    (before,) = waiting(found)
    reading = Session(Settings.load())
    (live,) = sync(found, reading.store, Policy(patience_s=1))
    recorder.writer(run_id).point("m", 2.0, 8, 2)  # its process goes on
    (later,) = sync(found, reading.store, Policy(patience_s=1))

    assert before.is_pending
    assert before.is_live
    assert before.journal_bytes > 0
    assert live.waiting_bytes == 0
    assert later.delivered_bytes > 0
    assert [m.step for m in reading.store().get_metric_history(run_id, "m", max_results=9, page_token=None).items] == [
        1,
        2,
    ]
    writing.close()
    reading.close()


def test_a_lock_is_held_by_one_and_goes_with_its_holder(tmp_path: Path) -> None:
    first = take(tmp_path / "a.lock")

    assert first is not None
    assert take(tmp_path / "a.lock") is None
    first.release()
    second = take(tmp_path / "a.lock")
    assert second is not None
    second.release()


@pytest.mark.parametrize(
    ("uri", "bare"),
    [
        ("postgresql://me:secret@db/x", "postgresql://me@db/x"),
        ("https://token@host/path", "https://host/path"),
        ("https://me:secret@host:5000", "https://host:5000"),
        ("mysql://db/x?password=secret&charset=utf8", "mysql://db/x?charset=utf8"),
        ("sqlite:////tmp/a@b.db", "sqlite:////tmp/a@b.db"),
    ],
)
def test_no_secret_of_a_uri_is_kept_in_the_spool(uri: str, bare: str, tmp_path: Path) -> None:
    Spool(tmp_path, uri).make()

    assert without_credentials(uri) == bare
    assert store_key(uri) == store_key(bare)
    (about,) = tmp_path.rglob("store.json")
    assert json.loads(about.read_text()) == {"version": 1, "uri": bare}


def test_the_spool_is_below_the_users_state_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    assert spool_root(None) == tmp_path / "state" / "mlcore" / "spool"
    assert spool_root("elsewhere") == Path.cwd() / "elsewhere"


def test_a_batch_that_a_store_takes_is_read_back_whole() -> None:
    run = mlcore.start_run()
    run.log_batch([Metric("m", float(i), i, i) for i in range(5000)], tags=[RunTag("t", "v")])
    run.end(RunStatus.KILLED)

    found = mlcore.get_run(run.run_id)
    assert (found.info.status, found.data.tags["t"], len(steps(run.run_id))) == ("KILLED", "v", 5000)
