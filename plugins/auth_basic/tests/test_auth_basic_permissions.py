"""Permissions: own ones, those of roles, for all of a kind, denied ones, and the default."""

from __future__ import annotations

from pathlib import Path

import pytest
from auth_basic_town import OPERATOR, PHRASE, Town, quick_authority
from mlcore_auth_basic import levels
from mlcore_auth_basic.authority import BasicAuthority
from mlcore_auth_basic.roles import Roles
from mlcore_auth_basic.settings import AuthSettings

from mlcore.entities import Action, Principal, Resource
from mlcore.errors import AlreadyExistsError, InvalidParameterError, InvalidStateError, NotFoundError

ADA = Principal("ada")
LEVELS = (Action.READ, Action.EDIT, Action.MANAGE)


def highest(authority: BasicAuthority, resource_id: str, kind: str = "experiment") -> Action | None:
    allowed = [action for action in LEVELS if authority.authorize(ADA, action, Resource(kind, resource_id))]
    is_read = authority.readable(ADA, kind, [resource_id]) == {resource_id}
    assert is_read is bool(allowed)  # lists and single decisions never differ
    return allowed[-1] if allowed else None


def grant(town: Town, kind: str, resource_id: str, permission: str) -> None:
    town.authority.administration.grant(OPERATOR, "ada", kind, resource_id, permission)


def test_a_permission_for_all_of_a_kind_holds_for_each(town: Town) -> None:
    town.user("ada")

    grant(town, "experiment", "*", "EDIT")

    assert highest(town.authority, "1") is Action.EDIT
    assert highest(town.authority, "made later") is Action.EDIT
    assert highest(town.authority, "1", "registered_model") is None
    assert town.authority.authorize(ADA, Action.READ, Resource("experiment"))
    assert not town.authority.authorize(ADA, Action.CREATE, Resource("experiment"))


@pytest.mark.parametrize("denied", ["DENY", "NO_PERMISSIONS"])
def test_what_denies_wins(town: Town, denied: str) -> None:
    town.user("ada")
    grant(town, "experiment", "*", "MANAGE")

    grant(town, "experiment", "1", denied)

    assert highest(town.authority, "1") is None
    assert highest(town.authority, "2") is Action.MANAGE
    assert town.authority.readable(ADA, "experiment", ["1", "2", "3"]) == {"2", "3"}


def test_what_denies_all_of_a_kind_wins_over_single_ones(town: Town) -> None:
    town.user("ada")
    grant(town, "experiment", "1", "MANAGE")

    grant(town, "experiment", "*", "DENY")

    assert highest(town.authority, "1") is None


def test_the_higher_of_two_counts(town: Town) -> None:
    town.user("ada")
    grant(town, "experiment", "*", "EDIT")

    grant(town, "experiment", "1", "READ")

    assert highest(town.authority, "1") is Action.EDIT


def test_use_reads(town: Town) -> None:
    town.user("ada")

    grant(town, "experiment", "1", "USE")

    assert highest(town.authority, "1") is Action.READ


@pytest.mark.parametrize(("default", "expected"), [("none", None), ("read", Action.READ), ("manage", Action.MANAGE)])
def test_the_default_permission_is_for_what_nobody_gave_or_denied(
    tmp_path: Path, default: str, expected: Action | None
) -> None:
    settings = AuthSettings.load({"MLCORE_AUTH_DEFAULT_PERMISSION": default})
    authority = quick_authority(tmp_path / "state", settings=settings)
    authority.administration.add_user(OPERATOR, "ada", PHRASE)
    authority.administration.grant(OPERATOR, "ada", "experiment", "edited", "EDIT")
    authority.administration.grant(OPERATOR, "ada", "experiment", "denied", "NO_PERMISSIONS")

    found = [highest(authority, name) for name in ("any", "edited", "denied")]

    assert found == [expected, Action.EDIT, None]
    assert not authority.authorize(Principal("nobody"), Action.READ, Resource("experiment", "any"))
    assert not authority.authorize(ADA, Action.READ, Resource("server"))


