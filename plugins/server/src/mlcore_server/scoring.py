"""Scoring servers that the operator names: the only machines that are asked because of a request, and how.

Nothing of the address comes from the request: it picks one of those that were named at the start. No header of it is
handed on, a redirect is not followed, and time and sizes are bounded.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from attrs import frozen

from mlcore.errors import InvalidParameterError, LimitExceededError, MlcoreError, SettingsError

MOST_BYTES = 1 << 20
_DEADLINE_S = 30.0
_AT_ONCE = 4
_PIECE_BYTES = 64 << 10
_NAMED = re.compile(r"(?:(?P<model>.+)=)?(?P<url>https?://[^\s?#]+)", re.DOTALL)


class ScoringServerError(MlcoreError):
    """A scoring server did not answer, or not as one that speaks HTTP."""

    code = "TEMPORARILY_UNAVAILABLE"
    status = 502


@frozen
class Scored:
    """What a scoring server answered. is_cut: whether there was more. took_ms: from sending to its end."""

    status: int
    body: str
    took_ms: int
    is_cut: bool


class ScoringServers:
    """The scoring servers of one tracking server."""

    def __init__(self, named: Sequence[str], deadline_s: float = _DEADLINE_S) -> None:
        """Know *named*: `MODEL=URL`, or `URL` for every model. deadline_s: for one request, whatever happens.

        Raises SettingsError: one is no address of a server.
        """
        self._known = tuple(_parsed(one) for one in named)
        self._deadline_s = deadline_s
        self._slots = threading.BoundedSemaphore(_AT_ONCE)

    def of(self, model: str) -> tuple[str, ...]:
        """Return the addresses for a registered model."""
        return tuple(dict.fromkeys(url for name, url in self._known if name in (None, model)))

    def ask(self, model: str, url: str, body: str) -> Scored:
        """Send *body*, JSON, to one of the addresses for *model*.

        Raises InvalidParameterError: another address, or no JSON. LimitExceededError: too many ask at once.
        ScoringServerError: no answer.
        """
        if url not in self.of(model):
            raise InvalidParameterError(
                f"{url[:200]!r} is no scoring server of the model {model!r}: expected one that the operator named"
            )
        content = _checked(body)
        if not self._slots.acquire(blocking=False):
            raise LimitExceededError("the server waits for other predictions: try again in a second")
        try:
            return _Asking(url, self._deadline_s).send(content)
        finally:
            self._slots.release()


class _Asking:
    """One request."""

    def __init__(self, url: str, deadline_s: float) -> None:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=deadline_s)
        self._url, self._path = url, parts.path.rstrip("/") + "/invocations"
        self._deadline_s = deadline_s
        self._is_late = False
        self._socket: socket.socket | None = None

    def send(self, content: bytes) -> Scored:
        started = time.monotonic()
        # a timeout of the socket is for each read alone: who sends a byte a second would hold the thread for hours
        timer = threading.Timer(self._deadline_s, self._stop)
        timer.start()
        try:
            headers = {"content-type": "application/json", "accept": "application/json", "connection": "close"}
            self._connection.connect()
            self._socket = self._connection.sock  # the connection hands it to an answer that ends with it
            self._connection.request("POST", self._path, content, headers)
            with self._connection.getresponse() as answer:
                body = self._read(answer)
        except (OSError, http.client.HTTPException, ValueError) as err:
            raise self._failed(err) from err
        finally:
            timer.cancel()
            self._connection.close()
        if self._is_late:
            raise self._failed(None)
        took_ms = round((time.monotonic() - started) * 1000)
        return Scored(answer.status, body[:MOST_BYTES].decode("utf-8", "replace"), took_ms, len(body) > MOST_BYTES)

    def _read(self, answer: http.client.HTTPResponse) -> bytes:
        found = bytearray()
        while len(found) <= MOST_BYTES and (piece := answer.read1(_PIECE_BYTES)):
            found += piece
        return bytes(found)

    def _stop(self) -> None:
        self._is_late = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _failed(self, err: Exception | None) -> ScoringServerError:
        why = f"in {self._deadline_s:g} s" if self._is_late or err is None else f"({type(err).__name__}: {err})"
        return ScoringServerError(f"the scoring server {self._url} did not answer {why}")


def _parsed(named: str) -> tuple[str | None, str]:
    found = _NAMED.fullmatch(named)
    try:
        parts = urlsplit(found["url"]) if found else None
        is_address = parts is not None and bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        is_address = False
    if found is None or not is_address:
        raise SettingsError(
            f"invalid --scoring-server {named.rpartition('@')[2][:200]!r}: expected URL or MODEL=URL, such as "
            "wine=http://10.0.0.3:5001, without user, password, query and fragment"
        )
    return found["model"], found["url"].rstrip("/")


def _checked(body: str) -> bytes:
    """Return a request's body as it is sent: written anew, so that it is JSON and nothing else."""
    if len(body) > MOST_BYTES:
        raise InvalidParameterError(f"a request of {len(body)} characters is too long: at most {MOST_BYTES}")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise InvalidParameterError(f"the body of the request is no JSON: {err}") from err
    if not isinstance(value, dict):
        raise InvalidParameterError("the body of the request is no JSON object")
    return json.dumps(value).encode()
