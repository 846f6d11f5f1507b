"""Recording while the server is away, hung, out of order or confused: nothing waits, nothing is lost, nothing twice."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import faulty_server
import pytest
from faulty_server import FAULTS, FaultyServer, MortalServer

import mlcore
from mlcore.delivery.replaying import apply
from mlcore.entities import Batch, Metric, Param, Run
from mlcore.errors import StoreUnavailableError, TooLargeError
from mlcore.interfaces import TrackingStore
from mlcore.settings import Settings
from mlcore.tracking.client import Client
from mlcore.tracking.session import Session, using


@pytest.fixture(scope="module")
def server() -> Iterator[MortalServer]:
    with faulty_server.mortal_server() as running:
        yield running


@pytest.fixture
def proxy(server: MortalServer) -> Iterator[FaultyServer]:
    with faulty_server.faulty_server(server.uri) as between:
        yield between


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_HTTP_REQUEST_TIMEOUT", "0.5")
    monkeypatch.setenv("MLCORE_HTTP_REQUEST_MAX_RETRIES", "0")


def session_at(uri: str, patience_s: float = 0.3) -> Session:
    return Session(Settings.load({"tracking_uri": uri, "patience_s": patience_s}))


def stored(server: MortalServer, run_id: str) -> tuple[Run, list[Metric]]:
    """Return what the server itself says of a run, with the history of its metric `m`."""
    with closing(session_at(server.uri)) as session:
        client = Client(session=session)
        return client.get_run(run_id), client.get_metric_history(run_id, "m")


def eventually_delivered(session: Session) -> None:
    deadline = time.monotonic() + 40
    while not session.flush():
        assert time.monotonic() < deadline, "not delivered"


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_recorded_during_a_fault_arrives_once_and_in_order_when_it_is_over(
    proxy: FaultyServer, server: MortalServer, fault: str
) -> None:
    with using(session_at(proxy.uri)) as session:
        run = mlcore.start_run()
        mlcore.log_metric("m", -1.0, step=-1)
        proxy.fail(fault)
        slowest = 0.0
        for step in range(50):
            before = time.perf_counter()
            mlcore.log_metric("m", float(step), step=step, timestamp=1000 + step)
            mlcore.set_tag("last", step)
            slowest = max(slowest, time.perf_counter() - before)
        mlcore.log_param("p", 1)
        time.sleep(0.3)  # let the shipper meet the fault
        proxy.heal()
        eventually_delivered(session)
        run.end()

    found, points = stored(server, run.run_id)
    assert [m.step for m in points if m.step >= 0] == list(range(50))
    assert found.data.tags["last"] == "49"
    assert found.data.params == {"p": "1"}
    assert found.info.status == "FINISHED"
    assert "mlcore.refused" not in found.data.tags
    assert slowest < 0.4  # less than any answer of the server would take


def test_a_server_that_is_killed_in_the_middle_and_comes_back_gets_all(tmp_path: Path) -> None:
    with faulty_server.mortal_server() as mortal, using(session_at(mortal.uri)) as session:
        run = mlcore.start_run()
        mlcore.log_metric("m", 0.0, step=0)
        assert session.flush()
        mortal.kill()
        for step in range(1, 2000):
            mlcore.log_metric("m", float(step), step=step)
        assert not session.flush()
        mortal.start()
        eventually_delivered(session)

        assert len(Client(session=session).get_metric_history(run.run_id, "m")) == 2000


def test_a_run_whose_server_stays_away_ends_in_bounded_time_and_says_so(
    proxy: FaultyServer, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with using(session_at(proxy.uri)):
        run = mlcore.start_run()
        proxy.fail("absent")
        mlcore.log_metric("m", 1.0)
        before = time.monotonic()
        mlcore.end_run()

        assert time.monotonic() - before < 10
        assert f"run {run.run_id}: not all of it is in the store yet" in caplog.text
        assert "`mlcore sync` delivers it" in caplog.text
        assert str(tmp_path / ".spool") in caplog.text


def test_a_call_that_asks_for_the_store_is_told_that_it_does_not_answer(proxy: FaultyServer) -> None:
    with using(session_at(proxy.uri)) as session:
        mlcore.start_run()
        proxy.fail("absent")

        with pytest.raises(StoreUnavailableError, match="waits in"):
            mlcore.log_metric("m", 1.0, synchronous=True)

        proxy.heal()
        eventually_delivered(session)


def test_batches_that_are_too_large_for_a_proxy_go_in_smaller_pieces(proxy: FaultyServer, server: MortalServer) -> None:
    with using(session_at(proxy.uri)) as session:
        run = mlcore.start_run()
        proxy.fail("large413")
        run.log_batch([Metric("m", float(i), 1000 + i, i) for i in range(500)])
        eventually_delivered(session)
        run.end()

    found, points = stored(server, run.run_id)
    assert len(points) == 500
    assert found.info.status == "FINISHED"


def test_what_a_proxy_finds_too_large_waits_until_it_takes_it(proxy: FaultyServer, server: MortalServer) -> None:
    with using(session_at(proxy.uri)) as session:
        run = mlcore.start_run()
        proxy.fail("large413")
        many = {f"q{n}": "w" * 200 for n in range(30)}
        mlcore.log_params(many)
        eventually_delivered(session)
        assert stored(server, run.run_id)[0].data.params == many

        mlcore.log_param("large", "x" * 5000)
        mlcore.log_metric("m", 1.0, step=1)
        assert not session.flush()
        proxy.heal()
        eventually_delivered(session)
        mlcore.end_run()

    found, points = stored(server, run.run_id)
    assert found.data.params == {**many, "large": "x" * 5000}
    assert [point.value for point in points] == [1.0]
    assert not {"mlcore.refused", "mlcore.dropped"} & set(found.data.tags)


def test_a_store_without_replay_gets_what_fits_and_the_rest_is_not_refused() -> None:
    class Small:
        def __init__(self) -> None:
            self.keys: list[str] = []

        def log_batch(self, run_id: str, batch: Batch) -> None:
            if sum(len(param.value) for param in batch.params) > 100:
                raise TooLargeError(f"too large for {run_id}")
            self.keys += [param.key for param in batch.params]

    store = Small()
    params = tuple(Param(f"p{n}", "x" * size) for n, size in enumerate((60, 200, 60, 60)))

    with pytest.raises(TooLargeError, match="too large"):
        apply(cast(TrackingStore, store), "r", Batch(params=params))

    assert store.keys == ["p0", "p2", "p3"]


def test_who_only_reads_is_not_told_that_recording_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLCORE_PATIENCE_S", "0.5")
    with using(Session(Settings.load({"tracking_uri": "http://127.0.0.1:9"}))) as session:
        with pytest.raises(StoreUnavailableError):
            mlcore.search_runs(["0"])
        before = list(caplog.messages)

        with mlcore.start_run():
            mlcore.log_metric("m", 1)
        session.close()

    assert before == []
    assert [m.partition(" (")[0] for m in caplog.messages[:1]] == ["recording goes on without http://127.0.0.1:9"]


def test_a_run_that_neither_store_nor_spool_can_take_is_told_with_both_reasons(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    settings = Settings.load({"tracking_uri": "http://127.0.0.1:9", "spool_dir": str(tmp_path / "file" / "spool")})

    with using(Session(settings)), pytest.raises(StoreUnavailableError) as raised:
        mlcore.start_run()

    assert "cannot reach http://127.0.0.1:9: connection refused" in raised.value.message
    assert f"nothing can wait for it in '{tmp_path}/file/spool/http-" in raised.value.message
    assert "set MLCORE_SPOOL_DIR to a place that can be written" in raised.value.message


def test_an_exit_waits_no_second_time_for_a_server_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLCORE_HTTP_REQUEST_TIMEOUT", "60")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uri = f"http://127.0.0.1:{listener.getsockname()[1]}"
        session = Session(Settings.load({"tracking_uri": uri, "patience_s": 4, "spool_dir": str(tmp_path / "spool")}))
        with using(session):
            with mlcore.start_run():
                mlcore.log_metric("m", 1)
            began = time.monotonic()
            session.close()

    assert time.monotonic() - began < 4  # the end of the run has waited so long already
