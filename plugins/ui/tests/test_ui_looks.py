"""What the pages look like, wide and narrow, light and dark; the pictures lie in `looks/`."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pytest
from looks import KEPT, check
from ui_browser import Browser

from mlcore.entities import Metric, Param
from mlcore.testing.live_server import LiveServer
from mlcore.tracking.client import Client

START = 1_600_000_000_000  # long ago: dates instead of times that pass


@pytest.fixture(scope="module")
def words(ui_server: LiveServer) -> dict[str, str]:
    """Record a sweep and register two versions of a model; return the words of the addresses."""
    client = Client(ui_server.url, ui_server.url)
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
    table = "".join(f"{at},{at * at / 7:.3f},{'red' if at % 2 else 'white'}\n" for at in range(40))
    client.log_text(runs[-1], f"fixed,volatile,colour\n{table}", "table.csv")
    client.create_registered_model("wine", description="Tells good wine from bad.")
    for run_id in runs[:2]:
        client.log_text(run_id, "flavors:\n  python_function:\n    loader_module: own.loader\n", "model/MLmodel")
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
    "start": "",
    "metrics": "runs/{run}/metrics",
    "file": "runs/{run}/artifacts/table.csv",
    "models": "models",
    "version": "models/wine/2",
}
DRAWN = ("charts", "metrics")
KINDS = [(1400, "light"), (1400, "dark"), (700, "light"), (700, "dark")]


@pytest.mark.parametrize("page", PAGES)
def test_pages_look_as_in_their_pictures(
    ui_server: LiveServer, browser: Browser, words: dict[str, str], page: str, tmp_path: Path
) -> None:
    wrong = []
    for width, theme in KINDS:
        browser.page.set_viewport_size({"width": width, "height": 900})
        browser.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        shown = browser.open(f"{ui_server.url}/ui/{PAGES[page].format(**words)}")
        if page in DRAWN:
            shown.locator("canvas").first.wait_for()
            shown.wait_for_load_state("networkidle")
        try:
            check(f"{page}-{width}-{theme}", shown.screenshot(), tmp_path)
        except AssertionError as err:
            wrong.append(str(err))
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("shown", ["", *PAGES])
def test_a_blank_page_and_another_page_are_no_likeness(shown: str, tmp_path: Path) -> None:
    from PIL import Image

    for page in PAGES:
        for kind in ("1400-light", "700-dark"):
            wanted = Image.open(KEPT / f"{page}-{kind}.png").convert("RGB")
            other = (
                Image.open(KEPT / f"{shown}-{kind}.png")
                if shown
                else Image.new("RGB", wanted.size, wanted.getpixel((1, 1)))
            )
            taken = io.BytesIO()
            other.resize((wanted.width * 2, wanted.height * 2)).save(taken, "PNG")
            if shown != page:
                with pytest.raises(AssertionError, match="looks otherwise"):
                    check(f"{page}-{kind}", taken.getvalue(), tmp_path)
