"""The UI's own panels among those of plugins: one contract, one order, one card for what fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ui_browser import Browser

from mlcore import RunTag
from mlcore.testing.live_server import LiveServer, running_server
from mlcore.tracking.client import Client

PLUGIN = """
from mlcore.entities.ui_extension import UIExtension, UIKind
from mlcore.hookspecs import hookimpl

def panel(kind, id, title, module, order, **more):
    return UIExtension(kind, id, title, package="acme_panels", module=module, order=order, **more)

@hookimpl
def ui_extensions():
    return [
        panel(UIKind.COMPARE_PANEL, "acme-first", "Acme first", "follow.js", 5),
        panel(UIKind.COMPARE_PANEL, "acme-between", "Acme between", "still.js", 35),
        panel(UIKind.EXPERIMENT_PANEL, "acme-view", "Acme view", "first.js", 5),
        panel(UIKind.RUN_PANEL, "acme-tagged", "Acme tagged", "matched.js", 15, match=("tags.acme.*",)),
        panel(UIKind.RUN_PANEL, "acme-apart", "Acme apart", "apart.js", 300, isolate=True),
        panel(UIKind.MODEL_PANEL, "acme-model", "Acme model", "model.js", 15),
    ]
"""
MODULES = {
    "follow.js": """
let latest;
const said = document.createElement("p");
async function tell() {
  const { columns, names } = await latest.compared();
  const depth = columns.find((one) => one.label === "depth");
  const pointed = latest.runs.findIndex((one) => one.run_id === latest.hovered.value);
  const colours = latest.runs.filter((one) => /^#[0-9a-f]{6}$/.test(one.color)).length;
  said.textContent = `told: ${[latest.runs.map((one) => names.get(one.run_id)), colours, depth.values, latest.params["acme.note"] ?? "none", pointed].join("|")}`;
}
function button(text, run) {
  const made = document.createElement("button");
  made.textContent = text;
  made.onclick = run;
  return made;
}
export default { api: 1, mount(element, context) {
  latest = context;
  element.append(said, button("Note", () => latest.setParams({ "acme.note": "seen it" }, { replace: true })),
    button("Point", () => { latest.hovered.value = latest.runs[1].run_id; }),
    button("Pick", () => latest.select(latest.runs.slice(0, 2).map((one) => one.run_id))),
    button("Give up", () => latest.fail(new Error("the sensor is gone"))));
  const end = context.hovered.subscribe(tell);
  return { update(next) { latest = next; tell(); }, unmount: end };
} };
""",
    "still.js": """
let turns = 0;
export default { api: 1, mount(element) { turns += 1; element.textContent = `mounted ${turns}`; } };
""",
    "first.js": """
export default { api: 1, mount(element, context) {
  const tell = ({ runs, first, experiment_ids }) => { element.textContent = `told: ${[runs.length, first.map((one) => one.name), experiment_ids.length].join("|")}`; };
  tell(context);
  return { update: tell };
} };
""",
    "matched.js": """
export default { api: 1, mount(element, { matched, runs, live }) { element.textContent = `told: ${[matched, runs[0].name, live].join("|")}`; } };
""",
    "apart.js": """
export default { api: 1, mount(element, context) {
  const tell = ({ params }) => { element.textContent = `told: ${params["acme.page"] ?? "none"}`; };
  tell(context);
  element.onclick = () => context.setParams({ "acme.page": 2 });
  return { update: tell };
} };
""",
    "model.js": """
export default { api: 1, async mount(element, { name, version, aliases, stage, may, files }) {
  const described = await files.model("");
  const { files: listed } = await files.list("");
  element.textContent = `told: ${[name, version, aliases, stage, may.includes("edit"), described.flavors[0].name, listed.length].join("|")}`;
} };
""",
}
OURS = ["Differences", "Parallel coordinates", "Scatter", "Box plot", "Contour"]
MLMODEL = "flavors:\n  python_function:\n    loader_module: mlcore.sklearn\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a server with the plugin."""
    folder = tmp_path_factory.mktemp("acme")
    static = folder / "acme_panels" / "static"
    static.mkdir(parents=True)
    Path(static.parent, "__init__.py").write_text(PLUGIN, encoding="utf-8")
    for name, text in MODULES.items():
        Path(static, name).write_text(text, encoding="utf-8")
    before = [
        f"import sys; sys.path.insert(0, {str(folder)!r})",
        "import acme_panels; import mlcore.plugins as p; found = p.Plugins.discover",
        "def discover(*given, **more):\n    made = found(*given, **more)\n    made.register(acme_panels)\n    return made",
        "p.Plugins.discover = discover",
    ]
    with running_server(tmp_path_factory.mktemp("ui"), before=before) as server:
        yield server


@pytest.fixture(scope="module")
def words(server: LiveServer) -> dict[str, str]:
    """Record three runs, the first with metrics of its machine and a tag, and register a model; return ids."""
    client = Client(server.url, server.url)
    experiment = client.create_experiment("panels")
    made = []
    for number in range(3):
        run_id = client.create_run(
            experiment, run_name=f"run-{number}", start_time=1_700_000_000_000 - number
        ).info.run_id
        client.log_param(run_id, "depth", number)
        client.log_metric(run_id, "rmse", 1.0 / (number + 1))
        made.append(run_id)
    for step in range(3):
        client.log_metric(made[0], "system/cpu", 10.0 * step, step=step)
    client.log_batch(made[0], tags=[RunTag("acme.kind", "a")])
    client.log_text(made[0], MLMODEL, "model/MLmodel")
    for run_id in made:
        client.set_terminated(run_id)
    client.create_registered_model("wine")
    client.create_model_version("wine", f"runs:/{made[0]}/model", made[0])
    client.set_registered_model_alias("wine", "best", "1")
    client.close()
    return {"experiment": experiment, "run": made[0], "other": made[1], "runs": ",".join(made)}


def look(browser: Browser, server: LiveServer, words: dict[str, str], path: str) -> Any:
    return browser.open(f"{server.url}/ui/{path.format(**words)}")


def instead(browser: Browser, module: str, text: str) -> None:
    """Let the server's module of charts be another one."""
    browser.page.route(
        f"**/pages/charts/{module}.js", lambda route: route.fulfill(body=text, content_type="text/javascript")
    )


def test_panels_of_plugins_stand_where_their_order_puts_them(
    server: LiveServer, browser: Browser, words: dict[str, str]
) -> None:
    page = look(browser, server, words, "experiments/{experiment}?view=compare")
    shown = page.get_by_role("group", name="Ways to compare").get_by_role("button").all_inner_texts()
    assert shown == ["Acme first", *OURS[:3], "Acme between", *OURS[3:]]
    assert page.get_by_role("button", name="Acme first").get_attribute("aria-pressed") == "true"
    views = page.get_by_role("navigation", name="Views of the runs").get_by_role("link").all_inner_texts()
    assert views == ["Table", "Charts and table", "Charts", "Acme view", "Compare"]
    page = look(browser, server, words, "runs/{run}")
    tabs = [
        text.split()[0] for text in page.get_by_role("navigation", name="Run").get_by_role("link").all_inner_texts()
    ]
    assert tabs == ["Overview", "Metrics", "Artifacts", "Children", "Acme", "System", "Acme"]
    page = look(browser, server, words, "models/wine/1")
    parts = page.get_by_role("navigation", name="Parts of the version").get_by_role("link").all_inner_texts()
    assert parts == ["About", "Use", "Acme model", "Try it", "History"]


def test_a_panel_shares_runs_what_is_known_of_them_and_the_address(
    server: LiveServer, browser: Browser, words: dict[str, str]
) -> None:
    page = look(browser, server, words, "experiments/{experiment}?view=compare&runs={runs}")
    page.get_by_text("told: run-0,run-1,run-2|3|0,1,2|none|-1").wait_for()
    page.get_by_role("button", name="Note").click()
    page.get_by_text("|seen it|-1").wait_for()
    page.wait_for_url("**acme.note=seen+it**")
    page.get_by_role("button", name="Point").click()
    page.get_by_text("|seen it|1").wait_for()
    # what one panel points at stands out in the others
    page.get_by_role("button", name="Differences").click()
    page.locator(".diff thead th.on", has_text="run-1").wait_for()
    assert sum("runs:facets" in one.url and words["other"] in (one.post_data or "") for one in browser.requests) == 1
    page.get_by_role("button", name="Acme first").click()
    page.get_by_role("button", name="Pick").click()
    page.get_by_text("told: run-0,run-1|2|0,1|seen it|1").wait_for()


def test_one_that_cannot_follow_begins_again_with_other_runs_alone(
    server: LiveServer, browser: Browser, words: dict[str, str]
) -> None:
    page = look(browser, server, words, "experiments/{experiment}?view=compare&compare=acme-between&runs={runs}")
    page.get_by_text("mounted 1").wait_for()
    page.locator("#filter").fill("metrics.rmse > 0")
    page.wait_for_url("**filter=**")
    page.wait_for_load_state("networkidle")
    assert page.get_by_text("mounted 1").is_visible()
    page.get_by_role("button", name="Acme first").click()
    page.get_by_role("button", name="Pick").click()
    page.get_by_text("told: run-0,run-1|").wait_for()
    page.get_by_role("button", name="Acme between").click()
    page.get_by_text("mounted 2").wait_for()


def test_one_drawing_follows_another_without_a_gap(server: LiveServer, browser: Browser, words: dict[str, str]) -> None:
    page = look(browser, server, words, "experiments/{experiment}?view=compare&compare=scatter&runs={runs}")
    page.wait_for_selector(".compare canvas")
    page.get_by_role("button", name="Box plot").click()
    page.get_by_role("columnheader", name="Median").wait_for()
    page.evaluate(
        """() => {
            window.gaps = 0;
            const look = () => { if (!document.querySelector(".compare .extension canvas")) window.gaps += 1; };
            new MutationObserver(look).observe(document.querySelector(".compare"), { childList: true, subtree: true });
        }"""
    )
    page.get_by_role("button", name="Scatter").click()
    page.get_by_label("Colour by").wait_for()
    assert page.evaluate("window.gaps") == 0


def test_a_panel_of_an_experiment_knows_the_first_runs(
    server: LiveServer, browser: Browser, words: dict[str, str]
) -> None:
    page = look(browser, server, words, "experiments/{experiment}?view=acme-view")
    page.get_by_text("told: 0|run-0,run-1,run-2|1").wait_for()


def test_a_panel_for_some_runs_is_shown_for_those_alone(
    server: LiveServer, browser: Browser, words: dict[str, str]
) -> None:
    page = look(browser, server, words, "runs/{run}/acme-tagged")
    page.get_by_text("told: tags.acme.kind|run-0|false").wait_for()
    page.get_by_role("link", name="System 1").click()
    page.locator("article[aria-label='system/cpu'] .uplot").wait_for()
    page = look(browser, server, words, "runs/{other}")
    assert page.get_by_role("link", name="Children").is_visible()
    assert page.get_by_role("link", name="Acme tagged").count() == 0
    assert page.get_by_role("link", name="System").count() == 0


def test_an_isolated_panel_keeps_its_state_in_the_address(
    server: LiveServer, browser: Browser, words: dict[str, str]
) -> None:
    page = look(browser, server, words, "runs/{run}/acme-apart")
    inside = page.frame_locator("iframe.extension")
    inside.get_by_text("told: none").click()
    inside.get_by_text("told: 2").wait_for()
    assert page.url.endswith("/acme-apart?acme.page=2")


def test_a_panel_of_a_model_may_read_the_files_of_the_version(
    server: LiveServer, browser: Browser, words: dict[str, str]
) -> None:
    page = look(browser, server, words, "models/wine/1?tab=acme-model")
    page.get_by_text("told: wine|1|best|None|true|python_function|1").wait_for()
    assert sum("models:describe" in one.url for one in browser.requests) == 1


def test_one_of_ours_that_fails_shows_the_card_and_the_others_go_on(
    server: LiveServer, browser: Browser, words: dict[str, str]
) -> None:
    lost = "export default { api: 1, mount() { throw new Error('no ink left'); } };"
    later = "export function Mark() { throw new Error('the pen broke'); }\nexport const Legend = Mark;"
    instead(browser, "scatter", lost)
    instead(browser, "legend", later)
    page = look(browser, server, words, "experiments/{experiment}?view=compare&compare=scatter&runs={runs}")
    page.get_by_role("heading", name="“Scatter” failed").wait_for()
    page.get_by_text("no ink left").wait_for()
    assert browser.violations() == []
    page.get_by_role("button", name="Differences").click()
    page.get_by_role("heading", name="“Differences” failed").wait_for()
    page.get_by_text("the pen broke").wait_for()
    page.get_by_role("button", name="Acme first").click()
    page.get_by_role("button", name="Give up").click()
    page.get_by_role("heading", name="“Acme first” failed").wait_for()
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("told: run-0,run-1,run-2|").wait_for()
