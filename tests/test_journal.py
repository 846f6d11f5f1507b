"""Journals: the format as it is documented, and what is read of damaged ones."""

from __future__ import annotations

import json
import math
import os
import shutil
import struct
import threading
import zlib
from pathlib import Path

import pytest

from mlcore.entities import (
    Batch,
    Dataset,
    DatasetInput,
    Entry,
    InputsUse,
    InputTag,
    Metric,
    NewRun,
    Note,
    Param,
    Recorded,
    RunChange,
    RunCreation,
    RunStatus,
    RunTag,
    SpooledArtifact,
    TagRemoval,
)
from mlcore.errors import CorruptStoreError, UnsupportedError
from mlcore.journal import Header, Journal, JournalReader, MappedJournal, Origin, PlainJournal, read_journal
from mlcore.journal.merging import point_frames

GOLDEN = Path(__file__).parent / "journals" / "version1.journal"
ORIGIN = Origin("0123456789abcdef0123", "host", 4711, 1_700_000_000_000)
EVERYTHING: list[Recorded] = [
    RunCreation(NewRun("7", "r1", "näme", "me", 1_700_000_000_001, {"a": "b"}), "experiment"),
    Batch((Metric("loss", 0.5, 1_700_000_000_002, 1),)),
    Batch((Metric("loss", math.inf, 3, -1), Metric("lößs/x", -0.0, 4, 2**62)), (Param("p", "1"),), (RunTag("t", "ü"),)),
    Batch(params=(Param("only", "params"),)),
    TagRemoval("t"),
    InputsUse((DatasetInput(Dataset("d", "digest", "local", "{}", None, None), (InputTag("k", "v"),)),)),
    SpooledArtifact("a/b.txt", 3, "abc"),
    Note("anything", {"x": [1, 2]}),
    RunChange(status=RunStatus.FINISHED, end_time=9),
]


def written(folder: Path, kind: type[Journal] = PlainJournal) -> Path:
    journal = kind(folder, "r1", ORIGIN)
    for at, recorded in enumerate(EVERYTHING):
        journal.write(recorded, at=1000 + at)
    journal.close()
    return journal.path


def fill(journal: Journal, entry: Recorded) -> None:
    for _ in range(1000):
        journal.write(entry, at=1)


def small(folder: Path) -> Path:
    """A journal of three entries, for tests that try every byte of it."""
    journal = PlainJournal(folder, "r1", ORIGIN)
    journal.point("loss", 1.0, 10, 1)
    journal.write(Batch(params=(Param("p", "1"),)), at=11)
    journal.point("loss", 2.0, 12, 2)
    journal.close()
    return journal.path


def test_a_journal_of_the_first_version_is_read_for_ever() -> None:
    header, entries, faults = read_journal(GOLDEN)

    assert header == Header("r1", ORIGIN, 1)
    assert [entry.recorded for entry in entries] == EVERYTHING
    assert faults == ()


def test_what_is_written_today_is_the_first_version_byte_for_byte(tmp_path: Path) -> None:
    assert written(tmp_path).read_bytes() == GOLDEN.read_bytes()


def test_the_layout_is_the_documented_one() -> None:
    data = GOLDEN.read_bytes()

    assert data[:8] == b"mlcjrnl1"
    length, checksum = struct.unpack_from("<II", data, 8)
    payload = data[16 : 16 + length]
    assert zlib.crc32(payload) == checksum
    assert payload[0] == 2
    assert json.loads(payload[1:]) == {
        "journal": {
            "version": 1,
            "run_id": "r1",
            "writer": ORIGIN.writer,
            "host": "host",
            "pid": 4711,
            "created": ORIGIN.created,
        }
    }


def test_both_kinds_of_writers_write_the_same(tmp_path: Path) -> None:
    (tmp_path / "mapped").mkdir()

    mapped = written(tmp_path / "mapped", MappedJournal)

    assert mapped.read_bytes() == GOLDEN.read_bytes()


