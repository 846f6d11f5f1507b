"""The page of a run while others change it, the server restarts, and people leave and come back."""

from __future__ import annotations

import io
from typing import Any

import pytest
from ui_browser import Browser
from ui_corpus import png
from ui_runs import Sweep, sweep

from mlcore.testing.live_server import LiveServer, running_server
from mlcore.tracking.client import Client


@pytest.fixture(scope="module")
def runs(client: Client) -> Sweep:
    return sweep(client, "kept", 6)


def _open(browser: Browser, server: LiveServer, run_id: str, rest: str = "") -> Any:
    return browser.open(f"{server.url}/ui/runs/{run_id}{rest}")


def test_a_run_that_somebody_deletes_is_said_to_be_deleted_while_it_is_looked_at(
    ui_server: LiveServer, browser: Browser, client: Client, runs: Sweep
) -> None:
    run_id = runs.run_ids[0]
    page = _open(browser, ui_server, run_id)
    client.delete_run(run_id)
    page.get_by_text("This run is deleted").wait_for()
    page.get_by_role("button", name="Restore").wait_for()
    client.restore_run(run_id)
    page.evaluate("dispatchEvent(new Event('focus'))")
    page.get_by_role("button", name="Delete", exact=True).wait_for()
    assert page.get_by_text("This run is deleted").count() == 0


def test_a_refused_write_shows_what_the_run_has_become(
    ui_server: LiveServer, browser: Browser, client: Client, runs: Sweep
) -> None:
    browser.expect_complaint("400")
    run_id = runs.run_ids[1]
    page = _open(browser, ui_server, run_id)
    page.get_by_role("button", name="Write notes").click()
    page.get_by_label("Notes in Markdown").fill("too late")
    client.delete_run(run_id)
    page.keyboard.press("Control+Enter")
    page.get_by_text("This run is deleted").wait_for()
    assert page.get_by_label("Notes in Markdown").input_value() == "too late"
    page.get_by_role("button", name="Cancel").click()
    assert page.get_by_role("button", name="Write notes").count() == 0


def test_deleted_runs_are_marked_where_runs_are_compared(
    ui_server: LiveServer, browser: Browser, client: Client, runs: Sweep
) -> None:
    one, other = runs.run_ids[2:4]
    page = browser.open(f"{ui_server.url}/ui/experiments/{runs.experiment_id}?view=compare&runs={one},{other}")
    page.get_by_role("columnheader", name="run-0002").wait_for()
    client.delete_run(other)
    page.reload()
    page.get_by_role("columnheader", name="run-0003 deleted").wait_for()
    assert page.get_by_role("columnheader", name="run-0002 deleted").count() == 0


def test_notes_that_are_being_written_survive_tabs_and_other_pages(
    ui_server: LiveServer, browser: Browser, runs: Sweep
) -> None:
    page = _open(browser, ui_server, runs.run_ids[4])
    page.get_by_role("button", name="Write notes").click()
    page.get_by_label("Notes in Markdown").fill("half a thought")
    page.get_by_role("link", name="Metrics").click()
    page.get_by_label("Notes in Markdown").wait_for(state="detached")
    page.get_by_role("link", name="Models", exact=True).click()
    page.wait_for_url("**/ui/models")
    page.go_back()
    page.go_back()
    page.wait_for_url(f"**/runs/{runs.run_ids[4]}")
    assert page.get_by_label("Notes in Markdown").input_value() == "half a thought"
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    page.get_by_role("button", name="Write notes").wait_for()
    assert asked == ["beforeunload"]


def test_a_server_that_is_back_takes_its_error_away_and_leaves_what_was_written(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    browser.expect_complaint("ERR_")
    with running_server(tmp_path_factory.mktemp("back")) as server:
        client = Client(server.store_uri)
        run_id = client.create_run(client.create_experiment("short")).info.run_id
        client.close()
        page = _open(browser, server, run_id)
        page.get_by_role("button", name="Write notes").click()
        page.get_by_label("Notes in Markdown").fill("hours of work")
        page.wait_for_load_state("networkidle")
        browser.context.route("**/*", lambda route: route.abort())
        page.get_by_role("button", name="Save").click()
        page.get_by_text("What you wrote is still here").wait_for()
        browser.context.unroute("**/*")
        page.get_by_text("What you wrote is still here").wait_for(state="detached")
        assert page.get_by_label("Notes in Markdown").input_value() == "hours of work"
        page.get_by_role("button", name="Save").click()
        page.locator(".markdown", has_text="hours of work").wait_for()


def test_runs_are_walked_through_in_the_order_and_filter_of_the_table(
    ui_server: LiveServer, browser: Browser, client: Client
) -> None:
    walked = sweep(client, "walked", 8)
    address = f"experiments/{walked.experiment_id}?filter=params.model+%21%3D+'mlp'&sort=metrics.acc"
    page = browser.open(f"{ui_server.url}/ui/{address}")
    # by acc upwards: 6, 5, 4, 2, 0; without 3 and 7, which are mlp, and with 1, which is NaN, at the end
    page.get_by_role("link", name="run-0005").click()
    page.get_by_role("heading", name="run-0005").wait_for()
    page.keyboard.press("]")
    page.get_by_role("heading", name="run-0004").wait_for()
    page.keyboard.press("]")
    page.get_by_role("heading", name="run-0002").wait_for()
    page.reload()
    page.get_by_role("heading", name="run-0002").wait_for()
    for name in ("run-0004", "run-0005", "run-0006"):
        page.keyboard.press("[")
        page.get_by_role("heading", name=name).wait_for()
    page.keyboard.press("[")
    page.get_by_text("This is the first run of the table").wait_for()


def test_pictures_beside_a_text_are_shown_in_it_and_those_elsewhere_are_not(
    ui_server: LiveServer, browser: Browser
) -> None:
    far = Client(ui_server.url, ui_server.url)
    run_id = far.create_run(far.create_experiment("pictures")).info.run_id
    far.log_stream(run_id, io.BytesIO(png(80)), "plots/a b.png")
    text = "![loss](../plots/a%20b.png) ![far](https://example.org/x.png) ![out](../../secret.png) ![gone](gone.png)"
    far.log_text(run_id, text, "text/report.md")
    browser.expect_complaint("404")
    page = _open(browser, ui_server, run_id, "/artifacts/text/report.md")
    image = page.get_by_role("img", name="loss")
    image.wait_for()
    assert image.evaluate("async (one) => { await one.decode(); return one.naturalWidth; }") == 32
    page.get_by_text("[gone: there is no image text/gone.png]").wait_for()
    shown = page.locator(".markdown").inner_text()
    assert "[far]" in shown
    assert "[out]" in shown


def test_a_folder_of_images_through_steps_opens_as_sliders(ui_server: LiveServer, browser: Browser) -> None:
    far = Client(ui_server.url, ui_server.url)
    run_id = far.create_run(far.create_experiment("steps")).info.run_id
    for at in range(3):
        far.log_stream(run_id, io.BytesIO(png(40 * at)), f"images/sample+step+{at}+timestamp+{at}+id{at}.png")
    page = _open(browser, ui_server, run_id, "/artifacts/images")
    slider = page.get_by_role("slider", name="Step of sample")
    assert slider.get_attribute("aria-valuetext") == "step 2"
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_text("step 1, 2 of 3").wait_for()
    image = page.locator(".series img[alt*='step+1']")
    assert image.evaluate("async (one) => { await one.decode(); return one.naturalWidth; }") == 32
    assert browser.violations() == []
