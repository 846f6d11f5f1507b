"""The contract suite of authorities.

To use it, inherit in a test module and give a fixture `case`: a new authority, and how to fill it:

    class TestMyAuthority(AuthorityContract):
        plugin_module = "mlcore_auth_mine.plugin"

        @pytest.fixture
        def case(self) -> AuthorityCase: ...
"""

# ruff: noqa: D102  # the names of tests are sentences, which say it all
from __future__ import annotations

import base64
import binascii
import contextlib
import re
import time

import pytest

from mlcore.entities import Action, AuditEntry, Credentials, Principal, Resource
from mlcore.errors import UnauthenticatedError
from mlcore.interfaces import Authority, SupportsAudit
from mlcore.testing.authority_case import AuthorityCase, AuthorityFixtures
from mlcore.testing.threads import race

KINDS = ("experiment", "registered_model")
LEVELS = (Action.READ, Action.EDIT, Action.MANAGE)
each_kind: pytest.MarkDecorator = pytest.mark.parametrize("kind", KINDS)
SERVER = Resource("server")
# ids are what users call their models: none of them means anything else than itself
ODD_IDS = (
    "*",
    "%",
    "_",
    "1",
    "11",
    "01",
    "a b",
    "A B",
    "='1'",
    "x' OR '1'='1",
    "+",
    "/",
    "..",
    "ü",
    "u\u0308",
    "🙂",
    "",
)
MALFORMED = ("", "Basic", "Bearer", "Basic !", "Basic YQ==", "Bearer \u00fc", "Digest a=b", "Negotiate", "x" * 9000)
_MOST_SECONDS = 1.0  # of CPU, for ten thousand ids; a search waits for it


class RecognitionContract(AuthorityFixtures):
    """Who is recognised."""

    def test_a_user_is_recognised_and_is_no_admin(self, case: AuthorityCase) -> None:
        found = case.authority.authenticate(case.user("ada"))

        assert (found.name, found.is_admin) == ("ada", False)

    def test_a_user_is_recognised_again_and_again(self, case: AuthorityCase) -> None:
        shown, others = case.user("ada"), case.user("bob")

        names = [case.authority.authenticate(each).name for each in (shown, others, shown, shown, others)]

        assert names == ["ada", "bob", "ada", "ada", "bob"]

    def test_an_admin_is_recognised_as_one(self, root: Principal) -> None:
        assert root.is_admin

    def test_who_shows_nothing_is_not_recognised(self, case: AuthorityCase) -> None:
        case.user("ada")

        with pytest.raises(UnauthenticatedError):
            case.authority.authenticate(Credentials({}, "127.0.0.1"))

    def test_impostors_are_not_recognised(self, case: AuthorityCase) -> None:
        case.user("ada")

        for shown in case.impostors():
            with pytest.raises(UnauthenticatedError):
                case.authority.authenticate(shown)

    @pytest.mark.parametrize("header", MALFORMED, ids=range(len(MALFORMED)))
    def test_headers_that_make_no_sense_are_nobodys(self, case: AuthorityCase, header: str) -> None:
        case.user("ada")

        with pytest.raises(UnauthenticatedError):
            case.authority.authenticate(Credentials({"authorization": header}, "127.0.0.1"))

    def test_a_refusal_does_not_repeat_what_was_shown(self, case: AuthorityCase) -> None:
        for shown in case.impostors():
            with pytest.raises(UnauthenticatedError) as refused:
                case.authority.authenticate(shown)

            for secret in _secrets(shown.headers.get("authorization", "")):
                assert secret not in str(refused.value)

    def test_a_principal_that_the_authority_never_made_may_do_nothing(self, case: AuthorityCase) -> None:
        forged = Principal("nobody", is_admin=True)
        one = Resource("experiment", "1")

        assert not any(case.authority.authorize(forged, action, one) for action in Action)
        assert case.authority.readable(forged, "experiment", ["1"]) == frozenset()

    def test_the_challenge_names_a_scheme(self, case: AuthorityCase) -> None:
        assert re.match(r"[A-Za-z][\w-]*( |$)", case.authority.challenge)
        assert case.authority.name


