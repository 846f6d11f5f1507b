"""Page tokens that no store gave."""

from __future__ import annotations

# no base64; {}; then offset -1, "1", 1.5; a good one with a character that is none; a list
BAD_TOKENS: tuple[str, ...] = (
    "nonsense",
    "e30=",
    "eyJvZmZzZXQiOiAtMX0=",
    "eyJvZmZzZXQiOiAiMSJ9",
    "eyJvZmZzZXQiOiAxLjV9",
    "!eyJvZmZzZXQiOiAxfQ==",
    "WzFd",
)
