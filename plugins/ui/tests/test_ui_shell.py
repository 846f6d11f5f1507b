"""What holds for every page: how it is served, what it may do, and that it is drawn."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from mlcore_ui.assets import load
from mlcore_ui.joined import join
from mlcore_ui.page import MAIN
from ui_browser import Browser
from ui_server import UiServer, running


def test_the_root_leads_to_the_pages(ui_server: UiServer) -> None:
    answer = httpx.get(f"{ui_server.url}/", trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/ui/")


def test_every_address_below_ui_is_the_page(ui_server: UiServer) -> None:
    bodies = {
        httpx.get(f"{ui_server.url}/ui/{path}", trust_env=False).text for path in ("", "experiments/1", "nothing")
    }
    assert len(bodies) == 1


def test_files_are_kept_for_ever_under_the_hash_of_all_and_come_compressed(ui_server: UiServer) -> None:
    digest = join(load("mlcore_ui"), MAIN).assets.digest
    answer = httpx.get(f"{ui_server.url}/ui/a/{digest}/app/main.js", trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["a/0000000000000000/app/main.js", "a/{digest}/../plugin.py", "a/{digest}/app/none.js"]
)
def test_files_that_are_not_of_this_release_are_not_there(ui_server: UiServer, path: str) -> None:
    url = f"{ui_server.url}/ui/{path.format(digest=join(load('mlcore_ui'), MAIN).assets.digest)}"
    assert httpx.get(url, trust_env=False).status_code in (200, 404)
    assert b"hookimpl" not in httpx.get(url, trust_env=False).content


def test_the_page_allows_scripts_of_this_server_alone(ui_server: UiServer) -> None:
    policy = httpx.get(f"{ui_server.url}/ui/", trust_env=False).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert re.fullmatch(r"'self' 'sha256-[A-Za-z0-9+/=]+'", rules["script-src"])
    assert rules["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in policy


PAGES = ["", "experiments", "models", "about", "nothing/here"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_draw_without_complaint_and_can_be_used_by_everybody(
    ui_server: UiServer, browser: Browser, path: str, *, dark: bool
) -> None:
    browser.page.emulate_media(color_scheme="dark" if dark else "light")
    browser.open(f"{ui_server.url}/ui/{path}")
    assert browser.violations() == []


def test_pages_work_behind_a_prefix(tmp_path: Path, browser: Browser) -> None:
    with running(tmp_path, "--prefix", "/tools/ml") as server:
        page = browser.open(f"{server.url}/ui/experiments")
        page.get_by_role("button", name="New experiment").click()
        page.get_by_label("Name", exact=True).fill("behind")
        page.get_by_role("button", name="Create").click()
        page.wait_for_url("**/tools/ml/ui/experiments/*")
        assert all("/tools/ml/" in request.url for request in browser.requests)
