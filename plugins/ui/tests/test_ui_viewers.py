"""Files of a run in a real browser: each kind in its viewer, and nothing that is in a file runs in our pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from ui_browser import Browser
from ui_corpus import HOSTILE_FILES, Corpus, fill, parquet

from mlcore.testing.live_server import LiveServer
from mlcore.tracking.client import Client

_HOOK = """for (const name of ['alert', 'confirm', 'prompt']) {
  window[name] = () => { window.__fired(`${name} in ${self.origin}`); return null; };
}"""


@pytest.fixture(scope="module")
def corpus(client: Client, ui_server: LiveServer) -> Corpus:
    return fill(client, ui_server)


@pytest.fixture
def fired(browser: Browser) -> Iterator[list[str]]:
    """Return where alert, confirm or prompt were called; in a sandbox the origin is null."""
    found: list[str] = []
    browser.context.expose_binding("__fired", lambda _source, text: found.append(text))
    browser.context.add_init_script(_HOOK)
    yield found
    assert [one for one in found if not one.endswith("in null")] == []


def _file(server: LiveServer, run_id: str, path: str) -> str:
    return f"{server.url}/ui/runs/{run_id}/artifacts/{quote(path)}"


def _go(page: Any, url: str) -> None:
    """Follow an address without loading the application again, as its links do."""
    page.evaluate("(url) => { history.pushState(null, '', url); dispatchEvent(new PopStateEvent('popstate')); }", url)


def _drawn(page: Any) -> None:
    """Wait until the open file is there, with its pictures and frames."""
    page.wait_for_selector(".viewer > *")
    page.evaluate(
        "() => Promise.all([...document.images].map((image) => image.complete || new Promise((done) => {"
        " image.addEventListener('load', done); image.addEventListener('error', done); })))"
    )


def _shows(page: Any, *texts: str) -> None:
    region = page.get_by_role("region", name="Open file")
    for text in texts:
        region.get_by_text(text).first.wait_for()


KINDS = [
    ("tables/flowers.csv", ("Rows 1 to 100 of 250, 3 columns", "flower 99")),
    ("tables/lines.jsonl", ("Rows 1 to 2", "null")),
    ("tables/numbers.npy", ("2, 3 columns", "5")),
    ("tables/logged.json", ("question", "6 x 7")),
    ("text/train.py", ("5 lines", "# trains")),
    ("text/params.yaml", ("2 keys", "alpha", '"tree"')),
    ("text/README.md", ("Results",)),
    ("text/empty.txt", ("0 B",)),
    ("text/Ruh#1 100%+.txt", ("an odd name",)),
    ("text/config.json", ("250 items", "1152921504606846976")),
    ("map.geojson", ("2 features", "latitude 47 to 48")),
    ("weights.bin", ("Files of this kind are not shown here",)),
    ("model", ("mlcore.models.pyfunc", "length", "optional")),
    ("text", ("7 in this folder", "train.py")),
]


def test_every_kind_of_file_is_shown_by_what_fits_it_under_an_address_of_its_own(
    ui_server: LiveServer, browser: Browser, corpus: Corpus
) -> None:
    page = browser.open(_file(ui_server, corpus.good, KINDS[0][0]))
    for path, texts in KINDS:
        _go(page, _file(ui_server, corpus.good, path))
        _shows(page, *texts)


def test_pictures_sounds_and_documents_come_by_elements_of_the_browser(
    ui_server: LiveServer, browser: Browser, corpus: Corpus
) -> None:
    page = browser.open(_file(ui_server, corpus.good, "plots/loss.png"))
    page.get_by_text("32 \u00d7 32 pixels").wait_for()
    _go(page, _file(ui_server, corpus.good, "sound.wav"))
    page.locator("audio").evaluate(
        "(audio) => audio.readyState || new Promise((done) => audio.addEventListener('loadedmetadata', () => done(1)))"
    )
    _go(page, _file(ui_server, corpus.good, "clip.mp4"))
    page.get_by_text("The browser cannot play this file.").wait_for()
    _go(page, _file(ui_server, corpus.good, "paper.pdf"))
    frame = page.wait_for_selector("iframe[title='Document paper.pdf']")
    assert frame.get_attribute("sandbox") is None


def test_a_parquet_file_is_a_table(
    ui_server: LiveServer, browser: Browser, corpus: Corpus, client: Client, tmp_path: Path
) -> None:
    parquet(tmp_path)
    client.log_artifact(corpus.newest, tmp_path / "t.parquet")
    page = browser.open(_file(ui_server, corpus.newest, "t.parquet"))
    _shows(page, "Rows 1 to 3 of 3, 2 columns", "null")


def test_a_long_text_is_read_stretch_by_stretch(ui_server: LiveServer, browser: Browser, corpus: Corpus) -> None:
    page = browser.open(_file(ui_server, corpus.good, "text/long.log"))
    _shows(page, "the file has 429 KB")
    fetched = [request for request in browser.requests if "/raw/" in request.url]
    assert [request.headers.get("range") for request in fetched] == ["bytes=0-131071"]
    page.get_by_role("button", name="Read on").click()
    _shows(page, "of the first 262 KB")


def test_an_expired_ticket_is_replaced_without_a_word(ui_server: LiveServer, browser: Browser, corpus: Corpus) -> None:
    browser.expect_complaint("403")
    refused: list[str] = []

    def refuse_first(route: Any) -> None:
        if refused:
            route.continue_()
            return
        refused.append(route.request.url)
        route.fulfill(status=403, body="this link has expired")

    browser.context.route("**/raw/**", refuse_first)
    page = browser.open(_file(ui_server, corpus.good, "text/train.py"))
    _shows(page, "# trains")
    refused.clear()
    _go(page, _file(ui_server, corpus.good, "plots/loss.png"))
    page.get_by_text("32 \u00d7 32 pixels").wait_for()
    assert len(refused) == 1


def test_tables_are_read_page_by_page(ui_server: LiveServer, browser: Browser, corpus: Corpus) -> None:
    page = browser.open(_file(ui_server, corpus.good, "tables/flowers.csv"))
    page.get_by_role("button", name="After", exact=True).click()
    _shows(page, "Rows 101 to 200 of 250")
    page.get_by_role("button", name="After", exact=True).click()
    _shows(page, "flower 249")
    assert page.get_by_role("button", name="After", exact=True).is_disabled()


def test_images_are_walked_through_by_their_steps_and_the_address_follows(
    ui_server: LiveServer, browser: Browser, corpus: Corpus
) -> None:
    page = browser.open(_file(ui_server, corpus.good, "images/sample+step+1+timestamp+1700000000001+id1.png"))
    slider = page.get_by_role("slider", name="Step")
    assert slider.get_attribute("aria-valuetext") == "step 1"
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/*step*2*timestamp*")
    page.get_by_text("3 of 4").wait_for()


def test_a_report_loads_what_lies_beside_it(ui_server: LiveServer, browser: Browser, corpus: Corpus) -> None:
    page = browser.open(_file(ui_server, corpus.good, "report/index.html"))
    report = page.frame_locator("iframe[title='Report index.html']")
    report.get_by_role("heading", name="Report").wait_for()
    colour = "(head) => getComputedStyle(head).color"
    assert report.get_by_role("heading").evaluate(colour) == "rgb(1, 2, 3)"
    assert report.locator("img").evaluate("(image) => image.naturalWidth") == 32


def test_a_report_whose_link_has_run_out_gets_another_one(
    ui_server: LiveServer, browser: Browser, corpus: Corpus
) -> None:
    browser.expect_complaint("403")
    asked: list[str] = []

    def refuse(route: Any) -> None:
        if len({*asked, route.request.url.split("/raw/")[1].split("/")[0]}) <= len(too_old):
            route.fulfill(status=403, body="this link has expired")
        else:
            route.continue_()
        asked.append(route.request.url.split("/raw/")[1].split("/")[0])

    too_old = ["the first"]
    browser.context.route("**/raw/**", refuse)
    page = browser.open(_file(ui_server, corpus.good, "report/index.html"))
    report = page.frame_locator("iframe[title='Report index.html']")
    report.get_by_role("heading", name="Report").wait_for()
    assert len(set(asked)) == 2
    too_old.append("the second")
    page.locator("iframe").evaluate("(frame) => { frame.src = frame.src; }")
    page.get_by_role("button", name="Load it again").click()
    report.get_by_role("heading", name="Report").wait_for()
    assert len(set(asked)) == 3


def test_comments_in_code_have_no_bar_before_them(ui_server: LiveServer, browser: Browser, corpus: Corpus) -> None:
    page = browser.open(_file(ui_server, corpus.good, "text/train.py"))
    comment = page.locator(".code .comment").first
    assert comment.evaluate("(one) => getComputedStyle(one).borderLeftWidth") == "0px"


def test_rows_of_an_array_are_numbered_as_its_columns(ui_server: LiveServer, browser: Browser, corpus: Corpus) -> None:
    page = browser.open(_file(ui_server, corpus.good, "tables/numbers.npy"))
    page.get_by_text("Rows 0 to 1 of 2").wait_for()
    assert page.locator(".rows tbody tr").all_inner_texts()[1].split() == ["1", "3", "4", "5"]


def test_files_are_walked_by_keyboard_alone(ui_server: LiveServer, browser: Browser, corpus: Corpus) -> None:
    page = browser.open(f"{ui_server.url}/ui/runs/{corpus.good}/artifacts")
    page.get_by_role("treeitem", name="images").focus()
    for key in ("End", "Home", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    page.get_by_role("treeitem", name="loss.png").wait_for()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url("**/artifacts/plots/loss.png")
    page.get_by_text("32 \u00d7 32 pixels").wait_for()


def test_a_file_that_is_not_there_says_so_and_the_tree_stays(
    ui_server: LiveServer, browser: Browser, corpus: Corpus
) -> None:
    browser.expect_complaint("404")
    page = browser.open(_file(ui_server, corpus.good, "plots/none.png"))
    page.get_by_role("alert").get_by_text("none.png").first.wait_for()
    assert page.get_by_role("treeitem", name="loss.png").is_visible()


def test_a_model_is_registered_where_it_lies(ui_server: LiveServer, browser: Browser, corpus: Corpus) -> None:
    page = browser.open(_file(ui_server, corpus.good, "model"))
    page.get_by_role("button", name="Register").click()
    page.get_by_label("Name of the registered model").fill("flowers")
    page.get_by_role("dialog").get_by_role("button", name="Register").click()
    page.get_by_role("link", name="flowers, version 1").wait_for()
    page.goto(f"{ui_server.url}/ui/runs/{corpus.good}")
    page.get_by_role("link", name="flowers version 1").wait_for()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_viewers_can_be_used_by_everybody(
    ui_server: LiveServer, browser: Browser, corpus: Corpus, *, dark: bool
) -> None:
    browser.page.emulate_media(color_scheme="dark" if dark else "light")
    page = browser.open(_file(ui_server, corpus.good, "plots"))
    for path in ("text/train.py", "text/config.json", "tables/flowers.csv", "model", "plots/loss.png", "map.geojson"):
        _go(page, _file(ui_server, corpus.good, path))
        page.locator(".crumbs [aria-current]", has_text=path.rpartition("/")[2]).wait_for()
        _drawn(page)
        assert browser.violations() == [], path


def test_nothing_in_a_hostile_file_runs_in_our_pages(
    ui_server: LiveServer, browser: Browser, corpus: Corpus, fired: list[str]
) -> None:
    browser.expect_complaint("sandboxed")
    page = browser.open(_file(ui_server, corpus.hostile, "code.py"))
    for path in [*HOSTILE_FILES, "model"]:
        _go(page, _file(ui_server, corpus.hostile, path))
        page.locator(".crumbs [aria-current]", has_text=path.rpartition("/")[2]).wait_for()
        _drawn(page)
        for other in [one.get_attribute("value") for one in page.query_selector_all("option")]:
            page.get_by_label("Show as").select_option(other)
            _drawn(page)
    assert "alert in null" in fired  # the hook does hear of what runs in the sandbox


def test_a_hostile_report_runs_in_a_sandbox_from_which_it_reaches_nothing(
    ui_server: LiveServer, browser: Browser, corpus: Corpus, fired: list[str]
) -> None:
    page = browser.open(_file(ui_server, corpus.hostile, "report.html"))
    frame = page.wait_for_selector("iframe[title='Report report.html']")
    assert frame.get_attribute("sandbox") == "allow-scripts"
    page.frame_locator("iframe").get_by_text(re.compile("^reached: *$")).wait_for()
    assert set(fired) == {"alert in null"}
    # the same when somebody opens it alone
    alone = browser.context.new_page()
    alone.goto(frame.evaluate("(element) => element.src"))
    alone.get_by_text(re.compile("^reached: *$")).wait_for()


def test_what_a_run_says_of_itself_is_text(
    ui_server: LiveServer, browser: Browser, corpus: Corpus, fired: list[str]
) -> None:
    for tab in ("", "/children", "/artifacts"):
        page = browser.open(f"{ui_server.url}/ui/runs/{corpus.hostile}{tab}")
        page.get_by_role("heading", level=1, name="<img src=x onerror=alert(1)>").wait_for()
    page = browser.open(f"{ui_server.url}/ui/runs/{corpus.hostile}")
    page.locator(".markdown script, .markdown svg, .markdown img").first.wait_for(state="detached")
    links = page.evaluate("[...document.links].map((link) => link.protocol)")
    assert set(links) == {"http:"}
    page.get_by_text("Tags that programs set").click()
    page.get_by_role("button", name="MLflow").click()
