"""Broken authorities, each caught by the test that is about its fault."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from mlcore.entities import Action, AuditEntry, Credentials, Principal, Resource
from mlcore.errors import UnauthenticatedError
from mlcore.testing import AuthorityContract, MemoryAuthority
from mlcore.testing.proof import caught_by


class LetsEverybodyIn(MemoryAuthority):
    def authenticate(self, credentials: Credentials) -> Principal:
        try:
            return super().authenticate(credentials)
        except UnauthenticatedError:
            return Principal("anonymous")


class CrashesOnNoHeader(MemoryAuthority):
    def authenticate(self, credentials: Credentials) -> Principal:
        credentials.headers["authorization"]
        return super().authenticate(credentials)


class CrashesOnOddHeaders(MemoryAuthority):
    def authenticate(self, credentials: Credentials) -> Principal:
        credentials.headers.get("authorization", "").encode("ascii")
        return super().authenticate(credentials)


class RepeatsTheSecret(MemoryAuthority):
    def authenticate(self, credentials: Credentials) -> Principal:
        try:
            return super().authenticate(credentials)
        except UnauthenticatedError as error:
            raise UnauthenticatedError(f"unknown: {credentials.headers}") from error


class MakesEverybodyAnAdmin(MemoryAuthority):
    def authenticate(self, credentials: Credentials) -> Principal:
        return Principal(super().authenticate(credentials).name, is_admin=True)


class BelievesThePrincipal(MemoryAuthority):
    def authorize(self, principal: Principal, action: Action, resource: Resource) -> bool:
        return principal.is_admin or super().authorize(principal, action, resource)


class ReadersMayEdit(MemoryAuthority):
    def authorize(self, principal: Principal, action: Action, resource: Resource) -> bool:
        asked = Action.READ if action is Action.EDIT else action
        return super().authorize(principal, asked, resource)


class ManagersMayNotRead(MemoryAuthority):
    def authorize(self, principal: Principal, action: Action, resource: Resource) -> bool:
        given = self.allowed.get((principal.name, resource))
        return principal.name in self.admins or given is action


class ForgetsTheKind(MemoryAuthority):
    def authorize(self, principal: Principal, action: Action, resource: Resource) -> bool:
        return any(super(ForgetsTheKind, self).authorize(principal, action, Resource(kind, resource.id)) for kind in
                   ("experiment", "registered_model", "server"))  # fmt: skip


class ReadsIdsAsPatterns(MemoryAuthority):
    def authorize(self, principal: Principal, action: Action, resource: Resource) -> bool:
        return any(
            name == principal.name
            and what.kind == resource.kind
            and fnmatch.fnmatch(resource.id, what.id)
            and super(ReadsIdsAsPatterns, self).authorize(principal, action, what)
            for name, what in self.allowed
        ) or super().authorize(principal, action, resource)


class EverybodyMayCreate(MemoryAuthority):
    def authorize(self, principal: Principal, action: Action, resource: Resource) -> bool:
        return action is Action.CREATE or super().authorize(principal, action, resource)


class MakersGetNothing(MemoryAuthority):
    def created(self, principal: Principal, resource: Resource) -> None:
        self.deleted(resource)


class KeepsTheOldName(MemoryAuthority):
    def renamed(self, resource: Resource, new_id: str) -> None:
        for (name, what), action in list(self.allowed.items()):
            if what == resource:
                self.allowed[name, Resource(resource.kind, new_id)] = action


class RenamesOntoLeftovers(MemoryAuthority):
    def renamed(self, resource: Resource, new_id: str) -> None:
        self.allowed = {
            (name, Resource(what.kind, new_id) if what == resource else what): action
            for (name, what), action in self.allowed.items()
        }


class KeepsWhatWasDeleted(MemoryAuthority):
    def deleted(self, resource: Resource) -> None:
        pass


class ReadableShowsAll(MemoryAuthority):
    def readable(self, principal: Principal, kind: str, ids: Sequence[str]) -> frozenset[str]:
        return frozenset(ids)


class ReadableForgetsAdmins(MemoryAuthority):
    def readable(self, principal: Principal, kind: str, ids: Sequence[str]) -> frozenset[str]:
        return frozenset(each for each in ids if (principal.name, Resource(kind, each)) in self.allowed)


class OneIdAtATime(MemoryAuthority):
    def readable(self, principal: Principal, kind: str, ids: Sequence[str]) -> frozenset[str]:
        return frozenset(each for each in ids if sum(range(12_000)) and self._read(principal, kind, each))

    def _read(self, principal: Principal, kind: str, each: str) -> bool:
        return self.authorize(principal, Action.READ, Resource(kind, each))


class KeepsTheLastEntry(MemoryAuthority):
    def record(self, entries: Sequence[AuditEntry]) -> None:
        self.log = list(entries) or self.log


class KeepsTextOnly(MemoryAuthority):
    def record(self, entries: Sequence[AuditEntry]) -> None:
        super().record([AuditEntry(e.time_ms, e.principal, e.endpoint, e.resource, e.status, e.request_id, str(e.before),
                                   str(e.after)) for e in entries])  # fmt: skip


_FAULTS: list[tuple[type[MemoryAuthority], str]] = [
    (LetsEverybodyIn, "test_impostors_are_not_recognised"),
    (LetsEverybodyIn, "test_who_shows_nothing_is_not_recognised"),
    (CrashesOnNoHeader, "test_who_shows_nothing_is_not_recognised"),
    (RepeatsTheSecret, "test_a_refusal_does_not_repeat_what_was_shown"),
    (MakesEverybodyAnAdmin, "test_a_user_is_recognised_and_is_no_admin"),
    (BelievesThePrincipal, "test_a_principal_that_the_authority_never_made_may_do_nothing"),
    (MakersGetNothing, "test_threads_may_ask_and_change_at_the_same_time"),
    (ReadableShowsAll, "test_lists_agree_with_single_decisions"),
    (ReadableForgetsAdmins, "test_an_admin_sees_all_that_was_asked_for"),
    (OneIdAtATime, "test_ten_thousand_ids_are_looked_up_quickly"),
    (KeepsTheLastEntry, "test_entries_are_kept_as_they_are_in_their_order"),
    (KeepsTextOnly, "test_entries_without_a_state_or_with_any_json_are_kept"),
]
# tests that run for each kind of resource, and are caught for each
_FAULTS_OF_KINDS: list[tuple[type[MemoryAuthority], str]] = [
    (BelievesThePrincipal, "test_who_is_admin_now_counts_and_not_what_the_principal_says"),
    (ForgetsTheKind, "test_the_same_id_of_another_kind_is_another_resource"),
    (EverybodyMayCreate, "test_who_was_given_nothing_may_do_nothing"),
    (MakersGetNothing, "test_the_maker_may_do_everything_with_it_and_others_nothing"),
    (KeepsTheOldName, "test_what_was_renamed_stays_allowed_under_its_new_id_only"),
    (RenamesOntoLeftovers, "test_a_rename_to_a_name_of_the_past_brings_back_nothing"),
    (KeepsWhatWasDeleted, "test_a_new_resource_of_a_deleted_ones_name_starts_without_its_permissions"),
    (KeepsWhatWasDeleted, "test_what_is_new_has_nothing_of_one_whose_end_was_never_told"),
]

for _broken, _test in (*_FAULTS, *_FAULTS_OF_KINDS):
    globals()[f"Test{_broken.__name__}_{_test.removeprefix('test_')[:20]}"] = caught_by(
        AuthorityContract, _test, case=_broken
    )


def test_an_id_that_is_read_as_a_pattern_reaches_others() -> None:
    broken = ReadsIdsAsPatterns()
    ada = broken.authenticate(broken.user("ada"))
    broken.created(ada, Resource("experiment", "*"))

    with_stars = AuthorityContract().test_an_id_stands_for_itself_alone

    assert _fails(lambda: with_stars(broken, ada, "experiment", "*"))


def test_a_level_too_many_or_too_few_is_caught() -> None:
    contains = AuthorityContract().test_manage_contains_edit_and_edit_contains_read
    for make, given in ((ReadersMayEdit, Action.READ), (ManagersMayNotRead, Action.MANAGE)):
        broken = make()
        ada = broken.authenticate(broken.user("ada"))

        assert _fails(lambda: contains(broken, ada, "experiment", given))  # noqa: B023  # called at once


def test_a_header_that_makes_the_authority_crash_is_caught() -> None:
    broken = CrashesOnOddHeaders()

    assert _fails(lambda: AuthorityContract().test_headers_that_make_no_sense_are_nobodys(broken, "Bearer ü"))


def _fails(test: object) -> bool:
    assert callable(test)
    try:
        test()
    except (AssertionError, ValueError):
        return True
    return False
