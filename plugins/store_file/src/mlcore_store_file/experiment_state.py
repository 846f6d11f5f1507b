"""Experiments, put together from their journals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field

from mlcore.entities import LifecycleStage, Note, Recorded
from mlcore_store_file.clock import Stamp
from mlcore_store_file.run_state import NEVER, StageEvent

CREATED, CHANGED = "experiment", "experiment_change"


@define
class ExperimentState:
    """All that is known of an experiment.

    name: the stamp of the entry that gave it, and the name.
    times: creation and last update that it had elsewhere, when it was taken over.
    """

    created: Stamp = NEVER
    location: str | None = None
    name: tuple[Stamp, str] = (NEVER, "")
    stages: list[StageEvent] = field(factory=list)
    tags: dict[str, tuple[Stamp, str | None]] = field(factory=dict)
    times: tuple[int, int] | None = None
    changed_at: int = 0
    greatest_at: int = 0
    tokens: set[str] = field(factory=set)
    names: set[str] = field(factory=set)
    is_renamed: bool = False

    def take(self, news: Sequence[tuple[Stamp, Recorded]]) -> None:
        """Take in what was recorded."""
        for stamp, recorded in news:
            self.greatest_at = max(self.greatest_at, stamp[0])
            if isinstance(recorded, Note) and recorded.name in (CREATED, CHANGED):
                self.tokens.add(str(recorded.data.get("token")))
                if recorded.name == CREATED:
                    self._creation(stamp, recorded.data)
                else:
                    self.changed_at = max(self.changed_at, stamp[0])
                    self._rename(stamp, recorded.data)
                self._change(stamp, recorded.data)

    @property
    def stage(self) -> LifecycleStage:
        """The lifecycle stage."""
        return LifecycleStage(max(self.stages)[1]) if self.stages else LifecycleStage.ACTIVE

    @property
    def creation_time(self) -> int:
        """When it was created, ms since the epoch."""
        return self.times[0] if self.times else self.created[0]

    @property
    def last_update_time(self) -> int:
        """When it was changed last, ms since the epoch."""
        first = self.times[1] if self.times else self.created[0]
        return max(first, self.changed_at)

    def shown_tags(self) -> dict[str, str]:
        """Return the tags that are set."""
        return {key: value for key, (_, value) in self.tags.items() if value is not None}

    def _creation(self, stamp: Stamp, data: Mapping[str, object]) -> None:
        if self.created == NEVER or stamp < self.created:
            self.created = stamp
            location, times = data.get("location"), data.get("times")
            self.location = str(location) if location else None
            self.times = (int(times[0]), int(times[1])) if isinstance(times, list) else None

        if not self.is_renamed:  # another machine that creates it later does not undo a renaming
            self.name = (self.created, str(data.get("name")))
        self.names.add(str(data.get("name")))

    def _rename(self, stamp: Stamp, data: Mapping[str, object]) -> None:
        name = data.get("name")
        if name:
            self.names.add(str(name))
            if not self.is_renamed or stamp > self.name[0]:
                self.name, self.is_renamed = (stamp, str(name)), True

    def _change(self, stamp: Stamp, data: Mapping[str, object]) -> None:
        stage, tags, removed = data.get("stage"), data.get("tags"), data.get("removed")
        if stage:
            self.stages.append((stamp, str(stage)))
        given = {key: str(value) for key, value in tags.items()} if isinstance(tags, dict) else {}
        gone = dict.fromkeys(removed) if isinstance(removed, list) else {}
        for key, value in {**gone, **given}.items():
            if key not in self.tags or stamp > self.tags[key][0]:
                self.tags[key] = (stamp, value)
