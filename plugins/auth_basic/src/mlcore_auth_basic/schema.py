"""The tables, and how older ones become them: one script per version, never changed once released."""

from __future__ import annotations

_ACCOUNTS = """
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    is_admin INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL
);
-- A role is a set of grants. Each user has one of their own, without a name.
CREATE TABLE roles (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT UNIQUE,
    description TEXT,
    user_id INTEGER UNIQUE REFERENCES users(id) ON DELETE CASCADE,
    CHECK ((name IS NULL) <> (user_id IS NULL))
);
CREATE TABLE members (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    role_id INTEGER NOT NULL REFERENCES roles(id) ON DELETE CASCADE,
    UNIQUE (user_id, role_id)
);
CREATE INDEX members_of_role ON members (role_id);
-- about: '=' and the id of one resource, '*' for all of the kind, '+' for making new ones.
CREATE TABLE grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    role_id INTEGER NOT NULL REFERENCES roles(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    about TEXT NOT NULL,
    rank INTEGER NOT NULL,
    UNIQUE (role_id, kind, about)
);
CREATE INDEX grants_of_resource ON grants (kind, about);
"""

_TOKENS = """
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    is_limited INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    last_used_ms INTEGER
);
CREATE INDEX tokens_of_user ON tokens (user_id);
CREATE TABLE token_resources (
    token_id TEXT NOT NULL REFERENCES tokens(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    about TEXT NOT NULL,
    PRIMARY KEY (token_id, kind, about)
) WITHOUT ROWID;
CREATE INDEX token_resources_of_resource ON token_resources (kind, about);
CREATE TABLE bootstrap (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    hash BLOB NOT NULL,
    created_ms INTEGER NOT NULL
);
"""

_AUDIT = """
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    principal TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    kind TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    before TEXT,
    after TEXT
);
CREATE INDEX audit_by_time ON audit (time_ms);
CREATE INDEX audit_by_principal ON audit (principal, id);
CREATE INDEX audit_by_resource ON audit (kind, resource_id, id);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only: entries are not changed'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only: entries are not deleted'); END;
"""

# A browser's session is a token that a cookie brings.
_SESSIONS = """
ALTER TABLE tokens ADD COLUMN is_session INTEGER NOT NULL DEFAULT 0;
"""

MIGRATIONS = (_ACCOUNTS + _TOKENS + _AUDIT, _SESSIONS)
VERSION = len(MIGRATIONS)
