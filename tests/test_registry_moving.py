"""The way of a move: gates can refuse it, the store makes it, listeners hear of it; history and requests by the client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import evolve

from mlcore import Client
from mlcore.entities import (
    ModelVersion,
    MoveKind,
    MoveNote,
    RegisteredModel,
    RequestStatus,
    Transition,
    TransitionRequest,
)
from mlcore.errors import (
    ConflictError,
    InvalidParameterError,
    InvalidStateError,
    NotFoundError,
    PermissionDeniedError,
    UnsupportedError,
)
from mlcore.hookspecs import Event, hookimpl
from mlcore.interfaces import RegistryStore
from mlcore.plugin_index import PluginEntry
from mlcore.plugins import Plugins
from mlcore.registry.moving import Mover
from mlcore.registry.people import present_user
from mlcore.settings import Settings
from mlcore.testing import MemoryRegistryStore
from mlcore.tracking.session import Session, current_session, using

Gate = Callable[[Transition], str | None]


class Memory:
    """The plugin of a registry in memory, whatever its URI."""

    def __init__(self) -> None:
        self.store = MemoryRegistryStore()

    @hookimpl
    def registry_store(self, uri: str) -> RegistryStore | None:
        return self.store if uri.startswith("memory:") else None


class Listening:
    def __init__(self) -> None:
        self.heard: list[Event] = []

    @hookimpl
    def event(self, event: Event) -> None:
        self.heard.append(event)

    def told(self) -> list[tuple[str, str, dict[str, object]]]:
        always = ("user", "comment", "told_by")
        return [(e.name, e.subject, {k: v for k, v in e.detail.items() if k not in always}) for e in self.heard]


class Gated:
    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.asked: list[Transition] = []

    @hookimpl
    def before_transition(self, transition: Transition) -> str | None:
        self.asked.append(transition)
        return self.gate(transition)


def never_to_production(transition: Transition) -> str | None:
    return "no test metric is recorded" if transition.after == "Production" else None


@pytest.fixture
def plugins() -> Plugins:
    return Plugins()


@pytest.fixture
def store() -> MemoryRegistryStore:
    made = MemoryRegistryStore()
    made.create_model("wine", description="", tags={})
    for _ in range(3):
        made.create_version("wine", "file:///models/wine", run_id="r1", run_link=None, description="", tags={})
    return made


@pytest.fixture
def mover(plugins: Plugins, store: MemoryRegistryStore) -> Mover:
    return Mover(plugins, store, "ada")


@pytest.fixture
def client(tmp_path: Path, store: MemoryRegistryStore) -> Iterator[Client]:
    plugin = Memory()
    plugin.store = store
    plugins = Plugins.discover(Settings())
    plugins.register(plugin)
    given = {"tracking_uri": f"sqlite:///{tmp_path}/mlcore.db", "registry_uri": "memory:"}
    with using(Session(Settings.load(given, environ={}, directory=tmp_path), plugins)):
        yield Client()


class _Plain:
    """A registry with nothing beyond the contract, such as one of a vendor or of an MLflow server."""

    def __init__(self, store: MemoryRegistryStore) -> None:
        for name in RegistryStore.__dict__:
            if not name.startswith("_"):
                setattr(self, name, getattr(store, name))


def test_a_gate_refuses_a_move_with_its_name_and_reason(mover: Mover, plugins: Plugins) -> None:
    plugins.register(Gated(never_to_production), name="acme-policy")

    with pytest.raises(PermissionDeniedError) as refused:
        mover.move_stage("wine", "2", "Production")

    assert refused.value.message == (
        "version '2' of registered model 'wine' is not moved from stage 'None' to 'Production': plugin acme-policy refuses: "
        "no test metric is recorded"
    )
    assert refused.value.status == 403
    assert mover.store.get_version("wine", "2").current_stage == "None"
    assert mover.move_stage("wine", "2", "Staging").current_stage == "Staging"


def test_a_gate_sees_what_is_about_to_move_who_wants_it_and_why(mover: Mover, plugins: Plugins) -> None:
    gate = Gated(lambda _: None)
    plugins.register(gate)

    mover.move_stage("wine", "2", "Staging", comment="try it")
    mover.move_alias("wine", "champion", "2")
    mover.move_alias("wine", "champion", "3", comment="better")
    mover.move_alias("wine", "champion", None)

    bare = MoveNote("ada")
    assert gate.asked == [
        Transition("wine", MoveKind.STAGE, "2", "None", "Staging", "2", MoveNote("ada", "try it")),
        Transition("wine", MoveKind.ALIAS, "champion", "", "2", "2", bare),
        Transition("wine", MoveKind.ALIAS, "champion", "2", "3", "3", MoveNote("ada", "better")),
        Transition("wine", MoveKind.ALIAS, "champion", "3", "", None, bare),
    ]


def test_the_reasons_of_all_gates_are_told(mover: Mover, plugins: Plugins) -> None:
    plugins.register(Gated(lambda _: "it is Friday"), name="calendar")
    plugins.register(Gated(lambda _: "no owner"), name="owners")

    with pytest.raises(
        PermissionDeniedError, match=r"plugin owners refuses: no owner; plugin calendar refuses: it is Friday$"
    ):
        mover.move_alias("wine", "champion", "1")


def test_a_gate_that_raises_lets_nothing_pass(mover: Mover, plugins: Plugins) -> None:
    def broken(_: Transition) -> str | None:
        raise OSError("the policy server is gone")

    plugins.register(Gated(broken), name="acme-policy")

    with pytest.raises(PermissionDeniedError, match=r"acme-policy failed.*OSError: the policy server is gone"):
        mover.move_alias("wine", "champion", "1")
    assert mover.store.get_model("wine").aliases == {}


def test_a_gate_that_cannot_be_loaded_lets_nothing_pass(store: MemoryRegistryStore) -> None:
    plugins = Plugins([PluginEntry("before_transition", "policy", "no_such_module", "acme-policy", "1.0")])

    for _ in range(2):
        with pytest.raises(PermissionDeniedError, match=r"plugin acme-policy 1.0 .*failed to load"):
            Mover(plugins, store).move_stage("wine", "1", "Staging")


def test_what_moves_nothing_needs_no_gate(mover: Mover, plugins: Plugins) -> None:
    mover.move_alias("wine", "champion", "1")
    plugins.register(Gated(lambda _: "never"))

    mover.move_stage("wine", "1", "None")
    mover.move_alias("wine", "champion", "1")


@pytest.mark.parametrize("removes", ["version", "model"])
def test_a_gate_keeps_an_alias_from_going_with_what_it_points_to(mover: Mover, plugins: Plugins, removes: str) -> None:
    mover.move_alias("wine", "champion", "1")
    plugins.register(Gated(lambda move: "the champion stays" if not move.after else None))

    with pytest.raises(
        PermissionDeniedError, match=r"alias 'champion'.*is not removed from version '1'.*the champion stays"
    ):
        mover.delete_model("wine") if removes == "model" else mover.delete_version("wine", "1", force=True)
    mover.delete_version("wine", "2", force=True)


def test_gates_see_what_comes_from_another_registry(mover: Mover, plugins: Plugins) -> None:
    plugins.register(Gated(never_to_production))
    version = ModelVersion("wine", "9", "s3://b/m", 1, 1, current_stage="Production")

    with pytest.raises(PermissionDeniedError, match=r"version '9'.*no test metric"):
        mover.adopt(version)
    mover.adopt(evolve(version, version="3"))  # it is there: nothing moves


def test_a_move_that_overtakes_the_gates_is_judged_anew(mover: Mover, plugins: Plugins) -> None:
    store, asked = mover.store, []

    def slow(transition: Transition) -> str | None:
        asked.append(transition.before)
        if transition.before == "1":
            store.set_alias("wine", "champion", "2")  # somebody else, in the meantime
        return "2 is kept" if transition.before == "2" else None

    store.set_alias("wine", "champion", "1")
    plugins.register(Gated(slow))

    with pytest.raises(PermissionDeniedError, match="2 is kept"):
        mover.move_alias("wine", "champion", "3")
    assert asked == ["1", "2"]
    assert store.get_model("wine").aliases == {"champion": "2"}


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("plain", [False, True])
def test_of_two_who_move_one_alias_the_second_is_told(
    plugins: Plugins, store: MemoryRegistryStore, gated: bool, plain: bool
) -> None:
    if gated:
        plugins.register(Gated(lambda _: None))
    mover = Mover(plugins, _Plain(store) if plain else store, "ada")  # type: ignore[arg-type]  # its methods are set one by one
    mover.move_alias("wine", "champion", "1")

    mover.move_alias("wine", "champion", "2", expected="1")
    with pytest.raises(ConflictError, match=r"alias 'champion' of registered model 'wine' points to .*2.*expected .*1"):
        mover.move_alias("wine", "champion", "3", expected="1")
    with pytest.raises(ConflictError, match=r"version '1' of registered model 'wine' is in stage 'None'"):
        mover.move_stage("wine", "1", "Production", expected="Staging")

    assert store.get_model("wine").aliases == {"champion": "2"}


def test_a_plain_registry_moves_as_well(plugins: Plugins, store: MemoryRegistryStore) -> None:
    mover = Mover(plugins, _Plain(store))  # type: ignore[arg-type]  # its methods are set one by one

    mover.move_stage("wine", "1", "Production", comment="kept by the events alone")
    mover.move_stage("wine", "2", "Production", archive_existing=True)
    with pytest.raises(InvalidStateError, match=r"version 2 .* is in Production and is not deleted"):
        mover.delete_version("wine", "2", force=False)
    mover.delete_version("wine", "2", force=True)
    with pytest.raises(UnsupportedError, match="keeps no transition requests"):
        mover.decide("a", RequestStatus.APPROVED)

    assert store.get_version("wine", "1").current_stage == "Archived"


def test_a_comment_that_is_kept_nowhere_is_not_dropped_in_silence(
    plugins: Plugins, store: MemoryRegistryStore, caplog: pytest.LogCaptureFixture
) -> None:
    mover = Mover(plugins, _Plain(store))  # type: ignore[arg-type]  # its methods are set one by one

    mover.move_alias("wine", "champion", "1", comment="why")

    assert "the comment 'why' goes to listeners alone: this registry (_Plain) keeps no history" in caplog.text


def test_listeners_hear_of_everything_that_moves(mover: Mover, plugins: Plugins) -> None:
    listening = Listening()
    plugins.register(listening)

    mover.create_model("beer", description="", tags={})
    mover.create_version("beer", "s3://u:secret@b/m", run_id="r", run_link=None, description="", tags={})
    mover.create_version("beer", "file:///b", run_id=None, run_link=None, description="", tags={})
    mover.move_stage("beer", "1", "Production")
    mover.move_stage("beer", "2", "Production", archive_existing=True)
    mover.move_alias("beer", "a", "1")
    mover.move_alias("beer", "a", "1")
    mover.delete_version("beer", "1", force=False)
    mover.rename_model("beer", "ale")
    mover.delete_model("ale")

    told = listening.told()
    assert told == [
        ("model_created", "beer", {}),
        ("version_created", "beer", {"version": "1", "source": told[1][2]["source"], "run_id": "r"}),
        ("version_created", "beer", {"version": "2", "source": "file:///b", "run_id": ""}),
        ("stage_moved", "beer", {"version": "1", "from": "None", "to": "Production"}),
        ("stage_moved", "beer", {"version": "2", "from": "None", "to": "Production"}),
        ("stage_moved", "beer", {"version": "1", "from": "Production", "to": "Archived"}),
        ("alias_moved", "beer", {"alias": "a", "from": "", "to": "1"}),
        ("version_deleted", "beer", {"version": "1", "stage": "Archived"}),
        ("alias_moved", "beer", {"alias": "a", "from": "1", "to": ""}),
        ("model_renamed", "ale", {"from": "beer", "to": "ale"}),
        ("model_deleted", "ale", {}),
    ]
    assert "secret" not in str(told)
    assert {(e.detail["user"], e.detail["told_by"]) for e in listening.heard} == {("ada", "client")}


def test_what_a_gate_refuses_nobody_hears_of(mover: Mover, plugins: Plugins) -> None:
    listening = Listening()
    plugins.register(listening)
    plugins.register(Gated(never_to_production))

    with pytest.raises(PermissionDeniedError):
        mover.move_stage("wine", "1", "Production")

    assert listening.heard == []


def _asked(stage: str = "Production") -> TransitionRequest:
    return TransitionRequest("q1", "wine", "2", stage, "bob", "ready", 0, archive_existing=True)


def test_an_approved_request_moves_the_version_and_is_told(mover: Mover, plugins: Plugins) -> None:
    listening = Listening()
    plugins.register(listening)

    mover.request(_asked())
    mover.decide("q1", RequestStatus.APPROVED, comment="go")

    assert mover.store.get_version("wine", "2").current_stage == "Production"
    assert [(name, detail.get("status"), detail.get("requested_by")) for name, _, detail in listening.told()] == [
        ("transition_requested", "PENDING", "bob"),
        ("transition_decided", "APPROVED", "bob"),
        ("stage_moved", None, None),
    ]
    assert [(e.detail["user"], e.detail["comment"]) for e in listening.heard[1:]] == [("ada", "go")] * 2


def test_a_request_that_a_gate_refuses_goes_on_waiting(mover: Mover, plugins: Plugins) -> None:
    plugins.register(Gated(never_to_production))
    mover.request(_asked())

    with pytest.raises(PermissionDeniedError, match="no test metric"):
        mover.decide("q1", RequestStatus.APPROVED)

    assert mover.decide("q1", RequestStatus.REJECTED).status is RequestStatus.REJECTED


def test_nobody_who_is_recognised_approves_their_own_request(plugins: Plugins, store: MemoryRegistryStore) -> None:
    bob, eve = (Mover(plugins, store, user, "server", is_proven=True) for user in ("bob", "eve"))
    bob.request(_asked())

    with pytest.raises(PermissionDeniedError, match=r"'q1' is your own: somebody else than 'bob' has to approve it"):
        bob.decide("q1", RequestStatus.APPROVED)

    assert eve.decide("q1", RequestStatus.APPROVED).decided_by == "eve"


def test_the_client_tells_who_moved_what_when_and_why(client: Client) -> None:
    client.transition_model_version_stage("wine", 1, "staging", comment="try", expected="none")
    client.set_registered_model_alias("wine", "champion", 1, comment="first", expected="")
    first = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 == first:
        time.sleep(0.001)
    client.set_registered_model_alias("wine", "champion", 2, expected=1)
    client.delete_registered_model_alias("wine", "champion", comment="none is good")

    user = present_user()
    moves = client.get_model_history("wine", max_results=4)
    assert [(m.kind, m.subject, m.before, m.after, m.user, m.comment) for m in moves] == [
        (MoveKind.ALIAS, "champion", "2", "", user, "none is good"),
        (MoveKind.ALIAS, "champion", "1", "2", user, ""),
        (MoveKind.ALIAS, "champion", "", "1", user, "first"),
        (MoveKind.STAGE, "1", "None", "Staging", user, "try"),
    ]
    assert moves.token
    assert client.get_alias_at("wine", "champion", first) == "1"
    assert client.get_alias_at("wine", "champion", moves[0].at) is None
    with pytest.raises(ConflictError):
        client.set_registered_model_alias("wine", "champion", 3, expected=2)


def test_the_client_asks_for_transitions_and_decides_them(client: Client) -> None:
    first = client.request_transition("wine", "1", "production", comment="ready")
    second = client.request_transition("wine", 2, "Staging")
    third = client.request_transition("wine", 3, "Staging")

    assert client.approve_transition(first.request_id, "go").status is RequestStatus.APPROVED
    assert client.reject_transition(second.request_id, "no").decision == "no"
    assert client.cancel_transition(third.request_id).status is RequestStatus.CANCELLED
    with pytest.raises(InvalidStateError, match="APPROVED already"):
        client.reject_transition(first.request_id)

    assert client.get_model_version("wine", 1).current_stage == "Production"
    assert [r.request_id for r in client.search_transition_requests("wine", "approved")] == [first.request_id]
    assert len(client.search_transition_requests()) == 3
    with pytest.raises(InvalidParameterError, match="expected one of PENDING, APPROVED"):
        client.search_transition_requests(status="open")


def test_the_client_names_a_model_that_has_no_history(client: Client) -> None:
    with pytest.raises(NotFoundError, match="beer"):
        client.get_model_history("beer")


def test_registered_models_made_by_the_client_are_told(client: Client) -> None:
    listening = Listening()
    current_session().plugins.register(listening)

    made: RegisteredModel = client.create_registered_model("beer")
    client.create_model_version(made.name, "/tmp/model")  # nothing is read there
    client.delete_model_version("beer", 1)

    assert [name for name, _, _ in listening.told()] == ["model_created", "version_created", "version_deleted"]
