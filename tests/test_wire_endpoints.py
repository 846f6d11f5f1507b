"""The endpoint table: complete, unambiguous, and nothing without a permission."""

from __future__ import annotations

import collections
from pathlib import Path

import attrs
import pytest

from mlcore.entities import Action, Permission
from mlcore.wire import messages
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.endpoints import BY_NAME, ENDPOINTS

# What changes nothing before somebody else, who may do more, agrees.
ASKS = {"POST transition-requests/create", "POST transition-requests/cancel"}
PUBLIC = {"health", "ready", "version", "openapi", "server-info", "GET ajax server-info"}
# What it needs is a ticket, which says who asked for it; whether they may is asked again for each file.
PUBLIC |= {"GET raw"}
# changes nothing here, but makes this server ask another one: for who may change what is served
SENDS = {"POST models:ask"}


def test_every_route_that_mlflows_clients_know_is_in_the_table() -> None:
    lines = Path(__file__).with_name("mlflow_paths.txt").read_text(encoding="utf-8").splitlines()
    known = {tuple(line.split()) for line in lines if not line.startswith("#")}

    served = {(e.method, path.replace(":path}", "}")) for e in ENDPOINTS for path in e.paths}

    assert not known - served


def test_no_two_endpoints_share_a_name_or_a_path() -> None:
    paths = collections.Counter((e.method, path) for e in ENDPOINTS for path in e.paths)

    assert [found for found, count in paths.items() if count > 1] == []
    assert len(BY_NAME) == len(ENDPOINTS)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.name)
def test_an_endpoint_says_what_its_caller_needs(endpoint: Endpoint) -> None:
    assert isinstance(endpoint.permission, Permission)
    assert (endpoint.permission.action is None) == (endpoint.name in PUBLIC)


@pytest.mark.parametrize("endpoint", [e for e in ENDPOINTS if e.permission.by], ids=lambda e: e.name)
def test_a_permission_names_fields_that_the_request_has(endpoint: Endpoint) -> None:
    names = {a.name for a in attrs.fields(endpoint.request)} | {"answer"}
    path = {"path"} if names & {"artifact_path", "path"} else set()

    assert set(endpoint.permission.names) <= names | path


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.name)
def test_what_changes_something_needs_more_than_to_read(endpoint: Endpoint) -> None:
    changes = endpoint.permission.action not in (None, Action.READ) and endpoint.name not in SENDS
    assert endpoint.mutates == (changes or endpoint.name in ASKS)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.name)
def test_names_in_a_path_are_fields_of_the_request(endpoint: Endpoint) -> None:
    import re

    names = set(re.findall(r"\{(\w+)", endpoint.path))

    assert names <= {a.name for a in attrs.fields(endpoint.request)}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.name)
def test_a_request_that_names_nothing_is_refused_or_understood(endpoint: Endpoint) -> None:
    required = [a.name for a in attrs.fields(endpoint.request) if a.metadata.get("required")]

    if required:
        with pytest.raises(ValueError, match=f"Missing value for required parameter '{required[0]}'"):
            messages.read(endpoint.request, {})
    else:
        assert isinstance(messages.read(endpoint.request, {}), endpoint.request)
