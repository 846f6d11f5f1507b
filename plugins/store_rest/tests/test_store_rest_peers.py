"""Who the server is, what it lacks, and requests whose answers got lost."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from mlcore_store_rest.mlflow_store import MlflowTrackingStore
from mlcore_store_rest.opening import open_tracking_store
from mlcore_store_rest.own_store import MlcoreTrackingStore
from mlcore_store_rest.peers import MissingAbilityWarning

from mlcore.entities import And, Comparison, Field, Metric, NewRun, Not, Or, OrderBy, RunQuery
from mlcore.errors import InvalidParameterError, PermissionDeniedError, StoreUnavailableError, UnauthenticatedError
from mlcore.interfaces import SupportsCounts, SupportsDatasetSearch, SupportsLoggedModels, SupportsSeries
from mlcore.remote.settings import RemoteSettings

QUICK = RemoteSettings(backoff_s=0.001, max_retries=2, timeout_s=10)
RUN_INFO = {"run_id": "r1", "experiment_id": "1", "status": "RUNNING", "start_time": 1, "artifact_uri": "a:/x"}

Answer = tuple[int, object]


class Handler(BaseHTTPRequestHandler):
    """Answers as `answers` says: by the end of the path, one after the other, the last for ever."""

    protocol_version = "HTTP/1.1"
    answers: ClassVar[dict[str, list[Answer]]] = {}
    seen: ClassVar[list[tuple[str, dict[str, object]]]] = []

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}"))

    def _answer(self, body: dict[str, object]) -> None:
        path = self.path.partition("?")[0]
        self.seen.append((path, body))
        found = next((rows for end, rows in self.answers.items() if path.endswith(end)), [(404, "no")])
        status, value = found[0] if len(found) == 1 else found.pop(0)
        if status == 0:
            self.close_connection = True
            return
        text = value if isinstance(value, str) else json.dumps(value)
        self.send_response(status)
        self.send_header("content-type", "text/plain" if isinstance(value, str) else "application/json")
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


Serve = Callable[..., str]


@pytest.fixture
def handler() -> type[Handler]:
    return type("One", (Handler,), {"answers": {}, "seen": []})


@pytest.fixture
def serve(handler: type[Handler]) -> Iterator[Serve]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()

    def answering(**answers: list[Answer] | Answer) -> str:
        for end, given in answers.items():
            handler.answers[end.replace("__", "/").replace("_", "-")] = given if isinstance(given, list) else [given]
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield answering
    server.shutdown()
    thread.join()
    server.server_close()


def open_mlflow(serve: Serve, **answers: list[Answer] | Answer) -> MlflowTrackingStore:
    store = open_tracking_store(serve(version=(200, "3.17.2"), **answers), QUICK)
    assert isinstance(store, MlflowTrackingStore)
    return store


def test_our_own_server_is_known_by_what_it_says(serve: Serve) -> None:
    store = open_tracking_store(serve(server_info=(200, {"mlcore": {"version": "0.1.0"}})), QUICK)

    assert isinstance(store, MlcoreTrackingStore)
    for ability in (SupportsSeries, SupportsCounts, SupportsDatasetSearch, SupportsLoggedModels):
        assert isinstance(store, ability)
    store.close()


@pytest.mark.parametrize(("told", "version"), [("3.17.2", (3, 17)), ("2.22.5\n", (2, 22)), ("", (0, 0))])
def test_mlflows_server_is_known_by_its_version(serve: Serve, told: str, version: tuple[int, int]) -> None:
    store = open_tracking_store(serve(version=(200, told)), QUICK)

    assert isinstance(store, MlflowTrackingStore)
    assert store.peer.version == version
    assert not isinstance(store, SupportsSeries)
    store.close()


def test_something_else_is_told_as_such(serve: Serve) -> None:
    uri = serve(server_info=(404, "no"), version=(200, "<html>Welcome</html>"))

    with pytest.raises(
        InvalidParameterError, match="is no MLflow or mlcore server: it answers '/version' with '<html>"
    ):
        open_tracking_store(uri, QUICK)


@pytest.mark.parametrize(("status", "error"), [(401, UnauthenticatedError), (403, PermissionDeniedError)])
def test_a_server_that_keeps_strangers_out_is_told_when_it_is_opened(
    serve: Serve, status: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        open_tracking_store(serve(server_info=(status, "")), QUICK)


def test_a_run_whose_creation_got_lost_on_the_way_back_is_found_again(serve: Serve, handler: type[Handler]) -> None:
    made = {
        "info": RUN_INFO,
        "data": {"tags": [{"key": "mlcore.clientRunId", "value": "mine"}, {"key": "t", "value": "1"}]},
    }
    store = open_mlflow(serve, runs__create=(0, None), runs__search=(200, {"runs": [made]}))

    run = store.create_run(NewRun("1", "mine", "n", "u", 1, {"t": "1"}))

    assert (run.info.run_id, run.data.tags) == ("r1", {"t": "1"})
    asked = [(path.rpartition("mlflow/")[2], body) for path, body in handler.seen if "runs" in path]
    assert [path for path, _ in asked] == ["runs/create", "runs/search"]
    assert {"key": "mlcore.clientRunId", "value": "mine"} in asked[0][1]["tags"]
    assert asked[1][1]["filter"] == "tags.`mlcore.clientRunId` = 'mine'"
    store.close()


def test_a_run_that_was_not_created_is_created_once_more(serve: Serve, handler: type[Handler]) -> None:
    answers: list[Answer] = [(503, {}), (200, {"run": {"info": RUN_INFO}})]
    store = open_mlflow(serve, runs__create=answers, runs__search=(200, {}))

    assert store.create_run(NewRun("1", "mine", "n", "u", 1)).info.run_id == "r1"

    asked = [path.rpartition("/")[2] for path, _ in handler.seen if "runs" in path]
    assert asked == ["create", "search", "create"]
    store.close()


def test_an_experiment_is_never_created_twice(serve: Serve, handler: type[Handler]) -> None:
    store = open_mlflow(serve, experiments__create=(0, None))

    with pytest.raises(StoreUnavailableError, match="the connection broke off"):
        store.create_experiment("e", artifact_location=None, tags={})

    assert [path for path, _ in handler.seen if path.endswith("experiments/create")] != []
    assert sum(path.endswith("experiments/create") for path, _ in handler.seen) == 1
    store.close()


def _search(store: MlflowTrackingStore, query: RunQuery) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingAbilityWarning)
        return [run.info.run_id for run in store.search_runs(query).items]


def _runs(**losses: float) -> dict[str, object]:
    runs = []
    for run_id, loss in losses.items():
        metrics = [{"key": "loss", "value": loss, "timestamp": 1, "step": 1}]
        runs.append({"info": {**RUN_INFO, "run_id": run_id}, "data": {"metrics": metrics}})
    return {"runs": runs}


LOSS = Field("metric", "loss")


def test_what_mlflow_understands_goes_there_and_the_rest_is_done_here(serve: Serve, handler: type[Handler]) -> None:
    store = open_mlflow(serve, runs__search=(200, _runs(a=1.0, b=2.0, c=3.0)))
    either = Or((Comparison(LOSS, "=", 1.0), Comparison(LOSS, "=", 3.0)))
    tree = And((Comparison(LOSS, "<", 9.0), either, Comparison(Field("param", "p"), "IS NULL")))

    found = _search(store, RunQuery(("1",), tree))

    assert found == ["a", "c"]
    assert handler.seen[-1][1]["filter"] == "metrics.loss < 9 AND params.p IS NULL"
    store.close()


def test_a_missing_ability_is_told_once_by_name(serve: Serve) -> None:
    store = open_mlflow(serve, runs__search=(200, _runs(a=1.0)))
    query = RunQuery(("1",), Not(Comparison(LOSS, "=", 1.0)))

    with pytest.warns(MissingAbilityWarning) as told:  # noqa: PT031  # of two calls one warns
        store.search_runs(query)
        store.search_runs(query)

    assert len(told) == 1
    assert "(MLflow 3.17.2) lacks 'run filters with OR, NOT" in str(told[0].message)
    store.close()


def test_minima_are_found_by_looking_at_curves(serve: Serve) -> None:
    curve = [{"key": "loss", "value": value, "timestamp": 1, "step": step} for step, value in enumerate((5.0, 0.5))]
    store = open_mlflow(serve, runs__search=(200, _runs(a=1.0)), metrics__get_history=(200, {"metrics": curve}))
    lowest = Field("metric", "loss", "min")

    assert _search(store, RunQuery(("1",), Comparison(lowest, "<", 1.0), (OrderBy(lowest),))) == ["a"]
    assert _search(store, RunQuery(("1",), Comparison(lowest, ">", 1.0))) == []
    store.close()


def test_one_point_goes_by_the_small_request(serve: Serve, handler: type[Handler]) -> None:
    from mlcore.entities import Batch

    store = open_mlflow(serve, runs__log_metric=(200, {}))

    store.log_batch("r1", Batch(metrics=(Metric("m", float("nan"), 5, 2),)))

    body = {"run_id": "r1", "key": "m", "value": "NaN", "timestamp": 5, "step": 2}
    assert handler.seen[-1] == ("/api/2.0/mlflow/runs/log-metric", body)
    store.close()


def test_a_page_of_a_proxy_is_not_taken_for_an_answer(serve: Serve) -> None:
    store = open_mlflow(serve, runs__get=(200, "<html>Please log in</html>"))

    with pytest.raises(
        StoreUnavailableError, match=r"answers '/api/2.0/mlflow/runs/get' with what is not a JSON object"
    ):
        store.get_run("r1")
    store.close()
