"""The pages of the model registry: journeys in a real browser against a real server."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ui_browser import Browser

from mlcore.entities import Move, MoveKind
from mlcore.registry.rollback import alias_before
from mlcore.testing.live_server import LiveServer, running_server
from mlcore.tracking.client import Client

_MLMODEL = """artifact_path: model
flavors:
  python_function: {{loader_module: acme.loader, python_version: 3.11.2}}
  {flavor}: {{version: '{version}'}}
run_id: {run_id}
saved_input_example_info: {{artifact_path: input_example.json, type: dataframe}}
signature:
  inputs: '{inputs}'
  outputs: '[{{"type": "double", "required": true}}]'
  params: '[{{"name": "cut", "type": "double", "default": 0.5, "shape": null}}]'
"""
_ACIDITY = {"name": "acidity", "type": "double", "required": True}
_SUGAR = {"name": "sugar", "type": "long", "required": False}
_HOSTILE = "<img src=x onerror=alert(1)> 'q' \"d\" 50% #a?b&c"


def _run_with_model(client: Client, number: int, flavor: str = "sklearn") -> str:
    """Record a run with the files that describe a model; later ones take sugar, too."""
    experiment = client.get_experiment_by_name("wines")
    experiment_id = experiment.experiment_id if experiment else client.create_experiment("wines")
    run_id = client.create_run(experiment_id, run_name=f"tree {number}").info.run_id
    client.log_metric(run_id, "rmse", 1 / number)
    client.log_param(run_id, "depth", number)
    inputs = json.dumps([_ACIDITY, _SUGAR][: min(number, 2)])
    text = _MLMODEL.format(run_id=run_id, inputs=inputs, flavor=flavor, version=f"1.{number}")
    client.log_text(run_id, text, "model/MLmodel")
    client.log_text(run_id, f"scikit-learn==1.{number}\n", "model/requirements.txt")
    client.log_text(run_id, '{"columns": ["acidity"], "data": [[7.25]]}', "model/input_example.json")
    client.set_terminated(run_id)
    return run_id


def _model(client: Client, name: str, versions: int, **more: Any) -> list[str]:
    """Register a model with some versions; return the runs that they are of."""
    client.create_registered_model(name, **more)
    runs = [_run_with_model(client, number + 1) for number in range(versions)]
    for run_id in runs:
        client.create_model_version(name, f"runs:/{run_id}/model", run_id)
    return runs


class _Scoring(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        is_bad = asked["dataframe_split"]["data"][0][0] < 0
        self.send_response(400 if is_bad else 200)
        self.end_headers()
        self.wfile.write(b"<b>negative</b>" if is_bad else b'{"predictions": [1.5]}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def ui_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a server that knows where the model `served` is served."""
    scoring = ThreadingHTTPServer(("127.0.0.1", 0), _Scoring)
    threading.Thread(target=scoring.serve_forever, daemon=True).start()
    named = f"served=http://127.0.0.1:{scoring.server_address[1]}"
    try:
        with running_server(tmp_path_factory.mktemp("ui"), "--scoring-server", named) as server:
            yield server
    finally:
        scoring.shutdown()
        scoring.server_close()


@pytest.fixture(scope="module")
def far(ui_server: LiveServer) -> Client:
    """Record through the server, which keeps the files."""
    return Client(ui_server.url, ui_server.url)


@pytest.fixture(scope="module")
def wine(far: Client) -> str:
    """Fill a model that tests only look at; return its name."""
    _model(far, "wine", 3, tags={"team": "cellar"}, description="# Wine\nhow **good** it is")
    far.set_registered_model_alias("wine", "champion", 1, comment="the first")
    far.set_registered_model_alias("wine", "champion", 2, comment="a better one")
    far.transition_model_version_stage("wine", 2, "Production")
    far.request_transition("wine", 3, "Production", comment="passed all tests")
    return "wine"


def _toast(page: Any, text: str) -> Any:
    found = page.locator(".toast", has_text=text)
    found.wait_for()
    return found


def _aliases(client: Client, name: str) -> dict[str, str]:
    return dict(client.get_registered_model(name).aliases)


