"""The table of runs: its columns, its keys, what it says when nothing fits."""

from __future__ import annotations

import pytest
from ui_browser import Browser
from ui_runs import Sweep, sweep
from ui_table import asked, first, look, matches, until

from mlcore.entities import Param
from mlcore.testing.live_server import LiveServer
from mlcore.tracking.client import Client

RUNS, NESTED = 120, 3


@pytest.fixture(scope="module")
def runs(client: Client) -> Sweep:
    return sweep(client, "table", RUNS, nested=NESTED)


@pytest.mark.parametrize("query", ["", "?group=params.model"])
def test_keys_that_the_grid_has_no_use_for_do_nothing(
    ui_server: LiveServer, browser: Browser, runs: Sweep, query: str
) -> None:
    page = browser.open(f"{ui_server.url}/ui/experiments/{runs.experiment_id}{query}")
    matches(page, f"{RUNS} runs")
    for key in ("x", "j", "j", "x", "Home", "ArrowUp", "p", "x"):
        page.keyboard.press(key)
    assert "pin" not in page.url  # and nothing was thrown, which the browser would tell of


def test_what_only_some_runs_have_is_a_column_before_what_is_the_same_in_all(
    ui_server: LiveServer, browser: Browser, client: Client
) -> None:
    few = sweep(client, "ragged", 3)
    client.log_batch(few.run_ids[1], params=[Param("extra", "yes")])
    page = look(browser, ui_server, few)
    heads = page.locator("[role=columnheader] .grid-name").all_inner_texts()
    assert heads[6:] == ["lr", "model", "extra", "same", "team"]


def test_a_filter_that_no_run_fits_says_so_and_is_cleared(ui_server: LiveServer, browser: Browser, runs: Sweep) -> None:
    page = browser.open(f"{ui_server.url}/ui/experiments/{runs.experiment_id}?filter=metrics.rmse+>+99")
    page.get_by_role("heading", name="No run fits the filter").wait_for()
    assert page.locator(".grid").count() == 0
    assert browser.violations() == []
    page.get_by_role("button", name="Clear the filter", exact=True).last.click()
    matches(page, f"{RUNS} runs")


def test_an_address_with_a_wrong_filter_does_not_wait_for_ever(
    ui_server: LiveServer, browser: Browser, runs: Sweep
) -> None:
    browser.expect_complaint("400")
    page = browser.open(f"{ui_server.url}/ui/experiments/{runs.experiment_id}?filter=metrics.rmse+<")
    page.get_by_role("heading", name="No runs can be shown").wait_for()
    assert "…" not in page.locator(".matches").inner_text()
    page.get_by_role("button", name="Clear filter and order").click()
    matches(page, f"{RUNS} runs")
    until(lambda: "filter" not in page.url, page)


def test_back_from_a_run_leads_to_the_row_where_one_was(ui_server: LiveServer, browser: Browser, runs: Sweep) -> None:
    page = look(browser, ui_server, runs, "?tree=0&sort=attributes.start_time")
    for key in ("j", "End", "ArrowUp"):
        page.keyboard.press(key)
    page.locator(f"[aria-rowindex='{RUNS}'] .run-name").wait_for()
    page.keyboard.press("Enter")
    page.locator("h1", has_text=f"run-{RUNS - 2:04}").wait_for()
    page.go_back()
    page.locator(f"[aria-rowindex='{RUNS}'] .run-name").wait_for()
    until(lambda: page.evaluate("document.activeElement.dataset.row") == str(RUNS - 2), page)
    page.get_by_role("link", name="Experiments").first.click()
    page.get_by_role("link", name="table", exact=True).click()  # another step, though the same page
    page.locator("[aria-rowindex='2'] .run-name").wait_for()
    assert page.evaluate("document.querySelector('.grid').scrollTop") == 0


def test_pinned_runs_are_ticked_once_and_marked_when_they_are_deleted(
    ui_server: LiveServer, browser: Browser, client: Client
) -> None:
    few = sweep(client, "pinned", 3)
    page = look(browser, ui_server, few, f"?pin={few.run_ids[1]}&runs={few.run_ids[1]},{few.run_ids[2]}")
    page.locator(".grid-kept input:checked").wait_for()
    assert page.locator(".grid input:checked").count() == 2
    assert page.locator(".grid .grid-row.selected").count() == 2
    until(lambda: any("/changes" in request.url for request in browser.requests), page)
    client.delete_run(few.run_ids[1])
    page.reload()
    page.locator(".grid-kept .status", has_text="deleted").wait_for()
    page.get_by_text("1 of them deleted").wait_for()
    matches(page, "2 runs")


