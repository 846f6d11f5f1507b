"""What the vendor's plugin shows in the web UI, in a real browser: blocks, a module and a viewer."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
import sourcecode
from attrs import frozen

from mlcore.testing.live_server import LiveServer, running_server
from mlcore.tracking.client import Client

sys.path.insert(0, str(sourcecode.ROOT / "plugins" / "ui" / "tests"))  # where the browser is

from ui_browser import Browser, launched  # after the path

_SOURCE = sourcecode.ROOT / "examples" / "vendor_plugin" / "src"


@frozen
class Lab:
    """A server with the plugin, and an experiment with runs of two benches; the first run has readings."""

    server: LiveServer
    client: Client
    experiment_id: str
    run_id: str

    def run(self, bench: str) -> str:
        """Record a run of a bench."""
        run_id = self.client.create_run(self.experiment_id, tags={"acme.bench": bench}).info.run_id
        self.client.log_metric(run_id, "gain", 2.5)
        self.client.log_metric(run_id, "drift", -1.25)
        self.client.set_terminated(run_id)
        return run_id


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    before = [
        f"import sys; sys.path.insert(0, {str(_SOURCE)!r})",
        "import acme_zip.plugin; import mlcore.plugins as p; found = p.Plugins.discover",
        "def discover(*given, **more):\n    made = found(*given, **more)\n    made.register(acme_zip.plugin)\n    return made",
        "p.Plugins.discover = discover",
    ]
    with running_server(tmp_path_factory.mktemp("lab"), "--auth", "none", before=before) as server:
        client = Client(server.url, server.url)
        made = Lab(server, client, client.create_experiment("lab"), "")
        for bench in ("south 2", "north 7"):
            run_id = made.run(bench)
        client.log_text(run_id, "1.5\n2.5\n", "monday.lab/first.readings")
        yield Lab(server, client, made.experiment_id, run_id)
        client.close()


@pytest.fixture
def browser(require: object) -> Iterator[Browser]:
    assert callable(require)
    with launched(require) as chromium:
        opened = Browser(chromium)
        try:
            yield opened
            opened.check()
        finally:
            opened.close()


def test_the_vendors_panels_and_viewer_work_in_a_browser(lab: Lab, browser: Browser) -> None:
    at = f"{lab.server.url}/ui"
    page = browser.open(f"{at}/runs/{lab.run_id}/acme-bench")
    page.get_by_text("Made at bench north 7").wait_for()
    drift = page.get_by_role("row", name="drift")
    assert drift.locator("td").last.inner_text() == "-1.25"
    assert (drift.locator(".block-bar").bounding_box() or {})["width"] > 1
    assert browser.violations() == []

    page = browser.open(f"{at}/experiments/{lab.experiment_id}?view=acme-benches")
    page.get_by_text("south 2: 1 run").wait_for()
    assert sorted(page.locator(".extension li").all_inner_texts()) == ["north 7: 1 run", "south 2: 1 run"]
    assert browser.violations() == []

    page = browser.open(f"{at}/runs/{lab.run_id}/artifacts/monday.lab")
    page.get_by_role("link", name="first.readings").last.click()
    page.locator(".extension pre").wait_for()
    assert page.locator(".extension pre").inner_text().split() == ["1.5", "2.5"]
    assert browser.violations() == []
