"""The OpenAPI document: whole, valid, and true of what the server answers to anything that it allows."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from mlcore_server.openapi import document
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from mlcore.wire.endpoints import ENDPOINTS

# what streams for ever, and what reads and writes files, has tests of its own
SCHEMA = schemathesis.openapi.from_dict(document()).exclude(path_regex="runs/live|mlflow-artifacts|get-artifact|upload")


def test_every_endpoint_is_in_the_document() -> None:
    operations = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}

    assert operations == {(e.method, e.paths[0].replace(":path}", "}")) for e in ENDPOINTS}


def test_the_server_hands_it_out(http: httpx.Client) -> None:
    assert http.get("/openapi.json").json() == document()


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
@SCHEMA.parametrize()
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_breaks_the_server_and_every_answer_fits(case: schemathesis.Case[Any], http: httpx.Client) -> None:
    answer = case.call(base_url=str(http.base_url))

    if answer.status_code != 501:  # what the artifact storage of the tests cannot do, and says so
        case.validate_response(answer, checks=[not_a_server_error, response_schema_conformance])
