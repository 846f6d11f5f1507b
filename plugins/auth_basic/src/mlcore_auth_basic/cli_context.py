"""What the commands share: where the database is, who works on it, how a password is asked for."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from mlcore.errors import InvalidParameterError, NotFoundError
from mlcore_auth_basic.administration import Administration, By
from mlcore_auth_basic.database import FILE, Database
from mlcore_auth_basic.passwords import Passwords
from mlcore_auth_basic.settings import AuthSettings

F = TypeVar("F", bound=Callable[..., object])
STATE = "mlcore-server"  # what the server makes in its working directory when it is told nothing


def state_dir_option(function: F) -> F:
    """Add `--state-dir`."""
    return click.option(
        "--state-dir",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="MLCORE_SERVER_STATE_DIR",
        show_envvar=True,
        default=STATE,
        show_default=True,
        metavar="DIR",
        help="The server's state directory, with auth.db in it.",
    )(function)


def password_option(function: F) -> F:
    """Add `--password-stdin`."""
    return click.option(
        "--password-stdin", is_flag=True, help="Read the password from standard input instead of asking for it."
    )(function)


def open_database(directory: Path, *, create: bool = False) -> Database:
    """Open the database. Raises NotFoundError: there is none yet, and none was to be made."""
    if not create and not (directory / FILE).exists():
        raise NotFoundError(
            f"there is no {FILE} in {str(directory)!r}: name the server's state directory, or make the first admin "
            "with `mlcore auth bootstrap`"
        )
    return Database.open(directory)


def administration(directory: Path, *, create: bool = False) -> Administration:
    """Open what changes accounts."""
    return Administration(open_database(directory, create=create), Passwords(), AuthSettings.load())


def operator() -> By:
    """Return who works on this machine, for the audit log. No user of the server can have such a name."""
    try:
        return By(f"operator:{getpass.getuser()}")
    except (OSError, KeyError):
        return By("operator:")  # a container's user may have no name


def ask_password(*, from_stdin: bool) -> str:
    """Return a password from a prompt, typed twice, or the first line of standard input; never from an argument."""
    if not from_stdin:
        if not sys.stdin.isatty():
            raise InvalidParameterError("there is no terminal to ask for the password: give it with --password-stdin")
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InvalidParameterError("standard input has no password in its first line")
    return line