def test_entries_are_numbered_by_their_place_and_times_never_go_back(tmp_path: Path) -> None:
    journal = PlainJournal(tmp_path, "r1")
    ends = [journal.write(Note("a"), at=5000), journal.write(Note("b"), at=3000), journal.write(Note("c"), at=6000)]

    _, entries, _ = read_journal(journal.path)

    assert [entry.at for entry in entries] == [5000, 5000, 6000]
    assert [entry.sequence for entry in entries[1:]] == ends[:2]


def test_a_journal_cut_at_any_byte_keeps_what_was_whole_and_tells_the_rest_once(tmp_path: Path) -> None:
    path = small(tmp_path)
    data = path.read_bytes()
    _, whole, _ = read_journal(path)
    start = whole[0].sequence
    ends = [*(entry.sequence for entry in whole[1:]), len(data)]

    for cut in range(start, len(data)):
        path.write_bytes(data[:cut])
        _, entries, faults = read_journal(path)
        kept = sum(end <= cut for end in ends)
        assert entries == whole[:kept], cut
        is_between = cut in (start, *ends)
        assert len(faults) == (0 if is_between else 1), cut


def test_a_journal_cut_in_its_head_is_told_to_be_unreadable(tmp_path: Path) -> None:
    path = small(tmp_path)
    data = path.read_bytes()
    _, whole, _ = read_journal(path)

    for cut in range(whole[0].sequence):
        path.write_bytes(data[:cut])
        with pytest.raises(CorruptStoreError):
            read_journal(path)


def test_a_flipped_bit_anywhere_costs_its_own_entry_only_and_is_told_once(tmp_path: Path) -> None:
    path = small(tmp_path)
    data = path.read_bytes()
    _, whole, _ = read_journal(path)

    for at in range(whole[0].sequence, len(data)):
        damaged = bytearray(data)
        damaged[at] ^= 1 << (at % 8)
        path.write_bytes(bytes(damaged))
        _, entries, faults = read_journal(path)
        hit = sum(entry.sequence <= at for entry in whole) - 1
        kept = [e.recorded for i, e in enumerate(whole) if i != hit]
        assert [e.recorded for e in entries] == kept, at
        assert len(faults) == 1, at
        assert faults[0].start <= at < faults[0].end, at


def test_a_flipped_bit_in_the_head_is_told(tmp_path: Path) -> None:
    path = small(tmp_path)
    data = path.read_bytes()
    _, whole, _ = read_journal(path)

    for at in range(whole[0].sequence):
        damaged = bytearray(data)
        damaged[at] ^= 0x80
        path.write_bytes(bytes(damaged))
        with pytest.raises(CorruptStoreError):
            read_journal(path)


def test_a_later_version_is_refused_by_name(tmp_path: Path) -> None:
    path = small(tmp_path)
    path.write_bytes(b"mlcjrnl2" + path.read_bytes()[8:])

    with pytest.raises(UnsupportedError, match="update mlcore-kernel"):
        read_journal(path)


def test_room_at_the_end_is_no_fault(tmp_path: Path) -> None:
    path = small(tmp_path)
    _, whole, _ = read_journal(path)
    with path.open("ab") as file:
        file.write(bytes(100_000))

    assert read_journal(path)[1:] == (whole, ())


def test_a_journal_that_is_being_written_is_read_as_far_as_it_is(tmp_path: Path) -> None:
    path = small(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[:-5])
    reader = JournalReader.open(path)

    before = reader.read(is_live=True)
    path.write_bytes(data)
    after = reader.read(before.end, is_live=True)

    assert (len(before.entries), before.faults) == (2, ())
    assert [entry.recorded for entry in after.entries] == [Batch((Metric("loss", 2.0, 12, 2),))]


def test_an_entry_larger_than_what_is_read_at_a_time_is_read_whole(tmp_path: Path) -> None:
    journal = PlainJournal(tmp_path, "r1")
    large = Batch(tuple(Metric(f"m{i}", float(i), i, i) for i in range(1000)))
    journal.write(large, at=1)
    journal.write(Note("after"), at=2)

    chunk = JournalReader.open(journal.path).read(most_bytes=100)

    assert chunk.entries[0].recorded == large


