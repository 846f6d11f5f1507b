"""The first admin: made by whoever holds a token that is made at the first start, works once, and is no default."""

from __future__ import annotations

import hmac
import os
import secrets
import sqlite3
from pathlib import Path
from typing import TextIO

from mlcore.errors import InvalidStateError, UnauthenticatedError
from mlcore_auth_basic import tokens
from mlcore_auth_basic.accounts import count_admins, now_ms
from mlcore_auth_basic.database import Database

FILE = "bootstrap-token"
PATH = "/api/mlcore/auth/bootstrap"


def announce(database: Database, stream: TextIO, prefix: str = "") -> None:
    """Tell the operator how to make the first admin, unless there is one.

    The token is in a file beside the database, readable by the server's user alone. It is written to *stream* as well,
    by the process that made it, when that is a terminal: what goes into a log is not written there.
    """
    file = database.path.parent / FILE
    with database.writing() as connection:
        if count_admins(connection):
            return
        is_new = connection.execute("SELECT 1 FROM bootstrap").fetchone() is None or not file.exists()
        token = renew(connection, file) if is_new else ""
    print(f"mlcore-auth-basic: there is no admin yet. POST {prefix}{PATH} with", file=stream)
    print('  {"token": ..., "username": ..., "password": ...}', file=stream)
    if token and stream.isatty():
        print(f"  makes one, once. The token, shown this once: {token}", file=stream)
    print(
        f"  The token is kept in {file} until then; or, on this machine: mlcore auth bootstrap", file=stream, flush=True
    )


def renew(connection: sqlite3.Connection, file: Path) -> str:
    """Make a new token and write it to the file; older ones are void."""
    token = tokens.PREFIX + "bootstrap_" + secrets.token_urlsafe(32)
    connection.execute("DELETE FROM bootstrap")
    connection.execute(
        "INSERT INTO bootstrap (id, hash, created_ms) VALUES (1, ?, ?)", (tokens.digest(token), now_ms())
    )
    fresh = file.with_name(f".{FILE}-{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(token + "\n")
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    return token


def check(connection: sqlite3.Connection, token: str) -> None:
    """Raises InvalidStateError: there is an admin already. UnauthenticatedError: not the token."""
    if count_admins(connection):
        raise InvalidStateError("there is an admin already: the bootstrap token is void; ask an admin for an account")
    row = connection.execute("SELECT hash FROM bootstrap").fetchone()
    if row is None or not hmac.compare_digest(row[0], tokens.digest(token)):
        raise UnauthenticatedError(f"that is not the bootstrap token: it is in the file {FILE} of the server's state")


def finish(connection: sqlite3.Connection) -> None:
    """Void the token."""
    connection.execute("DELETE FROM bootstrap")


def remove_file(database: Database) -> None:
    """Delete the file of a token that is void."""
    (database.path.parent / FILE).unlink(missing_ok=True)


def renewed(database: Database) -> str:
    """Make a new token, for who may write the database. Raises InvalidStateError: there is an admin already."""
    with database.writing() as connection:
        if count_admins(connection):
            raise InvalidStateError("there is an admin already: make further ones with `mlcore auth users add --admin`")
        return renew(connection, database.path.parent / FILE)
