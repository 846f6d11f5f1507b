"""The REST API of a Ray cluster's dashboard, asked without Ray being installed here."""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from attrs import evolve

from mlcore.errors import (
    MlcoreError,
    NotFoundError,
    PermissionDeniedError,
    ProjectError,
    StoreUnavailableError,
    UnauthenticatedError,
)
from mlcore.projects.polling import Patience
from mlcore.remote.client import Answer, Remote
from mlcore.remote.places import place_of
from mlcore.remote.settings import RemoteSettings

_SHOWN = 600
_AGENT = "No available agent"  # what a cluster says that has just begun
_TOKENS = "set RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH to a file that holds it"


class Dashboard:
    """One cluster."""

    def __init__(self, address: str, *, pause_s: float = 0.2, start_s: float = 60.0) -> None:
        """Connect to nothing yet.

        pause_s: the first pause before a request is sent again. start_s: how long a cluster that has just begun may take until it accepts jobs.
        """
        self.address: str = address.rstrip("/")
        self._start_s = start_s
        settings = RemoteSettings(
            token=_token(),
            timeout_s=60.0,
            max_retries=4,
            backoff_s=pause_s,
            ca_file=os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE"),
        )
        self._remote = Remote(place_of(self.address), settings)
        # output that Ray cannot decode is answered by status 500, which asking again does not mend
        self._once = Remote(place_of(self.address), evolve(settings, max_retries=0))
        for each in (self._remote, self._once):  # a backend is never closed
            weakref.finalize(self, each.close)

    def check(self) -> None:
        """Make sure that a Ray dashboard is there. Raises ProjectError, or what `_failure` says."""
        answer = self._remote.ask("GET", "/api/version")
        if answer.status in (401, 403):
            raise self._failure("/api/version", answer)
        if answer.status != 200 or not _object(answer.body).get("ray_version"):
            raise ProjectError(
                f"no dashboard of a Ray cluster answers at {self.address!r} (status {answer.status}); give 'address' in "
                "the backend configuration, or set RAY_API_SERVER_ADDRESS"
            )

    def upload(self, name: str, content: bytes) -> str:
        """Store a package unless it is there; return its URI."""
        path = f"/api/packages/gcs/{quote(name, safe='')}"
        if self._remote.ask("GET", path).status != 200:
            self._good(path, self._remote.ask("PUT", path, body=content))
        return f"gcs://{name}"

    def submit(self, request: Mapping[str, object]) -> None:
        """Start a job under the id that the request brings, once, however often it has to be sent."""
        body = json.dumps(request).encode()

        def send() -> Answer:
            answer = self._remote.ask("POST", "/api/jobs/", headers=_JSON, body=body)
            if answer.status >= 500 and _AGENT in _text(answer):
                raise StoreUnavailableError(
                    f"the Ray cluster {self.address!r} does not accept jobs yet: {_text(answer)}"
                )
            return answer

        about = f"job {request['submission_id']!r} of the Ray cluster {self.address!r}"
        answer = Patience(0.3, 3.0, self._start_s).ask(send, about)
        if answer.status != 200 and "already exists" in _text(answer):
            return  # the answer to an earlier try was lost
        self._good("/api/jobs/", answer)

    def job(self, submission_id: str) -> Mapping[str, object]:
        """Return what the cluster knows of a job. Raises NotFoundError."""
        path = f"/api/jobs/{quote(submission_id, safe='')}"
        answer = self._remote.ask("GET", path)
        if answer.status == 404:
            raise NotFoundError(
                f"no job {submission_id!r} on the Ray cluster {self.address!r}; a cluster that was started anew has "
                "forgotten its jobs"
            )
        return _object(self._good(path, answer).body)

    def stop(self, submission_id: str) -> None:
        """Ask for the end of a job; nothing happens when it has ended."""
        path = f"/api/jobs/{quote(submission_id, safe='')}/stop"
        self._good(path, self._remote.ask("POST", path))

    def log(self, submission_id: str, node_id: str) -> str:
        """Return the whole of what is in a job's log file by now."""
        path = f"/api/jobs/{quote(submission_id, safe='')}/logs"
        answer = self._once.ask("GET", path)
        if answer.status == 500 and node_id:  # bytes that are no text
            raw = f"/api/v0/logs/file?node_id={quote(node_id)}&filename={quote(f'job-driver-{submission_id}.log')}&lines=-1"
            found = self._once.ask("GET", raw)
            if found.status == 200:
                return found.body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        return str(_object(self._good(path, answer).body).get("logs", ""))

    def _good(self, path: str, answer: Answer) -> Answer:
        if answer.status != 200:
            raise self._failure(path, answer)
        return answer

    def _failure(self, path: str, answer: Answer) -> MlcoreError:
        told = _text(answer)
        if answer.status == 401:
            return UnauthenticatedError(f"the Ray cluster {self.address!r} wants a token: {_TOKENS}")
        if answer.status == 403:
            return PermissionDeniedError(f"the Ray cluster {self.address!r} refuses the token: {told}; {_TOKENS}")
        if answer.status in (408, 429, 502, 503, 504):
            return StoreUnavailableError(
                f"the Ray cluster {self.address!r} is not ready (status {answer.status}): {told}"
            )
        if answer.status < 500:
            return ProjectError(f"the Ray cluster {self.address!r} refuses {path!r} (status {answer.status}): {told}")
        return StoreUnavailableError(
            f"the Ray cluster {self.address!r} failed at {path!r} (status {answer.status}): {told}"
        )


_JSON = {"content-type": "application/json"}


def _token() -> str | None:
    """Return the token that Ray's own client would send: of the environment, a file it names, or the usual file."""
    if token := os.environ.get("RAY_AUTH_TOKEN", "").strip():
        return token
    chosen = os.environ.get("RAY_AUTH_TOKEN_PATH")
    path = Path(chosen) if chosen else Path.home() / ".ray" / "auth_token"
    try:
        return path.read_text("utf-8").strip() or None
    except OSError as err:
        if chosen:
            raise ProjectError(f"cannot read the token of Ray, RAY_AUTH_TOKEN_PATH is {chosen!r}: {err}") from err
        return None


def _object(body: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _text(answer: Answer) -> str:
    """Return what an answer says: of a traceback its last lines, which name the fault."""
    text = answer.body.decode("utf-8", "replace").strip()
    return " ".join(text.split())[-_SHOWN:] or "no reason given"
