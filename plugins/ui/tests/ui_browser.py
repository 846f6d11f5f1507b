"""The system's Chromium, and what every page has to keep to."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_AXE = Path(__file__).parent / "vendor" / "axe.min.js"
_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--force-color-profile=srgb", "--font-render-hinting=none"),
]


def _program() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def _installed() -> str | None:
    """Install the system's Chromium where that can be done without asking: as root, with apt-get."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    # tests run side by side: the second waits for the first
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=3"]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for what in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run([*apt, *what], env=env, stdout=subprocess.DEVNULL, check=False)
    return _program()


@contextmanager
def launched(require: Callable[[str, bool, str], None]) -> Iterator[Any]:
    """Launch one Chromium for many tests."""
    program = _program() or _installed()
    require("chromium", program is not None, "apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        try:
            yield chromium
        finally:
            chromium.close()


class Browser:
    """A browser with an empty profile that notes what pages complain of and whom they ask."""

    def __init__(
        self,
        chromium: Any,
        *,
        width: int = 1400,
        dark: bool = False,
        sign_in: tuple[str, str] | None = None,
        **more: Any,
    ) -> None:
        """Open it. sign_in: name and password to sign in with before the first page. more: of Playwright's `new_context`."""
        self._sign_in = sign_in
        self.context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            **more,
        )
        self.complaints: list[str] = []
        self.requests: list[Any] = []
        self.expected: list[str] = []
        self.context.on("request", lambda request: self.requests.append(request))
        self.context.on("page", self._watch)
        self.page = self.context.new_page()

    def _watch(self, page: Any) -> None:
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))

    def open(self, url: str) -> Any:
        """Open a page and wait until it is drawn."""
        if self._sign_in is not None:
            (name, password), self._sign_in = self._sign_in, None
            session = f"{url.partition('/ui/')[0]}/api/mlcore/auth/session"
            given = {"username": name, "password": password}
            answer = self.context.request.post(session, data=given, headers={"x-mlcore-ui": "1"})
            assert answer.ok, answer.text()
        self.page.goto(url)
        self.page.wait_for_selector("main[aria-busy=false]")
        self.page.wait_for_load_state("networkidle")
        return self.page

    def expect_complaint(self, part: str) -> None:
        """Let a message of the console pass: the browser tells of every answer that is an error."""
        self.expected.append(part)

    def outside(self) -> list[str]:
        """Return the addresses off this machine that were asked for."""
        return [
            request.url
            for request in self.requests
            if urlsplit(request.url).scheme in ("http", "https") and urlsplit(request.url).hostname != "127.0.0.1"
        ]

    def violations(self) -> list[str]:
        """Return what axe finds on the page that is shown, by the rules of WCAG 2.1 A and AA."""
        # as Playwright evaluates it: a page's own script could not, Trusted Types forbid it
        self.page.evaluate(_AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate(
            "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations']})"
        )
        return [
            f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:4]]}"
            for one in found["violations"]
        ]

    def check(self) -> None:
        """Complain of what pages complained of."""
        left = [said for said in self.complaints if not any(part in said for part in self.expected)]
        assert left == [], left
        assert self.outside() == [], self.outside()

    def close(self) -> None:
        self.context.close()