class DecisionsContract(AuthorityFixtures):
    """What is allowed."""

    @each_kind
    def test_who_was_given_nothing_may_do_nothing(self, case: AuthorityCase, ada: Principal, kind: str) -> None:
        assert not any(case.authority.authorize(ada, action, Resource(kind, "1")) for action in LEVELS)
        assert not case.authority.authorize(ada, Action.CREATE, Resource(kind))

    @each_kind
    @pytest.mark.parametrize("given", LEVELS)
    def test_manage_contains_edit_and_edit_contains_read(
        self, case: AuthorityCase, ada: Principal, kind: str, given: Action
    ) -> None:
        one = Resource(kind, "1")

        case.grant("ada", given, one)

        allowed = [action for action in LEVELS if case.authority.authorize(ada, action, one)]
        assert allowed == list(LEVELS[: LEVELS.index(given) + 1])

    @each_kind
    def test_the_maker_may_do_everything_with_it_and_others_nothing(
        self, case: AuthorityCase, ada: Principal, bob: Principal, kind: str
    ) -> None:
        case.authority.created(ada, Resource(kind, "1"))

        assert all(case.authority.authorize(ada, action, Resource(kind, "1")) for action in LEVELS)
        assert not any(case.authority.authorize(bob, action, Resource(kind, "1")) for action in LEVELS)

    @each_kind
    def test_an_admin_may_do_everything(self, case: AuthorityCase, ada: Principal, root: Principal, kind: str) -> None:
        case.authority.created(ada, Resource(kind, "1"))

        assert all(case.authority.authorize(root, action, Resource(kind, "1")) for action in LEVELS)
        assert case.authority.authorize(root, Action.CREATE, Resource(kind))

    @each_kind
    def test_creating_is_given_for_the_kind_and_opens_nothing_else(
        self, case: AuthorityCase, ada: Principal, kind: str
    ) -> None:
        case.grant("ada", Action.CREATE, Resource(kind))

        other = KINDS[1 - KINDS.index(kind)]
        assert case.authority.authorize(ada, Action.CREATE, Resource(kind))
        assert not case.authority.authorize(ada, Action.CREATE, Resource(other))
        assert not any(case.authority.authorize(ada, action, Resource(kind, "1")) for action in LEVELS)

    @each_kind
    @pytest.mark.parametrize("own", ODD_IDS[:-1])
    def test_an_id_stands_for_itself_alone(self, case: AuthorityCase, ada: Principal, kind: str, own: str) -> None:
        case.authority.created(ada, Resource(kind, own))

        reached = [each for each in ODD_IDS if case.authority.authorize(ada, Action.READ, Resource(kind, each))]

        assert reached == [own]
        assert case.authority.readable(ada, kind, ODD_IDS) == {own}
        assert not case.authority.authorize(ada, Action.CREATE, Resource(kind))

    @each_kind
    def test_the_same_id_of_another_kind_is_another_resource(
        self, case: AuthorityCase, ada: Principal, kind: str
    ) -> None:
        case.authority.created(ada, Resource(kind, "1"))

        other = KINDS[1 - KINDS.index(kind)]
        assert not case.authority.authorize(ada, Action.READ, Resource(other, "1"))
        assert not case.authority.authorize(ada, Action.READ, Resource("server", "1"))

    @each_kind
    def test_the_server_as_a_whole_is_for_admins(
        self, case: AuthorityCase, ada: Principal, root: Principal, kind: str
    ) -> None:
        case.authority.created(ada, Resource(kind, "1"))

        assert not any(case.authority.authorize(ada, action, SERVER) for action in (Action.EDIT, Action.MANAGE))
        assert all(case.authority.authorize(root, action, SERVER) for action in LEVELS)

    @each_kind
    def test_who_is_admin_now_counts_and_not_what_the_principal_says(
        self, case: AuthorityCase, ada: Principal, kind: str
    ) -> None:
        forged = Principal(ada.name, is_admin=True)

        assert not case.authority.authorize(forged, Action.READ, Resource(kind, "1"))