def test_a_model_is_registered_promoted_by_an_alias_and_rolled_back(
    ui_server: LiveServer, browser: Browser, far: Client
) -> None:
    runs = [_run_with_model(far, number) for number in (1, 2)]
    page = browser.open(f"{ui_server.url}/ui/models")

    page.get_by_role("button", name="New model").click()
    page.get_by_label("Name", exact=True).fill("journey")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("heading", name="journey").wait_for()
    for number, run_id in enumerate(runs, 1):
        page.get_by_role("button", name="New version").click()
        page.get_by_label("Source", exact=True).fill(f"runs:/{run_id}/model")
        page.get_by_role("button", name="Register").click()
        page.get_by_role("link", name=f"Version {number}").wait_for()
    for number, why in (("1", "a start"), ("2", "better")):
        page.get_by_role("button", name=f"Alias of version {number}").click()
        page.get_by_label("Alias", exact=True).fill("champion")
        page.get_by_label("Why (for the history)").fill(why)
        page.get_by_role("button", name="Move the alias").click()
        _toast(page, f"champion points to version {number}")
    assert _aliases(far, "journey") == {"champion": "2"}

    page.get_by_role("button", name="Roll back to 1: the alias champion").click()
    page.get_by_role("button", name="Move the alias").click()
    toast = page.locator(".toast", has_text="champion points to version 1").last
    page.get_by_text(re.compile("ago|now")).first.wait_for()
    page.locator(".alias-list", has_text="version 1").wait_for()
    assert _aliases(far, "journey") == {"champion": "1"}
    toast.get_by_role("button", name="Undo").click()
    _toast(page, "champion is as it was")
    assert _aliases(far, "journey") == {"champion": "2"}

    page.get_by_role("link", name="History").click()
    moves = page.locator(".timeline li", has_text="pointed the alias")
    moves.nth(3).wait_for()
    assert [moves.nth(at).locator(".comment").inner_text() for at in (3, 2, 1, 0)] == [
        "a start",
        "better",
        "rolled back",
        "taken back",
    ]


def test_of_two_pages_that_move_one_alias_the_second_is_told(
    ui_server: LiveServer, browser: Browser, far: Client
) -> None:
    _model(far, "contested", 3)
    far.set_registered_model_alias("contested", "champion", 1)
    first = browser.open(f"{ui_server.url}/ui/models/contested")
    second = browser.context.new_page()
    for page in (second, first):
        page.goto(f"{ui_server.url}/ui/models/contested")
    for page, version in ((second, "3"), (first, "2")):
        page.get_by_role("button", name="Move champion", exact=True).click()
        page.get_by_role("combobox", name="Version", exact=True).select_option(version)
        browser.expect_complaint("409 (Conflict)")
    second.get_by_role("button", name="Move the alias").click()
    _toast(second, "champion points to version 3")

    first.get_by_role("button", name="Move the alias").click()

    told = first.locator(".conflict")
    told.wait_for()
    assert "points to version '3', expected version '1'" in told.inner_text()
    first.get_by_text("“champion” points to version 3 now.", exact=True).wait_for()
    assert _aliases(far, "contested") == {"champion": "3"}
    first.get_by_role("button", name="Move it all the same").click()
    _toast(first, "champion points to version 2")
    assert _aliases(far, "contested") == {"champion": "2"}


def test_a_stage_is_given_with_a_comment_and_taken_back_with_all_that_it_archived(
    ui_server: LiveServer, browser: Browser, far: Client
) -> None:
    _model(far, "staged", 2)
    far.transition_model_version_stage("staged", 1, "Production")
    page = browser.open(f"{ui_server.url}/ui/models/staged/2")
    page.keyboard.press("s")
    page.get_by_label("Stage").select_option("Production")
    page.get_by_text("archive the versions that are in Production (1)").wait_for()
    page.get_by_label("Why (for the history)").fill("measured on Monday")
    page.get_by_role("button", name="Move", exact=True).click()
    toast = _toast(page, "version 2 is in Production")
    assert _stages(far, "staged") == {"1": "Archived", "2": "Production"}
    assert far.get_model_history("staged")[0].comment == "measured on Monday"

    toast.get_by_role("button", name="Undo").click()
    _toast(page, "version 2 is in no stage again")
    assert _stages(far, "staged") == {"1": "Production", "2": "None"}


def _stages(client: Client, name: str) -> dict[str, str]:
    return {one.version: one.current_stage for one in client.search_model_versions(f"name = '{name}'")}


