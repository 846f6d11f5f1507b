"""What plugins show: modules, isolated modules, blocks of Python; and what one that fails does not break."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest
from mlcore_ui.plugin import ui_extensions
from ui_browser import Browser

from mlcore.entities.ui_extension import UIExtension
from mlcore.testing import UIExtensionsContract
from mlcore.testing.live_server import LiveServer, running_server
from mlcore.tracking.client import Client

PLUGIN = """
from mlcore.entities.ui_extension import Bar, Html, Image, Line, Markdown, Table, UIExtension, UIKind
from mlcore.hookspecs import hookimpl

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)
HOSTILE = "<script>try { parent.document.title = 'taken' } catch (e) { document.title = 'kept out' }</script><p>inside</p>"

def blocks(context):
    return [
        Markdown("**bold** <img src=x onerror=alert(1)>"),
        Table(("name", "value"), (("a", 1.5), ("b", float("nan")), ("<b>c</b>", None)), "Numbers"),
        Line((0.0, 1.0, 2.0), {"loss": (3.0, None, 1.0), "gain": (0.0, 1.0, 2.0)}, "Curves", "step"),
        Bar(("x", "y"), (2.0, 1.0), "Bars"),
        Image(PIXEL, "a black dot"),
        Html(HOSTILE, "report", 80),
    ]

class Odd(int):
    pass

def odd(context):
    from datetime import date
    from fractions import Fraction

    return [
        Table(("cell",), ((date(2020, 2, 29),), (Fraction(1, 4),), (Odd(7),)), "Odd"),
        Bar(("up", "down"), (3.0, -1.0), "Both ways"),
    ]

def crooked(context):
    return [Line((0.0, float("nan")), {"loss": (1.0, 2.0)}, "Crooked")]

def broken(context):
    raise RuntimeError("the sensor is on fire")

@hookimpl
def ui_extensions():
    page = lambda id, **more: UIExtension(UIKind.PAGE, id, id.title(), **more)
    viewer = lambda id, module, *match, **more: UIExtension(
        UIKind.ARTIFACT_VIEWER, id, id, package="acme_show", module=module, match=match, **more
    )
    return [
        page("direct", package="acme_show", module="direct.js"),
        page("apart", package="acme_show", module="apart.js", isolate=True),
        page("failing", package="acme_show", module="failing.js"),
        page("blocks", blocks=blocks),
        page("broken", blocks=broken),
        page("odd", blocks=odd),
        page("crooked", blocks=crooked),
        page("late", package="acme_show", module="late.js"),
        page("late-apart", package="acme_show", module="late.js", isolate=True),
        page("still-apart", package="acme_show", module="still.js", isolate=True),
        page("other-version", package="acme_show", module="other.js", isolate=True),
        UIExtension(UIKind.COLUMN_RENDERER, "block-cells", "Cells", blocks=blocks, match=("metrics.*",)),
        UIExtension(UIKind.COLUMN_RENDERER, "no-cell", "No cell", package="acme_show", module="failing.js", match=("metrics.depth",)),
        page("absent", package="acme_show", module="absent.js"),
        UIExtension(UIKind.RUN_PANEL, "run-tab", "Run tab", package="acme_show", module="tell.js"),
        UIExtension(UIKind.EXPERIMENT_PANEL, "experiment-tab", "Experiment tab", package="acme_show", module="tell.js"),
        UIExtension(UIKind.COMPARE_PANEL, "compare-tab", "Compare tab", package="acme_show", module="tell.js"),
        UIExtension(UIKind.MODEL_PANEL, "model-tab", "Model tab", package="acme_show", module="tell.js"),
        UIExtension(UIKind.ARTIFACT_VIEWER, "viewer", "Acme", package="acme_show", module="tell.js", match=("*.acme",)),
        viewer("folder-viewer", "folder.js", "*.zarr/"),
        viewer("holding-viewer", "folder.js", "/index.acme"),
        viewer("apart-viewer", "sealed.js", "*.sealed", isolate=True),
        viewer("steps-viewer", "steps.js", "frame*", "!*.no", series=True),
        UIExtension(UIKind.COLUMN_RENDERER, "cell", "Cell", package="acme_show", module="cell.js", match=("metrics.rmse",)),
    ]
