"""A record of every hook call and plugin import, one JSON object per line, for `MLCORE_TRACE`.

Without the variable nothing is wrapped and nothing is paid.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
VARIABLE = "MLCORE_TRACE"
IMPORT = "import"  # stands for a hook's name where a plugin's module was imported

logger: logging.Logger = logging.getLogger(__name__)


class PluginTrace:
    """Where calls are written to; several threads and processes may share one file."""

    def __init__(self, target: str) -> None:
        """Write to the file *target*, or to the standard error for `stderr` or `1`."""
        self._file: int | None = None
        if target not in ("stderr", "1"):
            self._file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def wrap(self, hook: str, plugin: str, call: Callable[..., T]) -> Callable[..., T]:
        """Return *call* that records each of its calls."""

        def traced(**kwargs: object) -> T:
            return self.timed(hook, plugin, lambda: call(**kwargs))

        return traced

    def timed(self, hook: str, plugin: str, work: Callable[[], T]) -> T:
        """Do *work* and record how long it took and how it ended; what it raises passes."""
        started = time.perf_counter_ns()
        try:
            answer = work()
        except BaseException as err:
            self._write(hook, plugin, started, f"raised {type(err).__name__}: {err}")
            raise
        nothing = answer is None or answer == []
        self._write(hook, plugin, started, "none" if nothing else "answered")
        return answer

    def _write(self, hook: str, plugin: str, started: int, outcome: str) -> None:
        record = {
            "hook": hook,
            "plugin": plugin,
            "duration_us": round((time.perf_counter_ns() - started) / 1000, 1),
            "outcome": outcome,
            "pid": os.getpid(),
        }
        line = json.dumps(record, ensure_ascii=False) + "\n"
        if self._file is None:
            sys.stderr.write(line)
        else:
            os.write(self._file, line.encode("utf-8", "replace"))  # one write with O_APPEND: lines stay whole


def from_environ() -> PluginTrace | None:
    """Return the trace that `MLCORE_TRACE` asks for; None when it is unset or its file cannot be opened."""
    target = os.environ.get(VARIABLE)
    if not target:
        return None
    try:
        return PluginTrace(target)
    except OSError as err:
        logger.warning("plugin calls are not traced: %s=%r cannot be opened: %s", VARIABLE, target, err)
        return None