def test_what_is_in_production_is_deleted_when_that_is_said_twice_and_a_model_by_its_name(
    ui_server: LiveServer, browser: Browser, far: Client
) -> None:
    _model(far, "doomed", 2)
    far.transition_model_version_stage("doomed", 2, "Production")
    page = browser.open(f"{ui_server.url}/ui/models/doomed")
    page.get_by_role("button", name="Delete version 2").click()
    assert page.get_by_role("button", name="Delete the version").is_disabled()
    page.get_by_label("delete it although it is in Production").check()
    page.get_by_role("button", name="Delete the version").click()
    _toast(page, "version 2 was deleted")
    assert _stages(far, "doomed") == {"1": "None"}

    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_label("Type the model's name").fill("doome")
    assert page.get_by_role("button", name="Delete the model").is_disabled()
    page.get_by_label("Type the model's name").fill("doomed")
    page.get_by_role("button", name="Delete the model").click()
    page.wait_for_url("**/ui/models")
    assert far.search_registered_models("name = 'doomed'") == []


def test_a_model_that_was_missing_can_be_made_renamed_and_called_as_before(
    ui_server: LiveServer, browser: Browser, far: Client
) -> None:
    browser.expect_complaint("404 (Not Found)")
    page = browser.open(f"{ui_server.url}/ui/models/late")
    page.get_by_text("There is no such model").wait_for()
    page.get_by_role("link", name="All models").click()
    page.get_by_role("button", name="New model").click()
    page.get_by_label("Name", exact=True).fill("late")
    page.get_by_role("button", name="Create").click()

    page.get_by_role("heading", name="late", exact=True).wait_for()
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("Name", exact=True).fill("late 50% #1?")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    page.get_by_role("heading", name="late 50% #1?").wait_for()
    assert far.get_registered_model("late 50% #1?").name == "late 50% #1?"
    _toast(page, "late is called late 50% #1? now").get_by_role("button", name="Undo").click()
    page.get_by_role("heading", name="late", exact=True).wait_for()
    assert far.get_registered_model("late").name == "late"


def test_models_are_searched_by_name_and_in_the_search_language_and_a_fault_keeps_the_rows(
    ui_server: LiveServer, browser: Browser, far: Client, wine: str
) -> None:
    far.create_registered_model("spirits", {"team": "still"})
    page = browser.open(f"{ui_server.url}/ui/models")
    row = page.locator("table.models tbody tr")
    page.keyboard.press("/")
    page.keyboard.type("WIN")
    row.nth(1).wait_for(state="detached")
    cells = row.first.locator("th, td").all_inner_texts()
    assert cells[0] == wine
    assert cells[1] == "3"
    assert cells[2].startswith("3 ")
    assert "@champion → 2" in cells[3]
    assert cells[4] == "Production: 2"
    page.get_by_label("Search models").fill("tags.team = 'still'")
    page.get_by_role("link", name="spirits").wait_for()
    assert row.count() == 1

    browser.expect_complaint("400 (Bad Request)")
    page.get_by_label("Search models").fill("tags.team = 'still")
    page.locator("#filter-note.wrong").wait_for()
    assert "never closed" in page.locator("#filter-note").inner_text()
    assert page.get_by_role("link", name="spirits").is_visible()


def test_versions_are_compared_by_what_their_runs_measured_and_what_they_take_and_need(
    ui_server: LiveServer, browser: Browser, wine: str
) -> None:
    page = browser.open(f"{ui_server.url}/ui/models/{wine}")
    page.get_by_label("Choose version 1").check()
    page.get_by_label("Choose version 3").check()
    page.keyboard.press("c")
    page.locator("table.compare").wait_for()
    rows = {
        row.locator("th").inner_text(): row.locator("td").all_inner_texts()
        for row in page.locator("table.compare tbody tr").all()
    }
    assert rows["rmse"] == ["1", "0.33333"]
    assert rows["depth"] == ["1", "3"]
    assert rows["input sugar"] == ["\u2013", "long, optional"]
    assert rows["scikit-learn"] == ["==1.1", "==1.3"]
    assert "input acidity" not in rows
    assert "versions=1,3" in page.url
    page.get_by_label("only differences").uncheck()
    page.get_by_role("rowheader", name="input acidity").wait_for()