"""
DIRECT = """
export default { api: 1, async mount(element, context) {
  const told = await context.get("api/ui/1/manifest");
  element.textContent = `direct on mlcore ${told.version}, ${context.theme}`;
  return { unmount() { element.textContent = ""; } };
} };
"""
APART = """
export default { api: 1, async mount(element, context) {
  const out = [];
  for (const [name, test] of Object.entries({
    cookie: () => document.cookie, storage: () => localStorage.length, parent: () => parent.document.title,
    fetch: () => fetch("/api/ui/1/manifest").then((answer) => answer.text()),
  })) { try { await test(); out.push(`${name} reached`); } catch { out.push(`${name} barred`); } }
  try { await context.post("ajax-api/2.0/mlflow/experiments/delete", { experiment_id: "0" }); out.push("delete done"); }
  catch { out.push("delete barred"); }
  const listed = await context.get("api/ui/1/experiments:list", {});
  out.push(`listed ${listed.experiments.length}`);
  element.textContent = out.join(", ");
} };
"""
TELL = """
export default { api: 1, async mount(element, context) {
  const file = context.file ? new TextDecoder().decode((await context.bytes(context.file.url, 0, 99)).body) : "";
  const { run_ids = [], experiment_id = "", name = "", version = "" } = context;
  element.textContent = `told: ${[run_ids.length, experiment_id, name, version, file].join("|")}`;
} };
"""
FOLDER = """
export default { api: 1, async mount(element, { file, files }) {
  const { files: listed } = await files.list(file.path);
  const { body } = await files.read(listed[0].path, 2, 4);
  const table = await files.table(`${file.path}/t.csv`, { offset: 1, limit: 1 });
  const link = document.createElement("a");
  link.href = files.href(listed[0].path);
  link.textContent = `told: ${[file.inside.length, listed.length, new TextDecoder().decode(body), table.rows[0][0]].join("|")}`;
  element.append(link);
} };
"""
SEALED = """
export default { api: 1, async mount(element, { file, files }) {
  const { body, total } = await files.read(file.path, 2, 4);
  const { text } = await files.text(file.path, 100, new AbortController().signal);
  const listed = await files.list("");
  const more = Object.keys(files).includes("url") ? "addresses" : "none";
  element.textContent = `told: ${[new TextDecoder().decode(body), total, text, listed.files.length > 1, more].join("|")}`;
} };
"""
STEPS = """
const tell = (element, { file, files }) => {
  element.textContent = `told: ${file.series.images.map((one) => one.step).join("|")} at ${file.name}`;
  element.onclick = () => files.open(file.series.images[1].path, { replace: true });
};
export default { api: 1, mount(element, context) {
  tell(element, context);
  return { update(context) { tell(element, context); } };
} };
"""
CELL = """
export default { api: 1, mount(element, context) {
  element.textContent = `<${context.value}>`;
  return { update(context) { element.textContent = `<${context.value}>`; } };
} };
"""
LATE = """
const draw = async (element, { params }) => {
  await new Promise((done) => setTimeout(done, 20));
  if (params.bench === "gone") throw new Error("no such bench");
  element.textContent = `bench ${params.bench ?? "none"}`;
};
export default { api: 1, async mount(element, context) {
  await draw(element, context);
  return { update: (context) => draw(element, context) };
} };
"""
STILL = """
import { h, render } from "preact";
import { signal } from "@preact/signals";
const turns = signal(0);
export default { api: 1, async mount(element, { params, setParams }) {
  await new Promise((done) => setTimeout(done, 50));
  turns.value += 1;
  const root = document.createElement("p");
  element.append(root);
  render(h("b", { onClick: () => ["b", "c"].map((bench) => setParams({ bench })) }, `mounted ${turns.value}, bench ${params.bench}`), root);
} };
"""
OTHER = "export default { api: 9, mount(element) { element.textContent = 'mounted all the same'; } };\n"
FAILING = "export default { api: 1, mount() { throw new Error('no mount today'); } };\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a server with the plugin."""
    folder = tmp_path_factory.mktemp("acme")
    static = folder / "acme_show" / "static"
    static.mkdir(parents=True)
    Path(static.parent, "__init__.py").write_text(PLUGIN, encoding="utf-8")
    for name, text in {
        "direct.js": DIRECT,
        "apart.js": APART,
        "failing.js": FAILING,
        "tell.js": TELL,
        "cell.js": CELL,
        "folder.js": FOLDER,
        "sealed.js": SEALED,
        "steps.js": STEPS,
        "late.js": LATE,
        "still.js": STILL,
        "other.js": OTHER,
    }.items():
        Path(static, name).write_text(text, encoding="utf-8")
    before = [
        f"import sys; sys.path.insert(0, {str(folder)!r})",
        "import acme_show; from mlcore.plugins import Plugins; import mlcore.plugins as p; found = p.Plugins.discover",
        "from mlcore.settings import Settings",
        "def discover(*given, **more):\n    made = found(*given, **more)\n    made.register(acme_show)\n    return made",
        "p.Plugins.discover = discover",
    ]
    with running_server(tmp_path_factory.mktemp("ui"), before=before) as server:
        yield server


