"""Tables in files of the memory, for the tests beside this module."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from mlcore_server.files.spots import Spot
from mlcore_server.tables.cells import Table, Window
from mlcore_server.tables.reading import read_table

from mlcore.testing.memory_repo import MemoryRepo


def shown(name: str, content: bytes, offset: int = 0, limit: int = 100) -> Table:
    """Return some rows of a file."""
    repo = MemoryRepo()
    repo.write(name, io.BytesIO(content), len(content))
    return read_table(Spot(repo, name, name), Window(offset, limit))


def rows(name: str, content: bytes, **more: int) -> list[list[object]]:
    return [[*row] for row in shown(name, content, **more).rows]


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def parquet(table: pa.Table, **options: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()
