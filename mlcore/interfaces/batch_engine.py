"""The contract of a batch engine: scoring tables too large for one request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable


@runtime_checkable
class BatchEngine(Protocol):
    """Score a table on an engine such as Spark or Ray.

    To write one, make two files: `plugin.py` with the hook `batch_engine`, and `engine.py` with a class that has
    this method.
    """

    def score(self, model_uri: str, source_uri: str, target_uri: str, options: Mapping[str, object]) -> int:
        """Read the table at *source_uri*, predict every row, write to *target_uri*; return the number of rows.

        The target appears whole or not at all.
        """
        ...
