"""Errors: codes and statuses of the protocol, both ways."""

import json

import pytest

from mlcore import errors
from mlcore.errors import MlcoreError, from_code

# protocol code -> HTTP status
STATUSES = {
    "BAD_REQUEST": 400,
    "INVALID_PARAMETER_VALUE": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "RESOURCE_CONFLICT": 409,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "INTERNAL_ERROR": 500,
    "DATA_LOSS": 500,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
}
CLASSES = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, MlcoreError)]


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_has_a_code_of_the_protocol_with_its_status(cls: type[MlcoreError]) -> None:
    assert STATUSES[cls.code] == cls.status


@pytest.mark.parametrize("code", STATUSES)
def test_a_code_that_a_server_sent_becomes_the_error_it_stands_for(code: str) -> None:
    error = from_code(code, "what went wrong")

    assert (error.error_code, error.message, error.get_http_status_code()) == (code, "what went wrong", STATUSES[code])
    assert json.loads(error.serialize_as_json()) == {"error_code": code, "message": "what went wrong"}


def test_a_code_that_is_not_known_is_kept_in_the_message() -> None:
    error = from_code("TEAPOT", "short and stout")

    assert type(error) is MlcoreError
    assert error.message == "TEAPOT: short and stout"


def test_an_error_without_a_text_says_what_it_is() -> None:
    assert errors.ChecksumError().message == "ChecksumError"


def test_errors_are_caught_as_the_builtin_errors_they_are() -> None:
    assert issubclass(errors.InvalidParameterError, ValueError)
    assert issubclass(errors.NotFoundError, LookupError)
    assert issubclass(errors.MissingDependencyError, ImportError)
    assert not any(issubclass(c, KeyError) for c in CLASSES)
