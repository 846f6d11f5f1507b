"""The table of runs as tests look at it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ui_browser import Browser
from ui_runs import Sweep

from mlcore.testing.live_server import LiveServer

DEADLINE_S = 20


def until(holds: Callable[[], object], page: Any) -> None:
    """Wait until a condition holds; the page goes on meanwhile."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        page.wait_for_timeout(30)


def look(browser: Browser, server: LiveServer, found: Sweep, query: str = "") -> Any:
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
