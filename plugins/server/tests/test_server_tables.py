"""Tables in files: some rows at a time, of whatever people call a table, within bounds."""

from __future__ import annotations

import io
import json
import tracemalloc
from contextlib import suppress

import httpx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlcore_server.files.spots import Spot
from mlcore_server.tables.bounded import Bounded
from mlcore_server.tables.cells import MOST_CHARACTERS, MOST_COLUMNS, Table, Window
from mlcore_server.tables.delimited import read_delimited
from mlcore_server.tables.reading import read_table
from server_tables import npy, parquet, rows, shown

from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore.testing.memory_repo import MemoryRepo


class Endless(io.RawIOBase):
    """A file that goes on for ever and notes how much was taken."""

    def __init__(self, piece: bytes) -> None:
        self.piece = piece
        self.taken = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        wanted = 1 << 20 if size is None or size < 0 else size
        self.taken += wanted
        return (self.piece * (wanted // len(self.piece) + 1))[:wanted]


class TestCsv:
    def test_columns_types_and_rows_are_told(self) -> None:
        found = shown("t.csv", b'id,score,ok,name\n1,0.5,true,a\n2,-1e3,False,"b, c"\n')

        assert found == Table(
            [("id", "integer"), ("score", "number"), ("ok", "boolean"), ("name", "text")],
            [["1", "0.5", "true", "a"], ["2", "-1e3", "False", "b, c"]],
            2,
        )

    def test_any_rows_are_read(self) -> None:
        content = b"n\n" + b"".join(b"%d\n" % n for n in range(5000))

        found = shown("t.csv", content, offset=4990, limit=5)

        assert ([row[0] for row in found.rows], found.total) == (["4990", "4991", "4992", "4993", "4994"], 5000)
        assert shown("t.csv", content, offset=6000).rows == []

    @pytest.mark.parametrize("mark", [";", "\t", "|", ","])
    def test_what_separates_is_found_out(self, mark: str) -> None:
        content = f'"a,b{mark}c"{mark}d\n1{mark}2\n'.encode()

        assert shown("t.csv", content).columns == [(f"a,b{mark}c", "integer"), ("d", "integer")]

    def test_tabs_separate_in_tsv(self) -> None:
        assert rows("t.tsv", b"a,b\tc\n1,2\t3\n") == [["1,2", "3"]]

    def test_rows_of_any_length_are_made_even(self) -> None:
        found = shown("t.csv", b"a,b\n1\n2,3,4,5\n\n6,7\n")

        assert [name for name, _ in found.columns] == ["a", "b", "column 3", "column 4"]
        assert found.rows == [["1", None, None, None], ["2", "3", "4", "5"], ["6", "7", None, None]]

    @pytest.mark.parametrize(
        ("encoding", "mark"),
        [
            ("utf-8", b""),
            ("utf-8-sig", b""),
            ("utf-16", b""),
            ("utf-16-le", b"\xff\xfe"),
            ("utf-32", b""),
            ("cp1252", b""),
        ],
    )
    def test_encodings_are_found_out(self, encoding: str, mark: bytes) -> None:
        found = shown("t.csv", mark + "größe,ö\n1,€\n".encode(encoding))

        assert (found.columns, found.rows) == ([("größe", "integer"), ("ö", "text")], [["1", "€"]])

    def test_a_letter_that_lies_across_what_is_looked_at_is_no_other_encoding(self) -> None:
        content = b"a\n" + b"x" * (64 * 1024 - 3) + "ö\nü\n".encode()

        assert rows("t.csv", content, offset=1) == [["ü"]]

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_lines_end_as_on_any_machine(self, end: str) -> None:
        assert rows("t.csv", f'a,b{end}1,"x{end}y"{end}2,z'.encode()) == [["1", f"x{end}y"], ["2", "z"]]

    def test_long_texts_and_many_columns_are_cut_and_told_of(self) -> None:
        wide = b",".join(b"%d" % n for n in range(MOST_COLUMNS + 5))
        for content in (b"a\n" + b"x" * 5000, wide + b"\n" + wide):
            found = shown("t.csv", content)

            assert found.is_cut
            assert len(found.columns) <= MOST_COLUMNS
            assert max(len(str(cell)) for cell in found.rows[0]) <= MOST_CHARACTERS + 1

    def test_an_endless_text_ends_the_table_and_nothing_else(self) -> None:
        found = shown("t.csv", b'a\n1\n"' + b"x\n" * 200_000)

        assert (found.rows, found.total, found.is_cut) == ([["1"]], None, True)

    @pytest.mark.parametrize("piece", [b"1,2\n", b"x", b'"', b"\n", b"\x00", b"\xff", b'"\n'])
    def test_no_more_than_the_bound_is_read(self, piece: bytes) -> None:
        file = Endless(piece)
        tracemalloc.start()

        found = read_delimited(Bounded(file, 512 << 10), Window(10**9, 10), None)  # type: ignore[arg-type]  # read is all it needs

        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (found.rows, found.total) == ([], None)
        assert file.taken <= (512 << 10) + 1
        assert most < 48 << 20

    @pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b"\n\n\n"])
    def test_an_empty_file_is_an_empty_table(self, content: bytes) -> None:
        assert shown("t.csv", content) == Table([], [], 0)

    def test_what_is_no_number_is_none(self) -> None:
        found = shown("t.csv", b"a,b,c,d\n007,1_000,\xd9\xa1,1e99999\n1,nan,-inf,2\n")

        assert [kind for _, kind in found.columns] == ["integer", "text", "text", "text"]


