"""Experiments with more keys than a page is told of: all of them are reached."""

from __future__ import annotations

from typing import Any

import pytest
from ui_browser import Browser
from ui_runs import START_MS, Sweep
from ui_table import asked, cell, look, matches

from mlcore.entities import Metric, Param
from mlcore.testing.live_server import LiveServer
from mlcore.tracking.client import Client

METRICS, PARAMS = 5000, 90


@pytest.fixture(scope="module")
def wide(client: Client) -> Sweep:
    """Record two runs with metrics m0 to m4999 and params p0 to p89; all differ."""
    experiment_id = client.create_experiment("wide")
    made = []
    for at in range(2):
        run_id = client.create_run(experiment_id, START_MS + at, {}, f"run-{at}").info.run_id
        for begin in range(0, METRICS, 1000):
            points = [Metric(f"m{key}", key + at / 2, START_MS, 0) for key in range(begin, begin + 1000)]
            client.log_batch(run_id, metrics=points)
        client.log_batch(run_id, params=[Param(f"p{key}", f"v{key + at}") for key in range(PARAMS)])
        made.append(run_id)
    return Sweep(experiment_id, tuple(made))


def test_params_are_among_the_usual_columns(ui_server: LiveServer, browser: Browser, wide: Sweep) -> None:
    page = look(browser, ui_server, wide)
    heads = page.locator("[role=columnheader] .grid-name").all_inner_texts()
    assert [one for one in heads if one.startswith("p")]
    assert [one for one in heads if one.startswith("m")]


def test_any_column_is_found_in_the_picker(ui_server: LiveServer, browser: Browser, wide: Sweep) -> None:
    page = look(browser, ui_server, wide, "?cols=metrics.m1")
    page.get_by_role("button", name="Columns").click()
    picker = page.get_by_role("dialog", name="Columns")
    picker.get_by_text("are not listed; search for them").wait_for()
    picker.get_by_label("Search columns").fill("m4900")
    picker.get_by_role("checkbox", name="m4900").check()
    picker.get_by_label("Search columns").fill("nothing has it")
    picker.get_by_text("No name fits.").wait_for()
    page.keyboard.press("Escape")
    page.locator("[role=columnheader]", has_text="m4900").wait_for()
    assert asked(page)["cols"][0].endswith("metrics.m4900")
    assert cell(page, 2, "m4900") == "4900.5"


def test_a_filter_is_completed_by_keys_that_the_page_does_not_know(
    ui_server: LiveServer, browser: Browser, wide: Sweep
) -> None:
    browser.expect_complaint("400")  # of what is half typed
    page = look(browser, ui_server, wide)
    page.keyboard.press("/")
    page.keyboard.type("metrics.m49")
    page.locator("#filter-options li", has_text="metrics.m49").first.wait_for()
    page.keyboard.type("99 ")
    page.locator("#filter-options li", has_text="at most").wait_for()
    page.keyboard.type("not in (4999) and params.p5 ")
    page.locator("#filter-options li", has_text="is none of").wait_for()
    page.keyboard.type("in (")
    page.locator("#filter-options li", has_text="v5").first.wait_for()
    page.keyboard.type("'v6', 'x')")
    matches(page, "1 run")


def test_any_chart_is_found(ui_server: LiveServer, browser: Browser, wide: Sweep) -> None:
    page = look(browser, ui_server, wide, "?view=table,charts")
    page.get_by_text("There are more metrics than these").wait_for()
    page.get_by_label("Search charts").fill("m4900")
    page.locator(".chart-grid", has_text="m4900").wait_for()
    page.get_by_label("Search charts").fill("m49000")
    page.get_by_text("No metric has “m49000” in its name.").wait_for()


def test_a_comparison_has_params_and_finds_any_metric(ui_server: LiveServer, browser: Browser, wide: Sweep) -> None:
    page: Any = browser.open(
        f"{ui_server.url}/ui/experiments/{wide.experiment_id}?view=compare&runs={','.join(wide.run_ids)}"
    )
    page.locator(".diff-group", has_text="Params").wait_for()
    page.get_by_text("names are not listed; search for them").wait_for()
    page.get_by_label("Search names").fill("m4900")
    page.locator(".diff th[scope=row]", has_text="m4900").wait_for()
