"""Damaged journals and indexes: everything that is sound is read, and each fault is told of once."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlcore_store_file.layout import Layout
from mlcore_store_file.registry import FileRegistry
from mlcore_store_file.store import FileStore

from mlcore.entities import Batch, Metric, NewRun, Param, RunQuery, RunTag
from mlcore.errors import CorruptStoreError, NotFoundError, StoreUnavailableError, UnsupportedError
from mlcore.journal import read_journal

RUN = "a" * 32


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """The journal of a run: its beginning, then three batches, long ago."""
    store = FileStore.open(tmp_path / "s")
    store.create_run(NewRun("0", RUN, "calm", "ada", 7))
    for number in range(3):
        point = Metric("m", float(number), number, number)
        store.log_batch(RUN, Batch((point,), (Param(f"p{number}", "v"),), (RunTag(f"t{number}", "v"),)))
    store.close()
    (path,) = Layout(tmp_path / "s").run(RUN).glob("*.journal")
    return path


def age(path: Path) -> None:
    """Let a file look as if nobody wrote it any more."""
    os.utime(path, (1_000_000_000, 1_000_000_000))


def seen(path: Path) -> set[str]:
    """The params that a fresh look at the store finds; each batch has one."""
    store = FileStore.open(path)
    try:
        run = store.get_run(RUN)
    except NotFoundError:
        return set()
    finally:
        store.close()
    points = store.get_metric_history(RUN, "m", max_results=9, page_token=None).items
    assert {f"p{point.step}" for point in points} == set(run.data.params), "a batch is there in part"
    return set(run.data.params)


def starts(path: Path) -> list[int]:
    """Where the entries of a journal begin, and its end."""
    return [*(entry.sequence for entry in read_journal(path)[1]), path.stat().st_size]


def test_of_a_journal_cut_off_anywhere_all_whole_entries_are_read(journal: Path, tmp_path: Path) -> None:
    entries = starts(journal)

    for end in range(journal.stat().st_size, -1, -1):
        os.truncate(journal, end)
        age(journal)
        whole = sum(following <= end for following in entries[2:5])
        assert seen(tmp_path / "s") == {f"p{number}" for number in range(whole)}, f"cut off at byte {end}"


def test_a_flipped_bit_costs_the_entry_that_it_is_in_and_no_other(journal: Path, tmp_path: Path) -> None:
    entries, sound = starts(journal), journal.read_bytes()

    for at in range(0, entries[4]):
        damaged = bytearray(sound)
        damaged[at] ^= 1 << (at % 8)
        journal.write_bytes(damaged)
        age(journal)
        lost = {f"p{number}" for number in range(3) if entries[number + 1] <= at < entries[number + 2]}
        assert seen(tmp_path / "s") == {"p0", "p1", "p2"} - lost, f"flipped at byte {at}"


def test_a_fault_is_told_of_once(journal: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    damaged = bytearray(journal.read_bytes())
    damaged[starts(journal)[2] + 12] ^= 1
    journal.write_bytes(damaged)
    store = FileStore.open(tmp_path / "s")

    for _ in range(3):
        store.get_run(RUN)
        store.search_runs(RunQuery(("0",)))
        store.get_metric_history(RUN, "m", max_results=9, page_token=None)

    assert [record.message for record in caplog.records] == [f"{store.faults[0]}; everything else in it was read"]
    assert "a checksum does not fit" in str(store.faults[0])


def test_a_run_whose_beginning_is_damaged_is_shown_with_the_rest(journal: Path, tmp_path: Path) -> None:
    damaged = bytearray(journal.read_bytes())
    damaged[starts(journal)[0] + 12] ^= 1
    journal.write_bytes(damaged)
    store = FileStore.open(tmp_path / "s")

    (run,) = store.search_runs(RunQuery(("0",))).items

    assert (run.info.run_id, run.info.experiment_id, set(run.data.params)) == (RUN, "0", {"p0", "p1", "p2"})


def test_a_damaged_journal_of_a_model_costs_one_entry(tmp_path: Path) -> None:
    registry = FileRegistry.open(tmp_path)
    registry.create_model("iris", description="d", tags={})
    for number in range(3):
        registry.create_version("iris", f"s3://{number}", run_id=None, run_link=None, description="", tags={})
    registry.close()
    (journal,) = (tmp_path / "models").glob("*/*.journal")
    damaged = bytearray(journal.read_bytes())
    damaged[starts(journal)[2] + 20] ^= 4
    journal.write_bytes(damaged)

    found = FileRegistry.open(tmp_path).search_versions("", order_by=(), max_results=9, page_token=None).items

    assert sorted(each.source for each in found) == ["s3://0", "s3://2"]


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_index_is_made_again_without_a_word(
    journal: Path, tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    store = FileStore.open(tmp_path / "s")
    before = store.search_runs(RunQuery(("0",)))
    store.close()
    (index,) = Layout(tmp_path / "s").index.glob("*.sqlite")
    index.write_bytes(damage)

    again = FileStore.open(tmp_path / "s")

    assert again.search_runs(RunQuery(("0",))) == before
    assert again.count_runs(RunQuery(("0",))) == 1
    assert caplog.records == []


def test_an_index_that_is_deleted_while_it_is_open_is_made_again(journal: Path, tmp_path: Path) -> None:
    store = FileStore.open(tmp_path / "s")
    before = store.search_runs(RunQuery(("0",)))
    shutil.rmtree(Layout(tmp_path / "s").index)

    store.close()

    assert store.search_runs(RunQuery(("0",))) == before


def test_an_index_that_another_program_locks_is_not_waited_for_for_ever(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlcore_store_file.index._BUSY_S", 0.1)
    store = FileStore.open(tmp_path / "s")
    before = store.search_runs(RunQuery(("0",)))
    (index,) = Layout(tmp_path / "s").index.glob("*.sqlite")
    with contextlib.closing(sqlite3.connect(index, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        fresh = FileStore.open(tmp_path / "s")
        fresh.create_run(NewRun("0", "b" * 32, "n", "u", 1))

        assert len(fresh.search_runs(RunQuery(("0",))).items) == len(before.items) + 1


def test_runs_that_were_removed_by_hand_are_gone_from_searches(journal: Path, tmp_path: Path) -> None:
    store = FileStore.open(tmp_path / "s")
    before = store.search_runs(RunQuery(("0",))).items

    shutil.rmtree(journal.parent)

    assert (len(before), store.search_runs(RunQuery(("0",))).items) == (1, ())
    with pytest.raises(NotFoundError):
        store.get_run(RUN)


def test_a_store_of_a_later_format_is_refused(tmp_path: Path) -> None:
    FileStore.open(tmp_path)
    (tmp_path / "mlcore-store.json").write_text('{"format": 2}')
    with pytest.raises(UnsupportedError, match="format 2, this mlcore-store-file reads 1"):
        FileStore.open(tmp_path)

    (tmp_path / "mlcore-store.json").write_text("no json")
    with pytest.raises(CorruptStoreError, match="does not say which format"):
        FileStore.open(tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount or "", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here, which takes root on Linux")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_told_of_and_leaves_whole_entries(small_disk: Path) -> None:
    store = FileStore.open(small_disk / "s")
    store.create_run(NewRun("0", RUN, "n", "u", 1))
    kept: list[int] = []

    def fill() -> None:
        for number in range(10_000):
            store.log_batch(RUN, Batch(tags=(RunTag(f"t{number}", "v" * 5000),)))
            kept.append(number)

    with pytest.raises(StoreUnavailableError, match="No space left"):
        fill()

    assert len(store.get_run(RUN).data.tags) == len(kept) + 1
    again = FileStore.open(small_disk / "s")
    assert len(again.get_run(RUN).data.tags) == len(kept) + 1
    assert len(again.search_runs(RunQuery(("0",))).items) == 1, "the index is kept in memory then"
    store.close()
    again.close()
