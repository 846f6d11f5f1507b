from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the server and the browser are modules beside the tests

from ui_browser import Browser, launched  # after the path

from mlcore.testing.live_server import LiveServer, running_server
from mlcore.tracking.client import Client


# of a module, not of the session: while Playwright is there its event loop runs, and no other test could start one
@pytest.fixture(scope="module")
def _chromium(require: object) -> Iterator[object]:
    assert callable(require)
    with launched(require) as chromium:
        yield chromium


@pytest.fixture
def browser(_chromium: object) -> Iterator[Browser]:
    """Open a browser of its own for the test; at its end no page may have complained or asked anybody else."""
    browser = Browser(_chromium)
    try:
        yield browser
        browser.check()
    finally:
        browser.close()


@pytest.fixture
def signed_in(_chromium: object) -> Iterator[Callable[[str, str], Browser]]:
    """Return a function that opens a browser for somebody: `signed_in(name, password)`; they sign in at the first page."""
    with ExitStack() as opened:

        def sign_in(name: str, password: str) -> Browser:
            browser = Browser(_chromium, sign_in=(name, password))
            opened.callback(browser.close)
            return browser

        yield sign_in


@pytest.fixture(scope="module")
def ui_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a server with pages for the tests of a module, which share what is in it."""
    with running_server(tmp_path_factory.mktemp("ui")) as server:
        yield server


@pytest.fixture(scope="module")
def client(ui_server: LiveServer) -> Client:
    """Record straight into the store of the server."""
    return Client(ui_server.store_uri)
