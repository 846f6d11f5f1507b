"""Answers that are ready to be sent: of any kind, and packed for those who unpack."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from attrs import evolve, frozen

from mlcore_server.asgi import NO_STORE, NOSNIFF, Headers, Send

JSON = "application/json"
BINARY = "application/octet-stream"

_LEAST = 1400  # what fits into one packet gets no faster
_LEVEL = 5


@frozen
class Whole:
    """An answer with its kind; a call returns one when it does not answer a JSON object.

    packing: the `content-encoding`, empty for none.
    """

    body: bytes
    kind: str = JSON
    status: int = 200
    packing: str = ""


def packed(answer: Whole, headers: Mapping[str, str]) -> Whole:
    """Return *answer* in gzip when it is worth it and the request's *headers* take it."""
    if len(answer.body) < _LEAST or not _takes_gzip(headers.get("accept-encoding", "")):
        return answer
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return evolve(answer, body=packer.compress(answer.body) + packer.flush(), packing="gzip")


def wants_json(accept: str) -> bool:
    """Whether a request asks for JSON, and not for whatever there is."""
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return JSON in kinds and BINARY not in kinds


async def send_whole(send: Send, answer: Whole, *, varies: bool) -> None:
    """Send an answer. varies: whether it depends on what the request takes, for caches."""
    # what one person may read, and what may have changed a second later
    headers: Headers = [NOSNIFF, NO_STORE]
    if answer.status != 204:
        headers += [(b"content-type", answer.kind.encode()), (b"content-length", b"%d" % len(answer.body))]
    if answer.packing:
        headers.append((b"content-encoding", answer.packing.encode()))
    if varies:
        headers.append((b"vary", b"accept, accept-encoding"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
