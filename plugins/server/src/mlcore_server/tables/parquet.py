"""Tables of parquet, by pyarrow where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from mlcore.errors import InvalidParameterError, UnsupportedError
from mlcore_server.tables.cells import MOST_COLUMNS, Cell, Cutter, Table, Window

_MOST_GROUP_BYTES = 128 << 20
_BATCH = 1000
_HINT = "pip install 'mlcore-server[tables]'"


def read_parquet(file: BinaryIO, window: Window) -> Table:
    """Read rows of a table; only the groups of rows are read that hold them.

    Raises UnsupportedError: pyarrow is not installed. InvalidParameterError: no parquet, or a group is too large.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as err:
        raise UnsupportedError(f"to show tables of parquet, the server needs pyarrow: {_HINT}") from err
    try:
        parquet = pq.ParquetFile(file)
        names = list(parquet.schema_arrow.names)[:MOST_COLUMNS]
        cutter = Cutter()
        cutter.has_cut = len(names) < len(parquet.schema_arrow.names)
        types = [str(parquet.schema_arrow.field(n).type)[:100] for n in range(len(names))]
        groups, before = _groups(parquet.metadata, window)
        rows = _rows(parquet, groups, names, Window(window.offset - before, window.limit), cutter) if groups else []
        return Table(list(zip(names, types, strict=True)), rows, int(parquet.metadata.num_rows), cutter.has_cut)
    except (pa.ArrowException, OSError, ValueError) as err:
        if isinstance(err, InvalidParameterError):
            raise
        raise InvalidParameterError(f"the file is no parquet that can be read: {str(err)[:200]}") from err


def _groups(metadata: object, window: Window) -> tuple[list[int], int]:
    """Return the groups of rows that hold the window, and how many rows are before them."""
    found: list[int] = []
    before = start = 0
    size = 0
    for n in range(metadata.num_row_groups):  # type: ignore[attr-defined]  # pyarrow has no types
        group = metadata.row_group(n)  # type: ignore[attr-defined]  # as above
        end = start + group.num_rows
        if end <= window.offset:
            before = end
        elif start < window.end:
            found.append(n)
            size += group.total_byte_size
        start = end
    if size > _MOST_GROUP_BYTES:
        raise InvalidParameterError(
            f"the rows lie in groups of {size} bytes, at most {_MOST_GROUP_BYTES} are read for a page: fetch the file"
        )
    return found, before


def _rows(parquet: object, groups: Sequence[int], names: list[str], window: Window, cutter: Cutter) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    at = 0
    batches = parquet.iter_batches(_BATCH, row_groups=groups, columns=names)  # type: ignore[attr-defined]  # as above
    for batch in batches:
        first, last = max(window.offset - at, 0), min(window.end - at, batch.num_rows)
        if first < last:
            columns = [column.to_pylist() for column in batch.slice(first, last - first).columns]
            rows += [[cutter.cell(value) for value in row] for row in zip(*columns, strict=True)]
        at += batch.num_rows
        if at >= window.end:
            break
    return rows
