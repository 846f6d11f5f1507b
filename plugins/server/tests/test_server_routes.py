"""From paths to endpoints."""

from __future__ import annotations

import pytest
from mlcore_server.routes import MethodNotAllowedError, RouteTable

from mlcore.errors import EndpointNotFoundError


@pytest.fixture
def table() -> RouteTable:
    made = RouteTable()
    made.add("GET", "/runs/get", "get")
    made.add("GET", "/models/{model_id}", "model")
    made.add("PATCH", "/models/{model_id}", "patch")
    made.add("POST", "/models/search", "search")
    made.add("GET", "/files/{path:path}", "file")
    return made


def test_a_path_leads_to_its_endpoint(table: RouteTable) -> None:
    assert table.find("GET", "/runs/get").target == "get"


def test_head_goes_where_get_does(table: RouteTable) -> None:
    assert table.find("HEAD", "/runs/get").target == "get"


def test_names_are_decoded_once(table: RouteTable) -> None:
    match = table.find("GET", "/models/a%2Fb%252e")

    assert (match.target, dict(match.fields)) == ("model", {"model_id": "a/b%2e"})


def test_the_rest_of_a_path_may_hold_slashes(table: RouteTable) -> None:
    assert dict(table.find("GET", "/files/a/b%20c").fields) == {"path": "a/b c"}


@pytest.mark.parametrize("path", ["/runs/get/", "/Runs/get", "//runs/get", "/runs%2Fget", "/runs", "/models/a/b", ""])
def test_a_path_has_one_spelling(table: RouteTable, path: str) -> None:
    with pytest.raises(EndpointNotFoundError, match="no endpoint at"):
        table.find("GET", path)


def test_another_method_is_another_error(table: RouteTable) -> None:
    with pytest.raises(MethodNotAllowedError, match="POST is not a method of '/runs/get'; it has GET"):
        table.find("POST", "/runs/get")
    with pytest.raises(MethodNotAllowedError, match="DELETE is not a method"):
        table.find("DELETE", "/models/a")


def test_a_route_is_added_once(table: RouteTable) -> None:
    with pytest.raises(ValueError, match="two routes for GET /runs/get"):
        table.add("GET", "/runs/get", "again")
