"""S-MODES: the file is for its user alone, for several processes, across crashes."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from auth_basic_town import OPERATOR, PHRASE, Town, quick_authority
from mlcore_auth_basic import accounts
from mlcore_auth_basic.database import FILE, Database
from mlcore_auth_basic.schema import VERSION

from mlcore.entities import AuditEntry, Resource
from mlcore.errors import CorruptStoreError, MlcoreError, SettingsError, StoreUnavailableError

MAKE = """
import os, sys
os.umask(0)
from pathlib import Path
from mlcore.hookspecs import WebContext
from mlcore_auth_basic.web import parts
from mlcore_auth_basic.administration import By
authority = parts(WebContext("sqlite://", "sqlite://", sys.argv[1]))[0]
authority.administration.add_user(By("operator:x"), "ada", "a horse, a battery")
input()
"""


def test_nothing_is_open_to_others_under_any_umask(tmp_path: Path) -> None:
    state = tmp_path / "deep" / "state"

    with subprocess.Popen(
        [sys.executable, "-c", MAKE, str(state)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        while not (state / "auth.db-wal").exists() or not (state / "bootstrap-token").exists():
            assert process.poll() is None, process.stderr.read()
        made = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "deep", state, *state.iterdir())}
        process.communicate("\n", timeout=60)

    assert {path.name for path in made} >= {"deep", "state", "auth.db", "auth.db-wal", "auth.db-shm", "bootstrap-token"}
    assert {path.name: oct(mode) for path, mode in made.items() if mode & 0o077} == {}


def test_a_file_that_others_could_read_is_closed_to_them(state_dir: Path) -> None:
    Database.open(state_dir).close()
    (state_dir / FILE).chmod(0o666)

    Database.open(state_dir).close()

    assert stat.S_IMODE((state_dir / FILE).stat().st_mode) == 0o600


def test_a_directory_that_everybody_may_write_into_is_refused(state_dir: Path) -> None:
    state_dir.mkdir()
    state_dir.chmod(0o777)

    with pytest.raises(SettingsError, match=r"everybody may write into the directory .*: chmod 700 it"):
        Database.open(state_dir)


def test_a_file_of_a_newer_version_is_left_alone(state_dir: Path) -> None:
    Database.open(state_dir).close()
    with sqlite3.connect(state_dir / FILE) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()

    with pytest.raises(CorruptStoreError, match=f"has version {VERSION + 1}, this mlcore-auth-basic knows {VERSION}"):
        Database.open(state_dir)


def test_a_file_that_is_no_database_is_named_and_left_alone(state_dir: Path) -> None:
    state_dir.mkdir(mode=0o700)
    (state_dir / FILE).write_text("something else, and long enough to be no empty database " * 20)

    with pytest.raises(CorruptStoreError, match=r"auth.db cannot be read: file is not a database. Restore it"):
        Database.open(state_dir)

    assert (state_dir / FILE).read_text().startswith("something else")


def test_a_database_that_vanished_does_not_come_back_empty(town: Town, state_dir: Path) -> None:
    town.admin()
    town.authority.close()
    for path in state_dir.glob("auth.db*"):
        path.unlink()

    with pytest.raises(StoreUnavailableError, match="unable to open database file"):
        town.authority.database.reading().__enter__()

    assert not (state_dir / FILE).exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreUnavailableError, match=r"auth.db cannot be created"):
        Database.open(tmp_path / "file" / "state")


ADD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from auth_basic_town import OPERATOR, PHRASE, quick_authority
authority = quick_authority(Path(sys.argv[1]))
for n in range(int(sys.argv[4])):
    authority.administration.add_user(OPERATOR, f"{sys.argv[3]}-{n}", PHRASE)
    print(f"{sys.argv[3]}-{n}", flush=True)
"""


def _adder(state: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ADD, str(state), str(Path(__file__).parent), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _names(state: Path) -> set[str]:
    with Database.open(state).reading() as connection:
        return {user.name for user in accounts.list_users(connection)}


def test_processes_that_open_a_new_file_at_once_all_succeed(state_dir: Path) -> None:
    running = [_adder(state_dir, f"p{n}", 3) for n in range(6)]

    ends = [(process.communicate(timeout=120), process.returncode)[1] for process in running]

    assert ends == [0] * 6
    assert _names(state_dir) == {f"p{n}-{i}" for n in range(6) for i in range(3)}


def test_what_was_acknowledged_survives_a_kill(state_dir: Path) -> None:
    with _adder(state_dir, "p", 10_000) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read().split()

    with Database.open(state_dir).reading() as connection:
        whole = connection.execute("PRAGMA integrity_check").fetchone()[0]
        audited = connection.execute("SELECT count(*) FROM audit").fetchone()[0]

    assert whole == "ok"
    assert set(told) <= _names(state_dir)
    assert audited == len(_names(state_dir))


def test_a_failed_change_leaves_nothing(town: Town) -> None:
    def twice() -> None:
        with town.authority.database.writing() as connection:
            accounts.add_user(connection, "ada", "hash", is_admin=False)
            accounts.add_user(connection, "ada", "hash", is_admin=False)

    with pytest.raises(MlcoreError, match="exists already"):
        twice()

    with town.authority.database.reading() as connection:
        assert accounts.list_users(connection) == ()
    town.user("ada")


def test_a_full_disk_is_told_and_work_goes_on_when_there_is_room(town: Town) -> None:
    shown = town.user("ada")
    large = AuditEntry(1, "ada", "x", Resource("server"), 200, "", None, "x" * 60_000)
    with town.authority.database.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    with pytest.raises(StoreUnavailableError, match="full"):
        town.authority.record([large])
    during = town.authority.authenticate(shown).name
    with town.authority.database.reading() as connection:
        connection.execute("PRAGMA max_page_count = 100000")
    town.authority.record([large])

    assert during == "ada"
    assert [entry.endpoint for entry in town.audited()] == ["users/create", "x"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_both_sides_of_a_fork_work_on(town: Town, state_dir: Path) -> None:
    town.user("before")

    child = os.fork()
    if child == 0:
        try:
            town.user("child")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    town.user("parent")

    assert _names(state_dir) == {"before", "child", "parent"}


def test_a_writer_does_not_hold_up_readers(town: Town) -> None:
    shown = town.user("ada")
    town.authority.authenticate(shown)

    with town.authority.database.writing() as connection:
        connection.execute("UPDATE users SET is_admin = 1")
        during = town.authority.authenticate(shown)

    assert during.is_admin is False
    assert town.authority.authenticate(shown).is_admin is True


def test_two_instances_on_one_file_see_each_others_changes(town: Town, state_dir: Path) -> None:
    other = quick_authority(state_dir)

    shown = town.user("ada")
    other.administration.set_admin(OPERATOR, "ada", is_admin=True)
    other.record([AuditEntry(1, "ada", "x", Resource("server"), 200)])

    assert other.authenticate(shown).is_admin
    assert town.authority.authenticate(shown).is_admin
    assert town.audited()[-1].endpoint == "x"
    assert PHRASE not in str(town.audited())
    other.close()
