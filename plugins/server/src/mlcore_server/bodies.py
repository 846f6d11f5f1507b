"""What requests say: their fields, from body, query string and path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from mlcore.errors import BadRequestError
from mlcore.serving import strict_json
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.messages import read, read_query
from mlcore_server.asgi import Receive
from mlcore_server.guards import BodyTooLargeError

_MOST_FIELDS = 20_000
_SHORT = 64 * 1024


class ClientGoneError(Exception):
    """The client closed the connection before its request was complete."""


async def read_body(receive: Receive, headers: Mapping[str, str], most: int) -> bytes:
    """Return the whole body.

    Raises BodyTooLargeError: it is longer than *most* bytes. ClientGoneError.
    """
    told = headers.get("content-length", "")
    if told.isdigit() and int(told) > most:
        raise _too_large(most)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > most:
            raise _too_large(most)
        return body
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise _too_large(most)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def is_long(headers: Mapping[str, str]) -> bool:
    """Whether a request has, or may have, a body that is worth to ask first who sends it."""
    told = headers.get("content-length", "")
    return int(told) > _SHORT if told.isdigit() else "transfer-encoding" in headers


def json_object(body: bytes) -> Mapping[str, object]:
    """Return the object that a JSON body holds; an empty body is an empty object.

    Old clients send a JSON text that holds JSON. Raises BadRequestError: no JSON, or another kind of value.
    """
    if not body:
        return {}
    value = strict_json.loads(body)
    if isinstance(value, str):
        value = strict_json.loads(value.encode())
    if not isinstance(value, Mapping):
        raise BadRequestError(f"the body is a JSON {type(value).__name__}: expected an object")
    return value


def request_of(endpoint: Endpoint, query: bytes, body: bytes, named: Mapping[str, str]) -> Any:
    """Return the request record that an endpoint gets."""
    if endpoint.method == "GET" or endpoint.streams:
        return read_query(endpoint.request, [*named.items(), *query_pairs(query)])
    values = json_object(body)
    if named:
        values = {**values, **named}
    return read(endpoint.request, values)


def query_pairs(query: bytes) -> list[tuple[str, str]]:
    """Return the pairs of a query string. Raises BadRequestError: far too many."""
    if not query:
        return []
    try:
        return parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except (ValueError, UnicodeDecodeError) as err:
        raise BadRequestError(f"the query string cannot be read: {err}") from err


def _too_large(most: int) -> BodyTooLargeError:
    return BodyTooLargeError(f"the body is larger than the {most} bytes that this server takes; send it in pieces")
