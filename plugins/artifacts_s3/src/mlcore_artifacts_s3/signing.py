"""Sign requests with AWS Signature Version 4, an order of magnitude cheaper than through a whole client.

Source: AWS, "Signature Calculations for the Authorization Header: Transferring Payload in a Single Chunk".
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

from attrs import field, frozen

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


@frozen
class Credentials:
    """A key pair, and the token of a session; only the access key may be shown."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def encoded_path(path: str) -> str:
    """Percent-encode an object's path as the signature wants it."""
    return quote(path, safe="/-_.~")


def encoded_query(query: Mapping[str, str]) -> str:
    """Return the canonical query: sorted, percent-encoded."""
    return "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(query.items()))


def signed_headers(
    credentials: Credentials,
    region: str,
    request: tuple[str, str, str],
    headers: Mapping[str, str],
    payload_sha256: str,
) -> dict[str, str]:
    """Return *headers* with date, payload hash and authorization.

    request: method, encoded path, encoded query.
    headers: names in lower case, `host` among them.
    payload_sha256: in hexadecimal; the storage refuses another payload.
    """
    now = _stamp(int(time.time()))
    day = now[:8]
    full = {**headers, "x-amz-date": now, "x-amz-content-sha256": payload_sha256}
    if credentials.token:
        full["x-amz-security-token"] = credentials.token
    names = sorted(full)
    listed = ";".join(names)
    lines = "".join(f"{name}:{' '.join(full[name].split())}\n" for name in names)
    canonical = "\n".join((*request, lines, listed, payload_sha256))
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(_key(credentials.secret_key, day, region), text.encode(), "sha256").hex()
    full["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={listed}, Signature={signature}"
    )
    return full


@lru_cache(maxsize=2)
def _stamp(seconds: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


@lru_cache(maxsize=16)
def _key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
