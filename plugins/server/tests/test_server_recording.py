"""Small writes of many callers, committed together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from mlcore_server.config import ServerConfig
from mlcore_server.recording import GroupWriter
from mlcore_server.stores import Stores

from mlcore.entities import Batch, Metric, NewRun, Param
from mlcore.errors import LimitExceededError, MlcoreError, NotFoundError, ParamConflictError, StoreUnavailableError
from mlcore.plugins import Plugins

RUN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    uri = f"sqlite:///{tmp_path}/mlcore.db"
    config = ServerConfig(
        tracking_uri=uri, registry_uri=uri, artifacts_destination=tmp_path.as_uri(), state_dir=str(tmp_path)
    )
    made = Stores(config, Plugins.discover())
    made.tracking.create_run(NewRun("0", RUN, "a", "", 1))
    return made


def point(step: int) -> Batch:
    return Batch(metrics=(Metric("loss", 1.0, 5, step),))


def together(writer: GroupWriter, items: Sequence[tuple[str, Batch]]) -> list[object]:
    """Send all at once; return what each is told."""

    async def run() -> list[object]:
        waiting = [writer.log_batch(run_id, batch) for run_id, batch in items]
        tasks = [asyncio.ensure_future(one) for one in waiting]
        await asyncio.sleep(0)
        writer.start()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    try:
        return asyncio.run(run())
    finally:
        writer.stop()


def test_what_is_acknowledged_is_stored(stores: Stores) -> None:
    told = together(GroupWriter(stores, 1000), [(RUN, point(step)) for step in range(300)])

    page = stores.tracking.get_metric_history(RUN, "loss", max_results=1000, page_token=None)
    assert told == [None] * 300
    assert [one.step for one in page.items] == list(range(300))


def test_a_refused_batch_hurts_no_other(stores: Stores) -> None:
    stores.tracking.log_batch(RUN, Batch(params=(Param("p", "1"),)))

    told = together(
        GroupWriter(stores, 1000),
        [(RUN, point(1)), (RUN, Batch(params=(Param("p", "2"),))), ("unknown", point(2)), (RUN, point(3))],
    )

    page = stores.tracking.get_metric_history(RUN, "loss", max_results=10, page_token=None)
    assert [one.step for one in page.items] == [1, 3]
    assert told[0] is None
    assert isinstance(told[1], ParamConflictError)
    assert isinstance(told[2], NotFoundError)


def test_too_many_are_sent_away_before_the_server_drowns(stores: Stores) -> None:
    told = together(GroupWriter(stores, 10), [(RUN, point(step)) for step in range(15)])

    assert sum(isinstance(one, LimitExceededError) for one in told) == 5
    assert told[:10] == [None] * 10


def test_a_stopping_writer_stores_what_it_has_taken(stores: Stores) -> None:
    writer = GroupWriter(stores, 1000)

    async def run() -> None:
        tasks = [asyncio.ensure_future(writer.log_batch(RUN, point(step))) for step in range(50)]
        await asyncio.sleep(0)
        writer.start()
        await asyncio.to_thread(writer.stop)
        await asyncio.gather(*tasks)

    asyncio.run(run())

    page = stores.tracking.get_metric_history(RUN, "loss", max_results=100, page_token=None)
    assert len(page.items) == 50


class _Dead:
    """Stores whose tracking store does not answer."""

    @property
    def tracking(self) -> object:
        raise StoreUnavailableError("the disk is gone")


def test_a_dead_store_is_told_to_everybody_and_the_writer_lives_on(stores: Stores) -> None:
    writer = GroupWriter(_Dead(), 1000)  # type: ignore[arg-type]  # stores that fail

    async def run() -> list[object]:
        writer.start()
        first = await asyncio.gather(writer.log_batch(RUN, point(1)), return_exceptions=True)
        writer._stores = stores
        await writer.log_batch(RUN, point(2))
        return list(first)

    first = asyncio.run(run())
    writer.stop()

    assert isinstance(first[0], MlcoreError)
    assert "the disk is gone" in str(first[0])
    page = stores.tracking.get_metric_history(RUN, "loss", max_results=10, page_token=None)
    assert [one.step for one in page.items] == [2]


def test_a_caller_that_goes_away_disturbs_nobody(stores: Stores) -> None:
    writer = GroupWriter(stores, 1000)

    async def run() -> None:
        gone = asyncio.ensure_future(writer.log_batch(RUN, point(1)))
        await asyncio.sleep(0)
        gone.cancel()
        writer.start()
        await writer.log_batch(RUN, point(2))

    asyncio.run(run())
    writer.stop()

    page = stores.tracking.get_metric_history(RUN, "loss", max_results=10, page_token=None)
    assert [one.step for one in page.items][-1] == 2
