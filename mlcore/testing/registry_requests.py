"""The part of the contract suite of registry stores that is about transition requests.

Its tests are skipped for a registry that is no `SupportsRequests`.
"""

# ruff: noqa: D102 - the names of tests are sentences

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from mlcore.entities import MoveKind, MoveNote, RequestStatus, TransitionRequest
from mlcore.errors import InvalidParameterError, InvalidStateError, NotFoundError
from mlcore.interfaces import RegistryStore, SupportsMoves, SupportsRequests
from mlcore.testing.plugin_module import PluginModuleContract
from mlcore.testing.registry_models import new_model, new_version
from mlcore.testing.registry_moves import ADA, BOB, moves_of
from mlcore.testing.threads import race
from mlcore.testing.tokens import BAD_TOKENS

_APPROVED, _REJECTED, _PENDING = RequestStatus.APPROVED, RequestStatus.REJECTED, RequestStatus.PENDING
_RACERS = 8


def _request(number: int = 1, version: str = "1", stage: str = "Production", **more: Any) -> TransitionRequest:
    """Make a request of ada's, as a client sends it."""
    made = TransitionRequest(f"{number:032x}", "iris", version, stage, "ada", "it is better", created=0)
    return evolve(made, **more)


def asking(registry: RegistryStore, versions: int = 2) -> SupportsRequests:
    """Return a registry with a model and versions; skip the test when it keeps no requests."""
    if not isinstance(registry, SupportsRequests):
        pytest.skip("the registry keeps no transition requests")
    new_model(registry)
    for _ in range(versions):
        new_version(registry)
    return registry


def requests_of(
    registry: SupportsRequests, name: str | None = "iris", status: RequestStatus | None = None
) -> list[TransitionRequest]:
    """Return all requests that a search finds."""
    page = registry.search_requests(name, status, max_results=100, page_token=None)
    assert page.next_token is None
    return list(page.items)


