"""The page of a run in a real browser: what it tells, and what can be changed there."""

from __future__ import annotations

from typing import Any

import pytest
from ui_browser import Browser
from ui_corpus import Corpus, fill

from mlcore.testing.live_server import LiveServer, running_server
from mlcore.tracking.client import Client


@pytest.fixture(scope="module")
def corpus(client: Client, ui_server: LiveServer) -> Corpus:
    return fill(client, ui_server)


def _open(browser: Browser, server: LiveServer, run_id: str, rest: str = "") -> Any:
    return browser.open(f"{server.url}/ui/runs/{run_id}{rest}")


def test_a_run_tells_what_became_of_it_and_out_of_what_it_came(
    ui_server: LiveServer, browser: Browser, corpus: Corpus
) -> None:
    page = _open(browser, ui_server, corpus.good)
    why = page.get_by_role("region", name="How the run ended")
    why.get_by_text("ValueError: no data").wait_for()
    why.get_by_text("Traceback").click()
    why.get_by_text('File "train.py", line 3').wait_for()
    for text in ("1 min 30 s", "ada", "train.py", "01234567", "iris", "training"):
        page.get_by_text(text, exact=True).first.wait_for()
    commit = page.get_by_role("link", name="01234567")
    assert commit.get_attribute("href") == f"https://example.org/ada/flowers/commit/{'0123456789abcdef' * 2}01234567"
    page.get_by_text("git clone git@example.org:ada/flowers.git again").wait_for()


def test_metrics_come_with_their_range_and_their_shape(ui_server: LiveServer, browser: Browser, corpus: Corpus) -> None:
    page = _open(browser, ui_server, corpus.good)
    row = page.get_by_role("row").filter(has_text="loss")
    row.locator("svg path").wait_for()
    assert row.locator("td").all_inner_texts()[:4] == ["0.033333", "0.033333", "1", "30"]
    assert page.get_by_role("row").filter(has_text="worst").locator("td").first.inner_text() == "NaN"


def test_params_are_searched(ui_server: LiveServer, browser: Browser, corpus: Corpus) -> None:
    page = _open(browser, ui_server, corpus.good)
    page.get_by_role("searchbox", name="Search params").fill("_07")
    assert page.get_by_role("region", name="Params").get_by_role("row").count() == 1


def test_a_run_gets_another_name_and_the_old_one_back(
    ui_server: LiveServer, browser: Browser, client: Client, corpus: Corpus
) -> None:
    page = _open(browser, ui_server, corpus.newest)
    page.get_by_role("button", name="Rename the run").click()
    page.get_by_label("Name of the run").fill("the last one")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="the last one").wait_for()
    assert client.get_run(corpus.newest).info.run_name == "the last one"
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("heading", name="newest", exact=True).wait_for()


def test_tags_are_added_changed_and_removed_where_they_stand(
    ui_server: LiveServer, browser: Browser, client: Client, corpus: Corpus
) -> None:
    page = _open(browser, ui_server, corpus.newest)
    page.get_by_role("button", name="Add a tag").click()
    page.get_by_label("Name of the tag").fill("stage")
    page.get_by_label("Value of the tag").fill("draft")
    page.keyboard.press("Enter")
    row = page.get_by_role("row", name="stage draft")
    row.hover()
    row.get_by_role("button", name="Change").click()
    page.get_by_label("Value of the tag").fill("final")
    page.keyboard.press("Enter")
    page.get_by_label("Value of the tag").wait_for(state="detached")  # saved: the row being edited is named so, too
    page.get_by_role("row", name="stage final").wait_for()
    assert client.get_run(corpus.newest).data.tags["stage"] == "final"
    page.get_by_role("row", name="stage final").hover()
    page.get_by_role("button", name="Remove the tag stage").click()
    page.get_by_text("None yet.").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("row", name="stage final").wait_for()


def test_notes_are_written_where_they_are_read(ui_server: LiveServer, browser: Browser, corpus: Corpus) -> None:
    page = _open(browser, ui_server, corpus.newest)
    page.get_by_role("button", name="Write notes").click()
    page.get_by_label("Notes in Markdown").fill("# Idea\n\nTry **more** data")
    page.keyboard.press("Control+Enter")
    page.get_by_role("heading", name="Idea").wait_for()
    page.reload()
    page.locator(".markdown strong", has_text="more").wait_for()


