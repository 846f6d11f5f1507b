"""API tokens: a scope that caps, resources that limit, an end, and nothing to steal in the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from auth_basic_town import OPERATOR, Town, basic
from mlcore_auth_basic import tokens
from mlcore_auth_basic.accounts import now_ms
from mlcore_auth_basic.administration import account

from mlcore.entities import Action, Principal, Resource
from mlcore.errors import InvalidParameterError, NotFoundError, UnauthenticatedError

LEVELS = (Action.READ, Action.EDIT, Action.MANAGE)
ONE = Resource("experiment", "1")


def allowed(town: Town, who: Principal, resource: Resource) -> list[Action]:
    return [action for action in LEVELS if town.authority.authorize(who, action, resource)]


@pytest.mark.parametrize("scope", LEVELS)
@pytest.mark.parametrize("name", ["ada", "root"])
def test_the_scope_caps_what_the_user_may(town: Town, name: str, scope: Action) -> None:
    town.user("ada")
    town.admin()
    town.grant("ada", Action.MANAGE, ONE)

    who = town.authority.authenticate(town.token(name, scope))

    assert allowed(town, who, ONE) == list(LEVELS[: LEVELS.index(scope) + 1])


def test_a_token_adds_nothing_to_what_the_user_may(town: Town) -> None:
    town.user("ada")
    town.grant("ada", Action.READ, ONE)

    who = town.authority.authenticate(town.token("ada", "manage"))

    assert allowed(town, who, ONE) == [Action.READ]
    assert allowed(town, who, Resource("server")) == []


@pytest.mark.parametrize(
    ("scope", "resources", "is_admin"),
    [("manage", (), True), ("edit", (), False), ("manage", ("experiment:*",), False)],
)
def test_only_an_admins_whole_token_is_an_admin(
    town: Town, scope: str, resources: tuple[str, ...], is_admin: bool
) -> None:
    town.admin()

    who = town.authority.authenticate(town.token("root", scope, *resources))

    assert who.is_admin is is_admin
    assert town.authority.authorize(who, Action.MANAGE, Resource("server")) is is_admin


def test_a_limited_token_reaches_its_resources_only(town: Town) -> None:
    town.admin()

    who = town.authority.authenticate(town.token("root", "manage", "experiment:1", "registered_model:wine"))

    assert allowed(town, who, ONE) == list(LEVELS)
    assert allowed(town, who, Resource("registered_model", "wine")) == list(LEVELS)
    assert allowed(town, who, Resource("experiment", "2")) == []
    assert allowed(town, who, Resource("experiment", "wine")) == []
    assert town.authority.readable(who, "experiment", ["1", "2", "wine"]) == {"1"}
    assert not town.authority.authorize(who, Action.CREATE, Resource("experiment"))


def test_a_token_for_a_kind_reaches_and_makes_all_of_it(town: Town) -> None:
    town.admin()

    who = town.authority.authenticate(town.token("root", "edit", "experiment:*"))

    assert town.authority.authorize(who, Action.EDIT, Resource("experiment", "7"))
    assert town.authority.authorize(who, Action.CREATE, Resource("experiment"))
    assert not town.authority.authorize(who, Action.CREATE, Resource("registered_model"))
    assert town.authority.readable(who, "experiment", ["1", "2"]) == {"1", "2"}
    assert town.authority.readable(who, "registered_model", ["1"]) == frozenset()


def test_a_resource_called_like_a_pattern_is_none(town: Town) -> None:
    town.admin()
    made = Resource("registered_model", "*")
    maker = town.authority.authenticate(town.token("root", "edit", "registered_model:wine"))

    town.authority.created(maker, made)

    assert town.authority.authorize(maker, Action.EDIT, made)
    assert not town.authority.authorize(maker, Action.READ, Resource("registered_model", "other"))


def test_reading_makes_nothing_new(town: Town) -> None:
    town.admin()

    who = town.authority.authenticate(town.token("root", "read"))

    assert not town.authority.authorize(who, Action.CREATE, Resource("experiment"))


def test_a_limited_token_follows_a_rename_and_ends_with_the_resource(town: Town) -> None:
    town.admin()
    old, new = Resource("registered_model", "old"), Resource("registered_model", "new")
    who = town.authority.authenticate(town.token("root", "edit", "registered_model:old"))

    town.authority.renamed(old, "new")
    renamed = (town.authority.authorize(who, Action.READ, old), town.authority.authorize(who, Action.READ, new))
    town.authority.deleted(new)

    assert renamed == (False, True)
    assert not any(town.authority.authorize(who, Action.READ, each) for each in (old, new, ONE))


def test_every_token_may_read_who_it_belongs_to(town: Town) -> None:
    town.user("ada")

    who = town.authority.authenticate(town.token("ada", "read", "experiment:1"))

    assert town.authority.authorize(who, Action.READ, account("ada"))
    assert not town.authority.authorize(who, Action.EDIT, account("ada"))
    assert not town.authority.authorize(who, Action.READ, account("bob"))


def test_a_token_ends(town: Town) -> None:
    town.user("ada")
    shown = town.token("ada", "manage", expires_ms=now_ms() + 3_600_000)
    who = town.authority.authenticate(shown)
    town.authority.created(Principal("ada"), ONE)
    before = town.authority.authorize(who, Action.READ, ONE)

    with town.authority.database.writing() as connection:
        connection.execute("UPDATE tokens SET expires_ms = ?", (now_ms(),))

    assert before
    assert not town.authority.authorize(who, Action.READ, ONE)
    assert not town.authority.authorize(who, Action.READ, account("ada"))
    assert town.authority.readable(who, "experiment", ["1"]) == frozenset()
    with pytest.raises(UnauthenticatedError):
        town.authority.authenticate(shown)


def test_a_revoked_token_ends_at_once_also_for_requests_under_way(town: Town) -> None:
    town.admin()
    shown = town.token("root")
    who = town.authority.authenticate(shown)
    assert who.token_id is not None

    town.authority.administration.revoke_token(OPERATOR, who.token_id)

    assert allowed(town, who, ONE) == []
    with pytest.raises(UnauthenticatedError):
        town.authority.authenticate(shown)
    with pytest.raises(NotFoundError, match=f"no API token has the id '{who.token_id}'"):
        town.authority.administration.revoke_token(OPERATOR, who.token_id)


def test_tokens_end_with_their_user(town: Town) -> None:
    town.user("ada")
    shown = town.token("ada")

    town.authority.administration.delete_user(OPERATOR, "ada")
    town.user("ada")

    with pytest.raises(UnauthenticatedError):
        town.authority.authenticate(shown)


def test_a_token_of_somebody_else_is_none_of_mine(town: Town) -> None:
    town.user("ada")
    town.admin()
    of_root = town.authority.authenticate(town.token("root"))

    forged = Principal("ada", token_id=of_root.token_id)

    assert allowed(town, forged, ONE) == []


def test_a_token_may_be_shown_as_the_password_of_its_user(town: Town) -> None:
    town.user("ada")
    token = town.token("ada").headers["authorization"].removeprefix("Bearer ")

    assert town.authority.authenticate(basic("ada", token)).token_id is not None
    with pytest.raises(UnauthenticatedError):
        town.authority.authenticate(basic("bob", token))


def test_a_token_is_long_has_a_known_beginning_and_is_in_no_file(town: Town, state_dir: Path) -> None:
    town.user("ada")
    made = {town.token("ada").headers["authorization"].removeprefix("Bearer ") for _ in range(3)}

    files = b"".join(path.read_bytes() for path in state_dir.iterdir())

    assert len(made) == 3
    assert all(re.fullmatch(r"mlc_[\w-]{43}", token) for token in made)
    assert not any(token.encode() in files or token[4:].encode() in files for token in made)


def test_the_last_use_is_noted_once_a_minute(town: Town) -> None:
    town.user("ada")
    shown = town.token("ada")

    def last_used() -> int | None:
        with town.authority.database.reading() as connection:
            return tokens.of_user(connection, "ada")[0].last_used_ms

    before = last_used()
    town.authority.authenticate(shown)
    first = last_used()
    town.authority.authenticate(shown)

    assert before is None
    assert first is not None
    assert abs(first - now_ms()) < 60_000
    assert last_used() == first


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (tokens.TokenRequest("", Action.READ), "token name '' cannot be used"),
        (tokens.TokenRequest("x", Action.READ, expires_ms=1), "end is in the past"),
        (tokens.TokenRequest("x", Action.READ, ()), "list of the token's resources is empty"),
        (tokens.TokenRequest("x", Action.READ, ("run:1",)), "resource 'run:1' is not known, expected experiment or"),
        (tokens.TokenRequest("x", Action.READ, ("experiment:",)), "resource 'experiment:' is not known"),
        (tokens.TokenRequest("x", Action.READ, ("server:x",)), "resource 'server:x' is not known"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(town: Town, wanted: tokens.TokenRequest, said: str) -> None:
    town.user("ada")

    with pytest.raises(InvalidParameterError, match=said):
        town.authority.administration.add_token(OPERATOR, "ada", wanted)

    with town.authority.database.reading() as connection:
        assert tokens.of_user(connection, None) == ()
