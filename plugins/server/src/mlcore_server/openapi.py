"""The OpenAPI document, made from the endpoint table and its records."""

from __future__ import annotations

import functools
import inspect
import re
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from attrs import NOTHING, fields, has

from mlcore import __version__
from mlcore.wire.answers import Failure
from mlcore.wire.endpoint import Endpoint
from mlcore.wire.endpoints import ENDPOINTS

Json = dict[str, Any]

_INT64 = {"type": "integer", "format": "int64"}
_NUMBER = {"oneOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}]}
_PLAIN: dict[object, Json] = {
    str: {"type": "string"},
    int: _INT64,
    float: _NUMBER,
    bool: {"type": "boolean"},
    object: {},
}


@functools.cache
def document() -> Json:
    """Return the document; the same one every time."""
    schemas: dict[str, Json] = {}
    paths: dict[str, Json] = {}
    for endpoint in ENDPOINTS:
        path = endpoint.paths[0].replace(":path}", "}")
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    _reference(Failure, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mlcore",
            "version": __version__,
            "description": "The MLflow REST protocol, and what mlcore adds to it. Every path is served under "
            "/ajax-api as well, and those of MLflow 1.x under /preview.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{}, {"basic": []}, {"token": []}],
    }


def _operation(endpoint: Endpoint, schemas: dict[str, Json]) -> Json:
    in_path = re.findall(r"\{(\w+)", endpoint.path)
    out: Json = {
        "operationId": re.sub(r"\W+", "_", endpoint.name).strip("_"),
        "summary": inspect.getdoc(endpoint.request) or endpoint.name,
        "tags": [endpoint.call.partition(".")[0]],
        "x-since": endpoint.since,
        "x-permission": f"{endpoint.permission.action or 'public'} {endpoint.permission.kind}".strip(),
        "responses": {
            "200": _success(endpoint, schemas),
            "default": {
                "description": "What went wrong.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Failure"}}},
            },
        },
    }
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in in_path]
    if endpoint.method == "GET" or endpoint.streams:
        parameters += _query(endpoint.request, in_path, schemas)
    else:
        schema = {"$ref": _reference(endpoint.request, schemas)}
        out["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if endpoint.streams and endpoint.mutates:
        out["requestBody"] = {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}
    if parameters:
        out["parameters"] = parameters
    return out


def _success(endpoint: Endpoint, schemas: dict[str, Json]) -> Json:
    if endpoint.answer is None:
        return {"description": "The content."}
    schema = {"$ref": _reference(endpoint.answer, schemas)}
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _query(request: type, in_path: list[str], schemas: dict[str, Json]) -> list[Json]:
    properties, required = _properties(request, schemas)
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in properties.items()
        if name not in in_path
    ]


def _reference(cls: type, schemas: dict[str, Json]) -> str:
    name = cls.__name__
    while name in schemas and schemas[name].get("x-class") != f"{cls.__module__}.{cls.__name__}":
        name += "_"
    if name not in schemas:
        schema: Json = {"type": "object", "x-class": f"{cls.__module__}.{cls.__name__}"}
        schemas[name] = schema  # before its fields are looked at: they may refer to it
        if text := inspect.getdoc(cls):
            schema["description"] = text
        properties, required = _properties(cls, schemas)
        if properties:
            schema["properties"] = properties
        if required:
            schema["required"] = required
    return f"#/components/schemas/{name}"


def _properties(cls: Any, schemas: dict[str, Json]) -> tuple[dict[str, Json], list[str]]:
    hints = get_type_hints(cls)
    properties = {}
    required = []
    for found in fields(cls):
        schema = _schema(hints[found.name], schemas)
        if NoneType in get_args(hints[found.name]) and cls.__module__.startswith("mlcore.wire.answers"):
            schema = {"anyOf": [schema, {"type": "null"}]}
        is_required = bool(found.metadata.get("required")) or found.default is NOTHING
        if is_required and schema.get("type") == "string" and found.metadata.get("required"):
            schema = schema | {"minLength": 1}
        properties[found.name] = schema
        if is_required and not found.metadata.get("alias"):
            required.append(found.name)
    return properties, required


def _schema(hint: Any, schemas: dict[str, Json]) -> Json:
    args = get_args(hint)
    if get_origin(hint) is tuple:
        return {"type": "array", "items": _schema(args[0], schemas)}
    if get_origin(hint) is dict:
        return {"type": "object", "additionalProperties": _schema(args[1], schemas)}
    if get_origin(hint) in (Union, UnionType):
        kinds = [arg for arg in args if arg is not NoneType]
        return _NUMBER if set(kinds) == {float, str} else _schema(kinds[0], schemas)
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [one.value for one in hint]}
    if isinstance(hint, type) and has(hint):
        return {"$ref": _reference(hint, schemas)}
    raise TypeError(f"no schema for {hint!r}")