class TestJson:
    def test_keys_of_all_rows_are_columns(self) -> None:
        found = shown("t.jsonl", b'{"a": 1, "b": "x"}\n\n{"b": null, "c": 1.5}\n{"c": 2}\n')

        assert found.columns == [("a", "integer"), ("b", "text"), ("c", "number")]
        assert found.rows == [[1, "x", None], [None, None, 1.5], [None, None, 2]]
        assert found.total == 3

    def test_lists_single_values_and_lines_that_are_no_json_are_shown(self) -> None:
        found = shown("t.ndjson", b'[1, 2]\n3\nnot json\n{"value": [1, {"a": 2}]}\n' + b"[" * 5000)

        assert [name for name, _ in found.columns] == ["column 1", "column 2", "value"]
        assert found.rows[0] == [1, 2, None]
        assert [row[2] for row in found.rows[1:4]] == [3, "not json", '[1, {"a": 2}]']

    def test_numbers_that_json_does_not_have_are_texts(self) -> None:
        content = b'{"a": NaN, "b": -Infinity, "c": 12345678901234567890, "d": 1e999, "e": ' + b"9" * 3000 + b"}"

        (row,) = shown("t.jsonl", content).rows

        assert row[:4] == ["NaN", "-Infinity", "12345678901234567890", "Infinity"]
        assert len(str(row[4])) == MOST_CHARACTERS + 1

    def test_a_number_of_too_many_digits_is_shown_as_text(self) -> None:
        (row,) = shown("t.jsonl", b"9" * 100_000).rows

        assert str(row[0]).startswith("99")

    def test_what_pandas_writes_is_a_table(self) -> None:
        split = {"columns": ["a", "b"], "index": [0, 1], "data": [[1, "x"], [2, None, 3]]}

        found = shown("t.json", json.dumps(split).encode(), offset=1)

        assert found == Table([("a", "integer"), ("b", "text"), ("column 3", "integer")], [[2, None, 3]], 2)

    def test_a_list_of_rows_is_a_table(self) -> None:
        assert shown("t.json", b'[{"a": 1}, {"a": 2}]', offset=1) == Table([("a", "integer")], [[2]], 2)

    @pytest.mark.parametrize("content", [b'{"a": 1}', b"1", b"", b"{", b"[" * 100_000, b'{"data": 1, "columns": []}'])
    def test_a_document_that_is_no_table_is_told_of(self, content: bytes) -> None:
        with pytest.raises(InvalidParameterError, match="JSON"):
            shown("t.json", content)

    def test_a_large_document_is_not_read(self) -> None:
        with pytest.raises(InvalidParameterError, match="more than 8388608 bytes"):
            shown("t.json", b"[" + b" " * (9 << 20) + b"]")

    def test_keys_without_end_are_cut(self) -> None:
        found = shown("t.jsonl", b"".join(b'{"%d": 1}\n' % n for n in range(1000)) + b'{"more": 1}\n', limit=1000)
        more = shown("t.jsonl", json.dumps({str(n): n for n in range(MOST_COLUMNS + 1)}).encode())

        assert (len(found.columns), found.is_cut, more.is_cut) == (MOST_COLUMNS, False, True)