@pytest.mark.parametrize("may_create", [True, False])
def test_new_users_may_create_as_the_settings_say(tmp_path: Path, may_create: bool) -> None:
    authority = quick_authority(tmp_path / "state", settings=AuthSettings(may_create=may_create))
    authority.administration.add_user(OPERATOR, "ada", PHRASE)

    for kind in levels.KINDS:
        assert authority.authorize(ADA, Action.CREATE, Resource(kind)) is may_create
    assert not authority.authorize(ADA, Action.CREATE, Resource("server"))


def test_creating_can_be_taken_back_and_denied(town: Town) -> None:
    town.authority.administration.add_user(OPERATOR, "ada", PHRASE)
    town.authority.administration.revoke(OPERATOR, "ada", "experiment", "*", create=True)
    taken = town.authority.authorize(ADA, Action.CREATE, Resource("experiment"))

    grant(town, "workspace", "*", "USE")

    assert taken is False
    assert town.authority.authorize(ADA, Action.CREATE, Resource("experiment"))
    assert town.authority.authorize(ADA, Action.CREATE, Resource("registered_model"))
    assert highest(town.authority, "1") is None


def test_the_servers_metrics_can_be_opened_and_nothing_more_of_it(town: Town) -> None:
    town.user("ada")

    grant(town, "server", "*", "READ")

    assert town.authority.authorize(ADA, Action.READ, Resource("server"))
    assert not town.authority.authorize(ADA, Action.MANAGE, Resource("server"))
    assert not town.authority.authorize(ADA, Action.READ, Resource("server", "users/bob"))


@pytest.mark.parametrize(
    ("kind", "resource_id", "permission", "said"),
    [
        ("experiment", "1", "OWN", "unknown permission 'OWN', expected one of DENY"),
        ("run", "1", "READ", "unknown resource type 'run', expected one of experiment"),
        ("experiment", "", "READ", "id of the resource is empty"),
        ("experiment", "1", "CREATE", "CREATE is about a kind as a whole"),
        ("workspace", "*", "MANAGE", "workspace can be granted as USE"),
        ("server", "*", "MANAGE", "server can be granted as READ"),
    ],
)
def test_a_permission_that_makes_no_sense_is_refused(
    town: Town, kind: str, resource_id: str, permission: str, said: str
) -> None:
    town.user("ada")

    with pytest.raises(InvalidParameterError, match=said):
        grant(town, kind, resource_id, permission)


def test_taking_back_what_was_never_given_is_an_error_that_names_it(town: Town) -> None:
    town.user("ada")

    with pytest.raises(NotFoundError, match="user 'ada' was given nothing on experiment '1'"):
        town.authority.administration.revoke(OPERATOR, "ada", "experiment", "1")
    with pytest.raises(NotFoundError, match="no user is called 'eve'"):
        town.authority.administration.revoke(OPERATOR, "eve", "experiment", "1")


def test_roles_give_their_members_what_they_hold(town: Town) -> None:
    town.user("ada")
    roles = Roles(town.authority.database)
    team = roles.create(OPERATOR, "team", "those who train")
    line = roles.add_permission(OPERATOR, team.id, "experiment", "1", "EDIT")

    without = highest(town.authority, "1")
    roles.assign(OPERATOR, team.id, "ada")
    within = highest(town.authority, "1")
    roles.update_permission(OPERATOR, line.id, "DENY")
    denied = highest(town.authority, "1")
    roles.remove_permission(OPERATOR, line.id)
    roles.add_permission(OPERATOR, team.id, "experiment", "*", "READ")
    wide = highest(town.authority, "1")
    roles.unassign(OPERATOR, team.id, "ada")

    assert (without, within, denied, wide, highest(town.authority, "1")) == (
        None,
        Action.EDIT,
        None,
        Action.READ,
        None,
    )


