"""`mlcore ui`: a server on the local store, and the browser."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

PROGRAM = "from mlcore.cli import main; raise SystemExit(main())"
READY = re.compile(r"mlcore ui is ready: (\S+)")


def _until(text: Path, found: re.Pattern[str], process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        told = found.search(text.read_text(encoding="utf-8") if text.exists() else "")
        if told is not None:
            return told[1]
        time.sleep(0.05)
    raise AssertionError(text.read_text(encoding="utf-8"))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_browser_is_opened_at_the_local_store_and_all_ends_together(tmp_path: Path, end: signal.Signals) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "opened $1" > {opened}\n', encoding="utf-8")
    browser.chmod(0o755)
    log = tmp_path / "log"
    environ = {**os.environ, "BROWSER": str(browser), "MLCORE_TRACKING_URI": f"sqlite:///{tmp_path}/mlcore.db"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "ui", "--port", "0"],
            env=environ,
            stderr=out,
            stdout=out,
            start_new_session=True,
        )
    try:
        url = _until(log, READY, process)
        assert _until(opened, re.compile(r"opened (\S+)"), process) == url
        assert "mlcore" in httpx.get(url, trust_env=False).text
        # a plugin for users is installed beside it, and nobody has an account on this machine's own store
        told = httpx.get(f"{url.removesuffix('/ui/')}/api/ui/1/manifest", trust_env=False)
        assert (told.status_code, told.json()["user"]) == (200, None)
        # as a terminal does: to everybody in the foreground
        os.killpg(process.pid, end)
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert Path(tmp_path, "mlcore.db").exists()
    assert not list(tmp_path.rglob("bootstrap-token")) + list(tmp_path.rglob("auth.db"))
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_without_the_server_it_says_which_plugin_is_switched_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlcore.cli import main

    monkeypatch.setenv("MLCORE_DISABLE_PLUGINS", "mlcore-server")

    assert main(["ui", "--no-browser"]) != 0
    assert "mlcore-server" in capsys.readouterr().err
