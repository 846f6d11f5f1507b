"""What pages may cost: bytes, requests, CPU of the page's main thread and of the server; CPU is counted, not time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from ui_browser import Browser
from ui_bulk import long_curves, many_runs

from mlcore.testing.live_server import LiveServer, running_server
from mlcore.tracking.client import Client

RUNS, CURVES, STEPS = 10_000, 100, 10_000
TURNS = 3  # the best of them counts: what else the machine does makes caches cold, and nothing makes a page cheaper
FRAMES = 120
FRAME_S, LOOK_S, ANSWER_S = 0.012, 0.4, 0.1
ROW = ".grid .grid-body [role=row][aria-rowindex='2'] a"
FRAMES_OF = """async ([pixels, frames]) => {
    const box = document.querySelector(".grid");
    for (let at = 1; at <= frames; at += 1) {
        box.scrollTop = at * pixels;
        await new Promise((done) => requestAnimationFrame(done));
    }
}"""

# each turn shows metrics by another statistic, so that none is answered from what is known
GO = """([name, value, turn]) => {
    history.pushState(null, "", `?${new URLSearchParams({[name]: value, stat: ["last", "min", "max"][turn]})}`);
    dispatchEvent(new PopStateEvent("popstate"));
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a server of its own, as what others record there would count."""
    with running_server(tmp_path_factory.mktemp("budgets")) as found:
        yield found


@pytest.fixture(scope="module")
def many(server: LiveServer) -> str:
    return many_runs(server, RUNS)


class Counted:
    """A tab whose costs are counted."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.sizes: list[float] = []
        self._session = browser.context.new_cdp_session(browser.page)
        self._session.on("Network.loadingFinished", lambda event: self.sizes.append(event["encodedDataLength"]))
        self._session.send("Network.enable")
        self._session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy_s(self) -> float:
        """Return CPU seconds of the page's main thread, without those of the commands that drive it."""
        told = {one["name"]: one["value"] for one in self._session.send("Performance.getMetrics")["metrics"]}
        return float(told["TaskDuration"] - told["DevToolsCommandDuration"])

    def least_s(self, journey: Callable[[], object]) -> float:
        """Return the CPU seconds of the cheapest of some turns."""
        spent = []
        for _ in range(TURNS):
            before = self.busy_s()
            journey()
            spent.append(self.busy_s() - before)
        return min(spent)


def table(browser: Browser, server: LiveServer, experiment_id: str) -> Any:
    page = browser.open(f"{server.url}/ui/experiments/{experiment_id}")
    page.wait_for_selector(ROW)
    return page


def test_a_first_look_at_ten_thousand_runs(server: LiveServer, browser: Browser, many: str) -> None:
    tab = Counted(browser)
    page = table(browser, server, many)
    assert page.locator(".matches").inner_text().startswith("10,000 runs")
    assert len(browser.requests) <= 35, [request.url for request in browser.requests]
    assert sum(tab.sizes) <= 120_000
    assert tab.least_s(lambda: table(browser, server, many)) <= LOOK_S


def test_a_frame_of_scrolling_and_one_of_a_flight_over_all_rows(
    server: LiveServer, browser: Browser, many: str
) -> None:
    tab = Counted(browser)
    page = table(browser, server, many)
    for pixels, windows in ((240, 20), (2400, 8)):  # the second flies by 96 windows, which nobody looks at
        asked = len(browser.requests)
        assert tab.least_s(partial(page.evaluate, FRAMES_OF, [pixels, FRAMES])) / FRAMES <= FRAME_S
        assert sum("runs:table" in one.url for one in browser.requests[asked:]) <= TURNS * windows
    assert page.locator(".grid-body [role=row]").count() < 60


@pytest.mark.parametrize("query", ["sort=-metrics.m1", 'filter=metrics.m3 > 0.5 and params.p2 = "v1"'])
def test_sorting_and_filtering_ten_thousand_runs(server: LiveServer, browser: Browser, many: str, query: str) -> None:
    page = table(browser, server, many)
    name, _, value = query.partition("=")
    before = server.cpu_s
    for turn in range(TURNS):
        with page.expect_response("**/runs:table"):
            page.evaluate(GO, [name, value, turn])
        page.wait_for_load_state("networkidle")
        page.wait_for_selector(ROW)
    assert (server.cpu_s - before) / TURNS <= ANSWER_S


def test_a_chart_of_a_million_points(server: LiveServer, browser: Browser) -> None:
    experiment_id, runs = long_curves(server, CURVES, STEPS)
    tab = Counted(browser)

    def look() -> None:
        browser.open(f"{server.url}/ui/experiments/{experiment_id}?view=charts&runs={','.join(runs)}")
        browser.page.wait_for_selector("article[aria-label=loss] .uplot")
        browser.page.wait_for_load_state("networkidle")

    look()
    assert sum(tab.sizes) <= 400_000
    assert tab.least_s(look) <= LOOK_S


def test_a_tab_that_is_left_alone_asks_little_and_a_hidden_one_nothing(server: LiveServer, browser: Browser) -> None:
    client = Client(server.store_uri)
    experiment_id = client.create_experiment("running")
    client.create_run(experiment_id, run_name="goes on")
    client.close()
    tab = Counted(browser)
    page = table(browser, server, experiment_id)
    asked, sizes = len(browser.requests), len(tab.sizes)
    page.wait_for_timeout(10_500)
    assert len(browser.requests) - asked <= 3
    assert sum(tab.sizes[sizes:]) <= 3 * 1000
    page.evaluate("""() => {
        Object.defineProperty(document, "hidden", {value: true, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }""")
    page.wait_for_load_state("networkidle")
    asked = len(browser.requests)
    page.wait_for_timeout(6_000)
    assert len(browser.requests) == asked