def test_a_version_shows_where_it_comes_from_what_it_takes_and_how_it_is_used(
    ui_server: LiveServer, browser: Browser, wine: str
) -> None:
    page = browser.open(f"{ui_server.url}/ui/models/{wine}/2")
    lineage = page.get_by_role("list", name="Lineage")
    lineage.get_by_role("link", name="wines").wait_for()
    assert lineage.get_by_role("link", name="tree 2").get_attribute("href").startswith("/ui/runs/")
    assert "@champion" in lineage.inner_text()
    page.get_by_role("cell", name="double").first.wait_for()

    page.keyboard.press("2")
    page.get_by_text('mlflow.pyfunc.load_model("models:/wine/2")').wait_for()
    page.get_by_label("Load", exact=False).first.select_option(f"models:/{wine}@champion")
    page.get_by_text("mlcore models serve -m models:/wine@champion -p 5001 --reload-every 5").wait_for()

    page.keyboard.press("3")
    page.get_by_label("Address of the scoring server").fill("http://127.0.0.1:9/it's")
    page.get_by_label("acidity").fill("7.5")
    page.get_by_label("sugar").fill("12")
    page.get_by_label("cut").fill("0.25")
    code = page.locator(".tryit .snippet code").inner_text()
    assert "curl -s 'http://127.0.0.1:9/it'\\''s/invocations'" in code
    body = code.split("-d '")[1].removesuffix("'")
    assert json.loads(body) == {
        "dataframe_split": {"columns": ["acidity", "sugar"], "data": [[7.5, 12]]},
        "params": {"cut": 0.25},
    }
    page.get_by_label("acidity").fill("sour")
    page.get_by_text("acidity is no number: sour").wait_for()
    page.get_by_label("Address of the scoring server").fill("javascript:alert(1)")
    page.get_by_text("an address begins with http:// or https://").wait_for()
    assert page.locator(".tryit a").count() == 0


def test_a_served_model_is_asked_from_its_page(ui_server: LiveServer, browser: Browser, far: Client) -> None:
    _model(far, "served", 1)
    page = browser.open(f"{ui_server.url}/ui/models/served/1?tab=try")
    page.get_by_label("acidity").fill("7.5")
    page.get_by_role("button", name="Ask").click()
    answer = page.get_by_role("region", name="Answer")
    answer.get_by_text('"predictions"').wait_for()
    assert re.search(r"200\s+\d+ ms", answer.inner_text())
    assert browser.violations() == []

    page.get_by_label("acidity").fill("-1")
    page.get_by_role("button", name="Ask").click()
    answer.get_by_text("<b>negative</b>").wait_for()
    page.get_by_label("acidity").fill("sour")
    assert page.get_by_role("button", name="Ask").is_disabled()


def test_the_history_says_where_an_alias_was(ui_server: LiveServer, browser: Browser, far: Client, wine: str) -> None:
    moves = [one for one in far.get_model_history(wine) if one.kind is MoveKind.ALIAS]
    page = browser.open(f"{ui_server.url}/ui/models/{wine}?tab=history&about=@champion")
    assert page.locator(".timeline li").count() == len(moves) == 2
    local = "ms => { const at = new Date(ms - new Date(ms).getTimezoneOffset() * 60000); return at.toISOString().slice(0, 19); }"
    page.get_by_label("at", exact=True).fill(page.evaluate(local, moves[0].at + 1000))
    page.get_by_role("button", name="Where was it?").click()
    page.get_by_text("champion pointed to version 2 at").wait_for()
    page.get_by_label("at", exact=True).fill("2020-01-01T00:00:00")
    page.get_by_role("button", name="Where was it?").click()
    page.get_by_text("nothing is known of champion at").wait_for()


def test_descriptions_and_tags_are_changed_where_they_stand_and_taken_back(
    ui_server: LiveServer, browser: Browser, far: Client
) -> None:
    _model(far, "told", 1)
    page = browser.open(f"{ui_server.url}/ui/models/told")
    page.get_by_role("button", name="Describe it").click()
    page.keyboard.type("how **good**")
    page.locator(".preview strong", has_text="good").wait_for()
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name="Edit the description").wait_for()
    page.get_by_role("button", name="+ Add a tag").click()
    page.keyboard.type("team")
    page.keyboard.press("Tab")
    page.keyboard.type("cellar")
    page.keyboard.press("Enter")
    toast = _toast(page, "team is set")
    assert far.get_registered_model("told").tags == {"team": "cellar"}
    assert far.get_registered_model("told").description == "how **good**"
    toast.get_by_role("button", name="Undo").click()
    page.locator(".tag").wait_for(state="detached")
    assert far.get_registered_model("told").tags == {}


