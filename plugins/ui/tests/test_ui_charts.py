"""Charts of metrics, and runs side by side."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlcore_ui.report.drawing import colors_of
from ui_browser import Browser
from ui_mount import mount

from mlcore import Metric, Param, RunTag
from mlcore.testing.live_server import LiveServer
from mlcore.tracking.client import Client

CHARTS = ("pages/charts/metriccharts.js", "MetricCharts")
COMPARE = ("pages/charts/compare.js", "Compare")
START_MS = 1_760_000_000_000
STEPS = 800
KEYS = ["rmse", "train/loss", "val/acc", "val/loss", "system/cpu"]
Runs = list[tuple[str, str]]


@pytest.fixture(scope="module")
def experiment(client: Client) -> str:
    return client.create_experiment("charts")


@pytest.fixture(scope="module")
def runs(client: Client, experiment: str) -> Runs:
    """Record six runs of some curves each; one curve has values that are no numbers."""
    made = []
    for number in range(6):
        run = client.create_run(
            experiment, run_name=f"{'tree' if number % 2 else 'linear'}-{number}", start_time=START_MS
        )
        run_id = run.info.run_id
        points = [Metric("rmse", 1.0 - number / 10, START_MS, 0)]
        for step in range(STEPS):
            value = math.nan if number == 1 and step % 2 else math.exp(-step / 200) + number / 10
            points.append(Metric("train/loss", value, START_MS + step * 1000, step))
        for step in range(0, STEPS, 100):
            points += [Metric(key, number + step / 1000, START_MS + step * 1000, step) for key in KEYS[2:]]
        params = [
            Param("lr", str(10.0 ** -(number + 1))), Param("depth", str(number * 2)), Param("model", "tree" if number % 2 else "linear"), Param("same", "x"),
        ]  # fmt: skip
        client.log_batch(run_id, metrics=points, params=params, tags=[RunTag("team", "a" if number < 3 else "b")])
        client.set_terminated(run_id)
        made.append((run_id, run.info.run_name))
    return made


def opened(browser: Browser, server: LiveServer, *, dark: bool = False) -> Any:
    browser.page.emulate_media(color_scheme="dark" if dark else "light")
    return browser.open(f"{server.url}/ui/about")


def charts(browser: Browser, server: LiveServer, runs: Runs, **more: Any) -> Any:
    page = opened(browser, server)
    mount(page, *CHARTS, runs=runs, **{"keys": KEYS, **more})
    page.wait_for_selector(".chart-card .uplot")
    page.wait_for_load_state("networkidle")
    return page


def compared(browser: Browser, server: LiveServer, runs: Runs, experiment: str, **query: str) -> Any:
    page = opened(browser, server)
    mount(page, *COMPARE, runs=runs, experiment_ids=[experiment], query=query)
    page.wait_for_selector(".compare table, .compare canvas")
    return page


def asked(browser: Browser, path: str = "metrics:series") -> list[Any]:
    return [request.post_data_json for request in browser.requests if request.url.endswith(path)]


@pytest.fixture(scope="module")
def logic(_chromium: Any, ui_server: LiveServer) -> Iterator[Any]:
    """Return what evaluates an expression that may use the modules by name: `series`, `smoothing`, and so on."""
    browser = Browser(_chromium)
    page = opened(browser, ui_server)

    def evaluated(expression: str) -> Any:
        modules = [
            "lib/series",
            "lib/smoothing",
            "lib/download",
            "lib/scales",
            "lib/statistics",
            "pages/charts/groups",
            "pages/charts/livecurves",
        ]
        return page.evaluate(
            """async ([modules, expression]) => {
                const at = JSON.parse(document.getElementById("start").textContent).assets;
                const loaded = await Promise.all(modules.map((path) => import(`${at}/${path}.js`)));
                const names = modules.map((path) => path.split("/").at(-1));
                return globalThis.tried[expression](Object.fromEntries(names.map((name, index) => [name, loaded[index]])));
            }""",
            [modules, expression],
        )

    # as Playwright evaluates them: a page's own script may not turn texts into code
    for name, text in LOGIC.items():
        page.evaluate(f"() => {{ (globalThis.tried ??= {{}})[{name!r}] = {text}; }}")
    yield evaluated
    browser.check()
    browser.close()


LOGIC = {
    "decode": """({series}) => {
        const head = new TextEncoder().encode(JSON.stringify({n: 3, stats: ["last", "max"], x: "step", exact: true, series: [{run_id: "é", key: "k", count: 2}]}));
        const at = Math.ceil((4 + head.length) / 8) * 8;
        const buffer = new ArrayBuffer(at + 24 + 24);
        new DataView(buffer).setUint32(0, head.length, true);
        new Uint8Array(buffer, 4).set(head);
        new Float64Array(buffer, at, 3).set([0, 1, 2 ** 40]);
        new Float32Array(buffer, at + 24, 6).set([1, NaN, 3, 4, Infinity, 6]);
        const {grid, curves, n} = series.decode(buffer);
        let short = "";
        try { series.decode(buffer.slice(0, -4)); } catch (error) { short = error.name; }
        return {grid: [...grid], n, run: curves[0].run_id, last: curves[0].values.last, max: curves[0].values.max, short};
    }""",
    "between": """({series}) => [series.nearest([0, 10, 20], 14), series.nearest([0, 10, 20], 99), series.nearest([], 1),
        series.valueAt([0, 10, 20], [1, null, 3], 1), series.valueAt([0, 10, 20], [null, 2, 3], 0), series.extent([null, 3, -1]), series.extent([null])]""",
    "holed": """({series}) => {
        const kept = series.holed([1, null, 2, null, null, null, 3, null], new Map([[4, "NaN"]]));
        const at = [1, 3].map((place) => series.valueAt([0, 1, 2, 3, 4, 5, 6, 7], kept, place, true));
        return {kept: kept.map((value) => (value === undefined ? "none" : value)), at};
    }""",
    "live": """({livecurves}) => {
        const curve = (run_id, last_x, count, last, odd) => ({run_id, key: "k", first_x: 0, last_x, count, last: 1, values: {last}, odd});
        const old = {n: 3, x: "step", exact: true, stats: ["last"], grid: Float64Array.from([0, 1, 2]), curves: [curve("a", 2, 2, [1, null, 2]), curve("b", 1, 2, [5, 6, null])]};
        const fresh = {...old, n: 2, grid: Float64Array.from([1.5, 3]), curves: [curve("a", 3, 2, [null, 4], new Map([[1, "NaN"]])), curve("b", 1.5, 1, [7, null])]};
        const all = livecurves.joined(old, fresh, ["a", "b"]);
        const [a, b] = all.curves.map((one) => ({count: one.count, values: one.values.last, odd: [...one.odd ?? []]}));
        return {
            ends: [livecurves.ends(old, "step", 10), livecurves.ends(old, "step", 1) ?? null, livecurves.ends(old, "metrics.x", 10) ?? null],
            same: livecurves.joined(old, {...fresh, curves: []}, ["a"]) === old, coarse: livecurves.joined(old, {...fresh, exact: false}, ["a"]) === undefined,
            grid: [...all.grid], a, b,
        };
    }""",
    "smooth": """({smoothing}) => {
        const grid = Array.from({length: 101}, (_, at) => at * 10);
        const line = grid.map((at) => at);
        const half = grid.filter((_, at) => at % 2 === 0);
        const [all, some] = [smoothing.smooth(grid, line, 0.9), smoothing.smooth(half, half, 0.9)];
        return {
            none: smoothing.smooth(grid, line, 0)[7], constant: smoothing.smooth(grid, grid.map(() => 5), 0.99).every((value) => Math.abs(value - 5) < 1e-9),
            first: all[0], later: all[100] < 1000 && all[100] > 700, apart: Math.abs(all[100] - some[50]) / 1000, gap: smoothing.smooth([0, 1, 2], [1, null, 3], 0.5)[1],
        };
    }""",
    "groups": """({groups}) => [groups.groups(["b/x", "system/cpu", "a10", "z/alone", "a2", "b/y"], {pinned: ["b/y", "gone"]}).map(({title, keys}) => [title, keys]),
        groups.groups(["Val/Loss", "val/acc"], {search: "loss val"}).flatMap(({keys}) => keys), groups.names(groups.listed(["a,b", "50%", "ü"]))]""",
    "csv": """({download}) => download.csv([["a", "b,c", '"q"'], ["=1+1", "-3", -2.5], [null, "@x", "+1e3"]])""",
    "axes": """({scales}) => [scales.axisOf(["0.001", "0.01", "0.1"]).kind, scales.axisOf([0.01, 0.3, 0.5, 0.7, 2]).kind, scales.axisOf(["b", "a", null]).ticks.map(({text}) => text),
        scales.axisOf([1, "NaN", 3]).place("NaN"), scales.axisOf([5, 5]).place(5), scales.ticks(0, 10, 5), scales.axisOf([]).ticks]""",
    "box": """({statistics}) => {
        const {outliers, ...box} = statistics.box([1, 2, 3, 4, 5, 100]);
        const heights = statistics.field([{x: 0, y: 0, z: 0}, {x: 1, y: 1, z: 1}], 5, 5);
        return {box, outliers, corners: [heights[0], heights[24]], lines: statistics.isolines([0, 1, 0, 1], 2, 2, 0.5)};
    }""",
}  # fmt: skip


def test_curves_are_read_from_bytes_with_gaps_where_no_number_is(logic: Any) -> None:
    found = logic("decode")
    assert found["grid"] == [0, 1, 2**40]
    assert (found["run"], found["last"], found["max"]) == ("é", [1, None, 3], [4, None, 6])
    assert found["short"] == "RangeError"
    assert logic("between") == [1, 2, -1, 2, None, [-1, 3], None]


def test_holes_are_told_from_places_without_a_point(logic: Any) -> None:
    found = logic("holed")
    assert found["kept"] == [1, "none", 2, None, None, None, 3, "none"]
    assert found["at"] == [1.5, None]


def test_what_is_new_of_curves_is_put_behind_them(logic: Any) -> None:
    found = logic("live")
    assert found["ends"] == [{"a": 2, "b": 1}, None, None]
    assert (found["same"], found["coarse"], found["grid"]) == (True, True, [0, 1, 1.5, 2, 3])
    assert found["a"] == {"count": 4, "values": [1, None, None, 2, 4], "odd": [[4, "NaN"]]}
    assert found["b"] == {"count": 3, "values": [5, 6, 7, None, None], "odd": []}


def test_smoothing_has_no_bias_and_goes_by_the_distance_of_points(logic: Any) -> None:
    found = logic("smooth")
    assert found["none"] == 70
    assert found["constant"]
    assert found["first"] == 0
    assert found["later"]
    # recorded half as often, the same curve looks the same: less than 1 % of the chart's height apart
    assert found["apart"] < 0.01
    assert found["gap"] is None


def test_charts_are_grouped_by_the_first_part_of_the_name(logic: Any) -> None:
    shown, found, kept = logic("groups")
    assert shown == [
        ["Pinned", ["b/y"]], ["Metrics", ["a2", "a10", "z/alone"]], ["b", ["b/x", "b/y"]], ["system", ["system/cpu"]],
    ]  # fmt: skip
    assert found == ["Val/Loss"]
    assert kept == ["a,b", "50%", "ü"]


def test_cells_that_a_spreadsheet_would_run_are_disarmed(logic: Any) -> None:
    assert logic("csv") == 'a,"b,c","""q"""\r\n\'=1+1,-3,-2.5\r\n,\'@x,\'+1e3\r\n'


def test_axes_of_plots_fit_their_values(logic: Any) -> None:
    assert logic("axes") == ["log", "linear", ["a", "b"], None, 0.5, [0, 2, 4, 6, 8, 10], []]
    found = logic("box")
    assert found["box"] == {"n": 6, "min": 1, "max": 100, "q1": 2.25, "median": 3.5, "q3": 4.75, "low": 1, "high": 5}
    assert (found["outliers"], found["corners"]) == ([100], [0, 1])
    assert found["lines"] == [[0.5, 0, 0.5, 1]]


def test_only_charts_in_sight_are_asked_for(browser: Browser, ui_server: LiveServer, client: Client) -> None:
    keys = [f"layer{number // 2}/{number}" for number in range(300)]
    run = client.create_run(client.create_experiment("many charts"), run_name="deep").info
    client.log_batch(run.run_id, metrics=[Metric(key, step, START_MS + step, step) for key in keys for step in (0, 1)])
    page = charts(browser, ui_server, [(run.run_id, run.run_name)], keys=keys)
    first = len(asked(browser))
    assert 4 <= first <= 20
    assert page.locator(".chart-card").count() == 300
    page.mouse.wheel(0, 20_000)
    with page.expect_response("**/metrics:series"):
        page.mouse.wheel(0, 50)
    page.wait_for_load_state("networkidle")
    assert first < len(asked(browser)) < 80
    assert page.locator(".uplot").count() < 40


def test_a_chart_is_read_by_keyboard_alone(browser: Browser, ui_server: LiveServer, runs: Runs) -> None:
    page = charts(browser, ui_server, runs[:2])
    page.get_by_role("application", name="val/acc by step").focus()
    said = page.locator("article[aria-label='val/acc'] p[aria-live]")
    for key in ("Home", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert said.text_content() == f"step 100: {runs[1][1]} 1.1"
    page.keyboard.press("End")
    assert said.text_content() == f"step 700: {runs[1][1]} 1.7"
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="val/acc")
    dialog.get_by_role("button", name="Table").click()
    rows = dialog.locator("table").nth(1).locator("tbody tr")
    assert rows.nth(3).all_inner_texts()[0].split() == ["300", "0.3", "1.3"]
    assert browser.violations() == []
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert page.evaluate("window.query") == {}


def test_a_drag_asks_for_detail_and_escape_shows_all_again(browser: Browser, ui_server: LiveServer, runs: Runs) -> None:
    page = charts(browser, ui_server, runs)
    card = page.locator("article[aria-label='train/loss']")
    box = card.locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50, steps=4)
    with page.expect_response("**/metrics:series"):
        page.mouse.up()
    [zoomed] = [body for body in asked(browser) if body["start"] is not None and body["stats"] == ["last"]]
    # what is shown and a little more, so that lines go on at the edges
    assert abs(zoomed["start"] - STEPS * (0.25 - 0.0125)) <= STEPS * 0.02
    assert abs(zoomed["end"] - STEPS * (0.5 + 0.0125)) <= STEPS * 0.02
    start, end, metric = page.evaluate("window.query.zoom").split(":")
    assert abs(float(start) - STEPS * 0.25) <= STEPS * 0.02
    assert (abs(float(end) - STEPS * 0.5) <= STEPS * 0.02, metric) == (True, "train/loss")
    card.get_by_role("application").focus()
    page.keyboard.press("Escape")
    card.get_by_role("button", name="Show all").wait_for(state="detached")
    assert page.evaluate("window.query") == {}


def test_a_zoom_is_opened_by_its_address_and_metrics_without_values_are_not_drawn(
    browser: Browser, ui_server: LiveServer, runs: Runs
) -> None:
    page = charts(browser, ui_server, runs, keys=["train/loss", "train/absent"], query={"zoom": "100:200:train/loss"})
    page.get_by_role("button", name="Show all of train/loss").wait_for()
    assert {(body["keys"][0], body["start"], body["end"]) for body in asked(browser)} == {
        ("train/loss", 95, 205),
        ("train/absent", None, None),
    }
    page.locator("article[aria-label='train/absent']").wait_for(state="hidden")


def test_reports_give_runs_the_colours_of_the_pages(browser: Browser, ui_server: LiveServer) -> None:
    ids = [f"{number * 7919:032x}" for number in range(25)]
    page = browser.open(f"{ui_server.url}/ui/about")
    shown = page.evaluate(
        """async (ids) => {
            const { assets } = JSON.parse(document.getElementById("start").textContent);
            const { runColor } = await import(`${assets}/lib/colors.js`);
            return Object.fromEntries(ids.map((id) => [id, runColor(id)]));
        }""",
        ids,
    )
    assert shown == colors_of(ids)


def test_what_is_chosen_is_in_the_address(browser: Browser, ui_server: LiveServer, runs: Runs) -> None:
    page = charts(browser, ui_server, runs)
    page.get_by_label("X axis").select_option("relative")
    page.get_by_label("log y").check()
    page.get_by_label("Smoothing").fill("0.6")
    page.get_by_role("button", name="Pin val/loss").first.click()
    page.get_by_label("Search charts").fill("VAL")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.query") == {
        "x": "relative", "log": "y", "smooth": "0.6", "pinned": "val/loss", "charts": "VAL",
    }  # fmt: skip
    assert page.locator(".chart-card h4").all_inner_texts() == ["val/loss", "val/acc", "val/loss"]
    assert {body["x"] for body in asked(browser)} == {"step", "relative"}


def test_what_is_pointed_at_stands_out_with_its_band(browser: Browser, ui_server: LiveServer, runs: Runs) -> None:
    page = charts(browser, ui_server, runs)
    card = page.locator("article[aria-label='train/loss']")
    box = card.locator(".u-over").bounding_box()
    with page.expect_response("**/metrics:series"):
        page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] * 0.9)
    named = card.locator(".legend-line.on .legend-name").inner_text()
    [band] = [body for body in asked(browser) if body["stats"] == ["min", "max"]]
    assert dict(runs)[band["run_ids"][0]] == named
    # the same run stands out in all charts
    page.locator("article[aria-label='val/acc'] .legend-line.on", has_text=named).wait_for()


def test_curves_are_asked_for_again_when_runs_have_written(
    browser: Browser, ui_server: LiveServer, client: Client, experiment: str
) -> None:
    run = client.create_run(experiment, run_name="live")
    client.log_batch(run.info.run_id, metrics=[Metric("loss", 1.0, START_MS, 0), Metric("loss", 0.5, START_MS, 1)])
    page = charts(browser, ui_server, [(run.info.run_id, "live")], keys=["loss"], live=True)
    client.log_batch(run.info.run_id, metrics=[Metric("loss", 0.25, START_MS, 2)], synchronous=True)
    with page.expect_response("**/metrics:series"):
        page.evaluate("window.again()")
    page.locator(".legend b", has_text="0.25").wait_for()
    assert page.locator(".chip.live").count() == 1
    # only what is new, put behind what was there
    assert [body.get("since") for body in asked(browser)] == [None, {run.info.run_id: 1}]
    page.get_by_role("application", name="loss by step").focus()
    for key, said in (("Home", "step 0: live 1"), ("ArrowRight", "step 1: live 0.5"), ("End", "step 2: live 0.25")):
        page.keyboard.press(key)
        assert page.locator("article[aria-label='loss'] p[aria-live]").text_content() == said
    client.set_terminated(run.info.run_id)


def test_a_chart_is_taken_away_as_picture_and_as_numbers(
    browser: Browser, ui_server: LiveServer, runs: Runs, tmp_path: Path
) -> None:
    page = charts(browser, ui_server, runs, query={"chart": "train/loss"})
    page.wait_for_selector("dialog .uplot")
    page.wait_for_load_state("networkidle")
    with page.expect_download() as picture:
        page.get_by_role("button", name="Download PNG").click()
    picture.value.save_as(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with page.expect_download() as numbers:
        page.get_by_role("button", name="Download CSV").click()
    numbers.value.save_as(tmp_path / "a.csv")
    rows = list(csv.reader((tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["run_id", "run", "metric", "step", "last"]
    assert {row[1] for row in rows[1:]} == {name for _, name in runs}
    assert numbers.value.suggested_filename == "train-loss.csv"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_charts_and_comparisons_can_be_used_by_everybody(
    browser: Browser, ui_server: LiveServer, runs: Runs, experiment: str, *, dark: bool
) -> None:
    page = charts(browser, ui_server, runs, query={"smooth": "0.5"})
    page.emulate_media(color_scheme="dark" if dark else "light")
    assert browser.violations() == []
    page = opened(browser, ui_server, dark=dark)
    # the plots have the same parts, so that one theme is enough for all of them
    for view in ("", "parallel") if dark else ("", "parallel", "scatter", "box", "contour"):
        mount(page, *COMPARE, runs=runs, experiment_ids=[experiment], query={"compare": view})
        page.wait_for_selector(".compare table, .compare canvas")
        assert browser.violations() == [], view


def test_only_what_differs_is_listed(browser: Browser, ui_server: LiveServer, runs: Runs, experiment: str) -> None:
    page = compared(browser, ui_server, runs[:3], experiment)
    names = page.locator(".diff tbody th[scope=row]").all_inner_texts()
    assert {"lr", "depth", "model", "rmse", "val/acc"} <= set(names)
    assert not {"same", "team"} & set(names)
    assert page.locator("tr", has=page.get_by_role("rowheader", name="depth", exact=True)).locator("td").all_inner_texts() == ["0", "2", "4"]  # fmt: skip
    assert page.locator("tr", has=page.get_by_role("rowheader", name="model", exact=True)).locator("td.other").all_inner_texts() == ["tree"]  # fmt: skip
    page.get_by_label("only differences").uncheck()
    page.get_by_role("rowheader", name="same", exact=True).wait_for()
    assert page.evaluate("window.query") == {"same": "1"}


def test_ranges_of_parallel_coordinates_pick_runs_by_pointer_and_by_keys(
    browser: Browser, ui_server: LiveServer, runs: Runs, experiment: str
) -> None:
    page = compared(browser, ui_server, runs, experiment, compare="parallel", axes="params.depth,metrics.rmse")
    least = page.get_by_role("slider", name="Min depth")
    least.focus()
    for key in ("PageUp", "PageUp", "PageUp"):
        page.keyboard.press(key)
    assert least.get_attribute("aria-valuetext") == "3"
    page.get_by_role("button", name="Select these 4 runs").click()
    assert page.evaluate("window.picked") == [run_id for run_id, _ in runs[2:]]
    box = page.locator(".axis-range").nth(1).bounding_box()
    page.mouse.move(box["x"] + 13, box["y"] + box["height"] * 0.1)
    page.mouse.down()
    page.mouse.move(box["x"] + 13, box["y"] + box["height"] * 0.5, steps=4)
    page.mouse.up()
    # rmse from 0.75 to 0.95 is in the second and third run, of which one has a depth of 3 and more
    page.get_by_role("button", name="Select this run").wait_for()
    page.get_by_role("button", name="Clear the ranges").click()
    page.get_by_text("6 of 6 runs").wait_for()
    page.get_by_label("Add an axis").select_option("params.model")
    assert page.evaluate("window.query.axes") == "params.depth,metrics.rmse,params.model"


def test_plots_are_read_by_keyboard_and_as_tables(
    browser: Browser, ui_server: LiveServer, runs: Runs, experiment: str
) -> None:
    page = compared(browser, ui_server, runs, experiment, compare="scatter", px="params.depth", py="metrics.rmse")
    page.get_by_role("application", name="rmse against depth, 6 runs").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.locator("figcaption").inner_text() == f"{runs[1][1]}: depth 2, rmse 0.9"
    page.get_by_role("button", name="Box plot").click()
    page.get_by_label("Grouped by").select_option("params.model")
    page.get_by_label("Values").select_option("metrics.rmse")
    page.get_by_role("rowheader", name="tree", exact=True).wait_for()
    rows = page.locator(".compare tbody tr").all_inner_texts()
    assert [row.split() for row in rows] == [
        ["linear", "3", "0.6", "0.7", "0.8", "0.9", "1"], ["tree", "3", "0.5", "0.6", "0.7", "0.8", "0.9"],
    ]  # fmt: skip
    page.get_by_role("button", name="Contour").click()
    page.get_by_label("Height").select_option("metrics.rmse")
    page.get_by_text("Values as a table").click()
    assert page.locator(".plot-table tbody tr").count() == 6


def test_the_explorer_draws_and_compares_what_is_selected(
    browser: Browser, ui_server: LiveServer, runs: Runs, experiment: str
) -> None:
    ids = ",".join(run_id for run_id, _ in runs[:3])
    page = browser.open(f"{ui_server.url}/ui/experiments/{experiment}?view=charts&runs={ids}&smooth=0.3&pinned=val/acc")
    page.wait_for_selector("article[aria-label='val/acc'] .uplot")
    assert asked(browser)[0]["run_ids"] == ids.split(",")
    page.get_by_label("log y").check()
    page.wait_for_url("**log=y**")
    page = browser.open(f"{ui_server.url}/ui/experiments/{experiment}?view=compare&compare=parallel&runs={ids}")
    page.get_by_role("slider", name="Min depth").focus()
    for _ in range(6):
        page.keyboard.press("PageUp")
    page.get_by_role("button", name="Select this run").click()
    page.wait_for_url(f"**runs={runs[2][0]}**")
