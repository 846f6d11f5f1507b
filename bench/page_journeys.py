"""How one goes through the pages of each side: what is clicked, and when what was asked for is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from browsing import HOST, PATIENCE_S

if TYPE_CHECKING:
    from playwright.sync_api import Page

METRIC = "m1"


def until(page: Page, holds: Callable[[], bool]) -> None:
    """Wait for a condition, which is asked seldom so that the asking costs next to nothing."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"error: what was asked for is not shown after {PATIENCE_S:g} s: {page.url}")
        page.wait_for_timeout(200)


class Journeys:
    """What is the same on both sides.

    FIRST: the link with the name of the run in the first row. GRID: the box that scrolls.
    """

    FIRST = ""
    GRID = ""

    def __init__(self, port: int, runs: str, curves: str, run_ids: Sequence[str]) -> None:
        """Know the server. runs, curves: ids of the two experiments. run_ids: of the curves."""
        self.base, self.runs, self.curves, self.run_ids = f"http://{HOST}:{port}", runs, curves, run_ids

    def table(self, page: Page) -> None:
        """Open the page of the runs."""
        raise NotImplementedError

    def sort(self, page: Page) -> None:
        """Sort by a metric."""
        raise NotImplementedError

    def filter(self, page: Page, text: str) -> None:
        """Filter the table."""
        raise NotImplementedError

    def run(self, page: Page) -> None:
        """Open the first run of the table."""
        raise NotImplementedError

    def chart(self, page: Page) -> None:
        """Open the chart of all curves."""
        raise NotImplementedError

    def first(self, page: Page) -> str:
        """Return the name in the first row."""
        names = page.locator(self.FIRST)
        return names.first.inner_text() if names.count() else ""

    def changed(self, page: Page, do: Callable[[], None]) -> None:
        """Do something, and wait until another run is the first one."""
        before = self.first(page)
        do()
        until(page, lambda: self.first(page) not in ("", before))


class Ours(Journeys):
    """The pages of mlcore."""

    FIRST = ".grid-body [aria-rowindex='2'] .run-name"
    GRID = ".grid"

    def table(self, page: Page) -> None:
        page.goto(f"{self.base}/ui/experiments/{self.runs}")
        page.wait_for_selector(self.FIRST)

    def sort(self, page: Page) -> None:
        head = page.locator("[role=columnheader]", has_text=METRIC).locator(".grid-sort")
        self.changed(page, head.click)

    def filter(self, page: Page, text: str) -> None:
        self.changed(page, lambda: page.fill("#filter", text))

    def run(self, page: Page) -> None:
        name = self.first(page)
        page.locator(self.FIRST).click()
        page.locator("h1", has_text=name).wait_for()
        page.wait_for_selector("main[aria-busy=false]")

    def chart(self, page: Page) -> None:
        page.goto(f"{self.base}/ui/experiments/{self.curves}?view=charts&runs={','.join(self.run_ids)}")
        page.wait_for_selector("article[aria-label=loss] .uplot")


class Theirs(Journeys):
    """The pages of MLflow."""

    FIRST = ".ag-row[row-index='0'] a[href*='/runs/']"
    GRID = ".ag-body-viewport"

    def table(self, page: Page) -> None:
        page.goto(f"{self.base}/#/experiments/{self.runs}/runs")
        page.wait_for_selector(self.FIRST)

    def sort(self, page: Page) -> None:
        def choose() -> None:
            page.get_by_role("button", name="Sort: Created").click()
            page.get_by_role("menuitemcheckbox", name=METRIC, exact=True).click()

        self.changed(page, choose)

    def filter(self, page: Page, text: str) -> None:
        def ask() -> None:
            page.get_by_placeholder("metrics.rmse < 1").fill(text)
            page.keyboard.press("Enter")

        self.changed(page, ask)

    def run(self, page: Page) -> None:
        name = self.first(page)
        page.locator(self.FIRST).first.click()
        page.locator("h1, h2", has_text=name).first.wait_for()
        page.get_by_text("Metrics (10)").wait_for()

    def chart(self, page: Page) -> None:
        page.goto(f"{self.base}/#/experiments/{self.curves}/runs?compareRunsMode=CHART")
        drawn = "() => [...document.querySelectorAll('.js-plotly-plot')].reduce((sum, one) => sum + one.data.length, 0)"
        until(page, lambda: page.evaluate(drawn) >= len(self.run_ids))

    def show_all(self, page: Page) -> None:
        """Let charts show all runs, not ten: their page keeps that in the browser's storage. Nothing is drawn yet."""
        page.route("**/get-history-bulk-interval**", lambda route: route.abort())
        page.goto(f"{self.base}/#/experiments/{self.curves}/runs?compareRunsMode=CHART")
        page.get_by_role("button", name="Toggle visibility of runs").click()
        page.get_by_text("Show all runs").click()
        until(page, lambda: bool(page.evaluate("() => JSON.stringify({...localStorage}).includes('SHOW_ALL')")))
