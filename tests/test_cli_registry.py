"""The commands of `mlcore models` about moves: promote, history, rollback, and requests."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import frozen

from mlcore import Client
from mlcore.cli import main
from mlcore.entities import Move, MoveKind
from mlcore.errors import ConflictError, NotFoundError
from mlcore.registry.people import present_user
from mlcore.registry.rollback import Standing, alias_before, stage_before, standing_at
from mlcore.tracking.session import Session, using


@frozen
class Done:
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


Cli = Callable[..., Done]


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    for name in os.environ:
        if name.startswith(("MLCORE_", "MLFLOW_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    with using(Session()):
        client = Client()
        client.create_registered_model("wine")
        for number in (1, 2, 3):
            client.create_model_version("wine", f"/models/{number}")

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        code = main(("models", *arguments))
        return Done(code, *capsys.readouterr())

    return run


def test_a_promotion_leaves_its_reason_in_the_history(cli: Cli) -> None:
    cli("promote", "models:/wine/1", "--alias", "champion", "--stage", "staging", "-c", "the first")
    cli("promote", "models:/wine/2", "--alias", "champion")

    of_alias = cli("history", "wine", "--alias", "champion", "--json").rows
    of_version = cli("history", "wine", "--version", "1", "--json").rows

    assert [(row["before"], row["after"], row["comment"]) for row in of_alias] == [
        ("1", "2", ""),
        ("", "1", "the first"),
    ]
    assert [(row["kind"], row["subject"]) for row in of_version] == [
        ("alias", "champion"), ("alias", "champion"), ("stage", "1"), ("version", "1"),
    ]  # fmt: skip
    assert all(str(row["at"]).endswith("Z") for row in of_alias)


def test_a_history_in_a_pipe_is_tab_separated_and_whole(cli: Cli) -> None:
    lines = cli("history", "wine", "--limit", "2").out.splitlines()

    assert lines[0].split("\t") == ["number", "at", "user", "kind", "subject", "before", "after", "comment"]
    assert [line.split("\t")[6] for line in lines[1:]] == [f"file:///models/{number}" for number in (3, 2)]


def test_the_history_tells_what_was_at_a_time(cli: Cli) -> None:
    cli("promote", "models:/wine/1", "--alias", "champion")
    (moved,) = cli("history", "wine", "--alias", "champion", "--json").rows
    before = cli("history", "wine", "--at", "2020-01-01", "--json")
    then = cli("history", "wine", "--at", str(moved["at"]), "--json")

    assert (before.rows, before.code) == ([], 0)
    assert [(row["version"], row["stage"], row["aliases"]) for row in then.rows] == [
        ("1", "None", ["champion"]), ("2", "None", []), ("3", "None", []),
    ]  # fmt: skip
    assert "invalid time 'noon'" in cli("history", "wine", "--at", "noon").err


def test_who_believes_something_else_is_told(cli: Cli) -> None:
    cli("promote", "models:/wine/1", "--alias", "champion")

    late = cli("promote", "models:/wine/2", "--alias", "champion", "--expected", "3")
    vague = cli("promote", "models:/wine/2", "--alias", "champion", "--stage", "Staging", "--expected", "3")

    assert (late.code, vague.code) == (1, 2)
    assert "points to version '1', expected version '3'" in late.err


def test_of_people_who_promote_at_once_one_wins_and_the_others_are_told_who(cli: Cli) -> None:
    start = threading.Barrier(4)

    def promote(client: Client, number: int) -> str:
        start.wait()
        try:
            client.set_registered_model_alias("wine", "champion", number, expected="")
        except ConflictError as err:
            return str(err)
        return ""

    with using(Session()), ThreadPoolExecutor(4) as people:
        client = Client()
        said = sorted(people.map(promote, [client] * 4, [1, 2, 3, 1]))

    winner = json.loads(cli("history", "wine", "--alias", "champion", "--json").out)["after"]
    assert said[0] == ""
    assert all(f"points to version '{winner}', expected no version: " in text for text in said[1:])
    assert all(f"'{present_user()}' moved it at" in text for text in said[1:])


def test_a_rollback_says_what_it_does_and_the_next_goes_further(cli: Cli) -> None:
    for number in (1, 2, 3):
        cli("promote", f"models:/wine/{number}", "--alias", "champion")

    dry = cli("rollback", "wine", "--alias", "champion", "--dry-run")
    first = cli("rollback", "wine", "--alias", "champion", "--json")
    second = cli("rollback", "wine", "--alias", "champion", "-c", "broken too")
    third = cli("rollback", "wine", "--alias", "champion")

    assert dry.err == "would do: wine: alias champion goes from version 3 to version 2\n"
    assert first.rows == [{"kind": "alias", "subject": "champion", "before": "3", "after": "2", "done": True}]
    assert second.err == "doing: wine: alias champion goes from version 2 to version 1\n"
    assert (third.code, "nothing to go back to" in third.err) == (1, True)
    assert cli("history", "wine", "--limit", "1", "--json").rows[0]["comment"] == "broken too"


def test_a_rollback_of_a_stage_brings_back_the_version_before(cli: Cli) -> None:
    for number in (1, 2):
        cli("promote", f"models:/wine/{number}", "--stage", "Production", "--archive-existing")

    cli("rollback", "wine", "--stage", "production")

    stages = {row["version"]: row["stage"] for row in cli("versions", "wine", "--json").rows}
    assert stages == {"1": "Production", "2": "Archived", "3": "None"}
    assert cli("rollback", "wine", "--stage", "Archived").code == 2
    assert cli("rollback", "wine").code == 2


def test_a_rollback_takes_back_a_version_that_came_beside_another(cli: Cli) -> None:
    for number in (1, 2):
        cli("promote", f"models:/wine/{number}", "--stage", "Production")

    said = cli("rollback", "wine", "--stage", "Production").err

    assert said == "doing: wine: version 2 goes from Production to Archived\n"


def test_a_request_is_made_listed_and_approved_by_the_start_of_its_id(cli: Cli) -> None:
    (asked,) = cli("promote", "models:/wine/2", "--stage", "Production", "--request", "-c", "ready", "--json").rows
    word = str(asked["request_id"])[:8]
    (listed,) = cli("requests", "wine", "--json").rows
    (approved,) = cli("approve", word, "-c", "go", "--json").rows
    again = cli("reject", word)

    assert (listed["status"], listed["comment"]) == ("PENDING", "ready")
    assert (approved["status"], approved["decision"]) == ("APPROVED", "go")
    assert (again.code, "is APPROVED already, by" in again.err) == (1, True)
    assert "no such requests" in cli("requests").err
    assert cli("history", "wine", "--version", "2", "--json").rows[0]["after"] == "Production"


def test_requests_are_rejected_and_taken_back(cli: Cli) -> None:
    for number in (1, 2):
        cli("promote", f"models:/wine/{number}", "--stage", "Production", "--request")
    second, first = (str(row["request_id"]) for row in cli("requests", "--json").rows)

    cli("reject", first, "-c", "no")
    cli("cancel", second)

    found = cli("requests", "--status", "all", "--json").rows
    assert [(row["status"], row["decision"]) for row in found] == [("CANCELLED", ""), ("REJECTED", "no")]
    assert "no transition request 'zz'" in cli("approve", "zz").err
    assert "is the start of 2 transition requests" in cli("approve", "").err
    assert cli("promote", "models:/wine/1", "--alias", "a", "--request").code == 2


def _moves(*given: tuple[MoveKind, str, str, str]) -> list[Move]:
    made = [Move(i, "wine", kind, subject, a, b, i * 10) for i, (kind, subject, a, b) in enumerate(given, 1)]
    return made[::-1]


def test_a_deleted_version_is_passed_over() -> None:
    alias = MoveKind.ALIAS
    moves = _moves((alias, "a", "", "1"), (alias, "a", "1", "2"), (alias, "a", "2", "3"))

    assert alias_before(moves, "a", now="3", versions=["1", "3"]) == "1"
    with pytest.raises(NotFoundError):
        alias_before(moves, "a", now="3", versions=["3"])


def test_an_alias_that_was_removed_comes_back_to_where_it_was() -> None:
    moves = _moves((MoveKind.ALIAS, "a", "", "1"), (MoveKind.ALIAS, "a", "1", ""))

    assert alias_before(moves, "a", now="", versions=["1"]) == "1"


def test_a_stage_that_was_emptied_gets_its_last_version_back() -> None:
    moves = _moves((MoveKind.STAGE, "1", "None", "Production"), (MoveKind.STAGE, "1", "Production", "Archived"))

    assert stage_before(moves, "Production", now=[], versions=["1"]) == "1"
    with pytest.raises(NotFoundError):
        stage_before(moves, "Staging", now=[], versions=["1"])


def test_what_was_deleted_stands_no_more() -> None:
    moves = _moves(
        (MoveKind.MODEL, "wine", "", "wine"),
        (MoveKind.VERSION, "1", "", "file:///1"),
        (MoveKind.STAGE, "1", "None", "Staging"),
        (MoveKind.ALIAS, "a", "", "1"),
        (MoveKind.ALIAS, "a", "1", ""),
        (MoveKind.VERSION, "1", "file:///1", ""),
    )

    assert standing_at(moves, 40) == Standing({"a": "1"}, {"1": "Staging"})
    assert standing_at(moves, 60) == Standing()
