"""Charts of groups of runs: the mean of each group with its band, in the colours of the table."""

from __future__ import annotations

import pytest
from ui_browser import Browser

from mlcore import Metric, Param
from mlcore.testing.live_server import LiveServer
from mlcore.tracking.client import Client

START_MS = 1_760_000_000_000


@pytest.fixture(scope="module")
def grouped(client: Client) -> tuple[str, list[str]]:
    """Record four runs of a tree and two of a net; run N is N higher everywhere."""
    where, ids = client.create_experiment("grouped"), []
    for number in range(6):
        info = client.create_run(where, run_name=f"run-{number}", start_time=START_MS).info
        points = [Metric("loss", 100 - step + number, START_MS + step, step) for step in range(50)]
        client.log_batch(info.run_id, metrics=points, params=[Param("model", "net" if number > 3 else "tree")])
        client.set_terminated(info.run_id)
        ids.append(info.run_id)
    return where, ids


def test_groups_are_drawn_as_their_mean_with_a_band(
    browser: Browser, ui_server: LiveServer, grouped: tuple[str, list[str]]
) -> None:
    page = browser.open(f"{ui_server.url}/ui/experiments/{grouped[0]}?group=params.model&view=table,charts")
    page.get_by_text("mean and min to max of 2 groups, of 6 runs").wait_for()
    card = page.locator("article[aria-label='loss']")
    card.locator(".legend-line").nth(1).wait_for()
    # 100 - 49 and the mean of 0 to 3, of 4 and 5
    assert [text.split() for text in card.locator(".legend-line").all_inner_texts()] == [["tree", "(4)", "52.5"], ["net", "(2)", "55.5"]]  # fmt: skip

    colors = "nodes => nodes.map(node => node.style.background)"
    of_charts = card.locator(".legend .mark-dot").evaluate_all(colors)
    of_table = page.locator(".grid-body .wide-fold .mark-dot").evaluate_all(colors)
    assert (of_charts, len(set(of_charts))) == (of_table, 2)
    card.get_by_role("application").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    assert card.locator("p[aria-live]").text_content() == "step 0: net (2) 104.5"
    assert browser.violations() == []


def test_selected_runs_are_drawn_in_their_groups(
    browser: Browser, ui_server: LiveServer, grouped: tuple[str, list[str]]
) -> None:
    where, ids = grouped
    page = browser.open(
        f"{ui_server.url}/ui/experiments/{where}?group=params.model&view=charts&chart=loss&runs={','.join(ids[3:5])}"
    )
    page.get_by_text("mean and min to max of 2 groups, of 2 selected runs").wait_for()
    dialog = page.get_by_role("dialog", name="loss")
    dialog.get_by_role("button", name="Table").click()
    rows = dialog.locator("table").first.locator("tbody tr")
    rows.nth(1).wait_for()
    shown = sorted(text.split() for text in rows.all_inner_texts())
    assert shown == [["net", "(1)", "50", "55", "55", "104"], ["tree", "(1)", "50", "54", "54", "103"]]


def test_another_metric_is_the_axis_and_stays_it_in_a_zoom(
    browser: Browser, ui_server: LiveServer, grouped: tuple[str, list[str]], client: Client
) -> None:
    info = client.create_run(grouped[0], run_name="epochs", start_time=START_MS).info
    points = [Metric("loss", 100 - step, START_MS + step, step) for step in range(50)]
    points += [Metric("epoch", step / 10, START_MS + step, step) for step in range(0, 50, 7)]
    client.log_batch(info.run_id, metrics=points)
    client.set_terminated(info.run_id)
    page = browser.open(f"{ui_server.url}/ui/runs/{info.run_id}/metrics")
    page.locator("article[aria-label='loss'] .uplot").wait_for()
    page.get_by_label("X axis").select_option("metrics.epoch")
    chart = page.get_by_role("application", name="loss by epoch")
    chart.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    said = page.locator("article[aria-label='loss'] p[aria-live]")
    assert said.text_content() == "epoch 0.1: epochs 99"
    with page.expect_response("**/metrics:series"):
        page.keyboard.press("+")
    page.wait_for_load_state("networkidle")
    assert "x=metrics.epoch" in page.url
    assert "zoom=" in page.url
    page.keyboard.press("End")
    # half the width around the position, which the address rounds
    assert said.text_content().startswith("epoch 1.3: epochs 87")


def test_a_mean_goes_by_the_lines_and_not_over_holes(browser: Browser, ui_server: LiveServer) -> None:
    page = browser.open(f"{ui_server.url}/ui/about")
    found = page.evaluate(
        """async () => {
            const { assets } = JSON.parse(document.getElementById("start").textContent);
            const { groupLines } = await import(`${assets}/pages/charts/grouplines.js`);
            const curve = (run_id, last, odd) => ({ run_id, last: 1, count: 2, values: { last }, odd });
            const curves = { grid: [0, 1, 2, 3], curves: [curve("a", [0, null, 4, null]), curve("b", [2, 2, null, 2], new Map([[2, "NaN"]]))] };
            const [line] = groupLines(curves, ["a", "b"].map((run_id) => ({ run_id, group: "g" })), [{ id: "g", name: "g", color: "#000" }], { weight: 0 });
            return { values: line.values, min: line.band.min, max: line.band.max, odd: [...line.odd] };
        }"""
    )
    assert found == {"values": [1, 2, 4, 2], "min": [0, 2, 4, 2], "max": [2, 2, 4, 2], "odd": [[2, "NaN"]]}