def test_a_module_is_drawn_in_the_page(server: LiveServer, browser: Browser) -> None:
    page = browser.open(f"{server.url}/ui/plugins/direct")
    page.get_by_text("direct on mlcore").wait_for()
    assert page.get_by_role("navigation", name="Main").get_by_text("Direct").count() == 1
    assert browser.violations() == []


def test_an_isolated_module_sees_what_it_is_told_alone(server: LiveServer, browser: Browser) -> None:
    browser.expect_complaint("violates the following Content Security Policy directive")  # what was tried
    browser.expect_complaint("Fetch API cannot load")
    page = browser.open(f"{server.url}/ui/plugins/apart")
    frame = page.frame_locator("iframe.extension")
    frame.get_by_text("listed").wait_for()
    told = frame.locator("#panel").inner_text()
    assert told.split(", ")[:-1] == [f"{one} barred" for one in ("cookie", "storage", "parent", "fetch", "delete")]


def test_one_that_fails_shows_a_card_and_the_page_goes_on(server: LiveServer, browser: Browser) -> None:
    page = browser.open(f"{server.url}/ui/plugins/failing")
    page.get_by_text("no mount today").wait_for()
    assert page.get_by_role("link", name="Experiments").is_visible()


def test_blocks_of_python_are_drawn_and_what_is_hostile_in_them_stays_text(
    server: LiveServer, browser: Browser
) -> None:
    alerts: list[str] = []
    browser.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    page = browser.open(f"{server.url}/ui/plugins/blocks")
    page.get_by_role("img", name="a black dot").wait_for()
    assert page.get_by_text("<b>c</b>").is_visible()
    assert page.get_by_role("img", name="Curves: loss, gain").is_visible()
    page.frame_locator("iframe.block").get_by_text("inside").wait_for()
    assert page.title() != "taken"
    assert alerts == []
    assert browser.violations() == []


def test_blocks_that_fail_are_told_with_the_error(server: LiveServer, browser: Browser) -> None:
    browser.expect_complaint("500")
    page = browser.open(f"{server.url}/ui/plugins/broken")
    page.get_by_text("RuntimeError: the sensor is on fire").wait_for()


def test_what_cannot_be_shown_is_left_out_with_a_warning(server: LiveServer) -> None:
    page = httpx.get(f"{server.url}/ui/", trust_env=False).text
    assert '"absent"' not in page
    assert '"block-cells"' not in page
    log = Path(server.directory, "server.log").read_text(encoding="utf-8")
    assert "there is no 'absent.js'" in log
    assert "does not show 'block-cells': nothing asks for blocks of a column_renderer: expected a module" in log


def test_numbers_and_cells_of_every_kind_are_drawn(server: LiveServer, browser: Browser) -> None:
    page = browser.open(f"{server.url}/ui/plugins/odd")
    page.get_by_text("2020-02-29").wait_for()
    assert page.locator(".blocks tbody").first.inner_text().split() == ["2020-02-29", "0.25", "7"]
    up, down = (one.bounding_box() for one in page.locator(".block-bar").all())
    assert up is not None
    assert down is not None
    assert up["width"] == pytest.approx(3 * down["width"], abs=1)
    assert down["x"] + down["width"] == pytest.approx(up["x"], abs=1)


def test_a_line_without_an_axis_is_told_by_its_name(server: LiveServer, browser: Browser) -> None:
    browser.expect_complaint("400")
    page = browser.open(f"{server.url}/ui/plugins/crooked")
    page.get_by_text("invalid line 'Crooked': x[1] is nan, expected finite numbers").wait_for()


@pytest.mark.parametrize("name", ["late", "late-apart"])
def test_one_that_fails_while_it_follows_shows_no_old_content(server: LiveServer, browser: Browser, name: str) -> None:
    page = browser.open(f"{server.url}/ui/plugins/{name}?bench=one")
    inside = page.frame_locator("iframe.extension") if name == "late-apart" else page
    inside.get_by_text("bench one").wait_for()

    page.evaluate(_GO, "gone")
    page.get_by_text("no such bench").wait_for()
    assert page.locator(".extension").count() == 0

    page.evaluate(_GO, "two")
    inside.get_by_text("bench two").wait_for()


_GO = """async (bench) => {
    const at = JSON.parse(document.getElementById("start").textContent).assets;
    (await import(`${at}/lib/url.js`)).setQuery({ bench });
}"""


def test_an_isolated_module_that_cannot_follow_begins_again_one_at_a_time(server: LiveServer, browser: Browser) -> None:
    page = browser.open(f"{server.url}/ui/plugins/still-apart?bench=a")
    inside = page.frame_locator("iframe.extension").locator("#panel")
    inside.get_by_text("mounted 1, bench a").click()
    inside.get_by_text(", bench c").wait_for()
    assert inside.locator("p").count() == 1


