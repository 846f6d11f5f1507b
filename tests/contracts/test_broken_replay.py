"""Stores that take journals wrongly, each caught by the test that is about its fault."""

from __future__ import annotations

from collections.abc import Sequence

from mlcore.entities import Batch, Entry, RunChange, TagRemoval
from mlcore.errors import MlcoreError, NotFoundError
from mlcore.testing import MemoryTrackingStore, TrackingStoreContract
from mlcore.testing.memory_replay import Delivered
from mlcore.testing.proof import caught_by

Refused = list[tuple[int, MlcoreError]]


class ForgetsPositions(MemoryTrackingStore):
    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        self.delivered.clear()
        return super().replay(run_id, writer, entries)


class OnePositionForAllWriters(MemoryTrackingStore):
    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        return super().replay(run_id, "all", entries)


class OnePositionForAllRuns(MemoryTrackingStore):
    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        known = self.delivered.setdefault(("all", writer), Delivered(-1))
        self.delivered[run_id, writer] = known
        return super().replay(run_id, writer, entries)


class WritersWithoutCase(MemoryTrackingStore):
    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        return super().replay(run_id, writer.lower(), entries)


class KnowsWholeCallsOnly(MemoryTrackingStore):
    """Skips a call that it has seen; an overlapping one is stored as a whole."""

    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        known = self.delivered.get((run_id, writer))
        if known is not None and entries and entries[-1].sequence > known.position:
            known.position = entries[0].sequence - 1
        return super().replay(run_id, writer, entries)


class OneRefusalRefusesAll(MemoryTrackingStore):
    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        refused = super().replay(run_id, writer, entries)
        return [(entry.sequence, refused[0][1]) for entry in entries] if refused else []


class RefusesOnce(MemoryTrackingStore):
    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        refused = super().replay(run_id, writer, entries)
        if (run_id, writer) in self.delivered:
            self.delivered[run_id, writer].refused.clear()
        return refused


class StopsAtARefusal(MemoryTrackingStore):
    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        for entry in entries:
            refused = super().replay(run_id, writer, [entry])
            if refused:
                return refused
        return []


class KeepsHalvesOfRefused(MemoryTrackingStore):
    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        for entry in entries:
            if isinstance(entry.recorded, Batch):
                self.log_batch(run_id, Batch(entry.recorded.metrics))
        return super().replay(run_id, writer, entries)


class TagsFirst(MemoryTrackingStore):
    """Sorts the entries by kind."""

    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        ranked = sorted(entries, key=lambda entry: not isinstance(entry.recorded, Batch))
        return super().replay(
            run_id, writer, [Entry(e.sequence, 0, r.recorded) for e, r in zip(entries, ranked, strict=True)]
        )


class MissingTagsAreRefused(MemoryTrackingStore):
    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        tags = set(self._find(run_id).tags) | {
            tag.key for e in entries if isinstance(e.recorded, Batch) for tag in e.recorded.tags
        }
        gone: Refused = [
            (e.sequence, NotFoundError(f"no tag {e.recorded.key!r}"))
            for e in entries
            if isinstance(e.recorded, TagRemoval) and e.recorded.key not in tags
        ]
        return super().replay(run_id, writer, entries) + gone


class TakesAThousandPoints(MemoryTrackingStore):
    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        return super().replay(run_id, writer, entries[:1000])


class UnknownRunsAreFine(MemoryTrackingStore):
    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        return super().replay(run_id, writer, entries) if run_id in self.runs else []


class DeletedRunsFailTheCall(MemoryTrackingStore):
    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        if entries:
            self._writable(run_id)
        return super().replay(run_id, writer, entries)


class EndsStay(MemoryTrackingStore):
    """Takes the first end that a journal tells of."""

    def replay(self, run_id: str, writer: str, entries: Sequence[Entry]) -> Refused:
        ends = [e for e in entries if isinstance(e.recorded, RunChange) and e.recorded.end_time is not None]
        return super().replay(run_id, writer, [e for e in entries if e not in ends[1:]])


_FAULTS: list[tuple[type[MemoryTrackingStore], str]] = [
    (ForgetsPositions, "test_a_repeated_call_changes_nothing"),
    (ForgetsPositions, "test_of_overlapping_calls_only_what_is_new_is_stored"),
    (ForgetsPositions, "test_a_call_that_comes_too_late_stores_nothing"),
    (OnePositionForAllWriters, "test_each_writer_and_each_run_has_a_position_of_its_own"),
    (OnePositionForAllRuns, "test_each_writer_and_each_run_has_a_position_of_its_own"),
    (WritersWithoutCase, "test_each_writer_and_each_run_has_a_position_of_its_own"),
    (KnowsWholeCallsOnly, "test_of_overlapping_calls_only_what_is_new_is_stored"),
    (OneRefusalRefusesAll, "test_a_refused_entry_leaves_the_others_and_is_refused_again_when_it_comes_again"),
    (RefusesOnce, "test_a_refused_entry_leaves_the_others_and_is_refused_again_when_it_comes_again"),
    (StopsAtARefusal, "test_a_refused_entry_leaves_the_others_and_is_refused_again_when_it_comes_again"),
    (KeepsHalvesOfRefused, "test_a_refused_entry_leaves_the_others_and_is_refused_again_when_it_comes_again"),
    (TagsFirst, "test_tags_and_status_are_what_the_last_entry_says"),
    (TagsFirst, "test_a_journal_has_the_outcome_of_the_single_calls"),
    (EndsStay, "test_tags_and_status_are_what_the_last_entry_says"),
    (MissingTagsAreRefused, "test_tags_and_status_are_what_the_last_entry_says"),
    (TakesAThousandPoints, "test_a_hundred_thousand_points_come_in_one_call"),
    (UnknownRunsAreFine, "test_a_journal_of_an_unknown_run_is_not_found"),
    (DeletedRunsFailTheCall, "test_entries_of_a_deleted_run_are_refused_until_one_restores_it"),
    (RefusesOnce, "test_of_many_that_deliver_one_journal_at_one_moment_one_does"),
]

for _broken, _test in _FAULTS:
    globals()[f"Test{_broken.__name__}_{_test.removeprefix('test_')[:30]}"] = caught_by(
        TrackingStoreContract, _test, store=_broken
    )
