"""The plugin keeps the contracts of authorities and commands."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import define
from auth_basic_town import Town
from mlcore_auth_basic import plugin
from mlcore_auth_basic.authority import BasicAuthority

from mlcore.entities import Action, AuditEntry, Credentials, Resource
from mlcore.hookspecs import Command
from mlcore.testing import AuthorityContract, CommandContract


class TestBasicAuthority(AuthorityContract):
    plugin_module = "mlcore_auth_basic.plugin"

    @pytest.fixture
    def case(self, town: Town) -> Town:
        return town


@define
class WithTokens:
    """The same with API tokens instead of passwords."""

    town: Town

    @property
    def authority(self) -> BasicAuthority:
        return self.town.authority

    def user(self, name: str) -> Credentials:
        self.town.user(name)
        return self.town.token(name)

    def admin(self) -> Credentials:
        self.town.admin()
        return self.town.token("root")

    def grant(self, name: str, action: Action, resource: Resource) -> None:
        self.town.grant(name, action, resource)

    def impostors(self) -> Sequence[Credentials]:
        return self.town.impostors()

    def audited(self) -> Sequence[AuditEntry]:
        return self.town.audited()


class TestBasicAuthorityWithTokens(AuthorityContract):
    @pytest.fixture
    def case(self, town: Town) -> WithTokens:
        return WithTokens(town)


class TestAuthCommand(CommandContract):
    @pytest.fixture
    def command(self) -> Command | None:
        return plugin.command("auth")


class TestAuditCommand(CommandContract):
    @pytest.fixture
    def command(self) -> Command | None:
        return plugin.command("audit")
