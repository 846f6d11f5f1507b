"""The REST API of a Databricks workspace."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from urllib.parse import urlencode
from weakref import finalize

from mlcore.errors import (
    MlcoreError,
    NotFoundError,
    PermissionDeniedError,
    ProjectError,
    StoreUnavailableError,
    UnauthenticatedError,
)
from mlcore.remote.client import Answer, Remote
from mlcore.remote.places import place_of
from mlcore.remote.settings import RemoteSettings
from mlcore_project_databricks.login import Login

_SHOWN = 600
_PASSING = frozenset((408, 429, 500, 502, 503, 504))
_ABSENT = frozenset(("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "ENDPOINT_NOT_FOUND"))

Found = Mapping[str, object]


class Workspace:
    """One workspace, asked by JSON."""

    def __init__(self, login: Login, pause_s: float = 0.5) -> None:
        """Connect to nothing yet.

        pause_s: the first pause before a request is sent again.
        """
        self.login: Login = login
        settings = RemoteSettings(
            token=login.token,
            username=None if login.token else login.username,
            password=None if login.token else login.password,
            timeout_s=60.0,
            max_retries=5,
            backoff_s=pause_s,
            ca_file=os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE"),
        )
        self._remote = Remote(place_of(login.host), settings)
        finalize(self, self._remote.close)  # a backend is never closed

    def get(self, path: str, /, **query: str | int) -> Found:
        """Ask for something. Raises NotFoundError, PermissionDeniedError, StoreUnavailableError and others."""
        target = f"{path}?{urlencode(query)}" if query else path
        return _object(self.good(path, self._remote.ask("GET", target)).body)

    def post(self, path: str, body: Found, *, repeatable: bool = True) -> Found:
        """Send something; what is repeatable does no more when it is sent twice. Raises as `get`."""
        raw = json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        answer = self._remote.ask("POST", path, headers=headers, body=raw, repeatable=repeatable)
        return _object(self.good(path, answer).body)

    def raw(self, method: str, target: str, body: bytes = b"") -> Answer:
        """Ask for bytes, or send them; return any answer."""
        headers = {"content-type": "application/octet-stream"} if body else {}
        return self._remote.ask(method, target, headers=headers, body=body)

    def good(self, path: str, answer: Answer) -> Answer:
        """Return an answer that is none of an error; raise what the others tell of."""
        if answer.status in (200, 201, 204):
            return answer
        raise self._failure(path, answer)

    def _failure(self, path: str, answer: Answer) -> MlcoreError:
        told = _object(answer.body)
        code = str(told.get("error_code") or "")
        text = str(told.get("message") or "") or " ".join(answer.body.decode("utf-8", "replace").split())[:_SHOWN]
        where = f"the workspace {self.login.host!r}"
        if answer.status == 401:
            return UnauthenticatedError(
                f"{where} does not accept the credentials of {self.login.origin}: {text or 'no reason given'}"
            )
        if answer.status == 403:
            return PermissionDeniedError(f"{where} refuses {path!r} to the credentials of {self.login.origin}: {text}")
        if answer.status == 404 or code in _ABSENT or (answer.status == 400 and "does not exist" in text):
            return NotFoundError(f"{where} does not know what was asked for at {path!r}: {text}")
        if answer.status in _PASSING:
            return StoreUnavailableError(f"{where} is not ready at {path!r} (status {answer.status}): {text}")
        return ProjectError(f"{where} refuses {path!r} (status {answer.status}, {code or 'no code'}): {text}")


def _object(body: bytes) -> Found:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
