"""S-PATH: no parameter of any endpoint about artifacts leads out of the places that the server serves.

Each hostile text goes into each parameter of each endpoint, over a real connection, in several encodings; around the
served directory lie canaries, which nobody may read, list, change or remove.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import attrs
import pytest
from attrs import frozen

from mlcore.testing.live_server import LiveServer, running_server
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.endpoints import ENDPOINTS

SONG = "the-canary-sings"
WRITTEN = b"written-by-the-test"
CANARY = "canary.txt"

FILES = [one for one in ENDPOINTS if one.call.partition(".")[0] in ("artifacts", "proxy", "viewing")]
# the endpoints of pages find out in one function who is meant, which is tried through one of them
PLACES = ("run_id", "model_id", "name", "version")
CASES = [
    (one, field.name)
    for one in FILES
    for field in attrs.fields(one.request)
    if not (one.call.startswith("viewing.") and one.call != "viewing.list" and field.name in PLACES)
    and field.name not in ("num_parts", "expiration", "parts", "page_token", "recursive", "offset", "limit")
]


Json = dict[str, Any]


def content(answer: str) -> Json:
    """Return the JSON object of an answer, which stands after its headers."""
    found: Json = json.loads(answer.partition("\n\n")[2])
    return found


@frozen
class Town:
    """A server with canaries around the directory that it serves."""

    server: LiveServer
    connection: http.client.HTTPConnection
    outside: Path
    run_id: str
    model_id: str
    ticket: str = ""

    def call(self, method: str, path: str, body: bytes = b"") -> tuple[int, str]:
        """Send a request whose path goes out exactly as it is."""
        self.connection.putrequest(method, path, skip_accept_encoding=True)
        self.connection.putheader("content-type", "application/json")
        self.connection.putheader("content-length", str(len(body)))
        self.connection.endheaders(body)
        answer = self.connection.getresponse()
        text = f"{answer.headers}\n{answer.read().decode('utf-8', 'replace')}"
        if answer.will_close:
            self.connection.close()
        return answer.status, text

    def post(self, path: str, **fields: object) -> Json:
        status, text = self.call("POST", path, json.dumps(fields).encode())
        assert status == 200, text
        return content(text)

    def state(self) -> dict[str, bytes]:
        """Return everything outside of the served directory that no server has to change."""
        found = {}
        for path in sorted(self.outside.rglob("*")):
            below = path.relative_to(self.outside).as_posix()
            own = ("server/artifacts/", "server/mlcore.db", "server/server.log", "server/state", "server/mlcore-")
            if not below.startswith(own) and path.is_file():
                found[below] = path.read_bytes()
        return found


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    outside = tmp_path_factory.mktemp("outside")
    for folder in (outside, outside / "server", outside / "server" / "artifacts-beside"):
        folder.mkdir(exist_ok=True)
        (folder / CANARY).write_text(SONG)
    with running_server(outside / "server", "--no-access-log") as server:
        split = urlsplit(server.url)
        connection = http.client.HTTPConnection(split.hostname or "", split.port, timeout=30)
        made = Town(server, connection, outside, "", "")
        run_id = made.post("/api/2.0/mlflow/runs/create", experiment_id="0")["run"]["info"]
        model = made.post("/api/2.0/mlflow/logged-models", experiment_id="0", name="m")["model"]["info"]
        made.post("/api/2.0/mlflow/registered-models/create", name="m")
        made = Town(server, connection, outside, run_id["run_id"], model["model_id"])
        root = server.artifacts / "0" / made.run_id / "artifacts"
        for folder in (root, server.artifacts / "0" / "models" / made.model_id / "artifacts"):
            folder.mkdir(parents=True)
            (folder / "file.txt").write_text("content")
            (folder / "link").symlink_to(outside)
            (folder / "link.txt").symlink_to(outside / CANARY)
        made.post("/api/2.0/mlflow/model-versions/create", name="m", source=f"runs:/{made.run_id}/", run_id=made.run_id)
        ticket = made.post("/api/ui/1/artifacts:ticket", run_id=made.run_id)["ticket"]
        yield attrs.evolve(made, ticket=ticket)
        connection.close()


def ways_out(town: Town) -> Iterator[str]:
    """Yield texts that some layer may take for a place outside, each meant for a canary."""
    targets = [CANARY, f"server/{CANARY}", f"server/artifacts-beside/{CANARY}", "", "server/artifacts-beside"]
    for target in targets:
        for depth in (1, 2, 4, 5):
            yield "../" * depth + target
        yield f"x/../../../{target}"
        yield f"link/{target}"
        yield f"0/{town.run_id}/artifacts/link/{target}"
        for start in (
            "",
            "/",
            "//",
            "file://",
            "file:",
            "FILE://localhost",
            "mlflow-artifacts:",
            "mlflow-artifacts:/../..",
        ):
            yield f"{start}{town.outside}/{target}"
        for up in ("..\\", "..;/", "%2e%2e/", "..%2f", "..%5c", ".. /", "\uff0e\uff0e/", "..\uff0f", "..\x00/", "..//"):
            yield up * 4 + target
    yield from ("link.txt", f"0/{town.run_id}/artifacts/link.txt", f"{CANARY}\x00.png", f"~/{CANARY}")
    yield from (
        f"0/{town.run_id}/artifacts#/../../../../{CANARY}",
        f"0?/../../../{CANARY}",
        ".",
        "..",
        "...",
        "/",
        "x" * 9000,
    )


def about_one(endpoint: Endpoint, field: str, values: dict[str, object]) -> dict[str, object]:
    """Return *values* without the other places, for endpoints that are asked about one of several kinds."""
    if endpoint.call.startswith("viewing."):
        kinds = ({"run_id"}, {"model_id"}, {"name", "version"})
        kept = next((kind for kind in kinds if field in kind), kinds[0])
        return {name: value for name, value in values.items() if name in kept or not any(name in k for k in kinds)}
    return values


def spellings(text: str) -> Iterator[str]:
    """Yield a text as it is, and percent-encoded once more and twice more than the URL is."""
    yield text
    yield quote(text, safe="")
    yield quote(quote(text, safe=""), safe="")


def valid(town: Town) -> dict[str, object]:
    return {
        "run_id": town.run_id,
        "model_id": town.model_id,
        "name": "m",
        "version": "1",
        "path": "file.txt",
        "artifact_path": f"0/{town.run_id}/artifacts/file.txt",
        "artifact_file_path": "file.txt",
        "artifact_directory_path": "",
        "upload_id": "u",
        "num_parts": 1,
        "parts": [{"part_number": 1, "etag": "x"}],
        "ticket": town.ticket,
    }


def send(town: Town, endpoint: Endpoint, fields: Mapping[str, object]) -> tuple[int, str]:
    """Call an endpoint of the table with *fields*."""
    path = endpoint.paths[0]
    left = {name: value for name, value in fields.items() if name in {f.name for f in attrs.fields(endpoint.request)}}
    for name in [*left]:
        for spelled, safe in ((f"{{{name}}}", ""), (f"{{{name}:path}}", "/")):
            if spelled in path:
                path = path.replace(spelled, quote(str(left[name]), safe=safe))
                left.pop(name)
    if endpoint.method in ("GET", "DELETE") or endpoint.streams:
        query = urlencode({name: str(value) for name, value in left.items() if isinstance(value, (str, int))})
        body = WRITTEN if endpoint.method in ("PUT", "POST") else b""
        return town.call(endpoint.method, f"{path}?{query}" if query else path, body)
    return town.call(endpoint.method, path, json.dumps(left).encode())


def check(status: int, text: str, tried: object) -> None:
    assert SONG not in text, (tried, text)
    assert status < 500 or status == 501, (tried, text)
    # not among the headers: a file of that name which a test wrote inside is offered under its name
    assert f'"{CANARY}"' not in text.partition("\n\n")[2], (tried, text)


@pytest.mark.parametrize(("endpoint", "field"), CASES, ids=[f"{one.name} {field}" for one, field in CASES])
def test_no_text_in_any_parameter_leads_out(town: Town, endpoint: Endpoint, field: str) -> None:
    before = town.state()

    for text in ways_out(town):
        for spelled in spellings(text):
            status, answer = send(town, endpoint, about_one(endpoint, field, {**valid(town), field: spelled}))

            check(status, answer, spelled)

    assert town.state() == before


def test_the_table_is_what_was_tried() -> None:
    """A new endpoint that names files is tried above, or this list says why not."""
    suspicious = {
        (one.name, field.name)
        for one in ENDPOINTS
        for field in attrs.fields(one.request)
        if any(word in field.name for word in ("path", "location", "source", "uri"))
    }
    tried = {(one.name, field) for one, field in CASES}

    elsewhere = {name for name, _ in suspicious - tried}

    # to take over is for who manages the server, and goes through the same checks of places as creation
    adopting = {"experiments/adopt", "POST model-versions/adopt"}
    assert elsewhere == {"experiments/create", "POST model-versions/create", "POST logged-models"} | adopting


def locations(town: Town) -> Sequence[str]:
    """Return places of which a client may say that artifacts are there."""
    real, served = town.outside, town.server.artifacts
    return (
        str(real),
        f"file://{real}",
        f"FILE://{real}",
        f"file:{real}",
        f"file://localhost{real}",
        f"file://server{real}",
        f"file://{quote(str(real)).replace('/', '%2F')}",
        f"{served}/..",
        f"{served}/../..",
        f"file://{served}/../..",
        f"file://{served}/%2e%2e/%2e%2e",
        f"file://{served}/%252e%252e",
        f"file://{served}/x/../../..",
        f"file://{served}-beside",
        f"file://{served}/0/{town.run_id}/artifacts/link",
        f"file://{served}#/../..",
        f"file://{served}?/../..",
        f"file://{served};/../..",
        "mlflow-artifacts:/../..",
        "mlflow-artifacts:/%2e%2e/%2e%2e",
        "mlflow-artifacts:/x/../../..",
        f"mlflow-artifacts:{real}",
        f"mlflow-artifacts://{real}",
        f"mlflow-artifacts:///{real}",
        "mlflow-artifacts://server/..",
        f"mlflow-artifacts:/0/{town.run_id}/artifacts/link",
        "..",
        "../..",
        "./../..",
        "~",
        ".",
        "",
        "/",
        "//",
        "file:",
        "file:///",
        "\\..\\..",
        "C:\\",
        f"runs:/{town.run_id}/../../../..",
        f"runs:/{town.run_id}/link",
        "models:/m/1/../../..",
        f"models:/{town.model_id}/../../../..",
        f"s3+file://{real}",
        f"http://localhost{real}",
    )


def test_no_place_of_an_experiment_leads_out(town: Town) -> None:
    before = town.state()

    for n, location in enumerate(locations(town)):
        body = json.dumps({"name": f"e{n}", "artifact_location": location}).encode()
        status, answer = town.call("POST", "/api/2.0/mlflow/experiments/create", body)
        check(status, answer, location)
        if status != 200:
            continue
        experiment_id = content(answer)["experiment_id"]
        run = town.post("/api/2.0/mlflow/runs/create", experiment_id=experiment_id)["run"]["info"]["run_id"]
        for path in ("", CANARY, f"server/{CANARY}", "file.txt"):
            query = urlencode({"run_id": run, "path": path})
            for method, url in (
                ("GET", "/api/2.0/mlflow/artifacts/list"),
                ("GET", "/get-artifact"),
                ("POST", "/ajax-api/2.0/mlflow/upload-artifact"),
            ):
                status, answer = town.call(method, f"{url}?{query}", WRITTEN if method == "POST" else b"")
                check(status, answer, (location, path, url))

    assert town.state() == before


@pytest.mark.parametrize("named", [True, False], ids=["with a run", "without"])
def test_no_source_of_a_model_version_leads_out(town: Town, named: bool) -> None:
    before = town.state()

    for location in locations(town):
        fields = {"name": "m", "source": location, **({"run_id": town.run_id} if named else {})}
        status, answer = town.call("POST", "/api/2.0/mlflow/model-versions/create", json.dumps(fields).encode())
        check(status, answer, location)
        if status != 200:
            continue
        version = content(answer)["model_version"]["version"]
        for path in (CANARY, f"server/{CANARY}", f"link/{CANARY}"):
            query = urlencode({"name": "m", "version": version, "path": path})
            status, answer = town.call("GET", f"/model-versions/get-artifact?{query}")
            check(status, answer, (location, path))

    assert town.state() == before