class ChangesContract(AuthorityFixtures):
    """What names and ends do to permissions."""

    @each_kind
    def test_what_was_renamed_stays_allowed_under_its_new_id_only(
        self, case: AuthorityCase, ada: Principal, bob: Principal, kind: str
    ) -> None:
        case.authority.created(ada, Resource(kind, "old"))
        case.grant("bob", Action.READ, Resource(kind, "old"))

        case.authority.renamed(Resource(kind, "old"), "new")

        assert case.authority.authorize(ada, Action.MANAGE, Resource(kind, "new"))
        assert case.authority.authorize(bob, Action.READ, Resource(kind, "new"))
        assert not case.authority.authorize(bob, Action.EDIT, Resource(kind, "new"))
        assert case.authority.readable(bob, kind, ["old", "new"]) == {"new"}

    @each_kind
    def test_a_rename_leaves_the_other_kind_alone(self, case: AuthorityCase, ada: Principal, kind: str) -> None:
        other = KINDS[1 - KINDS.index(kind)]
        case.authority.created(ada, Resource(other, "old"))

        case.authority.renamed(Resource(kind, "old"), "new")

        assert case.authority.authorize(ada, Action.MANAGE, Resource(other, "old"))
        assert not case.authority.authorize(ada, Action.READ, Resource(other, "new"))

    @each_kind
    def test_a_rename_to_a_name_of_the_past_brings_back_nothing(
        self, case: AuthorityCase, ada: Principal, bob: Principal, kind: str
    ) -> None:
        case.grant("bob", Action.READ, Resource(kind, "new"))
        case.authority.created(ada, Resource(kind, "old"))

        case.authority.renamed(Resource(kind, "old"), "new")

        assert not case.authority.authorize(bob, Action.READ, Resource(kind, "new"))

    @each_kind
    def test_a_new_resource_of_a_deleted_ones_name_starts_without_its_permissions(
        self, case: AuthorityCase, ada: Principal, bob: Principal, kind: str
    ) -> None:
        case.authority.created(ada, Resource(kind, "1"))
        case.grant("bob", Action.EDIT, Resource(kind, "1"))

        case.authority.deleted(Resource(kind, "1"))
        nobodys = case.authority.readable(ada, kind, ["1"])
        case.authority.created(bob, Resource(kind, "1"))

        assert nobodys == frozenset()
        assert not case.authority.authorize(ada, Action.READ, Resource(kind, "1"))
        assert case.authority.authorize(bob, Action.MANAGE, Resource(kind, "1"))

    @each_kind
    def test_what_is_new_has_nothing_of_one_whose_end_was_never_told(
        self, case: AuthorityCase, ada: Principal, bob: Principal, kind: str
    ) -> None:
        case.authority.created(ada, Resource(kind, "1"))

        case.authority.created(bob, Resource(kind, "1"))

        assert not case.authority.authorize(ada, Action.READ, Resource(kind, "1"))

    @each_kind
    def test_deleting_what_nobody_was_given_does_nothing(self, case: AuthorityCase, ada: Principal, kind: str) -> None:
        case.authority.created(ada, Resource(kind, "1"))

        case.authority.deleted(Resource(kind, "2"))

        assert case.authority.authorize(ada, Action.MANAGE, Resource(kind, "1"))


