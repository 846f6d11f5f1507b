"""The explorer: filter, table, selection, groups, edits; each in a real browser against a real server."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from ui_browser import Browser
from ui_runs import HOSTILE, Sweep, hostile, sweep
from ui_table import asked, cell, first, look, matches, until

from mlcore.testing.live_server import LiveServer, running_server
from mlcore.tracking.client import Client

RUNS, NESTED = 300, 20


@pytest.fixture(scope="module")
def runs(client: Client) -> Sweep:
    return sweep(client, "sweep", RUNS, nested=NESTED)


def test_the_table_shows_what_varies_first_and_everybody_can_use_it(
    ui_server: LiveServer, browser: Browser, runs: Sweep
) -> None:
    page = look(browser, ui_server, runs)
    heads = page.locator("[role=columnheader] .grid-name").all_inner_texts()
    assert heads == ["run", "status", "started", "duration", "acc", "rmse", "lr", "model", "same", "team"]
    matches(page, "300 runs")
    assert page.locator(".grid").get_attribute("aria-rowcount") == str(RUNS + 1)
    assert page.locator("[role=alert]").count() == 0
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert browser.violations() == []


def test_sorting_by_the_least_value_of_a_metric_is_an_address(
    ui_server: LiveServer, browser: Browser, runs: Sweep
) -> None:
    page = look(browser, ui_server, runs, "?tree=0")
    page.get_by_label("What metrics show").select_option("min")
    page.locator("[role=columnheader]", has_text="rmse").locator(".grid-sort").click()
    until(lambda: first(page) == "run-0000", page)
    assert cell(page, 2, "rmse") == "0"
    assert asked(page) == {"tree": ["0"], "stat": ["min"], "sort": ["metrics.rmse.min"]}
    assert page.locator("[role=columnheader]", has_text="rmse").get_attribute("aria-sort") == "ascending"
    page.reload()
    until(lambda: first(page) == "run-0000", page)


def test_the_filter_helps_to_write_and_keeps_the_rows_while_it_is_wrong(
    ui_server: LiveServer, browser: Browser, runs: Sweep
) -> None:
    browser.expect_complaint("400")
    page = look(browser, ui_server, runs)
    page.keyboard.press("/")
    page.keyboard.type("metrics.rm")
    page.locator("#filter-options li", has_text="metrics.rmse").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("#filter-options li", has_text="at most").wait_for()
    page.keyboard.type("< ")
    page.locator("#filter-wrong", has_text="At column").wait_for()
    assert page.locator(".grid-body .run-name").count() > 10
    page.keyboard.type("1.1 AND params.model = ")
    page.locator("#filter-options li", has_text="gbm").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    matches(page, "2 runs")
    assert asked(page)["filter"] == ['metrics.rmse < 1.1 AND params.model = "gbm"']
    assert page.locator("#filter-wrong").inner_text() == ""
    page.go_back()  # to what was there before somebody wrote, not through all that was written
    matches(page, f"{RUNS} runs")
    assert page.locator("#filter").input_value() == ""


def test_nested_runs_stay_below_their_parent_in_any_order_and_fold(
    ui_server: LiveServer, browser: Browser, runs: Sweep
) -> None:
    page = look(browser, ui_server, runs, "?sort=metrics.rmse")
    names = page.locator(".grid-body .run-name").all_inner_texts()
    assert names[:3] == ["run-0000", "run-0280", "run-0281"]
    page.get_by_role("button", name="20 nested runs of run-0000").click()
    until(lambda: page.locator(".grid").get_attribute("aria-rowcount") == str(RUNS - NESTED + 1), page)
    assert asked(page)["fold"] == [runs.run_ids[0]]
    matches(page, "300 runs")


def test_the_table_is_used_by_keys_alone(ui_server: LiveServer, browser: Browser, runs: Sweep) -> None:
    page = look(browser, ui_server, runs, "?tree=0&sort=attributes.start_time")

    def active() -> tuple[str, str]:
        return tuple(page.evaluate("() => [document.activeElement.dataset.row, document.activeElement.dataset.col]"))

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press(" ")
    page.keyboard.press("k")
    page.keyboard.press(" ")
    page.get_by_text("2 runs selected").wait_for()
    assert asked(page)["runs"] == [f"{runs.run_ids[2]},{runs.run_ids[1]}"]
    page.keyboard.press("End")
    until(lambda: active() == (str(RUNS - 1), "1"), page)
    page.locator(f"[aria-rowindex='{RUNS + 1}'] .run-name").wait_for()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    until(lambda: active() == ("-1", "4"), page)
    page.keyboard.press("Shift+ArrowRight")
    until(lambda: asked(page).get("widths") == ["attributes.duration:120"], page)
    page.keyboard.press("Alt+ArrowLeft")
    until(lambda: asked(page)["cols"][0].startswith("attributes.status,attributes.duration,"), page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("p")
    page.locator(".grid-kept .run-name", has_text="run-0000").wait_for()
    page.keyboard.press("e")
    page.get_by_label("Search columns").fill("same")
    page.get_by_role("checkbox", name="same").uncheck()
    page.keyboard.press("Escape")
    page.locator("[role=columnheader]", has_text="same").wait_for(state="detached")


def test_the_menu_of_a_column_is_reached_by_keys(ui_server: LiveServer, browser: Browser, runs: Sweep) -> None:
    page = look(browser, ui_server, runs, "?tree=0&cols=metrics.rmse")
    for key in ("j", "Home", "ArrowUp", "ArrowRight", "Alt+Enter"):
        page.keyboard.press(key)
    page.get_by_role("menuitem", name="Sort downwards").click()
    until(lambda: asked(page).get("sort") == ["-metrics.rmse"], page)


def test_a_flight_over_the_rows_asks_for_few(ui_server: LiveServer, browser: Browser, runs: Sweep) -> None:
    page = look(browser, ui_server, runs)
    count = sum("runs:table" in request.url for request in browser.requests)
    page.evaluate("""async () => {
        const box = document.querySelector(".grid");
        for (let at = 0; at < box.scrollHeight; at += 240) {
            box.scrollTop = at;
            await new Promise((done) => requestAnimationFrame(done));
        }
    }""")
    page.locator(f"[aria-rowindex='{RUNS + 1}'] .run-name").wait_for()
    assert sum("runs:table" in request.url for request in browser.requests) - count <= 4
    assert page.locator(".grid-body [role=row]").count() < 60


def test_groups_open_and_tell_of_their_metrics(ui_server: LiveServer, browser: Browser, runs: Sweep) -> None:
    page = browser.open(f"{ui_server.url}/ui/experiments/{runs.experiment_id}?group=params.model")
    matches(page, "300 runs in 4 groups")
    page.get_by_role("button", name="linear 75").click()
    until(lambda: page.locator(".grid").get_attribute("aria-rowcount") == "80", page)
    page.locator(".run-name").first.wait_for()
    assert browser.violations() == []


def test_runs_are_tagged_deleted_and_brought_back(ui_server: LiveServer, browser: Browser, client: Client) -> None:
    small = sweep(client, "edited", 3)
    page = look(browser, ui_server, small, f"?cols=tags.team&runs={','.join(small.run_ids[:2])}")
    page.get_by_role("button", name="Tag…").click()
    page.get_by_label("Tag", exact=True).fill("team")
    page.get_by_label("Value").fill("green")
    page.get_by_role("button", name="Set the tag").click()
    until(lambda: client.get_run(small.run_ids[1]).data.tags["team"] == "green", page)
    page.get_by_role("button", name="Undo").click()
    until(lambda: client.get_run(small.run_ids[1]).data.tags["team"] == "red", page)
    page.get_by_role("button", name="Delete").click()
    matches(page, "1 run")
    page.get_by_role("button", name="Undo").click()
    matches(page, "3 runs")


def test_a_view_gets_a_name_and_is_opened_by_it(ui_server: LiveServer, browser: Browser, runs: Sweep) -> None:
    page = look(browser, ui_server, runs, "?sort=-params.lr&tree=0")
    page.get_by_role("button", name="Views").click()
    page.get_by_label("Name of this view").fill("by lr")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="by lr", exact=True).wait_for()
    page.goto(f"{ui_server.url}/ui/experiments/{runs.experiment_id}")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="by lr", exact=True).click()
    until(lambda: asked(page) == {"sort": ["-params.lr"], "tree": ["0"]}, page)


def test_a_view_is_renamed_and_pointed_to_what_is_shown(ui_server: LiveServer, browser: Browser, runs: Sweep) -> None:
    page = look(browser, ui_server, runs, "?tree=0&sort=-params.lr")
    page.get_by_role("button", name="Views").click()
    page.get_by_label("Name of this view").fill("first name")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Rename the view first name").click()
    page.get_by_label("New name of the view first name").fill("other name")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="other name", exact=True).wait_for()
    page.goto(f"{ui_server.url}/ui/experiments/{runs.experiment_id}?tree=0&sort=metrics.acc")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="Point the view other name to what is shown here").click()
    page.get_by_text("now opens what is shown here").wait_for()
    page.get_by_role("button", name="other name", exact=True).click()
    until(lambda: asked(page) == {"sort": ["metrics.acc"], "tree": ["0"]}, page)


def test_runs_that_come_while_one_looks_show(ui_server: LiveServer, browser: Browser, client: Client) -> None:
    small = sweep(client, "alive", 1)
    with_one = client.create_run(small.experiment_id, run_name="going")
    page = look(browser, ui_server, small)
    matches(page, "2 runs")
    until(lambda: any("/changes" in request.url for request in browser.requests), page)
    client.create_run(small.experiment_id, run_name="newcomer")
    page.get_by_role("link", name="newcomer").wait_for()
    client.set_terminated(with_one.info.run_id)


def test_a_run_without_a_start_has_no_duration(ui_server: LiveServer, browser: Browser, client: Client) -> None:
    experiment_id = client.create_experiment("no start")
    made = [
        httpx.post(
            f"{ui_server.url}/api/2.0/mlflow/runs/create",
            json={"experiment_id": experiment_id, "start_time": 0, "run_name": name},
            trust_env=False,
        ).json()["run"]["info"]["run_id"]
        for name in ("ended", "going")
    ]
    client.set_terminated(made[0])
    page = look(browser, ui_server, Sweep(experiment_id, tuple(made)))
    assert {cell(page, row, "duration") for row in (2, 3)} == {""}


def test_texts_of_attackers_are_texts(ui_server: LiveServer, browser: Browser, client: Client) -> None:
    odd = hostile(client)
    fired: list[str] = []
    browser.page.on("dialog", lambda dialog: (fired.append(dialog.message), dialog.dismiss()))
    page = look(browser, ui_server, odd)
    assert page.locator("h1").inner_text() == f"odd {HOSTILE}"
    page.locator(".note", has_text="javascript:alert(3)").wait_for()
    page.locator("[role=columnheader]", has_text="loss.min").locator(".grid-sort").click()
    until(lambda: asked(page)["sort"] == ["metrics.`loss.min`"], page)
    page.goto(
        f"{ui_server.url}/ui/experiments/{odd.experiment_id}?group=params.`batch+size`&filter=params.`batch+size`+LIKE+'%25'"
    )
    matches(page, "2 runs in 2 groups")
    chosen = f"runs={','.join(odd.run_ids)}"
    for view in ("charts", *(f"compare&compare={way}" for way in ("diff", "parallel", "scatter", "box", "contour"))):
        page = browser.open(f"{ui_server.url}/ui/experiments/{odd.experiment_id}?view={view}&{chosen}")
        page.locator("main", has_text="onerror=alert(1)").wait_for()
        assert page.locator("img, script:not([src]):not([type]), a[href^='javascript']").count() == 0
    assert fired == []


def test_an_experiment_without_runs_says_how_to_begin(ui_server: LiveServer, browser: Browser, client: Client) -> None:
    page = browser.open(f"{ui_server.url}/ui/experiments/{client.create_experiment('void')}")
    page.locator(".snippet", has_text='mlcore.set_experiment("void")').wait_for()
    assert ui_server.url in page.locator(".snippet pre").inner_text()
    assert browser.violations() == []


def test_all_that_fit_come_as_csv(ui_server: LiveServer, browser: Browser, runs: Sweep) -> None:
    page = look(browser, ui_server, runs, "?filter=params.model+%3D+'tree'&cols=metrics.rmse,params.lr")
    matches(page, "75 runs")
    page.get_by_role("button", name="More").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Download all that fit as CSV").click()
    assert download.value.suggested_filename == "sweep-runs.csv"
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(lines) == 76
    assert lines[0].endswith("metrics.rmse,params.lr")


def test_the_three_best_are_found_charted_and_compared(ui_server: LiveServer, browser: Browser, runs: Sweep) -> None:
    page = look(browser, ui_server, runs, "?tree=0&stat=best")
    page.locator("[role=columnheader]", has_text="rmse").locator(".grid-sort").click()
    until(lambda: first(page) == "run-0000", page)
    for number in (2, 3, 4):
        page.locator(f"[aria-rowindex='{number}'] input[type=checkbox]").click()
    page.get_by_role("button", name="Chart", exact=True).click()
    page.get_by_text("of 3 selected runs").wait_for()
    page.locator(".strip canvas").first.wait_for()
    page.keyboard.press("c")
    page.get_by_text("only differences").wait_for()
    assert set(page.locator(".compare a").all_inner_texts()) >= {"run-0000", "run-0001", "run-0002"}
    assert asked(page)["view"] == ["compare"]
    page.reload()
    page.locator(".compare a", has_text="run-0002").wait_for()
    page.go_back()
    page.locator(".strip canvas").first.wait_for()


_PASSWORD = "a long sentence that nobody guesses"


def test_what_a_reader_may_not_do_is_not_offered(
    _chromium: object,  # noqa: PT019  # used: it opens browsers of people who sign in
    tmp_path: Path,
) -> None:
    with running_server(tmp_path, "--auth", "basic") as server:
        made = sweep(Client(server.store_uri), "guarded", 2)
        token = (tmp_path / "state" / "bootstrap-token").read_text(encoding="utf-8").strip()
        with httpx.Client(base_url=server.url, trust_env=False) as http:
            first_admin = {"token": token, "username": "root", "password": _PASSWORD}
            http.post("/api/mlcore/auth/bootstrap", json=first_admin).raise_for_status()
            http.auth = ("root", _PASSWORD)
            reader = {"username": "bob", "password": _PASSWORD}
            http.post("/api/2.0/mlflow/users/create", json=reader).raise_for_status()
            granted = {"experiment_id": made.experiment_id, "username": "bob", "permission": "READ"}
            http.post("/api/2.0/mlflow/experiments/permissions/create", json=granted).raise_for_status()
        offered = {}
        for name in ("root", "bob"):
            browser = Browser(_chromium, sign_in=(name, _PASSWORD))
            browser.expect_complaint("401")
            page = look(browser, server, made, f"?runs={made.run_ids[0]}")
            page.get_by_role("button", name="Compare").wait_for()
            page.wait_for_load_state("networkidle")
            offered[name] = {"Rename", "Delete", "Tag…"} & set(page.get_by_role("button").all_inner_texts())
            browser.check()
            browser.close()
    assert offered == {"root": {"Rename", "Delete", "Tag…"}, "bob": set()}
