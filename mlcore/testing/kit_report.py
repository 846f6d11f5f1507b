"""A pytest plugin that writes one JSON object per test into the file that `MLCORE_KIT_REPORT` names.

`mlcore plugins kit` loads it; it changes nothing in the tests.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

VARIABLE = "MLCORE_KIT_REPORT"


def pytest_configure(config: pytest.Config) -> None:
    """Note where to write before any test begins: tests may clear the environment."""
    target = os.environ.get(VARIABLE)
    if target:
        config.pluginmanager.register(KitWriter(Path(target)))


class KitWriter:
    """Writes the outcomes."""

    def __init__(self, target: Path) -> None:
        """Append to *target*."""
        self._target = target

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the outcome of a test, or of a fixture that failed."""
        if report.when != "call" and report.passed:
            return
        record = {
            "test": report.nodeid,
            "outcome": _outcome(report),
            "duration_ms": round(report.duration * 1000, 1),
            "message": _message(report),
        }
        with self._target.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def _outcome(report: pytest.TestReport) -> str:
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else "failed"
    return report.outcome


def _message(report: pytest.TestReport) -> str:
    if report.passed:
        return ""
    expected = getattr(report, "wasxfail", None)
    if expected:
        return str(expected)
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr or "")
