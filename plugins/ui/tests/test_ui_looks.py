"""What the pages look like, wide and narrow, light and dark; the pictures lie in `looks/`."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from looks import check
from ui_browser import Browser
from ui_server import UiServer

from mlcore.entities import Metric, Param
from mlcore.tracking.client import Client

START = 1_600_000_000_000  # long ago: dates instead of times that pass


@pytest.fixture(scope="module")
def words(ui_server: UiServer) -> dict[str, str]:
    """Record a sweep and register two versions of a model; return the words of the addresses."""
    client = Client(ui_server.store_uri, ui_server.store_uri)
    experiment_id = client.create_experiment("sweep")
    runs = []
    for number in range(24):
        run = client.create_run(experiment_id, start_time=START + number * 60_000, run_name=f"tree-{number:02}")
        params = [Param("depth", str(number % 5 + 2)), Param("model", ("tree", "linear")[number % 2])]
        curve = [
            Metric("loss", math.exp(-step / (10 + number)) + 0.1 * math.sin(step) ** 2, START + step, step)
            for step in range(60)
        ]
        client.log_batch(run.info.run_id, metrics=[*curve, Metric("rmse", 1 / (number + 1), START, 0)], params=params)
        client.set_terminated(run.info.run_id, end_time=START + number * 60_000 + 42_000)
        runs.append(run.info.run_id)
    client.set_tag(runs[-1], "mlflow.note.content", "The **deepest** one:\n\n- slow\n- good")
    client.create_registered_model("wine", description="Tells good wine from bad.")
    for run_id in runs[:2]:
        client.create_model_version("wine", f"runs:/{run_id}/model", run_id)
    client.set_registered_model_alias("wine", "champion", "2")
    client.close()
    return {"experiment": experiment_id, "run": runs[-1]}


PAGES = {
    "experiments": "experiments",
    "explorer": "experiments/{experiment}",
    "charts": "experiments/{experiment}?view=charts",
    "compare": "experiments/{experiment}?view=compare",
    "run": "runs/{run}",
    "model": "models/wine",
}


@pytest.mark.parametrize("page", PAGES)
def test_pages_look_as_in_their_pictures(
    ui_server: UiServer, browser: Browser, words: dict[str, str], page: str, tmp_path: Path
) -> None:
    wrong = []
    for width in (1400, 700):
        for theme in ("light", "dark"):
            browser.page.set_viewport_size({"width": width, "height": 900})
            browser.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            shown = browser.open(f"{ui_server.url}/ui/{PAGES[page].format(**words)}")
            if page == "charts":
                shown.locator("canvas").first.wait_for()
                shown.wait_for_load_state("networkidle")
            try:
                check(f"{page}-{width}-{theme}", shown.screenshot(), tmp_path)
            except AssertionError as err:
                wrong.append(str(err))
    assert wrong == [], "\n".join(wrong)
