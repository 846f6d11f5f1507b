"""Journals for servers: older ones, and those that take little at a time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from mlcore_store_rest.opening import open_registry_store, open_tracking_store
from mlcore_store_rest.own_store import MlcoreTrackingStore
from mlflow_servers import MlflowServer
from own_server import OwnServer

from mlcore.entities import Batch, Entry, Metric, MoveNote, Param, RunTag
from mlcore.errors import StoreUnavailableError, TooLargeError
from mlcore.interfaces import (
    RegistryStore,
    SupportsAdoption,
    SupportsModelAdoption,
    SupportsMoves,
    SupportsReplay,
    SupportsRequests,
)
from mlcore.testing.tracking_samples import new_run


class Small(BaseHTTPRequestHandler):
    """A server that takes no more than 3000 bytes, and refuses entries with the tag `bad`."""

    protocol_version = "HTTP/1.1"
    abilities: ClassVar[dict[str, str]] = {"abilities": "replay"}
    taken: ClassVar[list[dict[str, Any]]] = []

    def do_GET(self) -> None:
        self._send(200, {"store_type": "x", "mlcore": {"version": "0.1.0", **self.abilities}})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if len(body) > 3000:
            self._send(413, {"error_code": "INVALID_PARAMETER_VALUE", "message": "the body is too large"})
            return
        said = json.loads(body)
        self.taken.append(said)
        bad = [one for one in said.get("more", []) if "bad" in str(one)]
        refused = [
            {
                "sequence": said["sequences"][one["entry"]],
                "error_code": "INVALID_PARAMETER_VALUE",
                "message": "param 'p' has the value '1' already, got '2'",
            }
            for one in bad
        ]
        self._send(200, {"run_id": "r", "writer": "w", "refused": refused})

    def _send(self, status: int, value: object) -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        pass


Serving = Callable[..., tuple[str, type[Small]]]


@pytest.fixture
def serving() -> Iterator[Serving]:
    running: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(abilities: dict[str, str]) -> tuple[str, type[Small]]:
        handler = type("One", (Small,), {"abilities": abilities, "taken": []})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}", handler

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def small(serving: Serving) -> tuple[SupportsReplay, type[Small]]:
    uri, handler = serving({"abilities": "replay"})
    store = open_tracking_store(uri)
    assert isinstance(store, SupportsReplay)
    return store, handler


@pytest.mark.parametrize(
    ("abilities", "expected"),
    [
        ({}, (False, False, False)),
        ({"abilities": "something-new"}, (False, False, False)),
        ({"abilities": "replay"}, (True, False, False)),
        ({"abilities": "adoption"}, (False, True, False)),
        ({"abilities": "adoption replay model-adoption later"}, (True, True, True)),
    ],
)
def test_a_server_is_asked_for_no_more_than_it_says_that_it_can(
    serving: Serving, abilities: dict[str, str], expected: tuple[bool, bool, bool]
) -> None:
    uri, _ = serving(abilities)

    store, registry = open_tracking_store(uri), open_registry_store(uri)

    assert isinstance(store, MlcoreTrackingStore)
    found = (isinstance(store, SupportsReplay), isinstance(store, SupportsAdoption))
    assert (*found, isinstance(registry, SupportsModelAdoption)) == expected


@pytest.mark.parametrize(
    ("abilities", "expected"),
    [
        ("", (False, False, False)),
        ("moves", (False, True, False)),
        ("transition-requests", (False, False, True)),
        ("moves model-adoption", (True, True, False)),
        ("transition-requests later moves model-adoption", (True, True, True)),
    ],
)
def test_a_registry_is_asked_for_no_more_than_it_says_that_it_can(
    serving: Serving, abilities: str, expected: tuple[bool, bool, bool]
) -> None:
    uri, _ = serving({"abilities": abilities})

    registry = open_registry_store(uri)

    kinds = (SupportsModelAdoption, SupportsMoves, SupportsRequests)
    assert tuple(isinstance(registry, kind) for kind in kinds) == expected
    assert isinstance(registry, RegistryStore)
    registry.close()


def test_a_move_that_expects_something_is_sent_once_and_any_other_until_it_comes_through(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, handler = serving({"abilities": "moves"})
    registry = open_registry_store(uri)
    assert isinstance(registry, SupportsMoves)
    assert isinstance(registry, RegistryStore)
    lost: list[str] = []

    def answer_is_lost(self: Small) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        lost.append(self.path)
        if len(lost) == 2:
            self._send(200, {})
            return
        self.close_connection = True

    monkeypatch.setattr(handler, "do_POST", answer_is_lost)
    with pytest.raises(StoreUnavailableError):
        registry.move_alias("iris", "best", "1", note=MoveNote(), expected="")
    registry.move_alias("iris", "best", "1", note=MoveNote(), expected=None)

    assert len(lost) == 2
    registry.close()


def test_our_own_server_can_all_of_it(own: OwnServer) -> None:
    store = open_tracking_store(own.uri)

    assert isinstance(store, SupportsReplay)
    assert isinstance(store, SupportsAdoption)
    registry = open_registry_store(own.uri)
    for kind in (SupportsModelAdoption, SupportsMoves, SupportsRequests):
        assert isinstance(registry, kind)
    registry.close()


def test_a_server_of_mlflow_keeps_no_history(mlflow_3: MlflowServer) -> None:
    registry = open_registry_store(mlflow_3.uri)

    assert not isinstance(registry, (SupportsMoves, SupportsRequests))
    registry.close()


def test_a_server_that_takes_little_gets_smaller_pieces_in_order(serving: Serving) -> None:
    store, handler = small(serving)
    entries = [Entry(n, n, Batch((Metric("m", float(n), n, n),))) for n in range(500)]

    assert list(store.replay("r", "w", entries)) == []

    assert [n for said in handler.taken for n in said["sequences"]] == list(range(500))
    assert [n for said in handler.taken for n in said["steps"]] == list(range(500))
    assert len(handler.taken) > 5


def test_points_of_an_entry_that_is_too_large_go_ahead_of_it(serving: Serving) -> None:
    store, handler = small(serving)
    points = tuple(Metric("m", float(n), n, n) for n in range(200))

    assert list(store.replay("r", "w", [Entry(5, 1, Batch(points, tags=(RunTag("t", "1"),)))])) == []

    assert [n for said in handler.taken for n in said["steps"]] == list(range(200))
    assert [said["writer"] == "w" for said in handler.taken] == [False] * (len(handler.taken) - 1) + [True]
    assert handler.taken[-1]["more"] == [{"entry": 0, "tags": [{"key": "t", "value": "1"}]}]


def test_records_of_an_entry_that_is_too_large_go_apart_each_once(serving: Serving) -> None:
    store, handler = small(serving)
    batch = Batch(
        (Metric("m", 1.0, 1), Metric("m", 2.0, 2)),
        tuple(Param(f"p{n}", "x" * 2000) for n in range(3)),
        (RunTag("t0", "x" * 1000), RunTag("t1", "x" * 1000)),
    )

    assert list(store.replay("r", "w", [Entry(5, 1, batch), Entry(6, 1, Batch(tags=(RunTag("next", "1"),)))])) == []

    more = [one for said in handler.taken for one in said.get("more", [])]
    assert [param["key"] for one in more for param in one.get("params", [])] == ["p0", "p1", "p2"]
    assert [tag["key"] for one in more for tag in one.get("tags", [])] == ["t0", "t1", "next"]
    assert [value for said in handler.taken for value in said.get("steps", [])] == [0, 0]
    assert {said["writer"] for said in handler.taken if "tags" in str(said)} == {"w"}
    writers = [said["writer"] for said in handler.taken]
    assert writers[-2:] == ["w", "w"]
    assert len({*writers[:-1]}) == len(writers) - 1


def test_a_record_that_is_too_large_by_itself_is_not_refused_but_held(serving: Serving) -> None:
    store, handler = small(serving)
    entries = [Entry(4, 1, Batch()), Entry(5, 1, Batch(params=(Param("p", "x" * 5000),))), Entry(6, 1, Batch())]

    with pytest.raises(TooLargeError, match="too large"):
        store.replay("r", "w", entries)

    assert [said["sequences"] for said in handler.taken] == [[4]]


def test_refusals_of_all_pieces_are_told(serving: Serving) -> None:
    store, _ = small(serving)
    entries = [
        Entry(n, n, Batch((Metric("m", 1.0, n, n),), tags=(RunTag("bad", "1"),) if n % 100 == 0 else ()))
        for n in range(300)
    ]

    refused = store.replay("r", "w", entries)

    assert [(at, type(error).__name__) for at, error in refused] == [(n, "ParamConflictError") for n in (0, 100, 200)]


def test_an_unsound_entry_is_refused_by_our_own_server_and_the_others_are_stored(own: OwnServer) -> None:
    own.empty()
    store = open_tracking_store(own.uri)
    assert isinstance(store, SupportsReplay)
    run_id = store.create_run(new_run()).info.run_id  # type: ignore[attr-defined]  # it is a tracking store, too
    entries = [Entry(1, 1, Batch((Metric("../m", 1.0, 1),))), Entry(2, 1, Batch((Metric("m", 2.0, 1),)))]

    refused = store.replay(run_id, "w", entries)

    assert [at for at, _ in refused] == [1]
    assert store.get_run(run_id).data.metrics == {"m": 2.0}  # type: ignore[attr-defined]  # as above
