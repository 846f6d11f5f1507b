"""Ask a server: kept connections, credentials, redirects, and another try where that does no harm."""

from __future__ import annotations

import os
import random
import time
from collections import deque
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from attrs import evolve, frozen

from mlcore import __version__
from mlcore.errors import InvalidParameterError, MlcoreError
from mlcore.remote import faults
from mlcore.remote.exchange import Body, Connection, Request, Response
from mlcore.remote.places import Place, is_met, meet, split_url
from mlcore.remote.settings import RemoteSettings
from mlcore.remote.sockets import Route, basic, connect, route_to, tls_context

if TYPE_CHECKING:
    import ssl

_AGAIN = frozenset((408, 429, 500, 502, 503, 504))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MAX_REDIRECTS = 5
_FIRST_CONTACT = 1  # how often to try again where nobody has answered yet: a wrong URI should be told at once
_MAX_ASKED_S = 120.0
_FAULTS = 2  # how often to try again after status 500, which seldom passes


@frozen
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Unsent(Exception):  # noqa: N818  # it never leaves this module
    """The request did not go out; its cause says why."""


class Remote:
    """One server, asked from any thread, and on both sides of a fork."""

    def __init__(self, place: Place, settings: RemoteSettings | None = None, *, trusted: bool = True) -> None:
        """Connect to nothing yet.

        settings: of the environment when not given; then they are looked at again when the server wants credentials.
        trusted: whether credentials of the settings may go there; those of the URL always do.
        """
        self.place: Place = place
        self._is_bound = settings is None
        self.settings: RemoteSettings = settings or RemoteSettings.from_environ()
        self._trusted = trusted
        self._idle: deque[Connection] = deque()  # without a lock, which a fork could take along
        self._has_answered = is_met(place)
        self._authorization = self._find_authorization()

    def ask(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = b"",
        repeatable: bool = True,
    ) -> Answer:
        """Send a request and return the whole answer, whatever its status. Raises StoreUnavailableError."""
        request = Request(method, self.place.prefix + target, headers or {}, body, repeatable)
        for is_last in (not repeatable, True):
            with self.open(request) as response:
                try:
                    return Answer(response.status, response.headers, response.readall())
                except OSError as err:  # the head came and the rest did not
                    if is_last:
                        raise faults.unreachable(self.place, err, self.settings.timeout_s) from err
        raise AssertionError("unreachable")

    def open(self, request: Request) -> Response:
        """Send a request, whose target includes the place's prefix, and return the answer with its body unread.

        Raises StoreUnavailableError: no answer, also after other tries if they do no harm. What the source of the
        request's body raises passes.
        """
        for _ in range(_MAX_REDIRECTS):
            response = self._persist(request)
            if response.status == 401 and self._has_new_credentials():
                response.close()
                response = self._persist(request)
            onward = self._onward(request, response)
            if onward is None:
                return response
            response.close()
            request = onward
        return self._persist(request)

    def error(self, target: str, answer: Answer) -> MlcoreError:
        """Return the error that an answer tells of."""
        return faults.answered(self.place, target.partition("?")[0], answer.status, answer.headers, answer.body)

    def close(self) -> None:
        """Let go of connections; later requests open new ones."""
        while (kept := self._kept()) is not None:
            kept.close()

    def _persist(self, request: Request) -> Response:
        attempt = 0
        while True:
            response: Response | None = None
            failure: OSError | None = None
            try:
                response = self._once(request)
            except _Unsent as unsent:
                failure, again = unsent.args[0], True
            except OSError as err:
                failure, again = err, request.repeatable
            else:
                if not self._has_answered:
                    meet(self.place)
                    self._has_answered = True
                again = response.status in _AGAIN and (request.repeatable or response.status == 429)
            most = self.settings.max_retries
            if failure is not None and not self._has_answered:
                most = min(most, _FIRST_CONTACT)
            if response is not None and response.status == 500:
                most = min(most, _FAULTS)
            if not again or attempt >= most or type(failure).__name__ == "SSLCertVerificationError":
                if response is not None:
                    return response
                raise faults.unreachable(self.place, failure or OSError(), self.settings.timeout_s) from failure
            pause = self._pause(attempt, response)
            if response is not None:
                response.close()
            time.sleep(pause)
            attempt += 1

    def _once(self, request: Request) -> Response:
        connection = self._kept() or self._new()
        try:
            response = connection.ask(request, self._head(request))
        except BaseException:
            connection.close()
            raise
        response.release = self._take_back
        return response

    def _head(self, request: Request) -> bytes:
        target = f"http://{self.place.netloc}{request.target}" if self._route.is_forwarded else request.target
        lines = [f"{request.method} {target} HTTP/1.1", self._fixed]
        if self._authorization and "authorization" not in request.headers:
            lines.append(f"authorization: {self._authorization}")
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        if request.body or request.method in ("POST", "PUT", "PATCH"):
            lines.append(f"content-length: {len(request.body)}")
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1 + self._fixed.count("\n") or " " in target:
            raise InvalidParameterError(f"cannot send a request for {target[:200]!r}: it holds a line break or a space")
        return f"{head}\r\n\r\n".encode("latin-1")

    def _kept(self) -> Connection | None:
        while True:
            try:
                kept = self._idle.pop()
            except IndexError:
                return None
            # After a fork the parent goes on using its sockets; closing our copy does not end them.
            if kept.owner == os.getpid() and kept.is_usable():
                return kept
            kept.close()

    def _new(self) -> Connection:
        try:
            return Connection(connect(self._route, self.settings, self._tls))
        except OSError as err:
            raise _Unsent(err) from err

    def _take_back(self, connection: Connection, is_reusable: bool) -> None:
        if is_reusable:
            self._idle.append(connection)
        else:
            connection.close()

    def _pause(self, attempt: int, response: Response | None) -> float:
        asked = response.headers.get("retry-after", "") if response is not None else ""
        if self.settings.respect_retry_after and asked and (seconds := _seconds(asked)) is not None:
            return min(seconds, _MAX_ASKED_S)
        longest = min(self.settings.backoff_s * 2.0**attempt, self.settings.max_pause_s)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311  # so that clients do not come back all at once

    def _onward(self, request: Request, response: Response) -> Request | None:
        where = response.headers.get("location")
        if response.status not in _REDIRECTS or not where or request.method not in ("GET", "HEAD"):
            return None
        place, target = split_url(urljoin(f"{evolve(self.place, prefix='').shown}{request.target}", where))
        is_same = place.origin == self.place.origin
        return evolve(request, target=target) if is_same and self.settings.follow_redirects else None

    def _find_authorization(self) -> str | None:
        place, known = self.place, self.settings
        if place.username:
            return basic(place.username, place.password or "")
        if not self._trusted:
            return None
        if known.username and known.password:
            return basic(known.username, known.password)
        return f"Bearer {known.token}" if known.token else None

    def _has_new_credentials(self) -> bool:
        """Look at the environment again: a program may set variables after it was told what is missing."""
        if not self._is_bound:
            return False
        self.settings = RemoteSettings.from_environ()
        before, self._authorization = self._authorization, self._find_authorization()
        return self._authorization is not None and self._authorization != before

    @cached_property
    def _route(self) -> Route:
        return route_to(self.place)

    @cached_property
    def _tls(self) -> ssl.SSLContext | None:
        return tls_context(self.settings) if self.place.secure else None

    @cached_property
    def _fixed(self) -> str:
        proxy = self._route.proxy
        lines = [f"host: {self.place.netloc}", f"user-agent: mlcore/{__version__}", "accept: */*"]
        if proxy is not None and proxy.username and self._route.is_forwarded:
            lines.append(f"proxy-authorization: {basic(proxy.username, proxy.password or '')}")
        return "\r\n".join(lines)


def _seconds(retry_after: str) -> float | None:
    """Return how long a `Retry-After` header asks to wait, which it says as a number or as a date."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    from email.utils import parsedate_to_datetime  # costs 10 ms, and few servers send dates

    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
