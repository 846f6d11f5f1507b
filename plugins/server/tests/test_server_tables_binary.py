"""Tables in files of arrays and of parquet: some rows at a time, within bounds."""

from __future__ import annotations

import datetime as dt
import io
import math
import struct
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from mlcore_server.tables.cells import Window
from mlcore_server.tables.npy import read_npy
from server_tables import npy, parquet, rows, shown

from mlcore.errors import InvalidParameterError


class TestNpy:
    @pytest.mark.parametrize("dtype", ["f2", "<f4", ">f8", "i1", ">i2", "<i4", "i8", "u1", "u2", ">u4", "u8", "?"])
    def test_numbers_of_every_type_are_read(self, dtype: str) -> None:
        array = np.array([[0, 1, 2], [1, 0, 1]]).astype(dtype)

        assert rows("t.npy", npy(array)) == array.tolist()

    @pytest.mark.parametrize("dtype", ["<U3", ">U3", "S3"])
    def test_texts_are_read(self, dtype: str) -> None:
        assert rows("t.npy", npy(np.array(["a", "bcd", ""], dtype))) == [["a"], ["bcd"], [""]]

    @pytest.mark.parametrize("shape", [(), (7,), (7, 3), (7, 2, 3), (0,), (0, 3), (3, 0), (2, 3, 4, 5)])
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_arrays_of_every_shape_are_read(self, shape: tuple[int, ...], order: str) -> None:
        array = np.asarray(np.arange(math.prod(shape), dtype=float).reshape(shape), order=order)  # type: ignore[call-overload]  # a text

        found = shown("t.npy", npy(array), offset=1, limit=3)

        expected = array.reshape(shape[0] if shape else 1, math.prod(shape[1:]))[1:4].tolist()
        assert [[*row] for row in found.rows] == expected
        assert found.total == (shape[0] if shape else 1)

    def test_further_axes_are_in_the_names_of_columns(self) -> None:
        array = np.arange(24).reshape(2, 3, 4)

        found = shown("t.npy", npy(array))

        assert found.columns[6] == ("1,2", "integer")
        assert found.rows[1][6] == array[1, 1, 2]

    def test_numbers_that_json_does_not_have_are_texts(self) -> None:
        array = np.array([math.nan, math.inf, -math.inf, 0.1])

        assert rows("t.npy", npy(array)) == [["NaN"], ["Infinity"], ["-Infinity"], [0.1]]
        assert rows("t.npy", npy(np.array([2**63], "u8"))) == [["9223372036854775808"]]

    @pytest.mark.parametrize(
        ("array", "told"),
        [
            (np.array([{}], dtype=object), "Python's objects"),
            (np.zeros(1, [("a", "f8")]), "named fields"),
            (np.zeros(1, "c16"), "type '<c16'"),
            (np.zeros(1, "M8[s]"), "type '<M8"),
        ],
        ids=["objects", "fields", "complex", "times"],
    )
    def test_what_is_not_shown_is_told_of(self, array: np.ndarray, told: str) -> None:
        with pytest.raises(InvalidParameterError, match=told):
            shown("t.npy", npy(array))

    def test_a_header_that_promises_too_much_costs_nothing(self) -> None:
        for shape, told in (((2**61, 8), "ends before"), ((2**40,), "ends before"), ((5, 2**40), "more than")):
            header = repr({"descr": "<f8", "fortran_order": False, "shape": shape}).encode()
            content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header

            with pytest.raises(InvalidParameterError, match=told):
                shown("t.npy", content)

    @pytest.mark.parametrize(
        "header",
        [
            b"(" * 60_000,
            b"{'descr': __import__('os').system('x')}",
            b"[]",
            b"\xff",
            b"{'shape': (-1,), 'descr': '<f8'}",
            b"9" * 6000,
        ],
    )
    def test_a_hostile_header_is_an_error(self, header: bytes) -> None:
        with pytest.raises(InvalidParameterError, match="header of the array"):
            read_npy(io.BytesIO(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header), Window(0, 10))


class TestParquet:
    def test_rows_of_several_groups_are_read(self) -> None:
        content = parquet(pa.table({"n": range(1000), "t": [f"x{n}" for n in range(1000)]}), row_group_size=300)

        for offset, limit in ((299, 2), (250, 700), (1000, 5)):
            found = shown("t.parquet", content, offset=offset, limit=limit)

            assert [row[0] for row in found.rows] == [*range(1000)][offset : offset + limit]
            assert (found.columns, found.total) == ([("n", "int64"), ("t", "string")], 1000)

    def test_values_are_as_json_can_hold_them(self) -> None:
        row = {
            "time": dt.datetime(2024, 1, 2, 3, 4, 5),
            "day": dt.date(2024, 1, 2),
            "raw": b"\x00\xff",
            "list": [1, None],
            "map": {"a": [b"x"], "b": dt.date(2024, 1, 2)},
            "decimal": Decimal("1.50"),
            "big": 2**60,
            "nan": math.nan,
            "none": None,
        }

        found = shown("t.parquet", parquet(pa.Table.from_pylist([row])))

        assert found.rows == [
            [
                "2024-01-02T03:04:05",
                "2024-01-02",
                "00ff",
                "[1, null]",
                '{"a": ["78"], "b": "2024-01-02"}',
                "1.50",
                str(2**60),
                "NaN",
                None,
            ]
        ]

    def test_rows_that_lie_too_deep_are_not_read(self) -> None:
        content = parquet(pa.table({"n": np.zeros(21_000_000, "i1")}), row_group_size=21_000_000)

        assert len(content) < 100_000
        assert len(shown("t.parquet", content, offset=1_000_000).rows) == 100
        with pytest.raises(InvalidParameterError, match="at most 134217728 bytes and 20000000 values"):
            shown("t.parquet", content, offset=20_500_000)

    def test_a_small_file_that_stands_for_much_does_not_hurt_the_server(self) -> None:
        once = pa.DictionaryArray.from_arrays(pa.array([0] * 900, "i4"), pa.array(["x" * (8 << 20)]))
        content = parquet(pa.table({"t": once}), compression="zstd", store_schema=False)

        assert len(content) < 1 << 20
        with pytest.raises(InvalidParameterError, match="memory"):
            shown("t.parquet", content)

    @pytest.mark.parametrize("content", [b"", b"PAR1" * 100])
    def test_no_parquet_is_an_error(self, content: bytes) -> None:
        with pytest.raises(InvalidParameterError, match="no parquet"):
            shown("t.parquet", content)