def test_threads_share_a_writer_without_mixing_entries(tmp_path: Path) -> None:
    journal = MappedJournal(tmp_path, "r1")

    def work(i: int) -> None:
        for step in range(500):
            journal.point(f"m{i}", float(step), step, step)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _, entries, faults = read_journal(journal.path)

    assert faults == ()
    assert len(entries) == 4000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_that_lets_go_leaves_no_trace_in_the_journal(tmp_path: Path) -> None:
    journal = MappedJournal(tmp_path, "r1")
    journal.write(Note("parent"), at=1)
    child = os.fork()
    if child == 0:
        journal.abandon()
        os._exit(0 if journal.is_closed else 1)
    _, status = os.waitpid(child, 0)
    journal.write(Note("parent"), at=2)

    assert status == 0
    assert len(read_journal(journal.path)[1]) == 2


@pytest.mark.parametrize("kind", [PlainJournal, MappedJournal])
def test_the_quick_ways_record_the_same_points(tmp_path: Path, kind: type[Journal]) -> None:
    journal = kind(tmp_path, "r1")
    assert not journal.quick("new", 1.0, 1)  # a name that nobody has checked yet
    journal.point("new", 1.0, 5, 1)

    assert journal.quick("new", 2, -3)
    assert journal.quick_points({"new": math.nan}, 7, 4)
    assert not journal.quick_points({"new": 1.0, "other": 2.0}, 7, 5)
    assert not journal.quick("new", 1.0, 2**63)
    assert not journal.quick("new", "text", 1)  # type: ignore[arg-type]  # that is the point
    journal.close()
    assert not journal.quick("new", 1.0, 1)

    _, entries, faults = read_journal(journal.path)
    points = [m for e in entries if isinstance(e.recorded, Batch) for m in e.recorded.metrics]
    assert faults == ()
    assert [(m.key, m.step) for m in points] == [("new", 1), ("new", -3), ("new", 4)]
    assert points[1].value == 2.0
    assert points[1].timestamp > 1_600_000_000_000
    assert math.isnan(points[2].value)


def test_points_read_at_once_are_those_read_one_by_one(tmp_path: Path) -> None:
    journal = PlainJournal(tmp_path, "r1")
    start = journal.end
    for i in range(50):
        journal.point(f"kéy{i % 3}", i / 3, i, -i)
        if i % 7 == 0:
            journal.write(Batch((Metric("a", 1.0, i, 0), Metric("b", 2.0, i, 0))))
    data = journal.path.read_bytes()
    _, entries, _ = read_journal(journal.path)

    points, last, end = point_frames(data, start, {})

    assert points == [m for e in entries if isinstance(e.recorded, Batch) for m in e.recorded.metrics]
    assert (last, end) == (entries[-1].sequence, len(data))
    damaged = data[:-1] + bytes([data[-1] ^ 1])
    assert point_frames(damaged, start, {})[2] == entries[-1].sequence


def test_a_disk_that_is_full_is_an_error_and_leaves_nothing_of_the_entry(small_disk: Path) -> None:
    for kind in (PlainJournal, MappedJournal):
        journal = kind(small_disk, "r1")
        entry = Note("large", {"text": "x" * 10_000})
        while shutil.disk_usage(small_disk).free > 64 * 2**10:
            (small_disk / f"filler{len(list(small_disk.iterdir()))}").write_bytes(bytes(32 * 2**10))
        with pytest.raises(OSError, match="No space left"):
            fill(journal, entry)
        count = len(read_journal(journal.path)[1])
        for filler in small_disk.glob("filler*"):
            filler.unlink()
        journal.close()
        _, entries, faults = read_journal(journal.path)
        assert (len(entries), faults) == (count, ())
        assert all(e == Entry(e.sequence, 1, entry) for e in entries)
        journal.path.unlink()
