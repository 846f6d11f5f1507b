"""What holds for every page: how it is served, what it may do, and that it is drawn."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from mlcore_ui.assets import load
from mlcore_ui.joined import join
from mlcore_ui.page import MAIN
from ui_browser import Browser

from mlcore.testing.live_server import LiveServer, running_server
from mlcore.tracking.client import Client


def test_the_root_leads_to_the_pages(ui_server: LiveServer) -> None:
    answer = httpx.get(f"{ui_server.url}/", trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/ui/")


def test_every_address_below_ui_is_the_page(ui_server: LiveServer) -> None:
    bodies = {
        httpx.get(f"{ui_server.url}/ui/{path}", trust_env=False).text for path in ("", "experiments/1", "nothing")
    }
    assert len(bodies) == 1


def test_files_are_kept_for_ever_under_the_hash_of_all_and_come_compressed(ui_server: LiveServer) -> None:
    digest = join(load("mlcore_ui"), MAIN).assets.digest
    answer = httpx.get(f"{ui_server.url}/ui/a/{digest}/app/main.js", trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        "a/0000000000000000/app/main.js",
        "a/{digest}/..%2Fplugin.py",
        "a/{digest}/%2e%2e/plugin.py",
        "a/{digest}/app/none.js",
    ],
)
def test_files_that_are_not_of_this_release_are_not_there(ui_server: LiveServer, path: str) -> None:
    digest = join(load("mlcore_ui"), MAIN).assets.digest
    # as it stands: clients of Python would resolve the dots before they send the path
    answer = _raw(ui_server, f"/ui/{path.format(digest=digest)}")
    assert answer.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 ")), answer[:200]
    assert b"hookimpl" not in answer


def _raw(server: LiveServer, path: str) -> bytes:
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_the_page_allows_scripts_of_this_server_alone(ui_server: LiveServer) -> None:
    policy = httpx.get(f"{ui_server.url}/ui/", trust_env=False).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert re.fullmatch(r"'self' 'sha256-[A-Za-z0-9+/=]+'", rules["script-src"])
    assert rules["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in policy


OURS = {"x-mlcore-ui": "1"}
SECRET = "a horse and a battery"
PAGES = ["", "experiments", "models", "about", "nothing/here"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_draw_without_complaint_and_can_be_used_by_everybody(
    ui_server: LiveServer, browser: Browser, path: str, *, dark: bool
) -> None:
    browser.page.emulate_media(color_scheme="dark" if dark else "light")
    browser.open(f"{ui_server.url}/ui/{path}")
    assert browser.violations() == []


def test_pages_work_behind_a_prefix(tmp_path: Path, browser: Browser) -> None:
    with running_server(tmp_path, "--prefix", "/tools/ml") as server:
        page = browser.open(f"{server.url}/ui/experiments")
        page.get_by_role("button", name="New experiment").click()
        page.get_by_label("Name", exact=True).fill("behind")
        page.get_by_role("button", name="Create").click()
        page.wait_for_url("**/tools/ml/ui/experiments/*")
        assert all("/tools/ml/" in request.url for request in browser.requests)


def test_the_start_page_knows_experiments_that_were_made_long_before_others(tmp_path: Path, browser: Browser) -> None:
    with running_server(tmp_path) as server:
        client = Client(server.url, server.url)
        busy = client.create_experiment("busy one")
        client.create_run(busy)
        for number in range(60):
            client.create_experiment(f"empty {number}")
        client.close()
        view = {"experiment_id": busy, "title": "Only <b>good</b> ones", "query": "filter=metrics.a+%3E+1"}
        httpx.post(f"{server.url}/api/ui/1/views", json=view, headers=OURS, trust_env=False).raise_for_status()
        page = browser.open(f"{server.url}/ui/")
        page.get_by_role("link", name="1 running in busy one").wait_for()
        page.get_by_role("link", name="Only <b>good</b> ones").click()
        page.wait_for_url("**/ui/experiments/*?filter=*")
        # what was looked at for a while is there again, for this browser
        page.wait_for_function("() => (localStorage.getItem('mlcore.views:') ?? '').includes('metrics.a')")
        page.get_by_role("link", name="mlcore", exact=True).click()
        last = page.get_by_role("region", name="Recently viewed")
        last.get_by_role("link", name="busy one").wait_for()
        assert last.get_by_text("experiments · metrics.a > 1").is_visible()
        assert browser.violations() == []
        last.get_by_role("button", name="Clear the list").click()
        last.wait_for(state="detached")


def test_a_list_that_is_empty_fills_by_itself(tmp_path: Path, browser: Browser) -> None:
    with running_server(tmp_path) as server:
        page = browser.open(f"{server.url}/ui/")
        page.get_by_text("No runs yet").wait_for()
        client = Client(server.url, server.url)
        client.create_run("0", run_name="first")
        client.close()
        page.get_by_role("link", name="running in Default").wait_for()


def test_who_may_only_read_is_offered_no_changes_of_experiments(
    tmp_path: Path, signed_in: Callable[[str, str], Browser]
) -> None:
    with running_server(tmp_path, "--auth", "basic") as server:
        token = (server.directory / "state" / "bootstrap-token").read_text(encoding="utf-8").strip()
        with httpx.Client(base_url=server.url, trust_env=False) as http:
            first = {"token": token, "username": "root", "password": SECRET}
            http.post("/api/mlcore/auth/bootstrap", json=first).raise_for_status()
            http.auth = ("root", SECRET)
            http.post("/api/2.0/mlflow/users/create", json={"username": "ann", "password": SECRET}).raise_for_status()
            made = http.post("/api/2.0/mlflow/experiments/create", json={"name": "shown"}).json()["experiment_id"]
            granted = {"experiment_id": made, "username": "ann", "permission": "READ"}
            http.post("/api/2.0/mlflow/experiments/permissions/create", json=granted).raise_for_status()
        for name, offered in (("ann", 0), ("root", 1)):
            browser = signed_in(name, SECRET)
            page = browser.open(f"{server.url}/ui/experiments")
            page.get_by_role("link", name="shown").wait_for()
            page.wait_for_load_state("networkidle")
            assert page.get_by_role("button", name="Delete shown").count() == offered
            assert page.get_by_role("button", name="Rename shown").count() == offered
            browser.check()


@pytest.mark.parametrize("path", ["x/", "x/none", "x/none/0/file.js", "a/"])
def test_addresses_of_no_file_are_not_found(ui_server: LiveServer, path: str) -> None:
    assert httpx.get(f"{ui_server.url}/ui/{path}", trust_env=False).status_code == 404
