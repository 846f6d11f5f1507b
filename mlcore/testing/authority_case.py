"""What the contract of authorities stands on: a case that a test fills, and the people who appear in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pytest

from mlcore.entities import Action, AuditEntry, Credentials, Principal, Resource
from mlcore.interfaces import Authority
from mlcore.testing.plugin_module import PluginModuleContract


class AuthorityCase(Protocol):
    """A new authority that nobody knows yet, and how a test fills it."""

    @property
    def authority(self) -> Authority:
        """The authority."""
        ...

    def user(self, name: str) -> Credentials:
        """Make a user who was given nothing, not even to create; return what requests of theirs show."""
        ...

    def admin(self) -> Credentials:
        """Make somebody who may do everything; return what requests of theirs show."""
        ...

    def grant(self, name: str, action: Action, resource: Resource) -> None:
        """Give a user a permission; `create` is given for the kind as a whole."""
        ...

    def impostors(self) -> Sequence[Credentials]:
        """Return well-formed credentials that belong to nobody: unknown names, wrong passwords, ended tokens."""
        ...

    def audited(self) -> Sequence[AuditEntry]:
        """Return what `record` was given, oldest first; empty when the authority keeps no log."""
        ...


class AuthorityFixtures(PluginModuleContract):
    """Who appears in the tests."""

    @pytest.fixture
    def ada(self, case: AuthorityCase) -> Principal:
        """Return a user who was given nothing."""
        return case.authority.authenticate(case.user("ada"))

    @pytest.fixture
    def bob(self, case: AuthorityCase) -> Principal:
        """Return another one."""
        return case.authority.authenticate(case.user("bob"))

    @pytest.fixture
    def root(self, case: AuthorityCase) -> Principal:
        """Return an admin."""
        return case.authority.authenticate(case.admin())
