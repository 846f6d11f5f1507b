"""The explorer: filter, table, selection, groups, edits; each in a real browser against a real server."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from ui_browser import Browser
from ui_runs import Sweep, sweep
from ui_server import UiServer

from mlcore.tracking.client import Client

DEADLINE_S = 20
RUNS, NESTED = 300, 20


@pytest.fixture(scope="module")
def runs(client: Client) -> Sweep:
    return sweep(client, "sweep", RUNS, nested=NESTED)


def until(holds: Callable[[], object], page: Any) -> None:
    """Wait until a condition holds; the page goes on meanwhile."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        page.wait_for_timeout(30)


def look(browser: Browser, server: UiServer, found: Sweep, query: str = "") -> Any:
    page = browser.open(f"{server.url}/ui/experiments/{found.experiment_id}{query}")
    page.wait_for_selector(".grid [role=row][aria-rowindex='2'] a")
    return page


def first(page: Any) -> str:
    """The name in the first row."""
    return str(page.locator(".grid-body [aria-rowindex='2'] .run-name").inner_text())


def cell(page: Any, row: int, header: str) -> str:
    at = page.locator("[role=columnheader]", has_text=header).first.get_attribute("aria-colindex")
    return str(page.locator(f"[aria-rowindex='{row}'] [aria-colindex='{at}']").first.inner_text())


def asked(page: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def matches(page: Any, text: str) -> None:
    page.locator(".matches", has_text=text).wait_for()


def test_the_table_shows_what_varies_first_and_everybody_can_use_it(
    ui_server: UiServer, browser: Browser, runs: Sweep
) -> None:
    page = look(browser, ui_server, runs)
    heads = page.locator("[role=columnheader] .grid-name").all_inner_texts()
    assert heads == ["run", "status", "started", "duration", "acc", "rmse", "lr", "model", "team"]
    matches(page, "300 runs")
    assert page.locator("[role=grid]").get_attribute("aria-rowcount") == str(RUNS + 1)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert browser.violations() == []
