"""The table of runs: its columns, its keys, what it says when nothing fits."""

from __future__ import annotations

import pytest
from ui_browser import Browser
from ui_runs import Sweep, sweep
from ui_server import UiServer
from ui_table import look, matches, until

from mlcore.entities import Param
from mlcore.tracking.client import Client

RUNS, NESTED = 120, 3


@pytest.fixture(scope="module")
def runs(client: Client) -> Sweep:
    return sweep(client, "table", RUNS, nested=NESTED)


@pytest.mark.parametrize("query", ["", "?group=params.model"])
def test_keys_that_the_grid_has_no_use_for_do_nothing(
    ui_server: UiServer, browser: Browser, runs: Sweep, query: str
) -> None:
    page = browser.open(f"{ui_server.url}/ui/experiments/{runs.experiment_id}{query}")
    matches(page, f"{RUNS} runs")
    for key in ("x", "j", "j", "x", "Home", "ArrowUp", "p", "x"):
        page.keyboard.press(key)
    assert "pin" not in page.url  # and nothing was thrown, which the browser would tell of


def test_what_only_some_runs_have_is_a_column_before_what_is_the_same_in_all(
    ui_server: UiServer, browser: Browser, client: Client
) -> None:
    few = sweep(client, "ragged", 3)
    client.log_batch(few.run_ids[1], params=[Param("extra", "yes")])
    page = look(browser, ui_server, few)
    heads = page.locator("[role=columnheader] .grid-name").all_inner_texts()
    assert heads[6:] == ["lr", "model", "extra", "same", "team"]


def test_a_filter_that_no_run_fits_says_so_and_is_cleared(ui_server: UiServer, browser: Browser, runs: Sweep) -> None:
    page = browser.open(f"{ui_server.url}/ui/experiments/{runs.experiment_id}?filter=metrics.rmse+>+99")
    page.get_by_role("heading", name="No run fits the filter").wait_for()
    assert page.locator(".grid").count() == 0
    assert browser.violations() == []
    page.get_by_role("button", name="Clear the filter", exact=True).last.click()
    matches(page, f"{RUNS} runs")


def test_an_address_with_a_wrong_filter_does_not_wait_for_ever(
    ui_server: UiServer, browser: Browser, runs: Sweep
) -> None:
    browser.expect_complaint("400")
    page = browser.open(f"{ui_server.url}/ui/experiments/{runs.experiment_id}?filter=metrics.rmse+<")
    page.get_by_role("heading", name="No runs can be shown").wait_for()
    assert "…" not in page.locator(".matches").inner_text()
    page.get_by_role("button", name="Clear filter and order").click()
    matches(page, f"{RUNS} runs")
    until(lambda: "filter" not in page.url, page)
