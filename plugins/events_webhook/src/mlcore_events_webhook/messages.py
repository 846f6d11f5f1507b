"""What is sent: an event as JSON, with the headers of the Standard Webhooks scheme."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from attrs import field, frozen

from mlcore.hookspecs import Event

_LONGEST = 256_000


@frozen
class Message:
    """One event on its way; its id stays the same over all attempts, so that a receiver can tell a repetition."""

    message_id: str
    event: str
    body: bytes = field(repr=False)


def message_of(event: Event) -> Message:
    """Return the message about an event. Raises ValueError, TypeError: its detail is no plain JSON."""
    when = datetime.fromtimestamp(event.timestamp / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = {"subject": event.subject, **event.detail}
    body = json.dumps({"type": event.name, "timestamp": when, "data": data}, ensure_ascii=False, allow_nan=False)
    encoded = body.encode()
    if len(encoded) > _LONGEST:
        raise ValueError(f"an event of {len(encoded)} bytes is too long for a webhook, which has {_LONGEST} at most")
    return Message(f"msg_{uuid.uuid4().hex}", event.name, encoded)


def headers(message: Message, secrets: Sequence[bytes], now_s: int) -> dict[str, str]:
    """Return the headers of one attempt. now_s: seconds since the epoch, which is signed, too."""
    signed = f"{message.message_id}.{now_s}.".encode() + message.body
    signatures = (base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in secrets)
    return {
        "content-type": "application/json",
        "user-agent": "mlcore-events-webhook",
        "webhook-id": message.message_id,
        "webhook-timestamp": str(now_s),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
