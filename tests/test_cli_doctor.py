"""`mlcore doctor`: origins of settings, health of plugins, places, disk and clock; secrets masked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlcore.cli import doctor

Doctor = Callable[..., tuple[int, list[dict[str, str]]]]


@pytest.fixture
def examine(tmp_path: Path) -> Doctor:
    def run(**environ: str) -> tuple[int, list[dict[str, str]]]:
        done = subprocess.run(
            [sys.executable, "-m", "mlcore.cli", "doctor", "--json"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stderr == ""
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    return run


def pick(found: list[dict[str, str]], check: str, subject: str) -> dict[str, str]:
    return next(f for f in found if (f["check"], f["subject"]) == (check, subject))


def test_each_setting_is_told_with_its_origin_and_secrets_are_masked(examine: Doctor, tmp_path: Path) -> None:
    (tmp_path / "mlcore.toml").write_text("progress = false\n")

    code, found = examine(MLCORE_REGISTRY_URI="postgresql://me:s3cret@db/x", MLFLOW_PORT="5050")

    assert code == 0
    assert pick(found, "settings", "progress")["detail"] == f"false from file {tmp_path}/mlcore.toml: progress"
    assert pick(found, "settings", "port")["detail"] == "5050 from environment MLFLOW_PORT"
    assert "me:***@db" in pick(found, "settings", "registry_uri")["detail"]
    assert "s3cret" not in str(found)


@pytest.mark.parametrize("code", ["import sys; sys.exit(7)", "import ctypes; ctypes.string_at(0)"])
def test_a_broken_plugin_makes_it_fail_and_is_named_with_the_fix(examine: Doctor, tmp_path: Path, code: str) -> None:
    info = tmp_path / "site" / "acme-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[mlcore.artifact_repo]\ngold = acme\n")
    (tmp_path / "site" / "acme.py").write_text(code)

    exit_code, found = examine()

    told = pick(found, "plugin", "artifact_repo:gold")
    assert (exit_code, told["status"]) == (1, "failed")
    assert told["detail"].startswith("acme 1.0: ")
    assert "To do: " in told["detail"]
    assert pick(found, "plugin", "tracking_store:sqlite")["status"] == "ok"


def test_the_artifact_root_is_written_to_and_left_clean(examine: Doctor, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()

    code, found = examine(MLCORE_ARTIFACT_ROOT=str(tmp_path / "root"))

    told = pick(found, "artifact root", str(tmp_path / "root"))
    assert (code, told["status"]) == (0, "ok")
    assert list((tmp_path / "root").iterdir()) == []


def test_an_artifact_root_that_nobody_opens_makes_it_fail(examine: Doctor) -> None:
    code, found = examine(MLCORE_ARTIFACT_ROOT="gold://mine/1")

    told = pick(found, "artifact root", "gold://mine/1")
    assert (code, told["status"]) == (1, "failed")
    assert "no installed plugin answers artifact_repo scheme 'gold'" in told["detail"]


def test_the_clock_is_told_and_one_before_the_release_is_a_failure(tmp_path: Path) -> None:
    now = doctor._clock(tmp_path)
    early = doctor._clock(tmp_path, at_ms=0)

    assert (now.status, now.detail[-6:]) == ("ok", "+00:00")
    assert (early.status, "set the clock" in early.detail) == ("failed", True)


def test_a_clock_off_that_of_the_disk_is_a_warning(tmp_path: Path) -> None:
    found = doctor._clock(tmp_path, at_ms=1_800_000_000_000)

    assert found.status == "warning"
    assert "off the clock of" in found.detail
