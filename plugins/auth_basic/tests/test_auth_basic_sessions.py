"""Sessions of browsers: a cookie that scripts cannot read, that ends, and that foreign pages cannot use."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import Morsel, SimpleCookie
from pathlib import Path

import httpx
import pytest
from auth_basic_town import OPERATOR, PHRASE, Caller, Town, basic, bearer, caller
from mlcore_auth_basic import accounts, tokens
from mlcore_auth_basic.plugin import web

from mlcore.entities import Action, Credentials, Resource
from mlcore.errors import UnauthenticatedError
from mlcore.hookspecs import WebContext

SESSION = "/api/mlcore/auth/session"
OURS = {"x-mlcore-ui": "1"}


@pytest.fixture
def page(town: Town) -> Caller:
    """Return a page of ours, without credentials, on a server that ada has an account on."""
    town.user("ada")
    server = caller(town.authority).server
    return Caller(server, {**OURS, "origin": "https://mlcore"})


def _signed_in(town: Town, page: Caller) -> tuple[httpx.Response, Morsel[str]]:
    answer = page("POST", SESSION, username="ada", password=f"ada {PHRASE}")
    assert answer.status_code == 200, answer.text
    return answer, SimpleCookie(answer.headers["set-cookie"])[town.authority.cookie]


def _shows(town: Town, cookie: Morsel[str], headers: Mapping[str, str], *, reads: bool = False) -> Credentials:
    return Credentials({"cookie": f"other=1; {town.authority.cookie}={cookie.value}", **headers}, reads=reads)


def test_name_and_password_give_a_cookie_for_this_site_alone(town: Town, page: Caller) -> None:
    answer, cookie = _signed_in(town, page)

    assert answer.json() == {"user": "ada"}
    assert cookie["httponly"]
    assert cookie["secure"]  # the page came by https
    assert (cookie["samesite"], cookie["path"], cookie["max-age"]) == ("strict", "/", str(12 * 3600))
    found = town.authority.authenticate(_shows(town, cookie, OURS))
    assert found.name == "ada"
    assert town.authority.authorize(found, Action.READ, Resource("server", "users/ada"))


def test_a_wrong_password_gives_none_and_is_counted(town: Town, page: Caller) -> None:
    answers = [page("POST", SESSION, username="ada", password="wrong wrong wrong") for _ in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert all("set-cookie" not in answer.headers for answer in answers)


def test_a_change_needs_the_header_that_foreign_pages_cannot_set(town: Town, page: Caller) -> None:
    cookie = _signed_in(town, page)[1]

    assert town.authority.authenticate(_shows(town, cookie, {}, reads=True)).name == "ada"
    with pytest.raises(UnauthenticatedError, match="x-mlcore-ui"):
        town.authority.authenticate(_shows(town, cookie, {}))


def test_nobody_is_signed_in_or_out_by_a_foreign_page(town: Town, page: Caller) -> None:
    foreign = Caller(page.server, {})

    for method in ("POST", "DELETE"):
        assert foreign(method, SESSION, username="ada", password=f"ada {PHRASE}").status_code == 403


def test_signing_out_ends_the_session_and_takes_the_cookie(town: Town, page: Caller) -> None:
    cookie = _signed_in(town, page)[1]

    answer = Caller(page.server, dict(_shows(town, cookie, OURS).headers))("DELETE", SESSION)

    assert SimpleCookie(answer.headers["set-cookie"])[town.authority.cookie]["max-age"] == "0"
    with pytest.raises(UnauthenticatedError, match="sign in again"):
        town.authority.authenticate(_shows(town, cookie, OURS))


def test_a_session_ends_by_itself_and_leaves_nothing(town: Town, page: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = _signed_in(town, page)[1]
    later = accounts.now_ms() + 12 * 3_600_000 + 1000
    for module in (tokens, accounts):
        monkeypatch.setattr(module, "now_ms", lambda: later)

    with pytest.raises(UnauthenticatedError, match="has ended"):
        town.authority.authenticate(_shows(town, cookie, OURS))
    _signed_in(town, page)
    with town.authority.database.reading() as connection:
        assert len(tokens.of_user(connection, "ada")) == 1


def test_another_password_ends_sessions_and_leaves_tokens(town: Town, page: Caller) -> None:
    cookie, token = _signed_in(town, page)[1], town.token("ada")

    town.authority.administration.change_password(OPERATOR, "ada", "quite another sentence")

    assert town.authority.authenticate(token).name == "ada"
    with pytest.raises(UnauthenticatedError, match="has ended"):
        town.authority.authenticate(_shows(town, cookie, OURS))


def test_a_session_is_no_api_token_and_an_api_token_no_session(town: Town, page: Caller) -> None:
    cookie = _signed_in(town, page)[1]

    with pytest.raises(UnauthenticatedError):
        town.authority.authenticate(bearer(cookie.value))
    cookie.set(cookie.key, *(town.token("ada").headers["authorization"].split()[1],) * 2)
    with pytest.raises(UnauthenticatedError, match="has ended"):
        town.authority.authenticate(_shows(town, cookie, OURS))


def test_a_session_alone_neither_changes_the_password_nor_makes_tokens(town: Town, page: Caller) -> None:
    cookie = _signed_in(town, page)[1]
    ada = Caller(page.server, dict(_shows(town, cookie, OURS).headers))

    changed = ada("PATCH", "/api/2.0/mlflow/users/update-password", username="ada", password="quite another sentence")
    made = ada("POST", "/api/mlcore/auth/tokens", name="more")

    assert (changed.status_code, made.status_code) == (400, 403)


def test_credentials_in_the_request_count_before_a_cookie(town: Town, page: Caller) -> None:
    cookie = _signed_in(town, page)[1]
    bob = town.user("bob")

    assert town.authority.authenticate(_shows(town, cookie, bob.headers)).name == "bob"
    with pytest.raises(UnauthenticatedError):
        town.authority.authenticate(_shows(town, cookie, basic("bob", "wrong").headers))


def test_on_ones_own_machine_there_is_a_login_once_there_are_users(tmp_path: Path, town: Town, state_dir: Path) -> None:
    fresh = WebContext("sqlite://", "sqlite://", str(tmp_path / "fresh"), "", "local")
    used = WebContext("sqlite://", "sqlite://", str(state_dir), "", "local")

    assert web(fresh) is None
    assert not Path(fresh.state_dir).exists()
    assert web(used) is None
    town.user("ada")
    parts = web(used)
    assert parts is not None
    parts[0].close()  # type: ignore[union-attr]  # the authority
