"""`mlcore report`: one file, opened without a server, in which hostile texts stay texts."""

from __future__ import annotations

from pathlib import Path

import pytest
from ui_browser import Browser

import mlcore
from mlcore.cli import main
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
