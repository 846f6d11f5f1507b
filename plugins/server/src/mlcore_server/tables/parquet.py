"""Tables of parquet, by pyarrow where it is installed.

A file of a few bytes may stand for any amount of memory, and what reads it is no Python. So it is read by a process of
its own with bounds on memory and time: whatever becomes of that one, the server goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from io import UnsupportedOperation
from typing import BinaryIO

from mlcore.errors import InvalidParameterError, UnsupportedError
from mlcore_server.tables.cells import MOST_BYTES, Table, Window

_HINT = "pip install 'mlcore-server[tables]'"
_MOST_S = 30
_CHUNK = 1 << 20


def read_parquet(file: BinaryIO, window: Window) -> Table:
    """Read rows of a table; only the groups of rows are read that hold them.

    Raises UnsupportedError: pyarrow is not installed. InvalidParameterError: no parquet, or it is too large.
    """
    descriptor = None
    with suppress(OSError, UnsupportedOperation, AttributeError):
        descriptor = file.fileno()
    if descriptor is not None:
        return _asked(descriptor, window)
    with tempfile.TemporaryFile() as spool:  # of a storage elsewhere; the index is at the end of the file
        while piece := file.read(_CHUNK):
            spool.write(piece)
            if spool.tell() > MOST_BYTES:
                raise InvalidParameterError(
                    f"the file has more than {MOST_BYTES} bytes and does not lie on the server's own disk: fetch it"
                )
        spool.flush()
        return _asked(spool.fileno(), window)


def _asked(descriptor: int, window: Window) -> Table:
    """Ask a process that reads the file with a *descriptor*."""
    given = [sys.executable, "-P", "-m", "mlcore_server.tables.parquet_child", str(window.offset), str(window.limit)]
    env = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(  # noqa: S603  # our own program with two numbers
            given, stdin=descriptor, capture_output=True, timeout=_MOST_S, check=False, env=env
        )
        told = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as err:
        raise InvalidParameterError("the file can't be read within the bounds on memory and time: fetch it") from err
    if "missing" in told:
        raise UnsupportedError(f"to show tables of parquet, the server needs {told['missing']}: {_HINT}")
    if "wrong" in told:
        raise InvalidParameterError(str(told["wrong"]))
    return Table([(name, kind) for name, kind in told["columns"]], told["rows"], told["total"], told["is_cut"])
