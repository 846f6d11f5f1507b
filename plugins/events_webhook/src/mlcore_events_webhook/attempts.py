"""One attempt to deliver a message: a connection to an address that was looked at, a request, an answer's status."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from email.utils import parsedate_to_datetime

from attrs import frozen

from mlcore_events_webhook.addresses import ForbiddenAddressError, resolve
from mlcore_events_webhook.messages import Message, headers
from mlcore_events_webhook.settings import Endpoint, WebhookSettings

_READ = 1024  # of an answer's body: enough to make sense of a failure
_LONGEST_WAIT_S = 3600.0


@frozen
class Outcome:
    """What came of an attempt.

    problem: empty when the receiver has the message. is_final: whether another attempt is useless.
    is_gone: the receiver wants no more messages at all. wait_s: what the receiver asks to wait before the next one.
    """

    problem: str = ""
    is_final: bool = False
    is_gone: bool = False
    wait_s: float = 0.0


def attempt(endpoint: Endpoint, message: Message, settings: WebhookSettings) -> Outcome:
    """Send a message once. No redirect is followed, and no proxy of the environment is used."""
    try:
        addresses = resolve(endpoint.host, endpoint.port, settings.allow_networks)
        return _exchange(_Connection(endpoint, addresses, settings.timeout_s), endpoint, message, settings)
    except ForbiddenAddressError as err:
        return Outcome(str(err), is_final=True)
    except (OSError, http.client.HTTPException, UnicodeError) as err:  # the last for hosts that are no names
        return Outcome(f"{type(err).__name__}: {err}")


def _exchange(connection: _Connection, endpoint: Endpoint, message: Message, settings: WebhookSettings) -> Outcome:
    # the timeout of a socket is for each wait; a receiver that drips must not hold the thread for longer
    watchdog = threading.Timer(settings.timeout_s, connection.abort)
    watchdog.daemon = True
    watchdog.start()
    try:
        connection.request("POST", endpoint.path, message.body, headers(message, settings.secrets, int(time.time())))
        answer = connection.getresponse()
        if 200 <= answer.status < 300:
            return Outcome()  # whatever else the receiver says, it has the message
        return _judged(answer.status, answer.read(_READ), answer.headers.get("retry-after", ""))
    finally:
        watchdog.cancel()
        connection.close()


def _judged(status: int, said: bytes, retry_after: str) -> Outcome:
    text = " ".join(said[:200].decode("utf-8", "replace").split())
    problem = f"status {status}{': ' * bool(text)}{text}"
    if status == 410:
        return Outcome(problem, is_final=True, is_gone=True)
    if 300 <= status < 400:
        return Outcome(f"{problem} (redirects are not followed: give the final URL)", is_final=True)
    return Outcome(problem, wait_s=_wait_s(retry_after))


def _wait_s(retry_after: str) -> float:
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10:
        return min(float(retry_after), _LONGEST_WAIT_S)
    try:
        wanted = parsedate_to_datetime(retry_after).timestamp() - time.time()
    except (TypeError, ValueError):
        return 0.0
    return min(max(wanted, 0.0), _LONGEST_WAIT_S)


class _Connection(http.client.HTTPConnection):
    """A connection to one of given addresses; the name of the host is for the Host header and the certificate alone."""

    def __init__(self, endpoint: Endpoint, addresses: list[str], timeout_s: float) -> None:
        super().__init__(endpoint.host, endpoint.port, timeout=timeout_s)
        self._endpoint = endpoint
        self._addresses = addresses
        self._deadline = time.monotonic() + timeout_s

    def connect(self) -> None:
        """Connect to the first address that answers."""
        problem: OSError | None = None
        for address in self._addresses:
            left = self._deadline - time.monotonic()
            if left <= 0:
                break
            try:
                self.sock = socket.create_connection((address, self._endpoint.port), left)
                break
            except OSError as err:
                problem = err
        else:
            raise problem or TimeoutError("no address answered in time")
        if self.sock is None:
            raise problem or TimeoutError("no address answered in time")
        if self._endpoint.is_secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self._endpoint.host)

    def abort(self) -> None:
        """End whatever is going on."""
        opened = self.sock
        if opened is not None:
            try:
                opened.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # closed already
