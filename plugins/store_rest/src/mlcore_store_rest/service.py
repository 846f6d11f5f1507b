"""Calls of the endpoint table: from request records to requests, from answers to JSON values."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from attrs import has

from mlcore.errors import StoreUnavailableError, TooLargeError
from mlcore.remote.client import Answer, Remote
from mlcore.remote.places import choose, place_of
from mlcore.remote.settings import RemoteSettings
from mlcore.wire.endpoints import BY_NAME
from mlcore.wire.messages import write
from mlcore.wire.tracking_json import Json
from mlcore_store_rest.meanings import refined

# What would do more, or fail, when it came twice; everything else may be sent again when nobody knows whether it
# came through.
_ONCE = frozenset(
    (
        "experiments/create",
        "experiments/delete",
        "experiments/restore",
        "experiments/delete-experiment-tag",
        "runs/delete-tag",
        "POST logged-models/{model_id}/params",
        "DELETE logged-models/{model_id}/tags/{tag_key:path}",
        "POST registered-models/create",
        "POST registered-models/rename",
        "DELETE registered-models/delete",
        "POST model-versions/create",
        "DELETE model-versions/delete",
        "POST model-versions/remove",
        "POST transition-requests/decide",
        "POST transition-requests/cancel",
    )
)
_ENCODE = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
_JSON_HEADERS = {"content-type": "application/json"}
_NAME = re.compile(r"\{(\w+)(?::path)?\}")


class Service:
    """A server, asked by the names of the endpoint table."""

    def __init__(self, remote: Remote) -> None:
        """Ask through *remote*."""
        self.remote: Remote = remote
        self.shown: str = remote.place.shown

    @classmethod
    def open(cls, uri: str, settings: RemoteSettings | None = None) -> Service:
        """Ask the server at *uri*, which the user chose; connects at the first call.

        Raises InvalidParameterError: not the URI of a server. SettingsError: a variable cannot be used.
        """
        place = place_of(uri)
        choose(place)
        return cls(Remote(place, settings))

    def call(self, name: str, request: object = None, *, once: bool | None = None) -> Json:
        """Call the endpoint *name* and return what it answers.

        request: a request record, or its JSON values.
        once: whether a second delivery would do more than the first; known by the endpoint when not given.
        Raises the error that the server tells, and StoreUnavailableError: no answer.
        """
        method, path, names = _known(name)
        fields: Mapping[str, object] = (
            request if isinstance(request, Mapping) else write(request) if has(type(request)) else {}
        )
        for each in names:
            path = path.replace(f"{{{each}}}", quote(str(fields[each]), safe=""))
        repeatable = not (name in _ONCE if once is None else once)
        if method == "GET":
            rest = [(key, _text(value)) for key, value in fields.items() if key not in names]
            target = f"{path}?{urlencode(rest, doseq=True)}" if rest else path
            answer = self.remote.ask(method, target, repeatable=repeatable)
        else:
            body = _ENCODE(fields).encode("utf-8", "surrogatepass")
            answer = self.remote.ask(method, path, headers=_JSON_HEADERS, body=body, repeatable=repeatable)
        if answer.status == 413:
            raise TooLargeError(self.remote.error(path, answer).message)
        if answer.status != 200:
            raise refined(self.remote.error(path, answer))
        return self._values(path, answer)

    def close(self) -> None:
        """Let go of connections."""
        self.remote.close()

    def _values(self, path: str, answer: Answer) -> Json:
        try:
            values = json.loads(answer.body) if answer.body else {}
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise StoreUnavailableError(
                f"{self.shown} answers {path!r} with what is not a JSON object: check that an MLflow or mlcore server "
                "is there, and not a proxy's page"
            )
        return values


@functools.cache
def _known(name: str) -> tuple[str, str, tuple[str, ...]]:
    """Return method, path with `{names}`, and the names in it."""
    endpoint = BY_NAME[name]
    path = endpoint.paths[0]
    return endpoint.method, _NAME.sub(r"{\1}", path), tuple(found[1] for found in _NAME.finditer(path))


def _text(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value
