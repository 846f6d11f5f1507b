"""Importing and asking for help never touch the network, whatever the settings say."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

# What opens a way to other machines, seen by the interpreter itself.
REFUSE = """
import runpy, sys
def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        raise SystemExit(f"touched the network: {event} {arguments[1:]}")
sys.addaudithook(hook)
"""
IMPORTS = ("mlcore", "mlcore.tracking.fluent", "mlcore.tracking.client", "mlcore.cli", "mlcore_store_rest.plugin")
COMMANDS = (
    ["--help"],
    ["--version"],
    ["runs", "--help"],
    ["server", "--help"],
    ["plugins", "list"],
    ["config", "show"],
)


def _python(code: str, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", REFUSE + code],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def unreachable() -> Mapping[str, str]:
    return {
        "MLCORE_TRACKING_URI": "http://127.0.0.1:9",
        "MLCORE_REGISTRY_URI": "http://tracking.invalid",
        "MLCORE_EXPERIMENT_NAME": "an experiment",
    }


def test_importing_every_part_that_users_import_touches_no_network(unreachable: Mapping[str, str]) -> None:
    done = _python(f"for name in {IMPORTS!r}: __import__(name)", unreachable)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_that_reads_no_store_touches_no_network(command: list[str], unreachable: Mapping[str, str]) -> None:
    done = _python(
        f"sys.argv = ['mlcore', *{command!r}]\nrunpy.run_module('mlcore.cli', run_name='__main__')", unreachable
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_guard_of_these_tests_sees_a_connection(unreachable: Mapping[str, str]) -> None:
    done = _python("import mlcore; mlcore.search_experiments()", unreachable)

    assert done.returncode != 0
    assert "touched the network" in done.stderr
