"""Names of two hundred characters without blanks: no page is wider than its window."""

from __future__ import annotations

import pytest
from attrs import frozen
from ui_browser import Browser

from mlcore.testing.live_server import LiveServer
from mlcore.tracking.client import Client

_LONG = "n" * 200
_WIDE = """() => [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1
  && !one.closest('.scroll, .grid, pre, .rows, .clip, .offscreen')).slice(0, 4).map((one) => one.outerHTML.slice(0, 120))"""


@frozen
class Named:
    experiment_id: str
    run_id: str
    other: str


@pytest.fixture(scope="module")
def named(ui_server: LiveServer) -> Named:
    """Name everything by two hundred characters."""
    client = Client(ui_server.url, ui_server.url)  # which keeps the files
    experiment_id = client.create_experiment(_LONG)
    runs = []
    for at in range(2):
        tags = {f"{_LONG}{at}": _LONG, "mlflow.user": _LONG, "mlflow.source.name": f"/home/{_LONG}.py"}
        run_id = client.create_run(experiment_id, run_name=f"{_LONG}{at}", tags=tags).info.run_id
        client.log_param(run_id, _LONG, f"{_LONG}{at}")
        client.log_metric(run_id, _LONG, at)
        client.log_text(run_id, "flavors: {python_function: {loader_module: acme}}\n", f"{_LONG}/MLmodel")
        client.set_terminated(run_id)
        runs.append(run_id)
    client.create_registered_model(_LONG, tags={_LONG: _LONG}, description=_LONG)
    for run_id in runs:
        client.create_model_version(_LONG, f"runs:/{run_id}/{_LONG}", run_id, tags={_LONG: _LONG}, description=_LONG)
    client.set_registered_model_alias(_LONG, "a" * 200, 1, comment=_LONG)
    client.set_registered_model_alias(_LONG, "a" * 200, 2, comment=_LONG)
    client.transition_model_version_stage(_LONG, 2, "Production")
    return Named(experiment_id, runs[0], runs[1])


@pytest.mark.parametrize("width", [1400, 700])
def test_no_page_is_wider_than_its_window(ui_server: LiveServer, browser: Browser, named: Named, width: int) -> None:
    browser.page.set_viewport_size({"width": width, "height": 900})
    pages = [
        *("", "experiments", "models", f"experiments/{named.experiment_id}"),
        f"experiments/{named.experiment_id}?view=compare&runs={named.run_id},{named.other}",
        *(f"runs/{named.run_id}{rest}" for rest in ("", "/metrics", "/artifacts", f"/artifacts/{_LONG}")),
        *(f"models/{_LONG}{rest}" for rest in ("", "?tab=history", "?tab=compare&versions=1,2")),
        *(f"models/{_LONG}/2{rest}" for rest in ("", "?tab=history", "?tab=use", "?tab=try")),
    ]
    wide = {}
    for path in pages:
        page = browser.open(f"{ui_server.url}/ui/{path}")
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            wide[path.replace(_LONG, "LONG")] = (over, page.evaluate(_WIDE))
    assert not wide, repr(wide)