def test_rows_stay_sorted_by_what_metrics_show(ui_server: LiveServer, browser: Browser, runs: Sweep) -> None:
    page = look(browser, ui_server, runs, "?tree=0&sort=-metrics.rmse,params.lr")
    page.get_by_label("What metrics show").select_option("best")
    until(lambda: asked(page)["sort"] == ["-metrics.rmse.min,params.lr"], page)
    assert page.locator("[role=columnheader]", has_text="rmse").get_attribute("aria-sort") == "descending"
    page.get_by_label("What metrics show").select_option("last")
    until(lambda: asked(page)["sort"] == ["-metrics.rmse,params.lr"], page)
    assert first(page) == f"run-{RUNS - 1:04}"


def test_open_groups_are_in_the_address_and_rows_have_levels(
    ui_server: LiveServer, browser: Browser, runs: Sweep
) -> None:
    page = browser.open(f"{ui_server.url}/ui/experiments/{runs.experiment_id}?group=params.model,tags.team")
    page.get_by_role("button", name="gbm · red 20").click()
    until(lambda: asked(page).get("open") == ["gbm/red"], page)
    page.locator(".run-name").first.wait_for()
    rows = page.locator(".grid").get_attribute("aria-rowcount")
    assert page.locator(".grid-row[aria-level='1'] strong").count() == 8
    assert page.locator(".grid-row[aria-level='2'] .run-name").count() == 20
    page.reload()
    page.locator(".grid-row[aria-level='2'] .run-name").first.wait_for()
    assert page.locator(".grid").get_attribute("aria-rowcount") == rows
    assert str(page.locator(".grid-mean").first.get_attribute("title")).startswith("mean ")
    at = page.locator("[role=columnheader]", has_text="lr").get_attribute("aria-colindex")
    assert page.locator(f".grid-row.group [aria-colindex='{at}'] small").count() > 0  # the range
    assert browser.violations() == []


def test_more_runs_than_an_address_names_are_told_of(ui_server: LiveServer, browser: Browser, client: Client) -> None:
    many = sweep(client, "many", 202)
    page = look(browser, ui_server, many)
    page.get_by_label("Select all runs that fit").click()
    page.get_by_text("202 runs selected").wait_for()
    assert asked(page)["runs"] == ["202 runs"]
    page.reload()
    page.get_by_text("202 runs were selected where this address was made").wait_for()
    page.locator("[aria-rowindex='2'] input[type=checkbox]").click()
    page.get_by_text("1 run selected").wait_for()
    assert page.get_by_text("where this address was made").count() == 0


def test_half_typed_words_are_not_sent_and_faults_move_nothing(
    ui_server: LiveServer, browser: Browser, runs: Sweep
) -> None:
    page = look(browser, ui_server, runs)
    page.locator("#filter").click()
    page.locator("#filter-options li").first.wait_for()
    top = page.locator(".tools").bounding_box()["y"]
    page.keyboard.type('metrics.rmse < 1.1 and params.model = "gb', delay=60)
    browser.expect_complaint("400")
    assert browser.complaints == []  # each refused question would be one
    page.keyboard.type(" and")
    page.locator("#filter-wrong", has_text="At column").wait_for()
    assert page.locator(".tools").bounding_box()["y"] == top
    page.keyboard.press("Backspace")
    page.keyboard.type("d (")
    page.locator("#filter-wrong", has_text="At column").wait_for()
    told = page.locator("#filter-wrong > :last-child").bounding_box()
    page.locator("#filter-options li").first.wait_for()
    assert told["y"] + told["height"] <= page.locator("#filter-options").bounding_box()["y"]
    assert len(browser.complaints) <= 2


def test_a_description_is_a_line_and_leaves_room_for_rows_below_charts(
    ui_server: LiveServer, browser: Browser, client: Client
) -> None:
    few = sweep(client, "described", 20)
    client.set_experiment_tag(few.experiment_id, "mlflow.note.content", "# Trees\n\n- one\n- two\n\n" + "words " * 80)
    page = look(browser, ui_server, few)
    page.locator(".note", has_text="Trees").wait_for()
    assert page.locator(".note").bounding_box()["height"] < 40
    page.get_by_role("button", name="Show all").click()
    until(lambda: page.locator(".note").bounding_box()["height"] > 100, page)
    page.get_by_role("tab", name="Charts and table").or_(page.get_by_role("link", name="Charts and table")).click()
    page.locator(".strip canvas").first.wait_for()
    assert page.locator(".note").count() == 0
    assert page.locator(".grid").bounding_box()["y"] < 640  # of 900