def test_what_was_written_stays_when_it_cannot_be_saved(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    browser.expect_complaint("ERR_CONNECTION_REFUSED")
    with running_server(tmp_path_factory.mktemp("gone")) as server:
        client = Client(server.store_uri)
        run_id = client.create_run(client.create_experiment("short")).info.run_id
        client.close()
        page = _open(browser, server, run_id)
        page.get_by_role("button", name="Write notes").click()
        page.get_by_label("Notes in Markdown").fill("hours of work")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("What you wrote is still here").wait_for()
    assert page.get_by_label("Notes in Markdown").input_value() == "hours of work"


def test_a_run_is_deleted_and_comes_back(
    ui_server: LiveServer, browser: Browser, client: Client, corpus: Corpus
) -> None:
    page = _open(browser, ui_server, corpus.newest)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("deleted", exact=True).wait_for()
    assert page.get_by_role("button", name="Rename the run").count() == 0
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Delete", exact=True).wait_for()
    assert client.get_run(corpus.newest).info.lifecycle_stage == "active"


def test_a_run_that_goes_on_is_shown_as_it_goes(
    ui_server: LiveServer, browser: Browser, client: Client, corpus: Corpus
) -> None:
    page = _open(browser, ui_server, corpus.newest)
    page.get_by_text("running", exact=True).wait_for()
    client.log_metric(corpus.newest, "loss", 0.25, step=2)
    page.get_by_role("row").filter(has_text="0.25").wait_for()


def test_a_run_that_ends_as_the_page_is_drawn_is_shown_as_ended(
    ui_server: LiveServer, browser: Browser, client: Client
) -> None:
    run_id = client.create_run("0").info.run_id
    # the page's own questions are answered, and its first look at changes is still to come
    browser.page.route("**/api/ui/1/changes*", lambda route: (client.set_terminated(run_id), route.continue_()))
    page = browser.page
    page.goto(f"{ui_server.url}/ui/runs/{run_id}")
    page.locator(".status.finished").first.wait_for()


def test_children_are_listed_and_lead_back(ui_server: LiveServer, browser: Browser, corpus: Corpus) -> None:
    page = _open(browser, ui_server, corpus.good, "/children")
    page.get_by_role("link", name="fold").click()
    page.get_by_role("heading", name="fold").wait_for()
    page.get_by_role("link", name="calm-otter").click()
    page.get_by_role("heading", name="calm-otter").wait_for()


def test_keys_lead_through_tabs_and_to_the_next_run_with_the_same_file_open(
    ui_server: LiveServer, browser: Browser, corpus: Corpus
) -> None:
    page = _open(browser, ui_server, corpus.hostile, "/artifacts/drawing.svg")
    browser.expect_complaint("404")  # the next run has no such file
    page.keyboard.press("]")
    page.wait_for_url(f"**/runs/{corpus.good}/artifacts/drawing.svg")
    page.get_by_role("heading", name="calm-otter").wait_for()
    page.keyboard.press("]")
    page.get_by_text("This is the oldest run of the experiment").wait_for()
    page.keyboard.press("[")
    page.wait_for_url(f"**/runs/{corpus.hostile}/artifacts/drawing.svg")
    page.get_by_role("heading", name="onerror").wait_for()
    page.keyboard.press("4")
    page.wait_for_url(f"**/runs/{corpus.hostile}/children")


def test_a_run_that_is_not_there_says_so(ui_server: LiveServer, browser: Browser) -> None:
    browser.expect_complaint("404")
    page = _open(browser, ui_server, "0" * 32)
    page.get_by_role("heading", name="There is no such run").wait_for()
    page.get_by_role("button", name="Search runs").click()
    page.get_by_role("dialog").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="All experiments").click()
    page.wait_for_url("**/ui/experiments")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1400, 700])
def test_the_page_of_a_run_can_be_used_by_everybody(
    ui_server: LiveServer, browser: Browser, corpus: Corpus, width: int, *, dark: bool
) -> None:
    browser.page.emulate_media(color_scheme="dark" if dark else "light")
    browser.page.set_viewport_size({"width": width, "height": 900})
    for rest in ("", "/artifacts", "/children"):
        _open(browser, ui_server, corpus.good, rest)
        assert browser.violations() == [], rest
        wide = browser.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, rest
