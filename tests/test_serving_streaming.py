"""The scoring server with models that stream, and with models that are asynchronous."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from mlcore.models.pyfunc import PythonModel, load_model, save_model
from mlcore.serving.app import Limits, create_app, scoring_app
from mlcore.serving.batching import Batching, BatchingScorer
from mlcore.serving.server import Address, bind, url

EVENTS = {"Accept": "text/event-stream"}
LINES = {"Accept": "application/x-ndjson"}
TOGETHER = 6


class Speaking(PythonModel):
    def load_context(self, context):
        self.closed = Path(context.model_config["closed"])

    def predict(self, model_input: list[str]) -> list[str]:
        return [text.upper() for text in model_input]

    def predict_stream(self, model_input, params=None):
        if model_input == "nothing":
            raise ValueError("nothing to say")
        try:
            for number, word in enumerate(model_input.split()):
                if word == "fail":
                    raise ValueError("lost for words")
                yield {"word": word, "number": number}
            while model_input == "for ever":
                yield {"word": "again"}
        finally:
            self.closed.write_text("closed")


class Waiting(PythonModel):
    """Answers when as many requests as TOGETHER have arrived, which no thread of the server is held for."""

    def load_context(self, context):
        self.arrived = 0
        self.all = asyncio.Event()

    async def predict(self, model_input, params=None):
        self.arrived += 1
        if self.arrived == TOGETHER:
            self.all.set()
        if model_input == ["fail"]:
            raise ValueError("no luck")
        await self.all.wait()
        return model_input


def counting(model_input):
    yield from range(model_input[0])


@contextmanager
def serving(app: object) -> Iterator[httpx.Client]:
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))  # type: ignore[arg-type]  # ASGI
    with bind(Address(port=0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            with httpx.Client(base_url=url(listening), timeout=20, trust_env=False) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("closed") / "closed"


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory, closed: Path) -> Iterator[httpx.Client]:
    path = tmp_path_factory.mktemp("models") / "speaking"
    save_model(path, python_model=Speaking(), model_config={"closed": str(closed)})
    with serving(create_app(load_model(path, trust=True))) as client:
        yield client


def test_a_stream_of_events_ends_with_done(speaking: httpx.Client) -> None:
    answer = speaking.post("/invocations", json={"inputs": ["to be"]}, headers=EVENTS)

    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.text == ('data: {"word":"to","number":0}\n\ndata: {"word":"be","number":1}\n\ndata: [DONE]\n\n')


def test_lines_of_json_are_a_stream_too(speaking: httpx.Client) -> None:
    answer = speaking.post("/models/model/invocations", json={"inputs": ["to be"]}, headers=LINES)

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["word"] for line in answer.text.splitlines()] == ["to", "be"]


def test_the_same_model_answers_at_once(speaking: httpx.Client) -> None:
    assert speaking.post("/invocations", json={"inputs": ["to be"]}).json() == {"predictions": ["TO BE"]}


@pytest.mark.parametrize(
    ("inputs", "status", "message"),
    [
        (["a", "b"], 400, "predict_stream takes one input, got 2"),
        (["nothing"], 400, "the model failed to predict: ValueError: nothing to say"),
        ([1], 400, "expected string"),
    ],
)
def test_what_is_wrong_before_the_first_part_is_a_plain_error(
    speaking: httpx.Client, inputs: list[object], status: int, message: str
) -> None:
    answer = speaking.post("/invocations", json={"inputs": inputs}, headers=EVENTS)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    assert message in answer.json()["message"]


def test_what_goes_wrong_later_is_the_last_event_or_line(speaking: httpx.Client) -> None:
    events = speaking.post("/invocations", json={"inputs": ["well fail"]}, headers=EVENTS).text.split("\n\n")
    lines = speaking.post("/invocations", json={"inputs": ["well fail"]}, headers=LINES).text.splitlines()

    assert events[1].startswith('event: error\ndata: {"error_code":"BAD_REQUEST"')
    assert "lost for words" in json.loads(lines[1])["message"]


def test_a_client_that_goes_away_ends_the_stream(speaking: httpx.Client, closed: Path) -> None:
    closed.unlink(missing_ok=True)

    with speaking.stream("POST", "/invocations", json={"inputs": ["for ever"]}, headers=LINES) as answer:
        first = next(answer.iter_lines())

    assert json.loads(first) == {"word": "for", "number": 0}
    done = threading.Event()
    for _ in range(1000):
        if closed.exists():
            break
        done.wait(0.02)
    assert closed.exists()


def test_a_model_that_does_not_stream_says_so_and_a_generator_does(tmp_path: Path) -> None:
    save_model(tmp_path / "plain", python_model=lambda model_input: model_input)
    save_model(tmp_path / "counting", python_model=counting)

    with serving(create_app(load_model(tmp_path / "plain", trust=True))) as client:
        told = client.post("/invocations", json={"inputs": [1]}, headers=EVENTS)
    with serving(create_app(load_model(tmp_path / "counting", trust=True))) as client:
        lines = client.post("/invocations", json={"inputs": [3]}, headers=LINES)
        at_once = client.post("/invocations", json={"inputs": [3]})

    assert told.status_code >= 400
    assert "does not stream" in told.json()["message"]
    assert lines.text == "0\n1\n2\n"
    assert at_once.json() == {"predictions": [0, 1, 2]}


@pytest.mark.parametrize("batching", [False, True])
def test_requests_of_an_asynchronous_model_wait_together_and_hold_no_thread(tmp_path: Path, batching: bool) -> None:
    save_model(tmp_path / "waiting", python_model=Waiting())
    model = load_model(tmp_path / "waiting", trust=True)
    limits = Limits(threads=1)
    app = scoring_app(BatchingScorer(model, Batching()), limits) if batching else create_app(model, limits)

    with serving(app) as client, ThreadPoolExecutor(TOGETHER) as pool:
        answers = list(pool.map(lambda n: client.post("/invocations", json={"inputs": [n]}), range(TOGETHER)))
        failed = client.post("/invocations", json={"inputs": ["fail"]})

    assert [answer.json() for answer in answers] == [{"predictions": [n]} for n in range(TOGETHER)]
    assert "the model failed to predict: ValueError: no luck" in failed.json()["message"]