def test_hostile_names_descriptions_tags_and_comments_stay_text(
    ui_server: LiveServer, browser: Browser, far: Client
) -> None:
    (run_id,) = _model(far, _HOSTILE, 1, tags={"k": _HOSTILE}, description=f"{_HOSTILE} [x](javascript:alert(1))")
    far.set_model_version_tag(_HOSTILE, 1, "k", _HOSTILE)
    far.set_registered_model_alias(_HOSTILE, "champion", 1, comment=_HOSTILE)
    far.request_transition(_HOSTILE, 1, "Staging", comment=_HOSTILE)
    far.log_text(run_id, "!!python/object/apply:os.system [x]\n", "model/MLmodel")
    alerts: list[str] = []
    browser.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page = browser.open(f"{ui_server.url}/ui/models")
    page.get_by_role("link", name=_HOSTILE, exact=True).click()
    page.get_by_role("heading", name=_HOSTILE).wait_for()
    assert page.locator("main img").count() == 0
    page.get_by_role("link", name="History").click()
    page.locator(".timeline .comment").first.wait_for()
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("link", name="Versions").click()
    page.get_by_role("link", name="Version 1", exact=True).click()
    page.get_by_role("heading", name="Version 1").wait_for()
    page.get_by_label("Problems").wait_for()
    for tab in ("Use", "Try it", "History"):
        page.get_by_role("link", name=tab).click()
    page.locator(".timeline .comment").first.wait_for()
    assert page.locator("main img").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert alerts == []


def test_a_model_is_promoted_by_keys_alone(ui_server: LiveServer, browser: Browser, far: Client) -> None:
    _model(far, "keyed", 2)
    page = browser.open(f"{ui_server.url}/ui/")
    page.keyboard.press("m")
    page.get_by_role("link", name="keyed").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("keyed")
    page.locator("table.models tbody tr").nth(1).wait_for(state="detached")
    _tab_to(page, "keyed")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="keyed").wait_for()
    page.keyboard.press("a")
    page.get_by_role("dialog").wait_for()
    page.keyboard.type("champion")
    page.keyboard.press("Enter")
    _toast(page, "champion points to version 2")
    assert _aliases(far, "keyed") == {"champion": "2"}
    page.keyboard.press("2")
    page.wait_for_url("**/models/keyed?tab=history")
    page.keyboard.press("?")
    page.get_by_text("set an alias", exact=True).wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")


def _tab_to(page: Any, text: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == text:
            return
    raise AssertionError(f"no Tab leads to {text!r}")


_SHOWN = ["models", "models/wine", "models/wine?tab=history", "models/wine?tab=compare"]
_SHOWN += ["models/wine/2", "models/wine/2?tab=use", "models/wine/2?tab=try"]


def test_the_pages_of_models_can_be_used_by_everybody_in_light_and_dark(
    ui_server: LiveServer, browser: Browser, wine: str
) -> None:
    for path in _SHOWN:
        browser.open(f"{ui_server.url}/ui/{path}")
        _check_both(browser, path)
    browser.open(f"{ui_server.url}/ui/models/{wine}")
    for button in ("Stage of version 3", "Approve version 3 to Production"):
        browser.page.get_by_role("button", name=button, exact=True).click()
        browser.page.get_by_role("dialog").wait_for()
        _check_both(browser, button)
        browser.page.keyboard.press("Escape")
        browser.page.get_by_role("dialog").wait_for(state="detached")


def _check_both(browser: Browser, what: str) -> None:
    for scheme in ("light", "dark"):
        browser.page.emulate_media(color_scheme=scheme)
        browser.page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
        assert browser.violations() == [], (what, scheme)


def test_a_rollback_in_the_page_leads_where_the_command_leads(ui_server: LiveServer, browser: Browser) -> None:
    ways = [
        ["1", "2"],
        ["1", "2", "1"],
        ["1", "2", "3", "2"],
        ["1", "2", "3", "2", "1"],
        ["1", "", "2"],
        ["3", "3"],
        [],
    ]
    page = browser.open(f"{ui_server.url}/ui/models")
    module = page.evaluate(
        "() => JSON.parse(document.getElementById('start').textContent).assets + '/pages/models/moves.js'"
    )
    for way in ways:
        moves = [Move(number, "m", MoveKind.ALIAS, "a", "", after, at=number) for number, after in enumerate(way, 1)][
            ::-1
        ]
        now, there = (way[-1] if way else ""), {"1", "2"}
        try:
            expected = alias_before(moves, "a", now=now, versions=there)
        except LookupError:
            expected = None
        asked = [{"kind": "alias", "subject": "a", "after": move.after} for move in moves]
        found = page.evaluate(
            "async ([module, moves, now]) => (await import(module)).aliasBefore(moves, 'a', now, new Set(['1', '2']))",
            [module, asked, now],
        )
        assert found == expected, way
