"""The API of a cluster over HTTPS: what is asked, what is asked again, and what its refusals mean."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from mlcore.errors import (
    ConflictError,
    InvalidParameterError,
    MlcoreError,
    NotFoundError,
    PermissionDeniedError,
    StoreUnavailableError,
    UnauthenticatedError,
)
from mlcore_project_kubernetes.credentials import Credentials
from mlcore_project_kubernetes.kubeconfig import Cluster
from mlcore_project_kubernetes.plain import table, text

PATIENCE_S = 300.0
_FIRST_PATIENCE_S = 10.0  # of a server that has never answered: its address may be wrong
_TIMEOUT_S = 30.0
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.2, 10.0
_BROKEN = (OSError, http.client.HTTPException)  # refused, reset, cut off, too late; URLError is an OSError
_ERRORS: Mapping[int, type[MlcoreError]] = {
    401: UnauthenticatedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: ConflictError,
}


class Api:
    """Requests to one API server, by its own words."""

    def __init__(self, cluster: Cluster, patience_s: float = PATIENCE_S) -> None:
        """Ask nothing yet.

        patience_s: how long to ask again while the server is not there or too busy.
        """
        self.cluster = cluster
        self._credentials = Credentials(cluster)
        self._patience_s = patience_s
        self._opener: urllib.request.OpenerDirector | None = None
        self._answered = False

    def get(self, path: str, **query: str) -> Mapping[str, object]:
        """Return an object or a list."""
        return self._asked("GET", path, query)

    def create(self, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """Make an object. Raises ConflictError: one of its name is there, maybe made by an attempt whose answer was lost."""
        return self._asked("POST", path, {}, body)

    def patch(self, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """Change parts of an object."""
        return self._asked("PATCH", path, {}, body, "application/merge-patch+json")

    @contextlib.contextmanager
    def stream(self, path: str, timeout_s: float, **query: str) -> Iterator[http.client.HTTPResponse]:
        """Open an answer that comes in parts; one attempt, as only the caller knows where to go on.

        timeout_s: without a part. Raises OSError, HTTPException: the connection is broken, then or while reading.
        """
        request = self._request("GET", path, query, None, "")
        with self._open(request, timeout_s) as response:
            yield response

    def _asked(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, object] | None = None,
        content_type: str = "application/json",
    ) -> Mapping[str, object]:
        began_s, pause_s = time.monotonic(), _FIRST_PAUSE_S
        data = None if body is None else json.dumps(body).encode()
        while True:
            try:
                with self._open(self._request(method, path, query, data, content_type), _TIMEOUT_S) as response:
                    return table(json.loads(response.read()))
            except (*_BROKEN, StoreUnavailableError) as err:
                patience_s = self._patience_s if self._answered else min(self._patience_s, _FIRST_PATIENCE_S)
                stranger = isinstance(getattr(err, "reason", None), ssl.SSLCertVerificationError)
                if stranger or time.monotonic() - began_s + pause_s > patience_s:
                    raise StoreUnavailableError(
                        f"the Kubernetes API at {self.cluster.server!r} does not answer: {err}"
                    ) from err
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LAST_PAUSE_S)

    def _request(
        self, method: str, path: str, query: Mapping[str, str], data: bytes | None, content_type: str
    ) -> urllib.request.Request:
        asked = f"?{urlencode(query)}" if query else ""
        headers = {"Accept": "application/json, */*", "User-Agent": "mlcore"}
        if data is not None:
            headers["Content-Type"] = content_type
        return urllib.request.Request(f"{self.cluster.server}{path}{asked}", data, headers, method=method)  # noqa: S310  # kubeconfig.py takes http and https only

    def _open(self, request: urllib.request.Request, timeout_s: float) -> http.client.HTTPResponse:
        """Send a request, once more with new credentials when a program had given the old ones."""
        for last in (False, True):
            header = self._credentials.header()
            if header:
                request.add_unredirected_header("Authorization", header)
            if self._opener is None:
                self._opener = _opener(_tls(self.cluster, *self._credentials.certificate()))
            try:
                found: http.client.HTTPResponse = self._opener.open(request, timeout=timeout_s)
                self._answered = True
            except urllib.error.HTTPError as err:
                self._answered = True
                if err.code == 401 and not last and self._credentials.forget():
                    self._opener = None
                    continue
                raise _error(request, err) from err
            else:
                return found
        raise AssertionError  # pragma: no cover


def _error(request: urllib.request.Request, err: urllib.error.HTTPError) -> MlcoreError:
    with err:
        try:
            said = text(json.loads(err.read(100_000)), "message")
        except (ValueError, *_BROKEN):
            said = ""
    what = f"the Kubernetes API answers {err.code} to {request.get_method()} {request.selector}: {said or err.reason}"
    if err.code == 429 or err.code >= 500:
        return StoreUnavailableError(what)
    if err.code == 401:
        what += "; the credentials of the kubeconfig are not, or no longer, valid"
    return _ERRORS.get(err.code, InvalidParameterError)(what)


def _opener(context: ssl.SSLContext) -> urllib.request.OpenerDirector:
    """Return what opens requests, by the machine's proxies; without redirects, which would take the token elsewhere."""
    made = urllib.request.OpenerDirector()
    https = urllib.request.HTTPSHandler(context=context)
    others = (urllib.request.ProxyHandler, urllib.request.HTTPHandler, urllib.request.HTTPDefaultErrorHandler)
    for each in (https, urllib.request.HTTPErrorProcessor(), *(kind() for kind in others)):
        made.add_handler(each)
    return made


def _tls(cluster: Cluster, certificate: bytes, key: bytes) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=cluster.authority.decode("ascii", "replace") or None)
    if cluster.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        with tempfile.NamedTemporaryFile(prefix="mlcore-") as file:  # readable by the user alone; ssl wants a path
            file.write(certificate + b"\n" + key)
            file.flush()
            context.load_cert_chain(file.name)
    return context