def test_an_isolated_module_of_another_contract_is_not_mounted(server: LiveServer, browser: Browser) -> None:
    page = browser.open(f"{server.url}/ui/plugins/other-version")
    page.get_by_text("speaks version 9 of the contract of panels").wait_for()


def test_a_renderer_that_fails_leaves_the_value_and_a_mark(
    server: LiveServer, browser: Browser, recorded: tuple[str, str]
) -> None:
    page = browser.open(f"{server.url}/ui/experiments/{recorded[0]}?cols=metrics.depth")
    mark = page.locator(".cell-failed").first
    mark.wait_for()
    assert mark.get_attribute("title") == "“No cell” failed: no mount today"
    assert page.locator("[role=gridcell], td").filter(has=mark).first.inner_text().split()[0] == "7.5"
    assert page.get_by_role("alert").count() == 0
    assert browser.violations() == []


@pytest.fixture(scope="module")
def recorded(server: LiveServer) -> tuple[str, str]:
    """Record two runs with a file and a registered model; return the ids of the experiment and of the first run."""
    client = Client(server.url, server.url)
    experiment_id = client.create_experiment("shown")
    runs = [client.create_run(experiment_id).info.run_id for _ in range(2)]
    for number, run_id in enumerate(runs):
        client.log_metric(run_id, "rmse", number + 0.5)
        client.log_metric(run_id, "depth", 7.5)
        client.log_text(run_id, "a file of acme", "data.acme")
        client.log_text(run_id, "0123456789", "cube.zarr/0")
        client.log_text(run_id, "a,b\n1,2\n3,4\n", "cube.zarr/t.csv")
        client.log_text(run_id, "0123456789", "held/index.acme")
        client.log_text(run_id, "a,b\n1,2\n3,4\n", "held/t.csv")
        client.log_text(run_id, "0123456789", "letter.sealed")
        for step in (3, 12):
            client.log_text(run_id, "x", f"film/frame_{step}.film")
        client.set_terminated(run_id)
    client.create_registered_model("wine")
    client.create_model_version("wine", f"runs:/{runs[0]}/model", runs[0])
    client.close()
    return experiment_id, runs[0]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("runs/{run}/run-tab", "told: 1|{experiment}|||"),
        ("experiments/{experiment}?view=experiment-tab", "told: 0|{experiment}|||"),
        ("experiments/{experiment}?view=compare&compare=compare-tab", "told: 2||||"),
        ("runs/{run}/artifacts/data.acme", "told: 0||||a file of acme"),
        ("runs/{run}/artifacts/cube.zarr", "told: 2|2|2345|3"),
        ("runs/{run}/artifacts/held", "told: 2|2|2345|3"),
        ("runs/{run}/artifacts/film/frame_3.film", "told: 3|12 at frame_3.film"),
        ("models/wine/1?tab=model-tab", "told: 1||wine|1|"),
        ("experiments/{experiment}", "<0.5>"),
    ],
    ids=["run", "experiment", "compare", "artifact", "folder", "holding", "steps", "model", "cell"],
)
def test_each_kind_has_its_place(
    server: LiveServer, browser: Browser, recorded: tuple[str, str], path: str, told: str
) -> None:
    browser.expect_complaint("404")  # the version has no files
    words = {"experiment": recorded[0], "run": recorded[1]}
    page = browser.open(f"{server.url}/ui/{path.format(**words)}")
    page.get_by_text(told.format(**words), exact=True).wait_for()


def test_an_isolated_viewer_reads_the_files_of_its_place(
    server: LiveServer, browser: Browser, recorded: tuple[str, str]
) -> None:
    page = browser.open(f"{server.url}/ui/runs/{recorded[1]}/artifacts/letter.sealed")
    told = page.frame_locator("iframe.extension").locator("#panel")
    told.get_by_text("told: 2345|10|0123456789|true|none", exact=True).wait_for()


def test_a_viewer_of_a_series_follows_to_the_next_step(
    server: LiveServer, browser: Browser, recorded: tuple[str, str]
) -> None:
    page = browser.open(f"{server.url}/ui/runs/{recorded[1]}/artifacts/film/frame_3.film")
    page.get_by_text("told: 3|12 at frame_3.film").click()
    page.get_by_text("told: 3|12 at frame_12.film").wait_for()


class TestOurViewers(UIExtensionsContract):
    """Our viewers come by the hook, and keep what is asked of everybody's."""

    plugin_module = "mlcore_ui.plugin"

    @pytest.fixture
    def ui_extensions(self) -> Callable[[], Sequence[UIExtension] | None]:
        return ui_extensions
