"""The fast lane: signed requests over kept connections, without a client library in between.

A request through boto3 costs two to five milliseconds of CPU, most of what moving a small file takes; here it is a
quarter of one. The lane knows no retries, redirects or errors: whatever is not plain success is done again through
boto3, which does.
"""

from __future__ import annotations

import http.client
import os
import queue
import ssl
from collections.abc import Mapping
from types import TracebackType
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from botocore.exceptions import BotoCoreError
from urllib3.exceptions import HTTPError

from mlcore_artifacts_s3.channel import Body, Channel, Response
from mlcore_artifacts_s3.connection import Connection
from mlcore_artifacts_s3.signing import EMPTY_SHA256, encoded_path, encoded_query, signed_headers

_PROBE = "k"
_OTHER_SIGNATURE = ("arn:", "--x-s3", "--table-s3", "-s3alias")
BROKEN: tuple[type[Exception], ...] = (http.client.HTTPException, OSError, HTTPError, BotoCoreError)
_WRONG_PLACE = (301, 307, 400)  # another region, or a storage that wants other requests


class Answer:
    """A successful answer; its connection is kept once the body has been read to the end."""

    def __init__(self, wire: Wire, opened: Channel, response: Response) -> None:
        """Hold *opened* until `close`."""
        self._wire = wire
        self._opened = opened
        self.response: Response = response

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back, or drop it when something of the body was left unread."""
        if self.response.isclosed() and not self.response.will_close:
            self._wire.keep(self._opened)
        else:
            self.response.close()
            self._opened.close()


class Wire:
    """Connections to one bucket's host."""

    def __init__(self, connection: Connection, keep: int) -> None:
        """Ask *connection* for host, region and credentials at the first request; keep so many sockets."""
        self._connection = connection
        self._idle: queue.LifoQueue[tuple[int, Channel]] = queue.LifoQueue(keep)
        self._place: tuple[bool, str, str] | None = None
        self._tls: ssl.SSLContext | None = None
        self._off = any(word in connection.bucket for word in _OTHER_SIGNATURE)

    def request(
        self,
        method: str,
        key: str,
        headers: Mapping[str, str] | None,
        *,
        query: Mapping[str, str] | None = None,
        body: Body | None = None,
        sha256: str = EMPTY_SHA256,
    ) -> Answer | None:
        """Send one request; None when it did not succeed, or cannot be sent here: then it is for boto3.

        Only the body of a GET is left to be read; the answer is to be closed in any case.
        headers: names in lower case; None says that they cannot be told.
        sha256: of *body*, in hexadecimal.
        """
        if self._off or headers is None:
            return None
        credentials = self._connection.credentials()
        if credentials is None and not self._connection.settings.unsigned:
            return None
        place = self._place or self._find_place()
        if self._off:
            return None
        _, host, base = place
        path, text = encoded_path(f"{base}/{key}"), encoded_query(query or {})
        full = {**headers, "host": host}
        if credentials:
            full = signed_headers(credentials, self._connection.region, (method, path, text), full, sha256)
        return self._send(method, f"{path}?{text}" if text else path, full, body)

    def keep(self, opened: Channel) -> None:
        """Take a connection back."""
        try:
            self._idle.put_nowait((os.getpid(), opened))
        except queue.Full:
            opened.close()

    def close(self) -> None:
        """Let go of all connections."""
        while (opened := self._kept()) is not None:
            opened.close()

    def _send(self, method: str, target: str, headers: Mapping[str, str], body: Body | None) -> Answer | None:
        while True:
            kept = self._kept()
            try:
                opened = kept or self._new()
            except BROKEN:
                return None
            try:
                response = opened.ask(method, target, headers, body)
                good = response.status in (200, 204, 206)
                if not good or method != "GET":
                    response.read()
            except BROKEN:
                opened.close()
                if kept is None:
                    return None
                continue  # the server had closed it meanwhile
            except BaseException:
                opened.close()
                raise
            answer = Answer(self, opened, response)
            if good:
                return answer
            self._off = self._off or response.status in _WRONG_PLACE
            answer.close()
            return None

    def _kept(self) -> Channel | None:
        while True:
            try:
                owner, opened = self._idle.get_nowait()
            except queue.Empty:
                return None
            if owner == os.getpid():
                return opened
            # After a fork the parent goes on using its sockets; closing our copy does not end them.
            opened.close()

    def _new(self) -> Channel:
        secure, host, _ = self._place or self._find_place()
        timeout = self._connection.settings.read_timeout_s
        if secure:
            return Channel(http.client.HTTPSConnection(host, timeout=timeout, context=self._tls))
        return Channel(http.client.HTTPConnection(host, timeout=timeout))

    def _find_place(self) -> tuple[bool, str, str]:
        """Ask boto3 where the bucket is: it knows regions, partitions, dual stack and styles of addressing."""
        url = urlsplit(self._connection.presigned("get_object", {"Key": _PROBE}, 60))
        secure, host = url.scheme == "https", url.netloc
        if host in getproxies().values() or (url.scheme in getproxies() and not proxy_bypass(url.hostname or "")):
            self._off = True  # boto3 knows proxies
        if secure and not self._off:
            authorities = self._connection.authorities()
            self._tls = ssl.create_default_context(cafile=authorities)
            if authorities is None:
                self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE
        self._place = (secure, host, url.path.removesuffix(f"/{_PROBE}"))
        return self._place
