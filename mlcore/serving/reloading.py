"""Serve what an alias, a stage or `latest` means now: when it moves, the new version is loaded and takes over."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from attrs import frozen

from mlcore.errors import MlcoreError
from mlcore.serving.scorer import Scorer
from mlcore.serving.served import About, Served

logger: logging.Logger = logging.getLogger("mlcore.serving")


@frozen
class Watched:
    """A model that may move.

    meant: returns what its URI means now, such as the version's number; asked again and again.
    load: loads what was meant and returns what answers with it.
    """

    served: Served
    meant: Callable[[], str]
    load: Callable[[str], tuple[Scorer, About]]


def watching(watched: Sequence[Watched], every_s: float) -> Callable[[], AbstractAsyncContextManager[None]]:
    """Return what looks every *every_s* seconds while the server runs.

    The model that is served stays until its successor is loaded: no request is lost or waits. A registry that does not
    answer, or a version that cannot be loaded, leaves everything as it is and is told in the log, once for each version.
    """

    @asynccontextmanager
    async def background() -> AsyncIterator[None]:
        task = asyncio.create_task(_watch(watched, every_s))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return background


async def _watch(watched: Sequence[Watched], every_s: float) -> None:
    refused: dict[str, str] = {}
    while True:
        await asyncio.sleep(every_s)
        for each in watched:
            await asyncio.to_thread(_look, each, refused)


def _look(watched: Watched, refused: dict[str, str]) -> None:
    served = watched.served
    try:
        meant = watched.meant()
    except MlcoreError as err:
        if refused.get(served.name) != err.message:
            logger.warning("model %r is served as before: what it means now cannot be found: %s", served.name, err)
        refused[served.name] = err.message
        return
    if meant in (served.about.version, refused.get(served.name)):
        return
    try:
        scorer, about = watched.load(meant)
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as err:  # noqa: BLE001  # a model that cannot be loaded must not stop the one that can
        logger.warning(
            "version %s of model %r cannot be loaded, version %s is served on: %s",
            meant,
            served.name,
            served.about.version,
            err,
        )
        refused[served.name] = meant
        return
    before = served.about.version
    served.replace(scorer, about)
    refused.pop(served.name, None)
    logger.warning("model %r: version %s took over from %s", served.name, meant, before)
    if gc.get_freeze_count():
        # the version before may hold itself by a circle: look at what was left out of collections since the start
        gc.unfreeze()
        gc.collect()
        gc.freeze()
