"""`mlcore auth` and `mlcore audit`: for an operator on the server's machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from auth_basic_town import PHRASE, Town, basic
from click.testing import CliRunner, Result
from mlcore_auth_basic import plugin

from mlcore.cli.context import Cli
from mlcore.entities import Action, Principal, Resource
from mlcore.errors import InvalidParameterError, InvalidStateError, NotFoundError

Run = Callable[..., Result]


@pytest.fixture
def run(state_dir: Path) -> Run:
    def call(*arguments: str, password: str = "", where: Path | None = None) -> Result:
        command = plugin.command(arguments[0])
        assert isinstance(command, click.Command)
        given = [*arguments[1:], "--state-dir", str(where or state_dir)]
        given += ["--password-stdin"] if password else []
        done = CliRunner().invoke(command, given, input=password + "\n", obj=Cli(), standalone_mode=False)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    return call


def lines(done: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_first_admin_is_made_on_the_machine(run: Run, town: Town) -> None:
    done = run("auth", "bootstrap", "--username", "root", password=PHRASE)

    assert "made the first admin, 'root'" in done.stderr
    assert town.authority.authenticate(basic("root", PHRASE)).is_admin
    with pytest.raises(InvalidStateError, match="there is an admin already"):
        run("auth", "bootstrap", "--username", "eve", password=PHRASE)
    with pytest.raises(InvalidStateError, match="there is an admin already"):
        run("auth", "bootstrap")


def test_a_new_one_time_token_is_printed(run: Run, town: Town, state_dir: Path) -> None:
    done = run("auth", "bootstrap")

    token = done.stdout.strip()
    assert re.fullmatch(r"mlc_bootstrap_[\w-]{43}", token)
    assert (state_dir / "bootstrap-token").read_text().strip() == token
    assert town.authority.administration.bootstrap(token, "root", PHRASE).is_admin


def test_users_are_added_listed_changed_and_deleted(run: Run, town: Town) -> None:
    run("auth", "users", "add", "ada", password=PHRASE)
    run("auth", "users", "add", "bob", "--no-create", password=PHRASE)
    run("auth", "users", "add", "root", "--admin", password=PHRASE)
    run("auth", "users", "passwd", "ada", password=f"new {PHRASE}")
    run("auth", "users", "admin", "bob")
    run("auth", "users", "admin", "root", "--off")

    table = run("auth", "users", "list").stdout.splitlines()
    listed = lines(run("auth", "users", "list", "--json"))
    run("auth", "users", "delete", "root")

    assert table[0] == "username\tadmin\troles\tcreated"
    assert [line.split("\t")[:2] for line in table[1:]] == [["ada", ""], ["bob", "yes"], ["root", ""]]
    assert [(each["username"], each["is_admin"]) for each in listed] == [("ada", False), ("bob", True), ("root", False)]
    assert "password" not in json.dumps(listed)
    assert town.authority.authenticate(basic("ada", f"new {PHRASE}")).name == "ada"
    assert town.authority.authorize(Principal("ada"), Action.CREATE, Resource("experiment"))
    assert len(lines(run("auth", "users", "list", "--json"))) == 2


def test_permissions_are_given_listed_and_taken_back(run: Run, town: Town) -> None:
    run("auth", "users", "add", "ada", "--no-create", password=PHRASE)
    run("auth", "grant", "ada", "edit", "experiment:12")
    run("auth", "grant", "ada", "read", "registered_model:*")
    run("auth", "grant", "ada", "create", "experiment:*")

    table = run("auth", "permissions", "ada").stdout
    run("auth", "revoke", "ada", "experiment:12")
    run("auth", "revoke", "ada", "experiment:*", "--create")

    assert table == (
        "permission\tresource\trole\nedit\texperiment:12\t\nread\tregistered_model:*\t\ncreate\texperiment:*\t\n"
    )
    assert lines(run("auth", "permissions", "ada", "--json")) == [
        {"permission": "read", "resource": "registered_model:*", "role": None}
    ]
    assert not town.authority.authorize(Principal("ada"), Action.READ, Resource("experiment", "12"))
    with pytest.raises(InvalidParameterError, match="resource 'wine' is not known"):
        run("auth", "grant", "ada", "read", "wine")


def test_tokens_are_made_listed_and_revoked(run: Run, town: Town) -> None:
    town.user("ada")
    made = run("auth", "tokens", "create", "ada", "-n", "ci", "--scope", "read", "--resource", "experiment:1")
    [other] = lines(run("auth", "tokens", "create", "ada", "-n", "x", "--days", "0", "--json"))

    token = made.stdout.strip()
    table = run("auth", "tokens", "list").stdout
    [*listed] = lines(run("auth", "tokens", "list", "-u", "ada", "--json"))
    run("auth", "tokens", "revoke", str(other["token_id"]))

    assert re.fullmatch(r"mlc_[\w-]{43}", token)
    assert "shown this once" in made.stderr
    assert other["expires_ms"] is None
    assert {each["name"] for each in listed} == {"ci", "x"}
    assert "experiment:1" in table
    assert token not in table + json.dumps(listed)
    assert len(lines(run("auth", "tokens", "list", "--json"))) == 1


def test_what_an_operator_does_is_in_the_audit_log(run: Run, town: Town) -> None:
    run("auth", "users", "add", "ada", password=PHRASE)
    run("auth", "grant", "ada", "read", "experiment:1")
    run("auth", "grant", "ada", "edit", "experiment:1")

    found = lines(run("audit", "--what", "users/permissions/", "--max-results", "1", "--json"))
    table = run("audit", "--resource", "experiment:1").stdout.splitlines()

    assert found[0]["before"] == {"username": "ada", "permission": "READ"}
    assert str(found[0]["principal"]).startswith("operator:")
    assert table[0] == "time\twho\twhat\tresource\tstatus\tbefore\tafter"
    assert len(table) == 3
    assert len(run("audit", "--json").stdout.splitlines()) == 3
    assert PHRASE not in run("audit", "--json").stdout
    assert run("audit", "--json", "--until", "2020-01-01").stdout == ""


def test_an_audit_longer_than_a_page_is_shown_whole(run: Run, town: Town) -> None:
    from mlcore.entities import AuditEntry

    town.authority.record([AuditEntry(n, "ada", "x", Resource("server"), 200) for n in range(1500)])

    assert len(run("audit", "--json", "--max-results", "1400").stdout.splitlines()) == 1400


def test_passwords_come_from_standard_input_or_a_terminal_only(run: Run, state_dir: Path) -> None:
    with pytest.raises(
        InvalidParameterError, match="no terminal to ask for the password: give it with --password-stdin"
    ):
        run("auth", "users", "add", "ada")
    with pytest.raises(InvalidParameterError, match="standard input has no password in its first line"):
        run("auth", "users", "add", "ada", "--password-stdin")


def test_reading_makes_no_database(run: Run, tmp_path: Path) -> None:
    for arguments in (("auth", "users", "list"), ("audit",), ("auth", "tokens", "list")):
        with pytest.raises(NotFoundError, match=r"there is no auth.db in .*: name the server's state directory"):
            run(*arguments, where=tmp_path / "nowhere")

    assert not (tmp_path / "nowhere").exists()


def test_the_program_has_the_commands_and_tells_errors_in_one_line(tmp_path: Path) -> None:
    environ = {**os.environ, "MLCORE_SERVER_STATE_DIR": "state"}
    program = [sys.executable, "-m", "mlcore.cli"]

    def call(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*program, *arguments], env=environ, input=text, capture_output=True, text=True, cwd=tmp_path, timeout=60
        )

    made = call("auth", "users", "add", "ada", "--password-stdin", text=f"{PHRASE}\n")
    again = call("auth", "users", "add", "ada", "--password-stdin", text=f"{PHRASE}\n")
    listed = call("audit", "--json")

    assert made.returncode == 0, made.stderr
    assert (tmp_path / "state" / "auth.db").exists()
    assert again.returncode == 1
    assert again.stderr.strip().splitlines() == ["error: a user called 'ada' exists already"]
    assert json.loads(listed.stdout)["endpoint"] == "users/create"
