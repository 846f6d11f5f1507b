"""Logged models, put together from their journals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from attrs import define, field

from mlcore.entities import LifecycleStage, LoggedModel, LoggedModelStatus, Metric, ModelMetric, Note, Recorded
from mlcore_store_file.clock import Stamp
from mlcore_store_file.run_state import NEVER, recency

CREATED, CHANGED, MEASURED = "logged_model", "logged_model_change", "logged_model_metrics"


@define
class LoggedState:
    """All that is known of a logged model."""

    created: Stamp = NEVER
    made: Mapping[str, object] = field(factory=dict)
    status: tuple[Stamp, str] = (NEVER, LoggedModelStatus.PENDING.value)
    stage: tuple[Stamp, str] = (NEVER, LifecycleStage.ACTIVE.value)
    params: dict[str, tuple[Stamp, str]] = field(factory=dict)
    tags: dict[str, tuple[Stamp, str | None]] = field(factory=dict)
    metrics: dict[tuple[str, str, str, str], Metric] = field(factory=dict)
    changed_at: int = 0
    greatest_at: int = 0

    def take(self, news: Sequence[tuple[Stamp, Recorded]]) -> None:
        """Take in what was recorded."""
        for stamp, recorded in news:
            self.greatest_at = max(self.greatest_at, stamp[0])
            if not isinstance(recorded, Note):
                continue
            if recorded.name == CREATED and (self.created == NEVER or stamp < self.created):
                self.created, self.made = stamp, recorded.data
            if recorded.name in (CREATED, CHANGED):
                self.changed_at = max(self.changed_at, stamp[0])
                self._change(stamp, recorded.data)
            elif recorded.name == MEASURED:
                self._measure(recorded.data)

    def shown(self, artifact_uri: str) -> LoggedModel:
        """Return the model as it is shown."""
        text = {key: str(self.made.get(key) or "") for key in _TEXTS}
        measured = [
            ModelMetric(text["model_id"], run_id, self.metrics[key, run_id, name, digest], name, digest)
            for key, run_id, name, digest in sorted(self.metrics)
        ]
        return LoggedModel(
            artifact_uri=artifact_uri,
            creation_timestamp=self.created[0],
            last_updated_timestamp=self.changed_at,
            status=LoggedModelStatus(self.status[1]),
            params={key: value for key, (_, value) in self.params.items()},
            tags={key: value for key, (_, value) in self.tags.items() if value is not None},
            metrics=tuple(measured),
            lifecycle_stage=LifecycleStage(self.stage[1]),
            **text,
        )

    def _change(self, stamp: Stamp, data: Mapping[str, object]) -> None:
        if data.get("status") and stamp > self.status[0]:
            self.status = (stamp, str(data["status"]))
        if data.get("stage") and stamp > self.stage[0]:
            self.stage = (stamp, str(data["stage"]))
        for key, value in texts(data.get("params")).items():
            self.params[key] = min(self.params.get(key, (stamp, value)), (stamp, value))
        removed = data.get("removed")
        gone: dict[str, str | None] = dict.fromkeys(removed) if isinstance(removed, list) else {}
        for key, text in {**texts(data.get("tags")), **gone}.items():
            if key not in self.tags or stamp > self.tags[key][0]:
                self.tags[key] = (stamp, text)

    def _measure(self, data: Mapping[str, object]) -> None:
        points = data.get("points")
        for key, value, time, step, run_id, name, digest in points if isinstance(points, list) else ():
            point = Metric(key, float(value), int(time), int(step))
            curve = (key, run_id, name, digest)
            if curve not in self.metrics or recency(point) > recency(self.metrics[curve]):
                self.metrics[curve] = point


_TEXTS = ("model_id", "experiment_id", "name", "creator_id", "model_type", "source_run_id")


def texts(given: object) -> dict[str, str]:
    """Return a mapping of texts as a journal holds it."""
    return {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else {}


def plain(value: float) -> float | str:
    """Return a number as a journal's JSON holds it."""
    return value if math.isfinite(value) else repr(value)
