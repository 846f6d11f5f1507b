"""A server that wants a login: what a person in a browser meets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from ui_browser import Browser

from mlcore.testing.live_server import LiveServer, running_server

_PASSWORD = "a horse and a battery"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a server that knows ann, who has one experiment, behind a prefix."""
    with running_server(tmp_path_factory.mktemp("login"), "--auth", "basic", "--prefix", "/ml") as server:
        token = (server.directory / "state" / "bootstrap-token").read_text(encoding="utf-8").strip()
        with httpx.Client(base_url=server.url, trust_env=False) as http:
            first = {"token": token, "username": "ann", "password": _PASSWORD}
            http.post("/api/mlcore/auth/bootstrap", json=first).raise_for_status()
            http.auth = ("ann", _PASSWORD)
            http.post("/api/2.0/mlflow/experiments/create", json={"name": "of ann"}).raise_for_status()
        yield server


@pytest.fixture
def stranger(browser: Browser) -> Browser:
    """Return a browser that nobody has signed in with; it tells of each 401."""
    browser.expect_complaint("401")
    return browser


def _fill(page: Any, password: str) -> None:
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_a_person_signs_in_by_keyboard_sees_the_page_they_wanted_and_signs_out(
    guarded: LiveServer, stranger: Browser
) -> None:
    page = stranger.page
    page.goto(f"{guarded.url}/ui/experiments?name=of")
    page.get_by_role("heading", name="Sign in").wait_for()
    assert page.locator("main").count() == 1
    assert "MLFLOW_TRACKING" not in page.inner_text("body")
    page.wait_for_function("() => document.activeElement.name === 'username'")
    assert stranger.violations() == []

    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type("not the password")
    page.keyboard.press("Enter")
    page.get_by_text("User name or password is wrong.").wait_for()
    _fill(page, _PASSWORD)
    page.get_by_role("link", name="of ann").wait_for()
    assert page.url.endswith("/ui/experiments?name=of")
    [cookie] = stranger.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/ml")
    assert page.evaluate("document.cookie") == ""

    # a change, through the endpoints of MLflow too
    page.get_by_role("button", name="Rename of ann").click()
    page.get_by_label("Name", exact=True).fill("of ann, again")
    page.get_by_role("button", name="Rename", exact=True).click()
    page.get_by_role("link", name="of ann, again").wait_for()

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    assert stranger.context.cookies() == []
    answer = httpx.get(f"{guarded.url}/api/ui/1/manifest", cookies={cookie["name"]: cookie["value"]}, trust_env=False)
    assert answer.status_code == 401


def test_a_session_that_ends_while_somebody_types_loses_nothing(guarded: LiveServer, stranger: Browser) -> None:
    page = stranger.page
    page.goto(f"{guarded.url}/ui/experiments")
    _fill(page, _PASSWORD)
    page.get_by_role("button", name="New experiment").click()
    page.get_by_label("Name", exact=True).fill("half typed")
    stranger.context.clear_cookies()
    page.get_by_role("button", name="Create").click()

    again = page.get_by_role("dialog", name="Your session has ended")
    again.get_by_label("Password").wait_for()
    page.keyboard.press("Escape")
    assert again.is_visible()
    assert again.get_by_label("User name").input_value() == "ann"
    again.get_by_label("Password").fill(_PASSWORD)
    again.get_by_role("button", name="Sign in").click()

    page.get_by_role("heading", name="half typed").wait_for()


def test_the_cookie_changes_nothing_for_a_page_of_another_site(guarded: LiveServer) -> None:
    with httpx.Client(base_url=guarded.url, trust_env=False) as http:
        ours = {"x-mlcore-ui": "1"}
        given = {"username": "ann", "password": _PASSWORD}
        http.post("/api/mlcore/auth/session", json=given, headers=ours).raise_for_status()
        wanted = {"name": "by another site"}
        path = "/ajax-api/2.0/mlflow/experiments/create"

        assert http.get("/api/ui/1/manifest").status_code == 200
        assert http.post(path, json=wanted).status_code == 401
        assert http.post(path, json=wanted, headers={"origin": "https://evil", **ours}).status_code == 403
        assert http.post(path, json=wanted, headers=ours).status_code == 200


def test_only_requests_of_pages_are_spared_the_window_of_the_browser(guarded: LiveServer) -> None:
    url = f"{guarded.url}/api/ui/1/manifest"

    plain = httpx.get(url, trust_env=False).headers["www-authenticate"]
    ours = httpx.get(url, headers={"x-mlcore-ui": "1"}, trust_env=False).headers["www-authenticate"]

    assert plain.startswith("Basic ")
    assert not ours.startswith(("Basic", "Bearer", "Digest", "Negotiate"))


@pytest.mark.parametrize("wanted", ["runs/1?x=2", "//evil.example/x", "http://evil.example", "a\r\nb: c"])
def test_the_login_of_the_browser_leads_back_to_our_pages_alone(guarded: LiveServer, wanted: str) -> None:
    url = f"{guarded.url}/sign-in"

    assert httpx.get(url, params={"next": wanted}, trust_env=False).status_code == 401
    answer = httpx.get(url, params={"next": wanted}, auth=("ann", _PASSWORD), trust_env=False)
    assert answer.status_code == 307
    assert answer.headers["location"].startswith("/ml/ui/")
    assert "b" not in answer.headers
