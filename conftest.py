"""Every test of the repository runs alone: own home and working directory, no settings of the machine, no shared caches."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Require = Callable[[str, bool, str], None]

ROOT = Path(__file__).resolve().parent

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # started in the background by a shell: the programs that tests end as a Ctrl-C does would inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(("MLCORE_", "MLFLOW_")) and name not in ("MLCORE_REQUIRE", "MLCORE_PEER_MLFLOW"):
            monkeypatch.delenv(name)
    home = tmp_path / ".home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MLCORE_SPOOL_DIR", str(tmp_path / ".spool"))
    # git and matplotlib would read the machine's configuration and write caches into the new home, slowly
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("MPLCONFIGDIR", os.environ.get("MPLCONFIGDIR", str(ROOT / ".cache" / "matplotlib")))
    monkeypatch.chdir(tmp_path)
    yield
    _forget_process_state()


def _forget_process_state() -> None:
    """Let go of what the process keeps: open runs, the fluent API's session, plugins; of imported modules only."""
    active = sys.modules.get("mlcore.tracking.active")
    if active is not None:
        for run in (*active.open_runs.all(), *active.stack()):
            active.remove(run)
    session = sys.modules.get("mlcore.tracking.session")
    if session is not None:
        opened = session._current.swap(None)
        if opened is not None:
            opened.close()
    plugins = sys.modules.get("mlcore.plugins")
    if plugins is not None:
        plugins.current.cache_clear()


@pytest.fixture(scope="session")
def require() -> Require:
    """Return a function that skips a test whose outside part is absent: `require("mlflow", found, "make peer")`.

    Under MLCORE_REQUIRE=all, or a list of parts that names it, an absent part is a failure; `all,-docker` excepts one.
    """
    wanted = [part.strip() for part in os.environ.get("MLCORE_REQUIRE", "").split(",") if part.strip()]

    def check(part: str, present: bool, install: str) -> None:
        if present:
            return
        reason = f"{part} is absent; to have it: {install}"
        if part in wanted or ("all" in wanted and f"-{part}" not in wanted):
            pytest.fail(f"{reason} (demanded by MLCORE_REQUIRE={','.join(wanted)})", pytrace=False)
        pytest.skip(reason)

    return check


@pytest.fixture(scope="session")
def peer_mlflow(require: Require) -> Path:
    """Return the Python of an environment with MLflow, or skip."""
    chosen = os.environ.get("MLCORE_PEER_MLFLOW")
    python = Path(chosen) if chosen else ROOT / ".cache" / "peers" / "mlflow" / "bin" / "python"
    require("mlflow", python.exists(), "make peer")
    return python


@pytest.fixture(scope="session")
def peer_mlflow_plugins(require: Require) -> Path:
    """Return the Python of an environment with MLflow, plugins that others wrote for it, and the bridge, or skip."""
    python = ROOT / ".cache" / "peers" / "mlflow_plugins" / "bin" / "python"
    require("mlflow", python.exists(), "make peer")
    return python
