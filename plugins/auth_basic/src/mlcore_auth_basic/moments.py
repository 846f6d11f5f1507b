"""Points in time that people write."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from mlcore.errors import InvalidParameterError


def moment_ms(text: str | None, name: str) -> int | None:
    """Read ms since the epoch, or a date and time of ISO 8601, in UTC when it names no zone; None for None.

    Raises InvalidParameterError: neither.
    """
    if text is None or re.fullmatch(r"[0-9]{1,15}", text):
        return int(text) if text else None
    try:
        # a plus sign that was not encoded in a query arrives as a space
        found = datetime.fromisoformat(re.sub(r" (\d\d:?\d\d)$", r"+\1", text) if "T" in text else text)
    except ValueError as error:
        raise InvalidParameterError(
            f"{name} is {text[:40]!r}, expected ms since the epoch or a time such as 2025-12-31T23:59:00Z"
        ) from error
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
