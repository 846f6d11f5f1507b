"""Artifacts that somebody hostile made, in a real browser: they reach neither cookies, nor the server, nor the page."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from attrs import frozen
from ui_browser import Browser

from mlcore.testing.live_server import LiveServer

HOSTILE = Path(__file__).parent / "hostile"
# a red dot of 3 x 3
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAMAAAADCAIAAADZSiLoAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg=="
)
PDF = b"%PDF-1.1\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\ntrailer<</Root 1 0 R>>"
BLOCKED = (
    "cookie localStorage sessionStorage indexedDB caches worker parentDocument parentStorage parentLocation fetchApi "
    "fetchNoCors fetchOwn post xhr socket popup outside"
).split()


@frozen
class Trap:
    """A run whose artifacts are hostile, behind a ticket, and a browser that has something to lose."""

    url: str
    raw: str
    log: Path

    def asked_for(self) -> set[str]:
        """Return the ways out by which requests of the report reached the server."""
        mark = f"end-{uuid4().hex}"
        httpx.get(f"{self.url}/from/{mark}", trust_env=False)
        deadline = time.monotonic() + 60
        while mark not in (log := self.log.read_text(encoding="utf-8")) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert mark in log
        return {name for name in re.findall(r"/from/([\w.-]+)", log) if not name.startswith("end-")}


@pytest.fixture(scope="module")
def trap(ui_server: LiveServer) -> Iterator[Trap]:
    with httpx.Client(base_url=ui_server.url, trust_env=False) as http:
        made = http.post("/api/2.0/mlflow/runs/create", json={"experiment_id": "0"}).json()
        run_id = made["run"]["info"]["run_id"]
        files = {one.name: one.read_bytes() for one in HOSTILE.iterdir()}
        files |= {"style.css": b"body { --own: loaded }", "own.js": b"self.own = 'loaded'", "plot.png": PNG}
        files |= {"paper.pdf": PDF, "picture.png": files["report.html"], "notes.txt": files["report.html"]}
        files |= {"functions.html": b"<script>document.title = new Function(\"return 'made'\")()</script>"}
        for name, content in files.items():
            to = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/report/{name}"
            assert http.put(to, content=content).status_code == 200
        told = http.post("/api/ui/1/artifacts:ticket", json={"run_id": run_id, "path": "report"}).json()
        yield Trap(ui_server.url, f"{ui_server.url}/{told['url']}", ui_server.directory / "server.log")


@pytest.fixture
def victim(browser: Browser, trap: Trap) -> Iterator[Any]:
    """Open a page of the server with a cookie and something in its storage; no dialog may open, whatever is shown."""
    browser.context.add_cookies([{"name": "session", "value": "secret", "url": trap.url}])
    dialogs: list[str] = []
    page = browser.page
    page.goto(f"{trap.url}/version")
    page.evaluate("localStorage.setItem('secret', 'secret')")
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    browser.expect_complaint("")  # what the browser blocks it says in the console; here it has to block a lot
    yield page
    assert dialogs == []
    assert len(browser.context.pages) == 1


def framed(page: Any, url: str, sandbox: str | None = "allow-scripts") -> Any:
    """Show *url* in a frame of the page, as the viewers of artifacts do; return the frame."""
    page.evaluate(
        """([url, sandbox]) => new Promise(done => {
            const frame = document.createElement("iframe");
            if (sandbox !== null) frame.sandbox = sandbox;
            frame.src = url;
            frame.onload = done;
            document.body.append(frame);
        })""",
        [url, sandbox],
    )
    return next(frame for frame in page.frames if frame.url == url)


def check_report(frame: Any, trap: Trap, before: set[str]) -> dict[str, Any]:
    frame.wait_for_function("document.title === 'finished'", timeout=30_000)
    found: dict[str, Any] = frame.evaluate("found")
    assert {name: found[name] for name in BLOCKED} == dict.fromkeys(BLOCKED, "blocked"), found
    assert found["origin"] == "null"
    assert "secret" not in str(found)
    assert trap.asked_for() - before == set()
    return found


class TestReports:
    @pytest.mark.parametrize(
        ("page", "sandbox"), [("ui/", "allow-scripts"), ("version", None)], ids=["of a viewer", "without sandbox"]
    )
    def test_a_hostile_page_in_a_frame_reaches_nothing(
        self, victim: Any, trap: Trap, page: str, sandbox: str | None
    ) -> None:
        before = trap.asked_for()
        victim.goto(f"{trap.url}/{page}")

        found = check_report(framed(victim, trap.raw + "report.html", sandbox), trap, before)

        assert found["topNavigation"] == "blocked"
        assert victim.url == f"{trap.url}/{page}"

    def test_a_hostile_page_that_is_opened_by_itself_reaches_nothing(self, victim: Any, trap: Trap) -> None:
        before = trap.asked_for()
        victim.goto(trap.raw + "report.html")

        check_report(victim.main_frame, trap, before)

    def test_what_a_page_brings_along_is_loaded(self, victim: Any, trap: Trap) -> None:
        frame = framed(victim, trap.raw + "report.html")
        frame.wait_for_function("document.title === 'finished'", timeout=30_000)
        found = frame.evaluate("found")

        loaded = {name: found[name] for name in ("style", "script", "image", "inline")}
        assert loaded == {"style": "loaded", "script": "loaded", "image": 3, "inline": "runs"}


class TestDrawings:
    def test_a_script_in_a_drawing_reaches_nothing(self, victim: Any, trap: Trap) -> None:
        before = trap.asked_for()
        blocked = dict.fromkeys(("cookie", "storage", "parent", "request"), "blocked") | {"origin": "null"}

        assert framed(victim, trap.raw + "drawing.svg").evaluate("found") == blocked
        assert framed(victim, trap.raw + "drawing.svg?again", None).evaluate("found") == blocked
        victim.goto(trap.raw + "drawing.svg")
        assert victim.evaluate("found") == blocked

        assert trap.asked_for() - before == set()

    def test_a_script_in_a_drawing_that_is_shown_as_an_image_does_not_run(self, victim: Any, trap: Trap) -> None:
        width = victim.evaluate(
            """url => new Promise((done, fail) => {
                const image = new Image();
                image.onload = () => done(image.naturalWidth);
                image.onerror = () => fail("not shown");
                image.src = url;
            })""",
            trap.raw + "drawing.svg",
        )

        assert width == 10


class TestOtherFiles:
    @pytest.mark.parametrize("name", ["picture.png", "notes.txt"])
    def test_a_page_under_the_name_of_something_else_is_no_page(self, victim: Any, trap: Trap, name: str) -> None:
        frame = framed(victim, trap.raw + name)

        assert frame.evaluate("[document.title, typeof found]") in (["", "undefined"], [name, "undefined"])

    def test_the_pages_of_the_server_read_a_part_of_a_file(self, victim: Any, trap: Trap) -> None:
        told = victim.evaluate(
            """async url => {
                const answer = await fetch(url, {headers: {range: "bytes=0-3"}});
                return [answer.status, await answer.text(), answer.headers.get("content-range")];
            }""",
            trap.raw + "style.css",
        )

        assert told == [206, "body", "bytes 0-3/22"]


def test_a_report_may_make_functions_of_texts_as_vega_does(victim: Any, trap: Trap) -> None:
    victim.goto(trap.raw + "functions.html")

    assert victim.title() == "made"
