"""What a scoring server offers, as an OpenAPI document made from the signatures of its models."""

from __future__ import annotations

from mlcore import __version__
from mlcore.models.data_types import AnyType, Array, DataType, Map, Object
from mlcore.models.schema import ColSpec, ModelSignature, ParamSchema, Schema, TensorSpec
from mlcore.serving.served import Served, ServedModels

Json = dict[str, object]

_TYPES: dict[DataType, Json] = {
    DataType.boolean: {"type": "boolean"},
    DataType.integer: {"type": "integer", "format": "int32"},
    DataType.long: {"type": "integer", "format": "int64"},
    DataType.float: {"type": "number", "format": "float"},
    DataType.double: {"type": "number", "format": "double"},
    DataType.string: {"type": "string"},
    DataType.binary: {"type": "string", "format": "byte"},
    DataType.datetime: {"type": "string", "format": "date-time"},
}
_SAMPLES: dict[DataType, object] = {
    DataType.boolean: True,
    DataType.string: "text",
    DataType.binary: "AAEC",
    DataType.datetime: "2024-01-31T12:00:00",
}


def document(models: ServedModels) -> Json:
    """Return the OpenAPI document, version 3.1."""
    paths: Json = {"/invocations": _invocations(models.first)}
    for model in models:
        paths[f"/models/{model.name}/invocations"] = _invocations(model)
    for path, what in (("/ping", "Alive."), ("/health", "Alive."), ("/ready", "Every model is loaded.")):
        paths[path] = {"get": {"summary": what, "responses": {"200": {"description": what}}}}
    info: Json = {"title": f"mlcore: {models.first.name}", "version": models.first.about.version or __version__}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": {"Error": _error()}}}


def sample(signature: ModelSignature | None) -> Json:
    """Return a request body that fits the signature, to begin with."""
    schema = signature.inputs if signature else None
    if schema is None or not len(schema):
        return {"inputs": [[0.0]]}
    if schema.is_tensor_spec():
        named = {t.name or "": _zeros(t) for t in schema.tensors}
        return {"inputs": named if schema.has_input_names() else next(iter(named.values()))}
    values = [_sample_of(spec) for spec in schema.columns]
    if schema.has_input_names():
        return {"dataframe_split": {"columns": list(schema.input_names()), "data": [values]}}
    return {"dataframe_split": {"data": [values]}}


def _invocations(model: Served) -> Json:
    signature = model.about.signature
    body: Json = {
        "required": True,
        "content": {
            "application/json": {"schema": _request(signature), "example": sample(signature)},
            "text/csv": {"schema": {"type": "string", "description": "With a header line."}},
            "application/vnd.apache.arrow.stream": {"schema": {"type": "string", "format": "binary"}},
            "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
        },
    }
    outputs = _rows(signature.outputs) if signature and signature.outputs else {}
    good: Json = {
        "description": "The predictions.",
        "content": {"application/json": {"schema": {"type": "object", "properties": {"predictions": outputs}}}},
    }
    bad: Json = {
        "description": "What is wrong with the request, all of it at once.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    return {
        "post": {
            "summary": f"Predict with {model.name}.",
            "requestBody": body,
            "responses": {"200": good, "400": bad, "413": bad, "415": bad, "504": bad},
        }
    }


def _request(signature: ModelSignature | None) -> Json:
    schema = signature.inputs if signature else None
    params: Json = _params(signature.params) if signature and signature.params else {"type": "object"}
    options: list[Json] = []
    if schema is None or not schema.is_tensor_spec():
        split: Json = {"columns": {"type": "array", "items": {"type": "string"}}, "data": {"type": "array"}}
        options = [
            _body("dataframe_split", {"type": "object", "properties": split, "required": ["data"]}, params),
            _body("dataframe_records", {"type": "array", "items": _record(schema)}, params),
        ]
    inputs = _tensors(schema) if schema is not None and schema.is_tensor_spec() else {}
    return {"oneOf": [*options, _body("instances", {}, params), _body("inputs", inputs, params)]}


def _body(key: str, value: Json, params: Json) -> Json:
    return {"type": "object", "properties": {key: value, "params": params}, "required": [key]}


def _record(schema: Schema | None) -> Json:
    if schema is None or not schema.has_input_names():
        return {"type": "object"}
    columns = {str(spec.name): _type(spec.type) for spec in schema.columns}
    needed = [str(spec.name) for spec in schema.columns if spec.required]
    return {"type": "object", "properties": columns, "required": needed}


def _rows(schema: Schema) -> Json:
    if schema.is_tensor_spec():
        return _tensors(schema)
    if schema.has_input_names():
        return {"type": "array", "items": _record(schema)}
    return {"type": "array", "items": _type(schema.columns[0].type) if len(schema) == 1 else {"type": "array"}}


def _tensors(schema: Schema) -> Json:
    if schema.has_input_names():
        return {"type": "object", "properties": {str(t.name): _tensor(t) for t in schema.tensors}}
    return _tensor(schema.tensors[0])


def _tensor(spec: TensorSpec) -> Json:
    inner: Json = {"type": "number"} if spec.type[:3] in ("int", "uin", "flo") else {}
    for size in reversed(spec.shape):
        inner = {"type": "array", "items": inner, **({"minItems": size, "maxItems": size} if size > 0 else {})}
    return inner


def _type(kind: object) -> Json:
    if isinstance(kind, DataType):
        return dict(_TYPES[kind])
    if isinstance(kind, Array):
        return {"type": "array", "items": _type(kind.items)}
    if isinstance(kind, Map):
        return {"type": "object", "additionalProperties": _type(kind.values)}
    if isinstance(kind, Object):
        needed = [p.name for p in kind.properties if p.required]
        return {"type": "object", "properties": {p.name: _type(p.dtype) for p in kind.properties}, "required": needed}
    return {} if isinstance(kind, AnyType) else {"type": "array", "items": {"type": "number"}}


def _params(schema: ParamSchema) -> Json:
    properties: Json = {}
    for spec in schema:
        kind = _type(spec.dtype)
        properties[spec.name] = {**({"type": "array", "items": kind} if spec.shape else kind), "default": spec.default}
    return {"type": "object", "properties": properties}


def _sample_of(spec: ColSpec) -> object:
    if isinstance(spec.type, DataType):
        return _SAMPLES.get(spec.type, 0.0 if spec.type in (DataType.float, DataType.double) else 0)
    return [] if isinstance(spec.type, Array) else {}


def _zeros(spec: TensorSpec) -> object:
    inner: object = 0.0 if spec.type.startswith("float") else 0
    for size in reversed(spec.shape):
        inner = [inner] * (min(size, 8) if size > 0 else 1)
    return inner


def _error() -> Json:
    text: Json = {"type": "string"}
    return {
        "type": "object",
        "properties": {"error_code": text, "message": text},
        "required": ["error_code", "message"],
    }