class RequestsContract(PluginModuleContract):
    """What is expected of transition requests."""

    def test_a_request_waits_and_moves_nothing(self, registry: RegistryStore) -> None:
        asked = asking(registry)

        made = asked.create_request(_request(archive_existing=True, stage="pRODUCTION"))

        assert made == _request(archive_existing=True, created=made.created)
        assert abs(made.created - time.time() * 1000) < 60_000
        assert asked.get_request(made.request_id) == made
        assert requests_of(asked) == requests_of(asked, None) == requests_of(asked, "iris", _PENDING) == [made]
        assert registry.get_version("iris", "1").current_stage == "None"

    def test_a_request_that_comes_again_is_one(self, registry: RegistryStore) -> None:
        asked = asking(registry)
        made = asked.create_request(_request())

        again = asked.create_request(_request(stage="Staging", user="eve"))

        assert again == made
        assert requests_of(asked) == [made]

    def test_a_request_cannot_bring_its_own_approval(self, registry: RegistryStore) -> None:
        asked = asking(registry)

        made = asked.create_request(_request(status=_APPROVED, decided=1, decided_by="ada", decision="yes"))

        assert (made.status, made.decided, made.decided_by, made.decision) == (_PENDING, None, "", "")

    def test_an_approved_request_moves_the_version_for_who_asked(self, registry: RegistryStore) -> None:
        asked = asking(registry)
        registry.update_version("iris", "2", description=None, stage="Production", archive_existing=False)
        made = asked.create_request(_request(archive_existing=True))

        done = asked.decide_request(made.request_id, _APPROVED, note=MoveNote("bob", "well done"))

        assert (done.status, done.decided_by, done.decision) == (_APPROVED, "bob", "well done")
        assert done.decided is not None
        assert done.decided >= made.created
        assert asked.get_request(made.request_id) == done
        assert [registry.get_version("iris", number).current_stage for number in "12"] == ["Production", "Archived"]
        if isinstance(registry, SupportsMoves):
            archived, moved = moves_of(registry)[-2:]
            assert (moved.kind, moved.subject, moved.after, moved.user) == (MoveKind.STAGE, "1", "Production", "ada")
            assert moved.comment == "it is better (approved by 'bob': well done)"
            assert (archived.subject, archived.user, archived.comment) == ("2", "ada", moved.comment)

    @pytest.mark.parametrize("status", [_REJECTED, RequestStatus.CANCELLED])
    def test_a_request_that_is_rejected_or_cancelled_moves_nothing(
        self, registry: RegistryStore, status: RequestStatus
    ) -> None:
        asked = asking(registry)
        made = asked.create_request(_request())

        done = asked.decide_request(made.request_id, status, note=BOB)

        assert (done.status, done.decided_by) == (status, "bob")
        assert registry.get_version("iris", "1").current_stage == "None"
        assert (requests_of(asked, "iris", _PENDING), requests_of(asked, "iris", status)) == ([], [done])

    def test_a_request_is_decided_once(self, registry: RegistryStore) -> None:
        asked = asking(registry)
        made = asked.create_request(_request())
        done = asked.decide_request(made.request_id, _REJECTED, note=BOB)

        with pytest.raises(InvalidStateError, match=r"REJECTED already, by 'bob' at 20\d\d-"):
            asked.decide_request(made.request_id, _APPROVED, note=ADA)

        assert asked.get_request(made.request_id) == done
        assert registry.get_version("iris", "1").current_stage == "None"

    def test_of_many_who_race_to_decide_one_does(self, registry: RegistryStore) -> None:
        asked = asking(registry)
        made = asked.create_request(_request())

        def decide(number: int) -> TransitionRequest:
            status = _REJECTED if number % 2 else _APPROVED
            return asked.decide_request(made.request_id, status, note=MoveNote(f"judge {number}"))

        found = race(_RACERS, decide)

        done = [each for each in found if isinstance(each, TransitionRequest)]
        assert len(done) == 1
        assert done == requests_of(asked)
        others = [each for each in found if isinstance(each, InvalidStateError)]
        assert len(others) == _RACERS - 1
        assert all(repr(done[0].decided_by) in str(each) for each in others)
        stage = registry.get_version("iris", "1").current_stage
        assert stage == ("Production" if done[0].status is _APPROVED else "None")

    def test_what_cannot_be_asked_for_is_refused(self, registry: RegistryStore) -> None:
        asked = asking(registry)
        wrong: list[tuple[TransitionRequest, type[Exception], str]] = [
            (_request(version="7"), NotFoundError, "'7'"),
            (_request(name="nope"), NotFoundError, "'nope'"),
            (_request(stage="Heaven"), InvalidParameterError, "'Heaven'.*None, Staging, Production, Archived"),
            (_request(stage="Archived", archive_existing=True), InvalidParameterError, "not an active stage"),
        ]
        for given, error, text in wrong:
            with pytest.raises(error, match=text):
                asked.create_request(given)

        assert requests_of(asked) == []

    def test_what_is_no_decision_is_refused(self, registry: RegistryStore) -> None:
        asked = asking(registry)
        made = asked.create_request(_request())

        with pytest.raises(InvalidParameterError, match=r"PENDING.*APPROVED, REJECTED, CANCELLED"):
            asked.decide_request(made.request_id, _PENDING, note=BOB)

        assert requests_of(asked) == [made]

    def test_an_unknown_request_is_named(self, registry: RegistryStore) -> None:
        asked = asking(registry)
        calls: list[Callable[[], object]] = [
            lambda: asked.get_request("nope"),
            lambda: asked.decide_request("nope", _APPROVED, note=BOB),
        ]
        for call in calls:
            with pytest.raises(NotFoundError, match="'nope'"):
                call()

    def test_requests_of_an_unknown_model_are_not_found(self, registry: RegistryStore) -> None:
        asked = asking(registry)

        with pytest.raises(NotFoundError, match="'nope'"):
            requests_of(asked, "nope")

    def test_requests_come_in_pages_with_the_newest_first(self, registry: RegistryStore) -> None:
        asked = asking(registry)
        new_model(registry, "rose")
        new_version(registry, "rose")
        made = [asked.create_request(_request(number)).request_id for number in range(4)]
        other = asked.create_request(_request(9, name="rose")).request_id

        first = asked.search_requests("iris", None, max_results=3, page_token=None)
        second = asked.search_requests("iris", None, max_results=3, page_token=first.next_token)

        assert [each.request_id for each in (*first.items, *second.items)] == made[::-1]
        assert (len(first.items), second.next_token) == (3, None)
        assert [each.request_id for each in requests_of(asked, None)] == [other, *made[::-1]]

    @pytest.mark.parametrize("token", BAD_TOKENS)
    def test_a_bad_page_token_of_requests_is_refused(self, registry: RegistryStore, token: str) -> None:
        asked = asking(registry)

        with pytest.raises(InvalidParameterError, match="page token"):
            asked.search_requests(None, None, max_results=10, page_token=token)

    def test_requests_follow_their_model_to_another_name(self, registry: RegistryStore) -> None:
        asked = asking(registry)
        made = asked.create_request(_request())

        registry.update_model("iris", new_name="rose", description=None)

        assert requests_of(asked, "rose") == [evolve(made, name="rose")]
        asked.decide_request(made.request_id, _APPROVED, note=BOB)
        assert registry.get_version("rose", "1").current_stage == "Production"

    @pytest.mark.parametrize("whole", [False, True])
    def test_requests_for_what_is_deleted_are_cancelled(self, registry: RegistryStore, whole: bool) -> None:
        asked = asking(registry)
        done = asked.decide_request(asked.create_request(_request(1)).request_id, _REJECTED, note=BOB)
        asked.create_request(_request(2))
        other = asked.create_request(_request(3, version="2"))

        if whole:
            registry.delete_model("iris")
        else:
            registry.delete_version("iris", "1")

        found = {each.request_id: each for each in requests_of(asked)}
        gone = found[_request(2).request_id]
        assert found[done.request_id] == done
        assert (gone.status, gone.decision) == (RequestStatus.CANCELLED, "the version was deleted")
        assert (found[other.request_id].status is _PENDING) is not whole
        with pytest.raises(InvalidStateError, match="CANCELLED already"):
            asked.decide_request(gone.request_id, _APPROVED, note=BOB)
