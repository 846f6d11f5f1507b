"""The pages of the model registry for people with different rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from ui_browser import Browser

from mlcore.testing.live_server import LiveServer, running_server

_PASSWORD = "a horse and a battery"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a server whose users are root, who may do everything, ada, who may edit the model, and bob, who may read it."""
    with running_server(tmp_path_factory.mktemp("guarded"), "--auth", "basic") as server:
        token = (server.directory / "state" / "bootstrap-token").read_text(encoding="utf-8").strip()
        root = ("root", _PASSWORD)
        with httpx.Client(base_url=server.url, trust_env=False) as http:
            first = {"token": token, "username": root[0], "password": root[1]}
            http.post("/api/mlcore/auth/bootstrap", json=first).raise_for_status()
            http.auth = root
            for name in ("ada", "bob"):
                made = {"username": name, "password": _PASSWORD}
                http.post("/api/2.0/mlflow/users/create", json=made).raise_for_status()
            http.post("/api/2.0/mlflow/registered-models/create", json={"name": "guarded"}).raise_for_status()
            for _ in range(2):
                version = {"name": "guarded", "source": "s3://somewhere/model"}
                http.post("/api/2.0/mlflow/model-versions/create", json=version).raise_for_status()
            for name, permission in (("ada", "EDIT"), ("bob", "READ")):
                granted = {"name": "guarded", "username": name, "permission": permission}
                http.post("/api/2.0/mlflow/registered-models/permissions/create", json=granted).raise_for_status()
        yield server


@pytest.fixture
def as_user(signed_in: Callable[[str, str], Browser]) -> Callable[[str], Browser]:
    """Open browsers of people who sign in."""

    def opened(name: str) -> Browser:
        browser = signed_in(name, _PASSWORD)
        # the files of these models are nowhere
        browser.expect_complaint("Failed to load resource")
        return browser

    return opened


def _told(page: Any, text: str) -> None:
    page.locator(".toast", has_text=text).last.wait_for()


def test_a_reader_asks_for_a_stage_and_who_may_edit_approves(
    guarded: LiveServer, as_user: Callable[[str], Browser]
) -> None:
    bob, ada = as_user("bob"), as_user("ada")
    page = bob.open(f"{guarded.url}/ui/models/guarded")
    page.get_by_role("button", name="Ask to move version 1").wait_for()
    for name in ("New version", "Rename", "Delete", "Set an alias", "Delete version 1", "Describe it", "+ Add a tag"):
        assert page.get_by_role("button", name=name, exact=True).count() == 0, name
    page.get_by_role("button", name="Ask to move version 1").click()
    page.get_by_label("Stage").select_option("Production")
    page.get_by_label("Why (for the history)").fill("passed all tests")
    page.get_by_role("button", name="Ask for approval").click()
    page.get_by_role("region", name="Open requests").wait_for()
    assert page.get_by_role("button", name="Approve").count() == 0
    assert page.get_by_role("button", name="Take back").count() == 1

    other = ada.open(f"{guarded.url}/ui/models/guarded")
    assert other.get_by_role("button", name="Rename").count() == 0
    other.get_by_role("button", name="Approve").click()
    other.get_by_label("Why (for the history)").fill("looks good")
    other.get_by_role("dialog").get_by_role("button", name="Approve").click()
    _told(other, "the request for version 1 was approved")
    other.get_by_role("region", name="Open requests").wait_for(state="detached")
    other.get_by_role("cell", name="Production").wait_for()
    other.get_by_role("link", name="History").click()
    assert "bob moved version 1 from no stage to Production" in other.locator(".timeline li").first.inner_text()
    other.get_by_text("Decided requests (1)").click()
    other.locator(".decided", has_text="looks good").wait_for()
    for browser in (bob, ada):
        browser.check()


def test_nobody_is_offered_to_approve_a_wish_of_their_own(
    guarded: LiveServer, as_user: Callable[[str], Browser]
) -> None:
    ada = as_user("ada")
    page = ada.open(f"{guarded.url}/ui/models/guarded/2")
    page.get_by_role("button", name="Move to a stage").click()
    page.get_by_role("button", name="Ask for approval").click()
    page.get_by_text("Somebody else has to approve it.").wait_for()
    assert page.get_by_role("button", name="Approve").count() == 0
    page.get_by_role("button", name="Take back").click()
    page.get_by_role("dialog").get_by_role("button", name="Take back").click()
    _told(page, "the request for version 2 was taken back")
    page.get_by_role("region", name="Open requests").wait_for(state="detached")
    ada.check()
