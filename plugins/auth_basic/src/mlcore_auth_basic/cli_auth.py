"""`mlcore auth`: users, API tokens and permissions, for who may write the server's files."""

from __future__ import annotations

from pathlib import Path

import click

from mlcore.cli.context import Cli, json_option, pass_cli
from mlcore.cli.tables import Column
from mlcore.cli.terminal import note
from mlcore_auth_basic import accounts, bootstrap, grants, levels, tokens
from mlcore_auth_basic.cli_context import (
    administration,
    ask_password,
    open_database,
    operator,
    password_option,
    state_dir_option,
)
from mlcore_auth_basic.web_tokens import DEFAULT_LIFE_S, token_line

_DAY_S = 24 * 3600


@click.group()
def auth() -> None:
    """Manage users, API tokens and permissions of a server on this machine."""


@auth.command("bootstrap")
@click.option("-u", "--username", metavar="NAME", help="Make the first admin, without the one-time token.")
@password_option
@state_dir_option
def bootstrap_command(state_dir: Path, username: str | None, password_stdin: bool) -> None:
    """Make the first admin, or print a new one-time token for whoever shall do that."""
    desk = administration(state_dir, create=True)
    if username is not None:
        desk.first_admin(operator(), username, ask_password(from_stdin=password_stdin))
        note(f"made the first admin, {username!r}")
        return
    click.echo(bootstrap.renewed(desk.database))
    note(f"whoever posts it to {bootstrap.PATH} with a username and a password becomes the first admin, once")


@auth.group()
def users() -> None:
    """Add, list, change and delete users."""


@users.command("add")
@click.argument("name")
@click.option("--admin", "is_admin", is_flag=True, help="Somebody who may do everything.")
@click.option(
    "--create/--no-create", default=None, help="May make experiments and models; as the settings say if unset."
)
@password_option
@state_dir_option
def users_add(state_dir: Path, name: str, is_admin: bool, create: bool | None, password_stdin: bool) -> None:
    """Add a user; asks for the password."""
    desk = administration(state_dir, create=True)
    desk.add_user(operator(), name, ask_password(from_stdin=password_stdin), is_admin=is_admin, may_create=create)
    note(f"added {'admin' if is_admin else 'user'} {name!r}")


@users.command("list")
@json_option
@state_dir_option
@pass_cli
def users_list(cli: Cli, state_dir: Path, as_json: bool) -> None:
    """List users with their roles."""
    with open_database(state_dir).reading() as connection:
        found = [
            {
                "username": user.name,
                "is_admin": user.is_admin,
                "roles": [role.name for role in accounts.list_roles(connection, user.id)],
                "created_ms": user.created_ms,
            }
            for user in accounts.list_users(connection)
        ]
    if as_json:
        cli.print_json(found)
        return
    columns = [Column("username"), Column("admin"), Column("roles"), Column("created", "time")]
    rows = [(u["username"], "yes" if u["is_admin"] else "", ", ".join(u["roles"]), u["created_ms"]) for u in found]  # type: ignore[arg-type]  # a list of texts
    cli.print_table(columns, rows)


@users.command("delete")
@click.argument("name")
@state_dir_option
def users_delete(state_dir: Path, name: str) -> None:
    """Delete a user with tokens and permissions."""
    administration(state_dir).delete_user(operator(), name)
    note(f"deleted user {name!r}")


@users.command("passwd")
@click.argument("name")
@password_option
@state_dir_option
def users_passwd(state_dir: Path, name: str, password_stdin: bool) -> None:
    """Give a user another password; API tokens stay valid."""
    administration(state_dir).change_password(operator(), name, ask_password(from_stdin=password_stdin))
    note(f"changed the password of {name!r}")


@users.command("admin")
@click.argument("name")
@click.option("--on/--off", default=True, show_default=True, help="Make an admin, or no longer.")
@state_dir_option
def users_admin(state_dir: Path, name: str, on: bool) -> None:
    """Make a user an admin, or no longer."""
    administration(state_dir).set_admin(operator(), name, is_admin=on)
    note(f"{name!r} is {'an admin now' if on else 'no longer an admin'}")


@auth.group("tokens")
def tokens_group() -> None:
    """Create, list and revoke API tokens."""


