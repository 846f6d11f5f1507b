"""The system's Chromium, and tabs whose costs are counted: CPU of the main thread, bytes on the wire, requests."""

from __future__ import annotations

import json
import shutil
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOST = "127.0.0.1"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {HOST}"),
]
PATIENCE_S = 240.0
QUIET_S, QUIET_PART = (
    1.0,
    0.05,
)  # settled: a second without news of the network, the thread busy for less than this of it
SETTLED_S = 30.0
# one animation frame after the other, of so many pixels; at the ends it turns round
SCROLL = """async ([selector, pixels, frames]) => {
    const box = document.querySelector(selector);
    let step = pixels;
    for (let count = 0; count < frames; count += 1) {
        await new Promise((done) => requestAnimationFrame(done));
        performance.mark("bench-frame");
        const before = box.scrollTop;
        box.scrollTop += step;
        if (box.scrollTop === before) step = -step;
    }
    await new Promise((done) => requestAnimationFrame(done));
    performance.mark("bench-frame");
    return box.scrollHeight;
}"""
HIDE = """() => {
    Object.defineProperty(document, "hidden", {value: true, configurable: true});
    Object.defineProperty(document, "visibilityState", {value: "hidden", configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


@dataclass(frozen=True)
class Spent:
    """What a journey has cost: CPU milliseconds of the page's main thread, bytes on the wire, requests.

    What the program that drives the browser makes the thread do, such as finding what is to be clicked, is not in it.
    """

    main_ms: float
    bytes: float
    requests: float


@contextmanager
def chromium() -> Iterator[Browser]:
    """Launch the system's Chromium, for which there is no host but this one."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        sys.exit("error: no Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Tab:
    """A page with an empty cache; what it asks for and what its thread does is counted from the first address on."""

    def __init__(self, browser: Browser, kept: Any = None) -> None:
        """Open it. kept: what pages had in their local storage, as `storage` returned it; the cache is empty anyway."""
        self.browser = browser
        self.context = browser.new_context(viewport={"width": 1400, "height": 900}, storage_state=kept)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_S * 1000)
        self.outside: list[str] = []
        self._sizes: list[float] = []
        self._asked = 0
        self._news = time.monotonic()
        self._session = self.context.new_cdp_session(self.page)
        self._session.on("Network.requestWillBeSent", self._sent)
        self._session.on("Network.responseReceived", self._answered)
        self._session.on("Network.loadingFinished", self._finished)
        self._session.send("Network.enable")
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def _sent(self, event: dict[str, Any]) -> None:
        address = urlsplit(event["request"]["url"])
        if address.scheme not in ("http", "https"):
            return
        self._news = time.monotonic()
        self._asked += 1
        if address.hostname != HOST:
            self.outside.append(event["request"]["url"])

    def _answered(self, event: dict[str, Any]) -> None:
        if event["response"]["status"] == 204:  # of an answer without a body no end is told
            self._sizes.append(event["response"]["encodedDataLength"])

    def _finished(self, event: dict[str, Any]) -> None:
        self._news = time.monotonic()
        self._sizes.append(event["encodedDataLength"])

    def busy_s(self) -> float:
        """Return CPU seconds of the main thread since the tab was opened, without those of the driver's commands."""
        told = {one["name"]: one["value"] for one in self._session.send("Performance.getMetrics")["metrics"]}
        return float(told["TaskDuration"] - told["DevToolsCommandDuration"])

    def spent(self, journey: Callable[[Page], None]) -> Spent:
        """Make a journey, wait until the page has settled, and tell the cost of both."""
        busy, asked, answers = self.busy_s(), self._asked, len(self._sizes)
        journey(self.page)
        self.settle()
        return Spent((self.busy_s() - busy) * 1000, sum(self._sizes[answers:]), self._asked - asked)

    def settle(self) -> None:
        """Wait until nothing is fetched and next to nothing computed."""
        deadline = time.monotonic() + SETTLED_S
        while time.monotonic() < deadline:
            busy = self.busy_s()
            self.page.wait_for_timeout(QUIET_S * 1000)
            if time.monotonic() - self._news > QUIET_S and self.busy_s() - busy < QUIET_S * QUIET_PART:
                return

    def idle(self, seconds: float, *, hidden: bool = False) -> Spent:
        """Leave the page alone; hidden, it believes that another tab lies above it."""
        if hidden:
            self.page.evaluate(HIDE)
        return self.spent(lambda page: page.wait_for_timeout(seconds * 1000))

    def frames(self, selector: str, pixels: int, count: int) -> list[float]:
        """Scroll a box by so many pixels in each frame; return milliseconds of the main thread of each frame."""
        self.browser.start_tracing(
            page=self.page, categories=["disabled-by-default-devtools.timeline", "blink.user_timing"]
        )
        self.page.evaluate(SCROLL, [selector, pixels, count])
        return _of_frames(json.loads(self.browser.stop_tracing())["traceEvents"])

    def storage(self) -> Any:
        """Return what the pages keep in the browser."""
        return self.context.storage_state()

    def picture(self, path: Path) -> None:
        """Keep what is seen, to look at what was measured."""
        self.page.screenshot(path=path)

    def close(self) -> None:
        """Throw the tab away with its cache."""
        self.context.close()


def _of_frames(events: list[dict[str, Any]]) -> list[float]:
    marks = sorted((one for one in events if one["name"] == "bench-frame"), key=lambda one: float(one["ts"]))
    thread = (marks[0]["pid"], marks[0]["tid"])
    times = [float(one["ts"]) for one in marks]
    frames = [0.0] * (len(times) - 1)
    for one in events:
        if one["name"] != "RunTask" or (one["pid"], one["tid"]) != thread or one["ph"] != "X":
            continue
        # the task that holds the mark begins the frame
        at = bisect_right(times, one["ts"] + one["dur"]) - 1
        if 0 <= at < len(frames):
            frames[at] += one["tdur"] / 1000
    return frames
