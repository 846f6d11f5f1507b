"""The process that reads a parquet file: from its standard input, some rows to its standard output, as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from mlcore_server.tables.cells import MOST_COLUMNS, Cell, Cutter, Window

_MOST_GROUP_BYTES = 128 << 20
# of those that are gone over to get to a row, and so at most some seconds
_MOST_CELLS = 20_000_000
_BATCH = 1000
_MOST_MEMORY = 2 << 30
_MOST_CPU_S = 20
_OLDEST = 15  # older ones may run code that is in a file


def main() -> None:
    """Read the rows that the arguments name, and tell them, or what is wrong."""
    _bound()
    window = Window(int(sys.argv[1]), int(sys.argv[2]))
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        _tell({"missing": "pyarrow"})
        return
    if int(pa.__version__.partition(".")[0]) < _OLDEST:
        _tell({"missing": f"pyarrow {_OLDEST} or later"})
        return
    try:
        with open(0, "rb", closefd=False) as file:  # a descriptor has no path
            _tell(_read(pq.ParquetFile(file), window))
    except MemoryError:
        _tell({"wrong": "the rows need too much memory: fetch the file"})
    except (pa.ArrowException, OSError, ValueError) as err:
        _tell({"wrong": f"the file is no parquet that can be read: {str(err)[:200]}"})


def _bound() -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _tell(answer: dict[str, object]) -> None:
    json.dump(answer, sys.stdout, allow_nan=False)


def _read(parquet: object, window: Window) -> dict[str, object]:
    schema, metadata = parquet.schema_arrow, parquet.metadata  # type: ignore[attr-defined]  # pyarrow has no types
    names = list(schema.names)[:MOST_COLUMNS]
    cutter = Cutter()
    cutter.has_cut = len(names) < len(schema.names)
    kinds = [str(schema.field(n).type)[:100] for n in range(len(names))]
    groups, before, size = _groups(metadata, window)
    if groups and (size > _MOST_GROUP_BYTES or (window.end - before) * len(names) > _MOST_CELLS):
        return {
            "wrong": f"the rows lie too deep in groups of {size} bytes, of which at most {_MOST_GROUP_BYTES} bytes "
            f"and {_MOST_CELLS} values are gone over for a page: fetch the file"
        }
    rows = _rows(parquet, groups, len(names), Window(window.offset - before, window.limit), cutter) if groups else []
    columns = [[cutter.text(name), kind] for name, kind in zip(names, kinds, strict=True)]
    return {"columns": columns, "rows": rows, "total": int(metadata.num_rows), "is_cut": cutter.has_cut}


def _groups(metadata: object, window: Window) -> tuple[list[int], int, int]:
    """Return the groups of rows that hold the window, how many rows are before them, and their size in bytes."""
    found: list[int] = []
    before = start = size = 0
    for n in range(metadata.num_row_groups):  # type: ignore[attr-defined]  # as above
        group = metadata.row_group(n)  # type: ignore[attr-defined]  # as above
        end = start + group.num_rows
        if end <= window.offset:
            before = end
        elif start < window.end:
            found.append(n)
            size += group.total_byte_size
        start = end
    return found, before, size


def _rows(parquet: object, groups: Sequence[int], width: int, window: Window, cutter: Cutter) -> list[Sequence[Cell]]:
    rows: list[Sequence[Cell]] = []
    at = 0
    names = [parquet.schema_arrow.field(n).name for n in range(width)]  # type: ignore[attr-defined]  # as above
    for batch in parquet.iter_batches(_BATCH, row_groups=groups, columns=names, use_threads=False):  # type: ignore[attr-defined]  # as above
        first, last = max(window.offset - at, 0), min(window.end - at, batch.num_rows)
        if first < last:
            columns = [column.to_pylist() for column in batch.slice(first, last - first).columns[:width]]
            rows += [[cutter.cell(value) for value in row] for row in zip(*columns, strict=True)]
        at += batch.num_rows
        if at >= window.end:
            break
    return rows


if __name__ == "__main__":
    main()
