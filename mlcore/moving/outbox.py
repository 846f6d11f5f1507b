"""What goes to one run: gathered into batches within the limits; what is refused is found out and told, not lost."""

from __future__ import annotations

from attrs import define, evolve, field

from mlcore.entities import Batch, Metric, Param, RunTag
from mlcore.errors import BadRequestError, InvalidParameterError, InvalidStateError, MlcoreError
from mlcore.moving.sides import Job
from mlcore.wire import limits

_NAMES = {Metric: "metric points", Param: "params", RunTag: "tags"}


@define(eq=False)
class Outbox:
    """Sends points, params and tags of one run."""

    job: Job
    run_id: str
    shown: str
    _items: list[Metric | Param | RunTag] = field(factory=list, init=False)
    _values: int = field(default=0, init=False)

    def put(self, item: Metric | Param | RunTag) -> None:
        """Add one more; sends when a batch is full."""
        self._items.append(item)
        self._values += not isinstance(item, Metric)
        if len(self._items) >= limits.BATCH_TOTAL or self._values >= limits.BATCH_PARAMS:
            self.send()

    def send(self) -> None:
        """Send what is gathered."""
        items, self._items, self._values = self._items, [], 0
        if items:
            self._send(items)

    def _send(self, items: list[Metric | Param | RunTag]) -> None:
        try:
            self.job.write(lambda: self.job.target.store.log_batch(self.run_id, _batch(items)))
        except InvalidStateError:
            raise
        except (InvalidParameterError, BadRequestError) as err:
            self._halve(items, err)
            return
        points = sum(isinstance(item, Metric) for item in items)
        self.job.tally.add(points=points, values=len(items) - points)

    def _halve(self, items: list[Metric | Param | RunTag], err: MlcoreError) -> None:
        """Find what is refused: a batch is stored as a whole, or not at all."""
        if len(items) > 1:
            half = len(items) // 2
            self._send(items[:half])
            self._send(items[half:])
            return
        item = items[0]
        self.job.tally.lack(
            f"{_NAMES[type(item)]} that the target refuses", f"{self.shown}: {item.key!r}: {err.message}"
        )


def _batch(items: list[Metric | Param | RunTag]) -> Batch:
    batch = Batch(metrics=tuple(item for item in items if isinstance(item, Metric)))
    return evolve(
        batch,
        params=tuple(item for item in items if isinstance(item, Param)),
        tags=tuple(item for item in items if isinstance(item, RunTag)),
    )
