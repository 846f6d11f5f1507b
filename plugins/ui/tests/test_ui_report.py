"""`mlcore report`: one file, opened without a server, in which hostile texts stay texts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from mlcore_ui.report.notes import notes
from ui_browser import Browser

import mlcore
from mlcore.cli import main
from mlcore.entities import Metric, Param, RunTag
from mlcore.tracking.client import Client

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """Record three runs with curves, a picture and hostile texts."""
    uri = f"sqlite:///{tmp_path}/mlcore.db"
    mlcore.set_tracking_uri(uri)
    mlcore.set_experiment("sweep")
    for number in range(3):
        with mlcore.start_run(run_name=f"run {number} {HOSTILE}"):
            mlcore.log_params({"lr": number / 10, "seed": 7, "text": HOSTILE})
            for step in range(50):
                mlcore.log_metric("loss", float("nan") if step == 7 else 1 / (step + number + 1), step=step)
            mlcore.log_metric("rmse", 3 - number)
            mlcore.set_tag("mlflow.note.content", HOSTILE)
            Path("dot.png").write_bytes(PIXEL)
            mlcore.log_artifact("dot.png", "plots")
    Client(uri).close()
    return uri


def _report(uri: str, *arguments: str) -> Path:
    assert main(["--tracking-uri", uri, "report", *arguments]) == 0
    return Path("report.html").resolve()


def test_an_experiment_opens_without_a_server_and_can_be_sorted(uri: str, browser: Browser) -> None:
    alerts: list[str] = []
    browser.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    path = _report(uri, "--experiment-name", "sweep", "--filter", "metrics.rmse < 3")

    page = browser.page
    page.goto(path.as_uri())
    page.get_by_role("button", name="rmse").click()

    first = page.locator("table.runs tbody tr").first.inner_text()
    assert page.locator("table.runs tbody tr").count() == 2
    assert first.startswith("run 1 </script>")
    assert page.get_by_role("columnheader", name="seed").count() == 0  # it does not vary
    assert page.get_by_role("img", name="loss of 2 runs").count() == 1
    assert alerts == []
    assert browser.violations() == []


def test_a_run_is_told_whole_with_its_pictures(uri: str, browser: Browser) -> None:
    path = _report(uri, "latest")

    page = browser.page
    page.goto(path.as_uri())

    assert page.get_by_role("img", name="plots/dot.png").is_visible()
    assert page.get_by_text(HOSTILE).count() >= 2
    assert browser.violations() == []
    assert [request.url for request in browser.requests if request.url.startswith("http")] == []


def test_a_file_that_is_there_is_not_replaced(uri: str) -> None:
    Path("report.html").write_text("mine", encoding="utf-8")

    assert main(["--tracking-uri", uri, "report", "latest"]) != 0
    assert Path("report.html").read_text(encoding="utf-8") == "mine"


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Record three runs with more names, curves and pictures than a report holds, and long names."""
    folder = tmp_path_factory.mktemp("wide")
    uri = f"sqlite:///{folder}/mlcore.db"
    client = Client(uri)
    experiment = client.create_experiment("wide")
    for number in range(3):
        run = client.create_run(experiment, run_name=f"{number} " + "r" * 200).info.run_id
        params = [Param(f"p{at:03}", str(at + number)) for at in range(104)]
        points = [Metric(f"m{at:03}", float(at), 0, step) for at in range(150) for step in range(2)]
        tags = [RunTag("mlflow.note.content", "# Why\n\n**bold** [docs](https://a.b/c)\n- one\n\n<b>not bold</b>")]
        client.log_batch(run, metrics=points, params=[*params, Param("a" * 200, str(number))], tags=tags)
        client.set_terminated(run)
    for at in range(26):
        (folder / "pictures").mkdir(exist_ok=True)
        (folder / "pictures" / f"{at}.png").write_bytes(PIXEL + (b"\0" * 2**21 if at == 0 else b""))
    client.log_artifacts(run, str(folder / "pictures"))
    client.close()
    return uri


def test_a_report_says_how_much_is_not_in_it(wide: str) -> None:
    told = _report(wide, "--experiment-name", "wide", "--max-runs", "2").read_text(encoding="utf-8")

    assert "the first 2 of 3 runs" in told
    assert "5 more parameters and 50 more metrics are not in the table." in told
    assert "90 more metrics are not drawn." in told


def test_the_report_of_a_run_has_all_names_and_says_what_is_too_much(wide: str) -> None:
    told = _report(wide, "latest").read_text(encoding="utf-8")

    assert all(f'<th scope="row">p{at:03}</th>' in told for at in range(104))
    assert all(f'<th scope="row">m{at:03}</th>' in told for at in range(150))
    assert "90 more metrics are not drawn." in told
    assert "1 more picture and 1 larger than 2 MB are not in this file." in told
    assert told.count("<figure><img") == 24


@pytest.mark.parametrize("width", [1400, 700])
def test_long_names_are_cut_with_the_whole_beside_them_and_lines_stay_low(
    wide: str, browser: Browser, width: int
) -> None:
    path = _report(wide, "--experiment-name", "wide")
    page = browser.page
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(path.as_uri())

    assert page.get_by_title("a" * 200).count() == 1
    heights = page.evaluate("[...document.querySelectorAll('table.runs tr')].map((row) => row.offsetHeight)")
    assert max(heights) < 45, heights
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert browser.violations() == []


def test_notes_are_markdown_in_which_html_stays_text() -> None:
    told = notes(
        "# Why\n\n**bold**, *it* and `a<b` [docs](https://a.b/c) [no](javascript:alert) ![pic](x.png)\n\n- one\n- two\n  more\n"
        "\n1. a\n\n| a | b |\n|---|---|\n| 1 | <i>2</i> |\n\n```py\n**x**\n```\n> quoted\n\n<b>text</b>"
    )

    assert "<h3>Why</h3>" in told
    assert "<strong>bold</strong>, <em>it</em> and <code>a&lt;b</code>" in told
    assert told.count("<a ") == 1
    assert '<a href="https://a.b/c" rel="noreferrer noopener">docs</a> no pic' in told
    assert "<ul><li>one</li><li>two more</li></ul>" in told
    assert "<td>&lt;i&gt;2&lt;/i&gt;</td>" in told
    assert "<pre>**x**</pre>" in told
    assert "<blockquote><p>quoted</p></blockquote>" in told
    assert "<p>&lt;b&gt;text&lt;/b&gt;</p>" in told


@pytest.mark.parametrize("text", ["[" * 20000, "**" * 20000, "> " * 400 + "x", "*a " * 20000, "| " * 20000 + "\n|---|"])
def test_no_note_takes_long(text: str) -> None:
    before = time.process_time()

    notes(text)

    assert time.process_time() - before < 5
