"""Which reader reads which file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import BinaryIO

from mlcore.errors import InvalidParameterError
from mlcore_server.files.spots import Spot
from mlcore_server.tables.bounded import Bounded
from mlcore_server.tables.cells import Table, Window

_MOST_ROWS = 1000


def read_table(spot: Spot, window: Window) -> Table:
    """Read some rows of the table in a file; how much of it is read is bounded.

    Raises InvalidParameterError: it is no table, or not one of a kind that is known. ArtifactNotFoundError.
    """
    if window.offset < 0 or not 1 <= window.limit <= _MOST_ROWS:
        raise InvalidParameterError(
            f"invalid offset {window.offset} or limit {window.limit}: expected 0 or more, and 1 to {_MOST_ROWS}"
        )
    _, dot, kind = spot.path.rpartition("/")[2].lower().rpartition(".")
    if not dot or kind not in _READERS:
        known = ", ".join(_READERS)
        raise InvalidParameterError(f"{spot.asked[:200]!r} is no table that is known: expected the ending {known}")
    spot.file_info()  # tells a directory from nothing
    with closing(spot.repo.read(spot.path)) as file:
        return _READERS[kind](file, window)


def _csv(file: BinaryIO, window: Window) -> Table:
    from mlcore_server.tables.delimited import read_delimited

    return read_delimited(Bounded(file), window, None)


def _tsv(file: BinaryIO, window: Window) -> Table:
    from mlcore_server.tables.delimited import read_delimited

    return read_delimited(Bounded(file), window, "\t")


def _json_lines(file: BinaryIO, window: Window) -> Table:
    from mlcore_server.tables.json_rows import read_json_lines

    return read_json_lines(Bounded(file), window)


def _json(file: BinaryIO, window: Window) -> Table:
    from mlcore_server.tables.json_rows import MOST_DOCUMENT, read_json_document

    return read_json_document(Bounded(file, MOST_DOCUMENT), window)


def _npy(file: BinaryIO, window: Window) -> Table:
    from mlcore_server.tables.npy import read_npy

    return read_npy(file, window)


def _parquet(file: BinaryIO, window: Window) -> Table:
    from mlcore_server.tables.parquet import read_parquet

    return read_parquet(file, window)


_READERS: dict[str, Callable[[BinaryIO, Window], Table]] = {
    "csv": _csv,
    "tsv": _tsv,
    "jsonl": _json_lines,
    "ndjson": _json_lines,
    "json": _json,
    "parquet": _parquet,
    "npy": _npy,
}
