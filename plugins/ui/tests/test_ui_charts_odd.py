"""Charts of runs that diverged: what is not finite is seen, and no line goes over it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from ui_browser import Browser
from ui_mount import mount

from mlcore import Metric
from mlcore.testing.live_server import LiveServer
from mlcore.tracking.client import Client

CHARTS = ("pages/charts/metriccharts.js", "MetricCharts")
START_MS = 1_760_000_000_000
Runs = list[tuple[str, str]]


@pytest.fixture(scope="module")
def diverged(client: Client) -> Runs:
    """Record a run with a hole, both infinities, and huge and negative values."""
    run = client.create_run(client.create_experiment("diverged"), run_name="bad", start_time=START_MS).info
    odd = {**dict.fromkeys(range(50, 60), math.nan), 80: math.inf, 90: -math.inf}
    points = [Metric("loss", odd.get(step, 1.0), START_MS + step, step) for step in range(200)]
    points += [Metric("huge", 1e300 * (step + 1), START_MS + step, step) for step in range(3)]
    points += [Metric("below", -1.0 - step, START_MS + step, step) for step in range(3)]
    client.log_batch(run.run_id, metrics=points)
    client.set_terminated(run.run_id)
    return [(run.run_id, run.run_name)]


def charts(browser: Browser, server: LiveServer, runs: Runs, **more: Any) -> Any:
    page = browser.open(f"{server.url}/ui/about")
    mount(page, *CHARTS, runs=runs, **{"keys": ["loss", "huge", "below"], **more})
    page.wait_for_selector(".chart-card .uplot")
    page.wait_for_load_state("networkidle")
    return page


def drawn(page: Any, left: float, top: float, width: float, height: float) -> int:
    """Return how many pixels of the line's colour are in a part of the plot, given in shares of it."""
    found: int = page.evaluate(
        """([left, top, width, height]) => {
            const over = document.querySelector("article[aria-label='loss'] .u-over");
            const canvas = document.querySelector("article[aria-label='loss'] .uplot canvas");
            const [a, b, ratio] = [over.getBoundingClientRect(), canvas.getBoundingClientRect(), devicePixelRatio];
            const [x, y] = [a.left - b.left + left * a.width, a.top - b.top + top * a.height].map((at) => Math.round(at * ratio));
            const pen = Object.assign(document.createElement("canvas"), { width: canvas.width, height: canvas.height }).getContext("2d", { willReadFrequently: true });
            pen.drawImage(canvas, 0, 0);
            const { data } = pen.getImageData(x, y, Math.ceil(width * a.width * ratio), Math.ceil(height * a.height * ratio));
            let found = 0;
            for (let at = 0; at < data.length; at += 4) {
                const [r, g, b, alpha] = data.slice(at, at + 4);
                if (alpha > 120 && Math.max(r, g, b) - Math.min(r, g, b) > 60) found += 1;
            }
            return found;
        }""",
        [left, top, width, height],
    )
    return found


def test_a_hole_is_a_hole_and_what_is_not_finite_is_marked(
    browser: Browser, ui_server: LiveServer, diverged: Runs
) -> None:
    page = charts(browser, ui_server, diverged)
    card = page.locator("article[aria-label='loss']")
    page.wait_for_function("document.querySelector(\"article[aria-label='loss'] .legend\").innerText.includes('NaN')")

    # the line is in the middle of the height, 200 steps wide
    assert drawn(page, 0.1, 0.3, 0.1, 0.4) > 0
    assert drawn(page, 0.256, 0.3, 0.036, 0.4) == 0
    assert drawn(page, 0.255, 0.85, 0.04, 0.15) > 0  # NaN
    assert drawn(page, 0.38, 0.0, 0.04, 0.15) > 0  # Inf
    assert drawn(page, 0.43, 0.85, 0.04, 0.15) > 0  # -Inf
    assert drawn(page, 0.6, 0.8, 0.3, 0.2) == 0
    told = card.locator(".legend").inner_text()
    assert " NaN from step 50, ▲ Inf from step 80, ▼ -Inf from step 90" in told
    card.get_by_role("application").focus()
    page.keyboard.press("Home")
    for _ in range(8):
        page.keyboard.press("Shift+ArrowRight")
    assert card.locator("p[aria-live]").text_content() == "step 80: bad Inf"


def test_the_table_of_values_has_what_is_not_finite(browser: Browser, ui_server: LiveServer, diverged: Runs) -> None:
    page = charts(browser, ui_server, diverged, query={"chart": "loss", "zoom": "48:92:loss"})
    dialog = page.get_by_role("dialog", name="loss")
    dialog.get_by_role("button", name="Table").click()
    rows = dialog.locator("table").nth(1).locator("tbody tr")
    rows.first.wait_for()
    cells = {text.split()[0]: text.split()[1:] for text in rows.all_inner_texts()}
    assert (cells["50"], cells["80"], cells["90"]) == (["NaN"], ["Inf"], ["-Inf"])
    dialog.get_by_role("button", name="Show all").click()
    dialog.get_by_role("button", name="Show all").wait_for(state="detached")


def test_values_beyond_float32_and_those_a_logarithm_has_no_place_for_are_told(
    browser: Browser, ui_server: LiveServer, diverged: Runs
) -> None:
    page = charts(browser, ui_server, diverged, query={"log": "y"})
    below = page.locator("article[aria-label='below'] .legend")
    below.get_by_text("no value above 0, which log y needs").wait_for()
    huge = page.locator("article[aria-label='huge']")
    assert huge.locator(".legend b").inner_text() == "3.000e300"
    assert "finite" not in huge.locator(".legend").inner_text()
    huge.get_by_role("application").focus()
    page.keyboard.press("Home")
    assert huge.locator("p[aria-live]").text_content() == "step 0: bad 1.000e300"
