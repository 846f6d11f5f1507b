"""Say what of a run is not in its store when its process is done with it."""

from __future__ import annotations

import logging
from pathlib import Path

from attrs import frozen

from mlcore.delivery.lanes import Refusal
from mlcore.errors import MlcoreError

logger: logging.Logger = logging.getLogger(__name__)

_SHOWN = 5


@frozen
class Ending:
    """What is known of a run's records when its process is done with it.

    is_delivered: all of them are in the store. refusals: what the store did not take. dropped: how many were lost
    because nothing could be written. folder: where the rest waits. why: what kept it from being delivered.
    """

    run_id: str
    is_delivered: bool
    folder: Path
    refusals: tuple[Refusal, ...] = ()
    dropped: int = 0
    why: MlcoreError | None = None


def report(ending: Ending) -> None:
    """Log a warning for each thing that is not as it should be; nothing when all is delivered."""
    if ending.refusals:
        logger.warning(
            "run %s: the store refused %d of its records: %s (all of them are kept in %s)",
            ending.run_id,
            len(ending.refusals),
            "; ".join(str(refusal) for refusal in ending.refusals[:_SHOWN]),
            ending.folder / "refused.jsonl",
        )
    if ending.dropped:
        logger.warning("run %s: %d records are lost, as nothing could be written", ending.run_id, ending.dropped)
    if not ending.is_delivered:
        logger.warning(
            "run %s: not all of it is in the store yet%s; the rest waits in %s, `mlcore sync` delivers it",
            ending.run_id,
            f" ({ending.why.message})" if ending.why is not None else "",
            ending.folder,
        )
