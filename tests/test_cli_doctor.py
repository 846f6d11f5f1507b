"""`mlcore doctor`: origins of settings, health of plugins, places, disk and clock; secrets masked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlcore.cli import doctor, doctor_journals, doctor_spool
from mlcore.journal import PlainJournal
from mlcore.settings import Settings

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


def spool_findings(**environ: str) -> dict[str, tuple[str, str]]:
    found = doctor_spool.examine(Settings.load(environ={**os.environ, **environ}))
    return {subject: (status, detail) for subject, status, detail in found}


def test_what_waits_in_the_spool_was_refused_or_damaged_is_a_warning(examine: Doctor) -> None:
    spool = os.environ["MLCORE_SPOOL_DIR"]
    before = spool_findings()
    program = "import mlcore\nwith mlcore.start_run() as run: print(run.run_id)"
    away = {**os.environ, "MLCORE_OFFLINE": "1", "MLCORE_TRACKING_URI": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, "-c", program], env=away, capture_output=True, text=True, check=True)
    (folder,) = Path(spool).glob(f"*/{done.stdout.strip()}")

    code, waits = examine()
    (folder / "refused.jsonl").write_text(json.dumps({"what": "param 'p'", "message": "has another value"}) + "\n")
    next(folder.glob("*.journal")).rename(folder / "w.journal.damaged")
    _, told = spool_findings()["http://127.0.0.1:9"]

    assert before == {spool: ("ok", "0 B of at most 4.3 GB used")}
    waiting = pick(waits, "spool", "http://127.0.0.1:9")
    assert (code, waiting["status"]) == (0, "warning")
    assert waiting["detail"].startswith("1 run with ")
    assert waiting["detail"].endswith("not delivered. To do: mlcore sync")
    assert "1 refused record. To do: look at mlcore sync --status" in told
    assert "1 damaged journal. To do: look at mlcore sync --status" in told


def test_a_spool_without_a_place_or_room_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 2_000_000)
    nowhere, full = str(tmp_path / "file" / "spool"), str(tmp_path)

    status, detail = spool_findings(MLCORE_SPOOL_DIR=nowhere)[nowhere]

    assert status == "failed"
    assert "set MLCORE_SPOOL_DIR" in detail
    assert spool_findings(MLCORE_SPOOL_DIR=nowhere, MLCORE_STRICT="1")[nowhere][0] == "ok"
    status, detail = spool_findings(MLCORE_SPOOL_DIR=full, MLCORE_SPOOL_LIMIT_MB="1")[full]
    assert status == "warning"
    assert "or raise MLCORE_SPOOL_LIMIT_MB" in detail


def test_damaged_journals_of_a_directory_are_told_with_place_and_bytes(examine: Doctor, tmp_path: Path) -> None:
    journals = []
    for name in ("a", "b"):
        journal = PlainJournal(tmp_path, name)
        for step in range(3):
            journal.point("loss", 0.5, 1_700_000_000_000, step)
        journal.close()
        os.utime(journal.path, (1, 1))
        journals.append(journal.path)
    sound = doctor_journals.examine(tmp_path)
    data = bytearray(journals[0].read_bytes())
    data[-1] ^= 1
    journals[0].write_bytes(data)
    young = doctor_journals.examine(tmp_path)
    os.utime(journals[0], (1, 1))

    status, detail = doctor_journals.examine(tmp_path) or ("", "")

    assert sound == young == ("ok", "2 journals are sound")
    assert (status, doctor_journals.examine(tmp_path / "nowhere")) == ("warning", None)
    assert detail.startswith(f"1 of 2 journals are damaged: journal '{journals[0]}' is damaged from byte ")
    assert "To do: copy them from a backup" in detail


def test_journals_of_the_store_are_looked_at(examine: Doctor, tmp_path: Path) -> None:
    store = tmp_path / "runs of mine"
    store.mkdir()
    (store / "mlcore-store.json").write_text('{"format": 1}')
    (store / "runs").mkdir()
    (store / "runs" / "w.journal").write_bytes(b"no journal at all")
    os.utime(store / "runs" / "w.journal", (1, 1))

    _, found = examine(MLCORE_TRACKING_URI=str(store))

    assert pick(found, "journals", str(store))["status"] == "warning"
