"""The start page, the list of experiments and what stands around all pages: small answers, plain texts, keys."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ui_browser import Browser

from mlcore.testing.live_server import LiveServer, running_server
from mlcore.tracking.client import Client

_NOTE = "## About\n\nSome **bold** `code`, see [the docs](http://x/y).\n- [x] one\n1. snake_case_name *too*"
_PLAIN = "About Some bold code, see the docs. one snake_case_name too"


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a server with forty experiments, each with a run and a note in Markdown."""
    with running_server(tmp_path_factory.mktemp("busy")) as server:
        client = Client(server.store_uri)
        for number in range(40):
            made = client.create_experiment(f"study {number:02}")
            client.set_experiment_tag(made, "mlflow.note.content", _NOTE)
            run = client.create_run(made, run_name=f"walk {number:02}")
            client.set_terminated(run.info.run_id)
        client.close()
        yield server


def test_the_start_page_that_stays_open_asks_for_little_and_follows(busy: LiveServer, browser: Browser) -> None:
    page = browser.page
    page.clock.install()
    browser.open(f"{busy.url}/ui/")
    page.get_by_role("link", name="study 39").wait_for()
    client = Client(busy.store_uri)
    client.create_run(client.get_experiment_by_name("study 39").experiment_id)  # type: ignore[union-attr]  # it is there
    client.create_run(client.create_experiment("study new"))
    client.close()

    with page.expect_response("**/experiments:list*") as again:
        page.clock.fast_forward(21_000)

    page.get_by_role("link", name="1 running in study new").wait_for()
    page.get_by_role("link", name="1 running in study 39").wait_for()
    sizes = again.value.request.sizes()
    assert sizes["responseBodySize"] < 4_000, sizes
    assert len(again.value.json()["experiments"]) == 13


def test_markdown_in_cards_and_lists_is_shown_as_its_words(busy: LiveServer, browser: Browser) -> None:
    page = browser.open(f"{busy.url}/ui/")
    assert _PLAIN in page.locator(".cards").inner_text()
    page = browser.open(f"{busy.url}/ui/experiments?name=study+05")
    assert page.get_by_role("cell", name=_PLAIN).count() == 1


def test_what_was_viewed_is_listed_once_and_pages_that_failed_never(busy: LiveServer, browser: Browser) -> None:
    browser.expect_complaint("404")
    browser.expect_complaint("400")  # a half-typed filter
    page = browser.page
    viewed = "() => JSON.parse(localStorage.getItem('mlcore.views:') ?? '[]').map((one) => one.path + one.search)"
    for search in ("", "?filter=metrics.a", "?filter=metrics.a+%3E+1"):
        browser.open(f"{busy.url}/ui/experiments/1{search}")
        page.wait_for_function(f"(wanted) => ({viewed})()[0] === wanted", arg=f"experiments/1{search}")
    browser.open(f"{busy.url}/ui/runs/{'0' * 32}")
    page.wait_for_timeout(2500)  # more than the time after which a page counts as viewed
    browser.open(f"{busy.url}/ui/experiments/2")
    page.wait_for_function(f"() => ({viewed})()[0] === 'experiments/2'")

    assert page.evaluate(viewed) == ["experiments/2", "experiments/1?filter=metrics.a+%3E+1"]


def _focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.ariaLabel"))


def _tab_to(page: Any, text: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if text in _focused(page):
            return
    raise AssertionError(f"Tab never reaches {text!r}")


def test_start_page_and_about_can_be_used_by_keys_alone(busy: LiveServer, browser: Browser) -> None:
    page = browser.open(f"{busy.url}/ui/")
    page.keyboard.press("Tab")
    assert _focused(page) == "Skip to the page"
    page.keyboard.press("Enter")
    _tab_to(page, "study 38")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ui/experiments/39")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")

    _tab_to(page, "About")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="About this server").wait_for()
    assert page.get_by_text("no login: everyone who reaches this server may do everything").is_visible()


def test_an_experiment_is_found_renamed_deleted_and_restored_by_keys_alone(busy: LiveServer, browser: Browser) -> None:
    page = browser.open(f"{busy.url}/ui/")
    page.keyboard.press("g")
    page.get_by_role("heading", name="Experiments").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("study 07")
    page.get_by_role("row").nth(1).wait_for()
    page.wait_for_function("() => document.querySelectorAll('tbody tr').length === 1")
    _tab_to(page, "Rename")
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Rename study 07").wait_for()
    page.keyboard.press("End")
    page.keyboard.type(" b")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="study 07 b").wait_for()
    _tab_to(page, "Delete")
    page.keyboard.press("Enter")
    page.get_by_text("study 07 b was deleted").wait_for()
    _tab_to(page, "Undo")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="study 07 b").wait_for()


def test_go_to_anything_finds_by_a_part_of_a_name_and_goes_there(busy: LiveServer, browser: Browser) -> None:
    page = browser.open(f"{busy.url}/ui/about")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Name of an experiment, run or model")
    box.wait_for()
    assert browser.violations() == []
    page.keyboard.type("study 1")
    page.get_by_role("option").filter(has_text="study 1").nth(1).wait_for()
    page.keyboard.press("ArrowDown")
    wanted = page.locator("#found [aria-selected=true]").inner_text().split()[-1]
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"study {wanted}").wait_for()

    page.keyboard.press("Control+k")
    page.keyboard.type("no such thing")
    page.get_by_text("Nothing has that name.").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")


@pytest.mark.parametrize("client", ["mlcore"])
def test_the_first_code_works_when_it_is_pasted_on_a_server_with_users(
    tmp_path: Path, browser: Browser, client: str
) -> None:
    import httpx

    secret = "a horse and a battery"
    with running_server(tmp_path, "--auth", "basic") as server:
        token = (tmp_path / "state" / "bootstrap-token").read_text(encoding="utf-8").strip()
        first = {"token": token, "username": "ann", "password": secret}
        httpx.post(f"{server.url}/api/mlcore/auth/bootstrap", json=first, trust_env=False).raise_for_status()
        browser.expect_complaint("401")
        page = browser.page
        page.goto(f"{server.url}/ui/")
        page.get_by_label("User name").fill("ann")
        page.get_by_label("Password").fill(secret)
        page.keyboard.press("Enter")
        page.get_by_label("Client").select_option(client)
        code = page.locator(".snippet code").inner_text()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("MLCORE_", "MLFLOW_"))}
        word = {f"{client.upper()}_TRACKING_PASSWORD": secret}  # what getpass would ask a terminal for
        done = subprocess.run(
            [sys.executable, "-c", code], env={**clean, **word}, cwd=tmp_path, check=False, timeout=120
        )
        assert done.returncode == 0
        page.get_by_role("link", name="first steps").first.wait_for()
