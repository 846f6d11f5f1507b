"""What a scoring request holds: the shapes of the protocol taken apart and checked, before any model sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import evolve, field, frozen

from mlcore.errors import BadRequestError, InvalidParameterError
from mlcore.serving import legacy, strict_json

KINDS = ("dataframe_split", "dataframe_records", "instances", "inputs")
JSON, CSV, ARROW, PARQUET = "json", "csv", "arrow", "parquet"
TYPES = {
    "application/json": JSON,
    "text/csv": CSV,
    "application/vnd.apache.arrow.stream": ARROW,
    "application/vnd.apache.parquet": PARQUET,
    legacy.NUMPY_TYPE: legacy.NUMPY,
}
_TYPES = ", ".join(list(TYPES)[:-1])
_KINDS = frozenset(KINDS)
_SPLIT = frozenset(("columns", "index", "data"))
_EXPECTED = f"expected a JSON object with exactly one of {', '.join(KINDS)}, and optionally params"
_NO_PARAMS: Mapping[str, object] = {}


@frozen
class Payload:
    """A request, taken apart.

    kind: one of `KINDS`, or `csv`, `arrow`, `parquet`.
    data: rows for `dataframe_split`, a list of objects for `dataframe_records`, bytes for `csv` (with a header line),
    `arrow` (an IPC stream) and `parquet`, any JSON value for the rest.
    columns: names for rows; None when the request has none.
    bare: whether the predictions are the whole answer, as of MLflow before 2.0, and not one key of an object.
    """

    kind: str
    data: object
    columns: Sequence[str] | None = None
    params: Mapping[str, object] = field(factory=dict)
    bare: bool = False


class UnsupportedContentTypeError(BadRequestError):
    """The request's content type is not one that the server reads."""

    status = 415


class BodyTooLargeError(BadRequestError):
    """The request is larger than the server accepts."""

    status = 413


def content_kind(header: str | None) -> str:
    """Return what the header Content-Type says of a body: a value of `TYPES`, or one of the formats of `legacy`.

    Raises UnsupportedContentTypeError: another type, another charset than UTF-8, or other parameters.
    """
    if header == "application/json":
        return JSON
    if header is None:
        raise UnsupportedContentTypeError(f"the request has no Content-Type: expected {_TYPES}")
    media, *options = (part.strip() for part in header.lower().split(";"))
    kind = TYPES.get(media)
    if kind is None:
        raise UnsupportedContentTypeError(f"unsupported Content-Type {header!r}: expected {_TYPES}")
    for option in filter(None, options):
        name, _, value = (part.strip().strip('"') for part in option.partition("="))
        if name == "format" and kind == JSON and value in legacy.FORMATS:
            kind = value
        elif name != "charset":
            raise UnsupportedContentTypeError(
                f"unsupported Content-Type parameter {name!r} in {header!r}: expected none but charset=utf-8, or "
                f"format={' or '.join(legacy.FORMATS)} of MLflow 1.x"
            )
        elif value not in ("utf-8", "utf8"):
            raise UnsupportedContentTypeError(f"unsupported charset in Content-Type {header!r}: expected utf-8")
    return kind


def read(kind: str, body: bytes) -> Payload:
    """Take a request body apart; *kind* as `content_kind` returns it.

    Raises BadRequestError: not JSON. InvalidParameterError: JSON of another shape; says which.
    """
    if kind in (CSV, ARROW, PARQUET):
        return Payload(kind, body)
    document = strict_json.loads(body)
    modern = document if kind == JSON and not legacy.is_legacy(document) else legacy.modernized(kind, document)
    found = _read_json(modern)
    return found if modern is document else evolve(found, bare=True)


def _read_json(document: object) -> Payload:
    if not isinstance(document, dict):
        raise BadRequestError(f"{_EXPECTED}; got {_named(document)}")
    found = document.keys() & _KINDS
    if len(found) != 1 or len(document) > 1 + ("params" in document):
        raise BadRequestError(f"{_EXPECTED}; got the keys {', '.join(map(repr, document)) or 'of an empty object'}")
    kind = found.pop()
    data, params = document[kind], document.get("params")
    if params is None:
        params = _NO_PARAMS
    elif not isinstance(params, dict):
        raise InvalidParameterError(f"params must be a JSON object, got {_named(params)}")
    if kind == "dataframe_split":
        return _split(data, params)
    if kind == "dataframe_records":
        _check_list(data, kind, dict, "objects")
    return Payload(kind, data, None, params)


def _split(data: object, params: Mapping[str, object]) -> Payload:
    kind = "dataframe_split"
    if not isinstance(data, dict):
        raise InvalidParameterError(f"{kind} must be a JSON object with columns and data, got {_named(data)}")
    if not data.keys() <= _SPLIT:
        unknown = ", ".join(repr(k) for k in data if k not in _SPLIT)
        raise InvalidParameterError(f"{kind} may hold columns, index and data only, got also {unknown}")
    if "data" not in data:
        raise InvalidParameterError(f"{kind} has no data: expected a list of rows under the key 'data'")
    rows, columns = data["data"], data.get("columns")
    _check_list(rows, f"{kind}.data", list, "lists, one for each row")
    if columns is not None:
        _check_list(columns, f"{kind}.columns", str, "texts")
        _check_widths(rows, len(columns), f"{kind}.data")
    return Payload(kind, rows, columns, params)


def _check_list(value: object, where: str, of: type, what: str) -> None:
    if not isinstance(value, list):
        raise InvalidParameterError(f"{where} must be a list of {what}, got {_named(value)}")
    for i, item in enumerate(value):
        if not isinstance(item, of):
            raise InvalidParameterError(f"{where}[{i}] is {_named(item)}: expected a list of {what}")


def _check_widths(rows: Sequence[Sequence[object]], width: int, where: str) -> None:
    for i, row in enumerate(rows):
        if len(row) != width:
            raise InvalidParameterError(f"{where}[{i}] has {len(row)} values, but there are {width} columns")


def _named(value: object) -> str:
    if value is None:
        return "null"
    names: dict[type, str] = {bool: "a boolean", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")