@tokens_group.command("create")
@click.argument("username")
@click.option("-n", "--name", required=True, metavar="TEXT", help="What it is for, such as the job that uses it.")
@click.option(
    "--scope",
    type=click.Choice([str(scope) for scope in levels.SCOPES]),
    default="edit",
    show_default=True,
    help="The most it can do.",
)
@click.option("--resource", "resources", multiple=True, metavar="KIND:ID", help="Limit it to these; may be repeated.")
@click.option(
    "--days", type=click.IntRange(0), default=DEFAULT_LIFE_S // _DAY_S, show_default=True, help="0 is for ever."
)
@json_option
@state_dir_option
@pass_cli
def tokens_create(
    cli: Cli,
    state_dir: Path,
    username: str,
    name: str,
    scope: str,
    resources: tuple[str, ...],
    days: int,
    as_json: bool,
) -> None:
    """Create an API token for a user and print it, this once."""
    expires = accounts.now_ms() + days * _DAY_S * 1000 if days else None
    wanted = tokens.TokenRequest(name, tokens.checked_scope(scope), resources or None, expires)
    token_id, token = administration(state_dir).add_token(operator(), username, wanted)
    if as_json:
        cli.print_json([{"token_id": token_id, "token": token, "username": username, "expires_ms": expires}])
        return
    note(f"created token {token_id}; it is shown this once:")
    click.echo(token)


@tokens_group.command("list")
@click.option("-u", "--username", metavar="NAME", help="Of this user alone.")
@json_option
@state_dir_option
@pass_cli
def tokens_list(cli: Cli, state_dir: Path, username: str | None, as_json: bool) -> None:
    """List API tokens; the tokens themselves are nowhere."""
    with open_database(state_dir).reading() as connection:
        found = tokens.of_user(connection, username)
    if as_json:
        cli.print_json([token_line(token) for token in found])
        return
    columns = [
        Column("token_id", whole=True),
        Column("username"),
        Column("name"),
        Column("scope"),
        Column("resources"),
        Column("expires", "time"),
        Column("last_used", "time"),
    ]
    rows = [
        (t.id, t.user, t.name, t.scope, ", ".join(t.resources or ("all",)), t.expires_ms, t.last_used_ms) for t in found
    ]
    cli.print_table(columns, rows)


@tokens_group.command("revoke")
@click.argument("token_id")
@state_dir_option
def tokens_revoke(state_dir: Path, token_id: str) -> None:
    """End an API token, at once."""
    administration(state_dir).revoke_token(operator(), token_id)
    note(f"revoked token {token_id}")


_PERMISSIONS = click.Choice(["read", "edit", "manage", "create", "deny"])


@auth.command()
@click.argument("username")
@click.argument("permission", type=_PERMISSIONS)
@click.argument("resource", metavar="KIND:ID")
@state_dir_option
def grant(state_dir: Path, username: str, permission: str, resource: str) -> None:
    """Let a user do something: `grant ada edit experiment:12`, `... read 'experiment:*'`, `... create 'experiment:*'`.

    KIND is experiment or registered_model; the id `*` stands for all of the kind.
    """
    target = tokens.parse_resource(resource)
    administration(state_dir).grant(operator(), username, target.kind, target.id, permission)
    note(f"{username!r} has {permission} on {resource}")


@auth.command()
@click.argument("username")
@click.argument("resource", metavar="KIND:ID")
@click.option("--create", is_flag=True, help="Take back that new ones may be made.")
@state_dir_option
def revoke(state_dir: Path, username: str, resource: str, create: bool) -> None:
    """Take back what a user was given on a resource."""
    target = tokens.parse_resource(resource)
    administration(state_dir).revoke(operator(), username, target.kind, target.id, create=create)
    note(f"took back {'create' if create else 'what was given'} on {resource} from {username!r}")


@auth.command()
@click.argument("username")
@json_option
@state_dir_option
@pass_cli
def permissions(cli: Cli, state_dir: Path, username: str, as_json: bool) -> None:
    """List what a user was given, by themselves and through roles."""
    with open_database(state_dir).reading() as connection:
        found = grants.of_user(connection, accounts.get_user(connection, username).id)
    lines = [(levels.NAMES[g.rank].lower(), f"{g.kind}:{levels.shown(g.about)}", g.role_name) for g in found]
    if as_json:
        cli.print_json([dict(zip(("permission", "resource", "role"), line, strict=True)) for line in lines])
        return
    cli.print_table([Column("permission"), Column("resource"), Column("role")], lines)