class ListsContract(AuthorityFixtures):
    """What lists show."""

    def test_lists_agree_with_single_decisions(self, case: AuthorityCase, ada: Principal, bob: Principal) -> None:
        ids = [str(n) for n in range(60)]
        for n, each in enumerate(ids):
            if n % 4:
                case.grant("ada", LEVELS[n % 4 - 1], Resource("experiment", each))
            case.grant("bob", Action.MANAGE, Resource("registered_model", each))

        for who in (ada, bob):
            alone = {each for each in ids if case.authority.authorize(who, Action.READ, Resource("experiment", each))}
            assert case.authority.readable(who, "experiment", ids) == alone

    def test_an_admin_sees_all_that_was_asked_for(self, case: AuthorityCase, root: Principal) -> None:
        assert case.authority.readable(root, "experiment", ["1", "2", "1"]) == {"1", "2"}

    def test_of_nothing_nothing_is_readable(self, case: AuthorityCase, ada: Principal, root: Principal) -> None:
        assert case.authority.readable(ada, "experiment", []) == frozenset()
        assert case.authority.readable(root, "experiment", ()) == frozenset()

    def test_ten_thousand_ids_are_looked_up_quickly(self, case: AuthorityCase, ada: Principal) -> None:
        ids = [str(n) for n in range(10_000)]
        for each in ids[::500]:
            case.grant("ada", Action.READ, Resource("experiment", each))

        started = time.process_time()
        found = case.authority.readable(ada, "experiment", ids)

        assert found == set(ids[::500])
        assert time.process_time() - started < _MOST_SECONDS

    def test_threads_may_ask_and_change_at_the_same_time(self, case: AuthorityCase, ada: Principal) -> None:
        shown = case.user("carl")
        case.authority.created(ada, Resource("experiment", "1"))

        def work(n: int) -> tuple[bool, str, bool]:
            mine = Resource("experiment", f"made-{n}")
            case.authority.created(ada, mine)
            return (
                case.authority.authorize(ada, Action.EDIT, Resource("experiment", "1")),
                case.authority.authenticate(shown).name,
                case.authority.authorize(ada, Action.MANAGE, mine),
            )

        assert race(8, work) == [(True, "carl", True)] * 8


class AuditContract(AuthorityFixtures):
    """What the log of changes keeps; skipped for authorities without one."""

    @pytest.fixture
    def log(self, case: AuthorityCase) -> SupportsAudit:
        """Return the authority, when it keeps a log."""
        if not isinstance(case.authority, SupportsAudit):
            pytest.skip("the authority keeps no audit log")
        return case.authority

    def test_entries_are_kept_as_they_are_in_their_order(self, case: AuthorityCase, log: SupportsAudit) -> None:
        before = len(case.audited())
        entries = [
            AuditEntry(
                n, "ada", "experiments/update", Resource("experiment", "1"), 200, f"r{n}", {"name": "a"}, {"n": n}
            )
            for n in (3, 1, 2)
        ]

        log.record(entries[:1])
        log.record(entries[1:])

        assert list(case.audited())[before:] == entries

    def test_entries_without_a_state_or_with_any_json_are_kept(self, case: AuthorityCase, log: SupportsAudit) -> None:
        before = len(case.audited())
        values: list[object] = [None, "text", 1, 1.5, True, [], {"a": [{"b": None}]}, "ü🙂'\"\n"]
        made = [AuditEntry(1, "ada", "x", Resource("server"), 200, "", value, value) for value in values]

        log.record(made)

        assert [entry.after for entry in list(case.audited())[before:]] == values

    def test_recording_nothing_does_nothing(self, case: AuthorityCase, log: SupportsAudit) -> None:
        before = case.audited()

        log.record([])

        assert case.audited() == before


class AuthorityContract(RecognitionContract, DecisionsContract, ChangesContract, ListsContract, AuditContract):
    """Everything that a server relies on in an authority."""

    def test_the_authority_has_the_methods_of_the_contract(self, case: AuthorityCase) -> None:
        assert isinstance(case.authority, Authority)


def _secrets(header: str) -> list[str]:
    """Return the parts of a header that must not be shown to anybody: the value, and the password in it."""
    value = header.partition(" ")[2]
    found = [value]
    with contextlib.suppress(binascii.Error, ValueError):  # a bearer token is no base64
        found.append(base64.b64decode(value, validate=True).decode().partition(":")[2])
    return [each for each in found if len(each) >= 4]