class TestAnyFile:
    @pytest.mark.parametrize("name", ["t.txt", "csv", "t", "t.pkl", "t.xlsx"])
    def test_another_kind_of_file_is_an_error_that_names_those_that_are_known(self, name: str) -> None:
        with pytest.raises(InvalidParameterError, match="expected the ending csv, tsv, jsonl"):
            shown(name, b"")

    @pytest.mark.parametrize(("offset", "limit"), [(-1, 1), (0, 0), (0, 1001), (0, -1)])
    def test_bounds_are_checked(self, offset: int, limit: int) -> None:
        with pytest.raises(InvalidParameterError, match="expected 0 or more"):
            shown("t.csv", b"", offset, limit)

    def test_a_missing_file_is_not_found(self) -> None:
        with pytest.raises(NotFoundError):
            read_table(Spot(MemoryRepo(), "x.csv", "x.csv"), Window(0, 1))

    def test_a_storage_without_parts_is_read_from_the_start(self) -> None:
        class Slow(MemoryRepo):
            def read(self, path: str) -> io.BytesIO:  # type: ignore[override]  # what comes over a network
                return _Stream(super().read(path).read())

        array = np.arange(30_000.0).reshape(-1, 3)
        repo = Slow()
        for name, content in (("t.npy", npy(array)), ("t.parquet", parquet(pa.table({"a": array[:, 0]})))):
            repo.write(name, io.BytesIO(content), len(content))

            found = read_table(Spot(repo, name, name), Window(9000, 2))

            assert [row[0] for row in found.rows] == [27000.0, 27003.0]

    @pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl", "t.json", "t.npy"])
    @given(content=st.binary(max_size=300), offset=st.integers(0, 5), limit=st.integers(1, 5))
    @settings(max_examples=50, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def test_no_content_breaks_a_reader(self, name: str, content: bytes, offset: int, limit: int) -> None:
        starts = {"t.npy": npy(np.zeros(3))[:100], "t.json": b"["}
        for whole in (content, starts.get(name, b"a,b\n") + content):
            try:
                found = shown(name, whole, offset, limit)
            except InvalidParameterError:
                continue
            else:
                json.dumps([found.columns, found.rows], allow_nan=False)
                assert {len(row) for row in found.rows} <= {len(found.columns)}

    @given(at=st.integers(0, 150), byte=st.integers(0, 255))
    @settings(max_examples=80, deadline=None, derandomize=True, database=None)
    def test_no_flipped_byte_breaks_the_reader_of_arrays(self, at: int, byte: int) -> None:
        broken = bytearray(npy(np.arange(6.0).reshape(2, 3)))
        broken[at] = byte
        with suppress(InvalidParameterError):
            shown("t.npy", bytes(broken))

    def test_no_flipped_byte_of_parquet_breaks_the_server(self) -> None:
        whole = parquet(pa.table({"a": range(9), "b": list("abcdefghi")}))
        for at in (40, len(whole) - 100):
            broken = bytearray(whole)
            broken[at] ^= 0x55
            with suppress(InvalidParameterError):
                shown("t.parquet", bytes(broken))


class _Stream(io.BytesIO):
    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation


class TestOverHttp:
    def test_a_table_is_answered(self, http: httpx.Client) -> None:
        made = http.post("/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}).json()["run"]["info"]
        to = f"/api/2.0/mlflow-artifacts/artifacts/0/{made['run_id']}/artifacts/d/t.csv"
        assert http.put(to, content=b"a,b\n1,x\n2,\n").status_code == 200

        asked = {"run_id": made["run_id"], "path": "d/t.csv", "offset": 1, "limit": 1}
        answer = http.get("/api/ui/1/artifacts:table", params=asked)

        assert answer.json() == {
            "columns": [{"name": "a", "type": "integer"}, {"name": "b", "type": "text"}],
            "rows": [["2", ""]],
            "total": 2,
            "truncated": False,
        }
        assert http.get("/api/ui/1/artifacts:table", params={**asked, "path": "d"}).status_code == 400
        assert http.get("/api/ui/1/artifacts:table", params={**asked, "path": "x.csv"}).status_code == 404
