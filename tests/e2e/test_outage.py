"""Outages of a server, for real: the job ends as it would have, nothing waits for the server, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_server import FaultyServer, MortalServer, faulty_server, mortal_server
from outage_jobs import Job, content, until

# What a call that records may take at most: far more than it does, far less than any wait for a server.
CALL_MS = 500.0

SCRIPT = """
import json, sys, time
import mlcore

taken = []
def timed(call, *arguments, **options):
    start = time.perf_counter()
    call(*arguments, **options)
    taken.append(1000 * (time.perf_counter() - start))

mlcore.set_experiment(sys.argv[1] if len(sys.argv) > 1 else "EXPERIMENT")
if __name__ == "__main__":
    run = mlcore.start_run(run_name="job")
    for step in range(60):
        if step == 20:
            pause("fault")
        timed(mlcore.log_metric, "loss", 1 / (step + 1), step=step, timestamp=1_700_000_000_000 + step)
        timed(mlcore.log_param, f"p{step}", "v" * 100)
        timed(mlcore.set_tag, "last", step)
    timed(mlcore.log_params, {f"q{n}": "w" * 200 for n in range(30)})
    mlcore.log_text("hello", "notes/hello.txt")
    mlcore.end_run()
    print(json.dumps({"run_id": run.info.run_id, "slowest_ms": sorted(taken)[-2]}))
    sys.exit(3)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[MortalServer]:
    with mortal_server() as started:
        yield started


@pytest.fixture
def proxy(server: MortalServer) -> Iterator[FaultyServer]:
    with faulty_server(server.uri) as started:
        yield started


def _job(folder: Path, proxy: FaultyServer, **environ: str) -> Job:
    script = SCRIPT.replace("EXPERIMENT", folder.name)
    return Job(folder, script, {"MLCORE_TRACKING_URI": proxy.uri, **environ})


def _check(server: MortalServer, job: Job) -> None:
    found = content(server.uri, job.folder.name)
    assert list(found) == ["job"]
    run = found["job"]
    points = [(1_700_000_000_000 + step, step, repr(1 / (step + 1))) for step in range(60)]
    assert run["metrics"] == {"loss": points}
    params = {f"p{step}": "v" * 100 for step in range(60)} | {f"q{n}": "w" * 200 for n in range(30)}
    assert run["params"] == params
    assert run["status"] == "FINISHED"
    tags = run["tags"]
    assert isinstance(tags, dict)
    assert tags["last"] == "59"
    assert not {"mlcore.refused", "mlcore.dropped"} & set(tags)
    artifacts = run["artifacts"]
    assert isinstance(artifacts, dict)
    assert [*artifacts] == ["notes/hello.txt"]


def _check_job(job: Job) -> None:
    assert job.end() == 3, job.told()
    slowest = job.printed()["slowest_ms"]
    assert isinstance(slowest, float)
    assert slowest < CALL_MS, f"a call waited {slowest} ms for the server"
    assert "Traceback" not in job.told()


@pytest.mark.parametrize("fault", ["absent", "hang", "refuse500", "busy429"])
def test_a_server_that_fails_from_the_start_neither_delays_nor_ends_a_job(
    fault: str, proxy: FaultyServer, server: MortalServer, tmp_path: Path
) -> None:
    proxy.fail(fault)
    job = _job(tmp_path / f"start-{fault}", proxy)
    job.wait_for("fault")
    job.go("fault")

    _check_job(job)

    assert job.waits()
    assert "mlcore sync" in job.told()
    proxy.heal()
    synced = job.sync()
    assert synced.returncode == 0, synced.stderr
    _check(server, job)
    assert not job.waits()


@pytest.mark.parametrize("fault", ["hang", "slow", "refuse500", "busy429", "large413", "not_json", "cut"])
def test_a_server_that_begins_to_fail_neither_delays_nor_ends_a_job(
    fault: str, proxy: FaultyServer, server: MortalServer, tmp_path: Path
) -> None:
    job = _job(tmp_path / f"middle-{fault}", proxy)
    job.wait_for("fault")
    proxy.fail(fault)
    job.go("fault")

    _check_job(job)

    proxy.heal()
    synced = job.sync()
    assert synced.returncode == 0, synced.stderr
    _check(server, job)


def test_what_was_recorded_during_an_outage_arrives_by_itself_when_the_server_is_back(
    proxy: FaultyServer, server: MortalServer, tmp_path: Path
) -> None:
    proxy.fail("absent")
    job = _job(tmp_path / "back", proxy, MLCORE_PATIENCE_S="60")
    job.wait_for("fault")
    proxy.heal()
    job.go("fault")

    _check_job(job)

    _check(server, job)
    assert "answers again" in job.told()
    until(lambda: not job.waits(), "the spool is empty")


def test_a_server_killed_in_the_middle_has_everything_after_it_was_started_again(tmp_path: Path) -> None:
    with mortal_server() as server:
        script = SCRIPT.replace("EXPERIMENT", "killed")
        job = Job(tmp_path / "killed", script, {"MLCORE_TRACKING_URI": server.uri})
        job.wait_for("fault")
        server.kill()
        job.go("fault")
        _check_job(job)
        server.start()

        synced = job.sync()

        assert synced.returncode == 0, synced.stderr
        _check(server, job)


@pytest.mark.parametrize("fault", ["login", "not_json"])
def test_something_else_at_the_servers_place_is_told_at_once(fault: str, proxy: FaultyServer, tmp_path: Path) -> None:
    proxy.fail(fault)
    # a busy machine may take long to answer, which is no answer of something else
    job = _job(tmp_path / f"else-{fault}", proxy, MLCORE_HTTP_REQUEST_TIMEOUT="60", MLCORE_PATIENCE_S="120")

    assert job.end() == 1
    assert "is no MLflow or mlcore server" in job.told()