def test_a_deleted_role_takes_what_it_gave(town: Town) -> None:
    town.user("ada")
    roles = Roles(town.authority.database)
    team = roles.create(OPERATOR, "team", None)
    roles.add_permission(OPERATOR, team.id, "experiment", "1", "EDIT")
    roles.assign(OPERATOR, team.id, "ada")

    roles.delete(OPERATOR, team.id)

    assert highest(town.authority, "1") is None
    with pytest.raises(NotFoundError, match=f"no role has the id {team.id}"):
        roles.delete(OPERATOR, team.id)


def test_what_a_role_has_twice_is_refused(town: Town) -> None:
    town.user("ada")
    roles = Roles(town.authority.database)
    team = roles.create(OPERATOR, "team", None)
    roles.assign(OPERATOR, team.id, "ada")
    roles.add_permission(OPERATOR, team.id, "experiment", "1", "READ")

    with pytest.raises(AlreadyExistsError, match="role called 'team' exists"):
        roles.create(OPERATOR, "team", None)
    with pytest.raises(AlreadyExistsError, match="'ada' has the role 'team'"):
        roles.assign(OPERATOR, team.id, "ada")
    with pytest.raises(AlreadyExistsError, match="has a permission on experiment '1'"):
        roles.add_permission(OPERATOR, team.id, "experiment", "1", "EDIT")


def test_the_role_that_a_user_has_alone_is_nobodys_to_change(town: Town) -> None:
    town.user("ada")
    grant(town, "experiment", "1", "READ")
    roles = Roles(town.authority.database)
    with town.authority.database.reading() as connection:
        own, line = connection.execute("SELECT role_id, id FROM grants").fetchone()

    with pytest.raises(NotFoundError):
        roles.delete(OPERATOR, own)
    with pytest.raises(NotFoundError):
        roles.remove_permission(OPERATOR, line)


def test_the_last_admin_stays(town: Town) -> None:
    town.admin()
    administration = town.authority.administration

    with pytest.raises(InvalidStateError, match="'root' is the last admin: make another user an admin first"):
        administration.delete_user(OPERATOR, "root")
    with pytest.raises(InvalidStateError, match="last admin"):
        administration.set_admin(OPERATOR, "root", is_admin=False)
    administration.add_user(OPERATOR, "ada", PHRASE, is_admin=True)
    administration.set_admin(OPERATOR, "root", is_admin=False)

    assert not town.authority.authorize(Principal("root", is_admin=True), Action.READ, Resource("experiment", "1"))


def test_effective_permissions_have_mlflows_names(town: Town) -> None:
    town.user("ada")
    town.admin()
    grant(town, "experiment", "1", "EDIT")
    grant(town, "experiment", "2", "DENY")

    found = [
        town.authority.effective_permission(name, "experiment", each)
        for name, each in (("ada", "1"), ("ada", "2"), ("ada", "3"), ("root", "2"))
    ]

    assert found == ["EDIT", "DENY", "NO_PERMISSIONS", "MANAGE"]


def test_nothing_of_a_deleted_user_stays_but_the_audit_log(town: Town) -> None:
    town.user("ada")
    grant(town, "experiment", "1", "READ")
    town.token("ada", "read", "experiment:1")
    roles = Roles(town.authority.database)
    team = roles.create(OPERATOR, "team", None)
    roles.assign(OPERATOR, team.id, "ada")
    roles.delete(OPERATOR, team.id)

    town.authority.administration.delete_user(OPERATOR, "ada")

    with town.authority.database.reading() as connection:
        left = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("users", "roles", "members", "grants", "tokens", "token_resources")
        }
    assert set(left.values()) == {0}, left
    assert town.audited()[-1].before == {"username": "ada", "is_admin": False, "permissions": ["READ experiment:1"]}
